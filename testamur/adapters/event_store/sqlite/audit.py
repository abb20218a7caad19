"""The audit trail on SQLite: how its queries are put there."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeVar
from uuid import UUID

from eventsourcing.sqlite import SQLiteConnection, SQLiteCursor

from testamur.adapters.event_store.audit.access import AuditTables, Column, Walk
from testamur.adapters.event_store.failures import as_event_store_errors
from testamur.adapters.event_store.reading import stream_id_of
from testamur.adapters.event_store.sqlite.connections import Datastore

Answer = TypeVar("Answer")

_STATE: Final = "INSERT OR IGNORE INTO audit_state VALUES (1, 0, 0, 0, 0, NULL)"

_WHILE_WRITING: Final = (
    "secure_delete = OFF",  # nothing here is personal, and wiping takes as long as writing
    "cache_size = -65536",  # 64 MiB: new entries go all over the indexes of learners and requests
    "wal_autocheckpoint = 8000",  # 32 MiB: pages that every batch changes are seldom written back
)
_AS_EVER: Final = ("secure_delete = ON", "wal_autocheckpoint = 1000")


class SqliteAuditTables:
    """Fills `AuditTables`.

    Args:
        cursor: In a transaction; if it writes, nobody else does until its end.
    """

    log_position = "rowid"

    def __init__(self, cursor: SQLiteCursor) -> None:
        self._cursor = cursor.sqlite_cursor

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return what a query finds; nothing for a statement that only writes."""
        return self._cursor.execute(query, values).fetchall()

    def run(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Run a statement with each of these values."""
        self._cursor.executemany(statement, rows)

    def load(self, table: str, columns: str, values: Sequence[Column]) -> None:
        """Add rows."""
        marks = ", ".join("?" * len(values))
        self._cursor.executemany(
            f"INSERT INTO {table} ({columns}) VALUES ({marks})",  # noqa: S608
            zip(*values, strict=True),
        )

    def count(self, table: str, rows: Sequence[tuple[int, int, int]]) -> None:
        """Add to the counts of deeds, facets or correlations."""
        self.run(
            f"UPDATE {table} SET count = count + ?, last = ? WHERE number = ?",  # noqa: S608
            rows,
        )

    def lock_state(self) -> None:
        """Make sure that there is a state."""
        self.ask(_STATE)

    def walk(
        self, index: Walk, numbers: Sequence[int], low: int, high: int, limit: int
    ) -> list[int]:
        """Return positions of rows along an index, in order, at most ``limit``."""
        conditions = [f"{index.column} = ?", "position BETWEEN ? AND ?"]
        values: list[object] = []
        if index.correlation is not None:
            conditions.insert(0, "correlation = ?")
            values.append(index.correlation)
        if index.condition:
            conditions.append(index.condition)
        query = (
            f"SELECT position FROM audit_rows_{index.number} INDEXED BY {index.index} "  # noqa: S608
            f"WHERE {' AND '.join(conditions)} "
            f"ORDER BY position {'DESC' if index.newest_first else 'ASC'} LIMIT ?"
        )
        best: list[int] = []
        # One after the other: what is found first bounds where the next are looked for.
        for number in numbers:
            found = self.ask(query, *values, number, low, high, *index.values, limit)
            best += [position for (position,) in found]
            best = sorted(best, reverse=index.newest_first)[:limit]
            if len(best) == limit:
                low, high = (best[-1], high) if index.newest_first else (low, best[-1])
        return best

    def among(self, column: str) -> str:
        """Return the condition that a column is one of the values of one parameter."""
        return f"{column} IN (SELECT value FROM json_each(?))"  # noqa: S608

    def many(self, values: Iterable[object]) -> str:
        """Return values as that parameter."""
        return json.dumps(list(values))

    def id_value(self, id_: UUID) -> str:
        """Return an id as columns of ids hold it."""
        return id_.hex

    def id_of(self, value: str) -> UUID:
        """Return the id that a column holds."""
        return stream_id_of(value)

    def empty(self, tables: Sequence[str]) -> None:
        """Take all rows out of tables."""
        for table in tables:
            self.ask(f"DELETE FROM {table}")  # noqa: S608


class SqliteAudit:
    """Fills `AuditDatabase`.

    Args:
        datastore: The database, prepared.
        database: Its name for people.
    """

    def __init__(self, datastore: Datastore, database: str) -> None:
        self._datastore = datastore
        self._database = database

    def read(self, work: Callable[[AuditTables], Answer], *, by_index: bool = False) -> Answer:
        """Return what is read at one moment. Here plans never depend on values."""
        with (
            as_event_store_errors(self._database),
            self._datastore.transaction(commit=False) as cursor,
        ):
            return work(SqliteAuditTables(cursor))

    def write(self, work: Callable[[AuditTables], Answer]) -> Answer:
        """Do something in one transaction."""
        with (
            as_event_store_errors(self._database),
            self._datastore.get_connection(commit=True) as connection,
        ):
            _set(connection, _WHILE_WRITING)
            try:
                with connection.transaction(commit=True) as cursor:
                    return work(SqliteAuditTables(cursor))
            finally:
                _set(connection, _AS_EVER)


def _set(connection: SQLiteConnection, pragmas: Sequence[str]) -> None:
    cursor = connection.cursor()
    for pragma in pragmas:
        cursor.execute(f"PRAGMA {pragma}")
        cursor.fetchall()
