"""The index of one table: an SQLite database that its rows are checked and loaded into once."""

# ruff: noqa: S608 - a name in a query is one of the schema's own, and values are bound

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from testamur.adapters.files.batches import BLOCK_BYTES, Batch
from testamur.adapters.files.columns import MOST_REMEMBERED, ColumnReader, Fault, Lexicon
from testamur.adapters.files.errors import DataFileError, DuplicateRow, Place, Problems
from testamur.adapters.files.folder import DataFile, data_file
from testamur.adapters.files.reading import read_table
from testamur.adapters.files.rules import row_rule
from testamur.adapters.files.tables import Key, Table
from testamur.adapters.files.values import Stored, Work

#: One statement inserts so many rows; below SQLite's oldest limit of 999 values for any table.
_ROWS_AT_ONCE: Final = 100

#: SQLite's share of the memory, for its pages and for sorting.
CACHE_KIBIBYTES: Final = 16 * 1024

# The database is made anew whenever it is needed, so it takes no care against a crash.
_UNSAFE_BUT_QUICK: Final = f"""
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA cache_size = -{CACHE_KIBIBYTES};
"""


@dataclass(frozen=True, slots=True)
class TableIndex:
    """A table that was read and checked as a whole.

    Args:
        table: The table.
        file: Its file as it was read; None: the folder has none, and the index has no rows.
        database: The index.
        rows: How many rows it has.
    """

    table: Table
    file: DataFile | None
    database: Path
    rows: int

    @property
    def uri(self) -> str:
        """URI to open the index with, for reading only."""
        return f"{self.database.as_uri()}?mode=ro&immutable=1"

    def connect(self) -> sqlite3.Connection:
        """Open the index for reading; the connection stays good if the index is deleted."""
        # A generator that uses it may be handed from one thread to another.
        return sqlite3.connect(self.uri, uri=True, check_same_thread=False)

    def place(self, line: int, record: int, column: str | None = None) -> Place:
        """Return the place of a row in the file."""
        path = self.file.path if self.file else self.database
        return row_place(path, line, record, column)


class Words:
    """The words that the numbers of a coded column stand for.

    Args:
        connection: To the index of the table.
        column: The column.
    """

    def __init__(self, connection: sqlite3.Connection, column: str) -> None:
        self._connection = connection
        self._column = column
        self._remembered: dict[int, str] = {}

    def word(self, code: int | str) -> str:
        """Return the word that is stored as this."""
        if isinstance(code, str):
            return code
        if code not in self._remembered:
            if len(self._remembered) > MOST_REMEMBERED:
                self._remembered.clear()
            found = self._connection.execute(
                "SELECT word FROM words WHERE in_column = ? AND code = ?", (self._column, code)
            )
            self._remembered[code] = found.fetchone()[0]
        return self._remembered[code]

    def code(self, word: str) -> int | str:
        """Return what the word is stored as, or itself where no row has it."""
        found = self._connection.execute(
            "SELECT code FROM words WHERE in_column = ? AND word = ?", (self._column, word)
        ).fetchone()
        return found[0] if found else word


def build(
    table: Table,
    file: DataFile | None,
    database: Path,
    problems: Problems,
    block_bytes: int = BLOCK_BYTES,
) -> TableIndex:
    """Read a table as a whole, check each row, and build its index.

    Args:
        table: The table.
        file: Its file; None where the folder has none.
        database: Where to build it.
        problems: Takes what is wrong with the table's rows.
        block_bytes: How much to read at once.

    Raises:
        DataFileError: The file cannot be read, or was changed meanwhile.
    """
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.executescript(_UNSAFE_BUT_QUICK)
        loading = _Loading(table, connection, problems)
        if file is not None:
            for batch in read_table(table, file.path, problems, block_bytes):
                loading.load(file.path, batch)
            if data_file(file.path) != file:
                raise DataFileError(
                    Place(file.path),
                    "a file that nobody writes to while it is read",
                    problem="it was changed while it was read; it is read again next time",
                )
        loading.finish()
        index = TableIndex(table, file, database, loading.rows)
        for number, key in enumerate(table.keys):
            _check_unique(index, connection, number, key, problems)
    return index


