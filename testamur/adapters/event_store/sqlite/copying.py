"""The database file as one end of a copy, and a copy of the file itself while others use it."""

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from testamur.adapters.event_store.copying import BATCH, Row, Table, refuse_used
from testamur.adapters.event_store.migrations import tables_to_copy
from testamur.adapters.event_store.sqlite.migrations import MIGRATIONS
from testamur.application.errors import EventStoreError

#: What is being written is kept in memory up to so many kibibytes.
_CACHE_KIBIBYTES: Final = 64 * 1024

#: Pages of a backup between two reports of how far it is.
_PAGES: Final = 1000


def tables() -> list[Table]:
    """Return the tables that a copy takes along, the log first."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for migration in MIGRATIONS:
            for statement in migration.statements:
                connection.execute(statement)
        return [_table(connection, name) for name in tables_to_copy(MIGRATIONS)]


class SqliteEnd:
    """Fills the protocols `Source` and `Target`.

    Args:
        path: The file, with the schema of this release.
        busy_timeout_seconds: How long to wait for others.
    """

    def __init__(self, path: Path, busy_timeout_seconds: float) -> None:
        self._path = path
        self._busy_timeout_seconds = busy_timeout_seconds

    @property
    def name(self) -> str:
        """Its name for people."""
        return str(self._path)

    @contextmanager
    def reading(self) -> "Iterator[SqliteRows]":
        """Give the file as it is now."""
        with self._connected() as connection:
            connection.execute("BEGIN")
            yield SqliteRows(connection)

    @contextmanager
    def writing(self, tables: Sequence[Table]) -> "Iterator[SqliteRows]":
        """Let the file be filled, all or nothing."""
        with self._connected() as connection:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIBIBYTES}")
            connection.execute("BEGIN IMMEDIATE")
            rows = SqliteRows(connection)
            refuse_used(self.name, rows.count, tables)
            for table in tables:
                connection.execute(f"DELETE FROM {table.name}")  # noqa: S608
            yield rows
            connection.execute("COMMIT")

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(
                sqlite3.connect(
                    self._path, timeout=self._busy_timeout_seconds, isolation_level=None
                )
            ) as connection:
                yield connection  # closing it rolls back
        except sqlite3.Error as error:
            raise EventStoreError(f"the database {self._path} failed: {error}") from error


class SqliteRows:
    """Fills the protocols `Reading` and `Writing`.

    Args:
        connection: In a transaction.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def count(self, table: Table) -> int:
        """Return how many rows a table has."""
        query = f"SELECT count(*) FROM {table.name}"  # noqa: S608
        (count,) = self._connection.execute(query).fetchone()
        return int(count)

    def rows(self, table: Table) -> Iterator[Sequence[Row]]:
        """Yield the rows of a table in the order of its key, in batches."""
        columns, key = ", ".join(table.columns), ", ".join(table.key)
        query = f"SELECT {columns} FROM {table.name} ORDER BY {key}"  # noqa: S608
        cursor = self._connection.execute(query)
        while batch := cursor.fetchmany(BATCH):
            yield batch

    def write(self, table: Table, rows: Sequence[Row]) -> None:
        """Add rows to a table."""
        columns, marks = ", ".join(table.columns), ", ".join("?" for _ in table.columns)
        statement = f"INSERT INTO {table.name} ({columns}) VALUES ({marks})"  # noqa: S608
        self._connection.executemany(statement, rows)


def back_up(
    path: Path, file: Path, busy_timeout_seconds: float, progress: Callable[[int, int], None]
) -> None:
    """Write a copy of the database file as it is now, while others go on using it.

    It is written under another name first, checked, and then given its own. It can only be read by
    its owner, because the learners' keys are in it.

    Args:
        path: The database file.
        file: Where the copy goes; there must be nothing yet.
        busy_timeout_seconds: How long to wait for others.
        progress: Is told how many pages are done, and how many there are.

    Raises:
        EventStoreError: There is a file already, or either cannot be used.
    """
    if file.exists():
        raise EventStoreError(f"{file} is there already; name a file that is not")
    unfinished = file.with_name(f"{file.name}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with (
            closing(
                sqlite3.connect(path, timeout=busy_timeout_seconds, isolation_level=None)
            ) as source,
            closing(sqlite3.connect(unfinished, isolation_level=None)) as target,
        ):
            # The transaction keeps the moment, so that those who write do not make it begin anew.
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()
            source.backup(
                target,
                pages=_PAGES,
                progress=lambda _, remaining, total: progress(total - remaining, total),
            )
            (verdict,) = target.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise EventStoreError(f"the database {path} is damaged: {verdict}; nothing was kept")
        unfinished.rename(file)
        _make_durable(file.parent)
    except sqlite3.Error as error:
        raise EventStoreError(f"the database {path} cannot be backed up: {error}") from error
    except OSError as error:
        raise EventStoreError(f"{file} cannot be written: {error.strerror}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _make_durable(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _table(connection: sqlite3.Connection, name: str) -> Table:
    described = connection.execute(
        "SELECT name, pk FROM pragma_table_info(?) ORDER BY cid", (name,)
    ).fetchall()
    columns = tuple(column for column, _ in described)
    key = sorted((place, column) for column, place in described if place)
    (initial,) = connection.execute(f"SELECT count(*) FROM {name}").fetchone()  # noqa: S608
    return Table(name, columns, tuple(column for _, column in key) or columns, initial)
