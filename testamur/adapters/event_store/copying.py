"""Copying a whole database into an empty one, of the same or of another kind, and proving it.

One transaction on either side: what is read is one moment of the source, and the target has all of
it or nothing. A copy that was interrupted left nothing behind, and is simply begun again.

Rows go over as the database file has them: ids as 32 hexadecimal digits, moments as text in UTC,
truth as 0 or 1. What can be made anew from the log is left out.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol, TypeAlias

from testamur.application.errors import EventStoreError

#: Rows that are read and written together.
BATCH: Final = 5000

Row: TypeAlias = tuple[int | str | bytes | None, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is copied.

    Args:
        name: Its name.
        columns: Names of its columns, as the database file has them.
        key: Names of the columns that its rows are sorted by, which tell them apart.
        initial: Number of rows that it has in a database that was just made.
    """

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    initial: int = 0


class Reading(Protocol):
    """One moment of a database."""

    def count(self, table: Table) -> int:
        """Return how many rows a table has."""
        ...

    def rows(self, table: Table) -> Iterator[Sequence[Row]]:
        """Yield the rows of a table in the order of its key, in batches."""
        ...


class Writing(Reading, Protocol):
    """A database that is being filled, in one transaction."""

    def write(self, table: Table, rows: Sequence[Row]) -> None:
        """Add rows to a table, which has none but these."""
        ...


class Source(Protocol):
    """A database that can be copied."""

    def reading(self) -> AbstractContextManager[Reading]:
        """Give the database as it is now, and stays while the context lasts.

        Raises:
            EventStoreError: It cannot be read.
        """
        ...


class Target(Protocol):
    """A database that can be copied into."""

    @property
    def name(self) -> str:
        """Its name for people."""
        ...

    def writing(self, tables: Sequence[Table]) -> AbstractContextManager[Writing]:
        """Empty these tables and let them be filled; an error leaves everything as it was.

        Nobody else reads or writes them while the context lasts.

        Raises:
            EventStoreError: It holds events or keys already, or cannot be written.
        """
        ...


def refuse_used(database: str, count: Callable[[Table], int], tables: Sequence[Table]) -> None:
    """Let nothing be copied over what is there.

    Args:
        database: Its name for people.
        count: Returns how many rows a table has.
        tables: The tables.

    Raises:
        EventStoreError: There is something in a table.
    """
    for table in tables:
        if (rows := count(table)) > table.initial:
            raise EventStoreError(
                f"the database {database} is not empty (table {table.name} has {rows:,} rows), and "
                "a copy is made into an empty one only; name another"
            )


class CopyStep(StrEnum):
    """What a copy goes through."""

    COPY = "copy"
    COMPARE_SOURCE = "compare with the source"
    COMPARE_TARGET = "compare with the copy"


Progress = Callable[[CopyStep, int, int], None]
"""Is told the step, how many rows of it are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class CopyReport:
    """What was copied; both sides were compared row by row.

    Args:
        rows: Number of rows by table.
        digest: SHA-256 over all events: position, stream, version, name and state of each.
    """

    rows: Mapping[str, int]
    digest: str


class _Digest:
    """Counts the rows of a table, and hashes them in order."""

    def __init__(self) -> None:
        self.count = 0
        self._hash = hashlib.sha256()

    def add(self, rows: Sequence[Row]) -> None:
        self.count += len(rows)
        for row in rows:
            # Python's notation of numbers, texts, bytes and None is never ambiguous.
            self._hash.update(repr(row).encode("utf-8", "surrogatepass"))

    @property
    def result(self) -> tuple[int, str]:
        return self.count, self._hash.hexdigest()


def copy_database(
    source: Source, target: Target, tables: Sequence[Table], progress: Progress
) -> CopyReport:
    """Copy all rows of these tables, and compare both sides before the copy is kept.

    Args:
        source: Is only read. Others may use it, but what they write makes the copy fail.
        target: Must hold nothing.
        tables: All that are to be copied, the log first.
        progress: Is told how far it is.

    Raises:
        EventStoreError: The target is not empty; the source changed in the meantime; the copy is
            not like the source; or either cannot be used. The target is as it was.
    """
    with target.writing(tables) as writing:
        with source.reading() as reading:
            total = sum(reading.count(table) for table in tables)
            copied = _go_over(reading, tables, CopyStep.COPY, total, progress, writing)
        with source.reading() as later:
            still = _go_over(later, tables, CopyStep.COMPARE_SOURCE, total, progress)
        _compare(
            copied,
            still,
            "the source changed while it was copied: stop what uses it and copy again",
        )
        written = _go_over(writing, tables, CopyStep.COMPARE_TARGET, total, progress)
        _compare(copied, written, f"{target.name} did not keep what was written to it")
    return CopyReport(
        {name: count for name, (count, _) in copied.items()}, copied[tables[0].name][1]
    )


def _go_over(
    reading: Reading,
    tables: Sequence[Table],
    step: CopyStep,
    total: int,
    progress: Progress,
    writing: Writing | None = None,
) -> dict[str, tuple[int, str]]:
    """Return number and hash of the rows of each table, writing them on the way."""
    progress(step, 0, total)
    done = 0
    results = {}
    for table in tables:
        digest = _Digest()
        for rows in reading.rows(table):
            if writing is not None:
                writing.write(table, rows)
            digest.add(rows)
            done += len(rows)
            progress(step, done, total)
        results[table.name] = digest.result
    return results


def _compare(
    copied: Mapping[str, tuple[int, str]], other: Mapping[str, tuple[int, str]], trouble: str
) -> None:
    for name, (count, digest) in copied.items():
        if other[name] != (count, digest):
            found = f"{other[name][0]:,}" if other[name][0] != count else "others"
            raise EventStoreError(
                f"{trouble}; nothing was kept (table {name}: {count:,} rows were copied, and then "
                f"there were {found})"
            )