class _Loading:
    """Fills the index of a table, batch by batch."""

    def __init__(self, table: Table, connection: sqlite3.Connection, problems: Problems) -> None:
        self.rows = 0
        self._table = table
        self._connection = connection
        self._problems = problems
        self._rule = row_rule(table)
        self._lexicons = {name: Lexicon() for name in table.coded}
        self._readers = {
            column.name: ColumnReader(column, self._lexicons.get(column.name))
            for column in (*table.columns, *(derived.column for derived in table.derived))
        }
        self._width = 1 + len(table.stored)
        one = f"({', '.join('?' * self._width)})"
        self._insert_one = f"INSERT INTO rows VALUES {one}"
        self._insert_many = f"INSERT INTO rows VALUES {', '.join([one] * _ROWS_AT_ONCE)}"
        connection.execute(f"CREATE TABLE rows (line, {_quoted(table.stored)})")
        connection.execute(
            "CREATE TABLE words (in_column, word, code, PRIMARY KEY (in_column, word))"
            " WITHOUT ROWID"
        )
        connection.execute("BEGIN")

    def load(self, path: Path, batch: Batch) -> None:
        """Check the rows of a batch and load them."""
        faults: list[Fault] = [
            Fault(refused.index, refused.column, None, refused.reason) for refused in batch.refused
        ]
        stored = {
            name: self._readers[name].read(texts, faults) for name, texts in batch.columns.items()
        }
        for derived in self._table.derived:
            texts = derived.work_out(batch.columns)
            values = [*self._readers[derived.column.name].read(texts, [])]
            for fault in faults:  # of what they come from; they have none of their own
                values[fault.index] = None
            stored[derived.column.name] = values
        faults.extend(self._rule(batch.columns, stored))
        if faults:
            self._report(path, batch, faults)
        self._insert([batch.lines, *(stored[name] for name in self._table.stored)])
        self.rows += len(batch.lines)

    def finish(self) -> None:
        """Sort what was loaded."""
        self._connection.executemany(
            "INSERT INTO words VALUES (?, ?, ?)",
            (
                (name, word, code)
                for name, lexicon in self._lexicons.items()
                for word, code in lexicon.codes.items()
            ),
        )
        self._connection.execute("CREATE INDEX words_by_code ON words (in_column, code)")
        self._connection.execute("COMMIT")
        for number, key in enumerate(self._table.keys):
            covered = self._table.covered if number == 0 else ()
            names = _quoted((*key.columns, *covered))
            self._connection.execute(f"CREATE INDEX key_{number} ON rows ({names})")

    def _insert(self, columns: Sequence[Sequence[Stored]]) -> None:
        values = list(chain.from_iterable(zip(*columns, strict=True)))
        step = _ROWS_AT_ONCE * self._width
        whole = len(values) // step * step
        for begin in range(0, whole, step):
            self._connection.execute(self._insert_many, values[begin : begin + step])
        for begin in range(whole, len(values), self._width):
            self._connection.execute(self._insert_one, values[begin : begin + self._width])

    def _report(self, path: Path, batch: Batch, faults: list[Fault]) -> None:
        reported = set()
        for fault in sorted(faults, key=lambda fault: fault.index):
            # A value that the reader refused was left empty, which is no second fault.
            if (fault.index, fault.column) in reported:
                continue
            reported.add((fault.index, fault.column))
            place = row_place(
                path, batch.lines[fault.index], self.rows + fault.index + 1, fault.column
            )
            problem = fault.reason.problem
            if problem is None and fault.value is None:
                problem = "the value is not allowed (it is personal and not shown)"
            self._problems.add(
                DataFileError(place, fault.reason.allowed, value=fault.value, problem=problem)
            )


def _quoted(columns: Iterable[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)  # `end` is a word of SQL's own


def row_place(path: Path, line: int, record: int, column: str | None = None) -> Place:
    """Return the place of a row; all objects of a JSON array may be on one line."""
    return Place(path, line, column, record if path.suffix == ".json" else None)


def _check_unique(
    index: TableIndex,
    connection: sqlite3.Connection,
    number: int,
    key: Key,
    problems: Problems,
) -> None:
    names = ", ".join(key.columns)
    complete = " AND ".join(f"{name} IS NOT NULL" for name in key.columns)
    # Ordered by where they begin, so that the first problem is the first in the file.
    repeated = connection.execute(
        f"SELECT {names} FROM rows INDEXED BY key_{number} WHERE {complete}"
        f" GROUP BY {names} HAVING count(*) > 1 ORDER BY min(rowid) LIMIT ?",
        (problems.wanted,),
    ).fetchall()
    for values in repeated:
        same = " AND ".join(f"{name} = ?" for name in key.columns)
        (first_line, first), (line, record) = connection.execute(
            f"SELECT line, rowid FROM rows WHERE {same} ORDER BY rowid LIMIT 2", values
        )
        problems.add(
            DuplicateRow(
                index.place(line, record),
                index.place(first_line, first),
                _shown_key(connection, index.table, key, values),
                f"one row for each {key.of}",
            )
        )


def _shown_key(
    connection: sqlite3.Connection, table: Table, key: Key, values: Sequence[str | int]
) -> str:
    parts = []
    for name, value in zip(key.columns, values, strict=True):
        word = Words(connection, name).word(value) if name in table.coded else str(value)
        if name == "category_key" or word.startswith(Work.CATEGORY_MARK):
            parts.append(f"category {word.removeprefix(Work.CATEGORY_MARK)!r}")
        else:
            parts.append(f"{'subsection_id' if name == 'work' else name} {word!r}")
    return ", ".join(parts)
