"""The audit trail in PostgreSQL: how its queries are put there."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeVar, cast
from uuid import UUID

from testamur.adapters.event_store.audit.access import AuditTables, Column, Walk
from testamur.adapters.event_store.failures import as_event_store_errors
from testamur.adapters.event_store.postgres.connections import Cursor, Datastore

Answer = TypeVar("Answer")

_STATE: Final = """
    INSERT INTO audit_state VALUES (1, 0, 0, 0, 0, NULL)
    ON CONFLICT DO NOTHING
"""
#: A set is emptied at once, for readers of an earlier moment too; so they are waited for, and those
#: who come wait until it is done. Locking takes no snapshot: what is read is read afterwards.
_NO_EMPTYING: Final = "LOCK TABLE audit_rows_0, audit_rows_1 IN ACCESS SHARE MODE"
#: To plan how the tables of a page are joined takes ten times as long as reading it, and what comes
#: of it is no better. Left to itself, the server plans anew for values that look cheaper than most.
_PLANNED_ONCE: Final = "SET LOCAL plan_cache_mode = force_generic_plan"
#: Characters that stand for themselves in no text that is copied
#: (https://www.postgresql.org/docs/current/sql-copy.html, "Text Format").
_ESCAPED: Final = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


class PostgresAuditTables:
    """Fills `AuditTables`.

    Args:
        cursor: In a transaction.
        is_planned_once: Whether each query is planned once for all values.
    """

    log_position = "position"

    def __init__(self, cursor: Cursor, *, is_planned_once: bool = False) -> None:
        self._cursor = cursor
        # A statement has one plan from its first time on; else it is prepared after a few times.
        self._prepare = True if is_planned_once else None

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return what a query finds; nothing for a statement that only writes."""
        self._cursor.execute(_marked(query), values or None, prepare=self._prepare)
        return self._cursor.fetchall() if self._cursor.description else []

    def run(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Run a statement with each of these values."""
        self._cursor.executemany(_marked(statement), rows)

    def load(self, table: str, columns: str, values: Sequence[Column]) -> None:
        """Add rows by COPY."""
        line = "\t".join(["%s"] * len(values)) + "\n"
        lines = map(line.__mod__, zip(*map(_copied, values), strict=True))
        with self._cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
            copy.write("".join(lines))

    def count(self, table: str, rows: Sequence[tuple[int, int, int]]) -> None:
        """Add to the counts of deeds, facets or correlations, by one statement."""
        self.ask(
            f"UPDATE {table} AS counted "  # noqa: S608
            "SET count = counted.count + more.count, last = more.last "
            "FROM unnest(?::bigint[], ?::bigint[], ?::integer[]) AS more (count, last, number) "
            "WHERE counted.number = more.number",
            *(list(column) for column in zip(*rows, strict=True)),
        )

    def lock_state(self) -> None:
        """Make sure that there is a state, and let nobody else write until the end."""
        self.ask(_STATE)
        self.ask("SELECT 1 FROM audit_state FOR UPDATE")

    def walk(
        self, index: Walk, numbers: Sequence[int], low: int, high: int, limit: int
    ) -> list[int]:
        """Return positions of rows along an index, in order, at most ``limit``."""
        conditions = [f"{index.column} = wanted.number", "position BETWEEN ? AND ?"]
        values: list[object] = [low, high]
        if index.correlation is not None:
            conditions.insert(0, "correlation = ?")
            values.insert(0, index.correlation)
        if index.condition:
            conditions.append(index.condition)
            values += index.values
        order = "DESC" if index.newest_first else "ASC"
        rows = self.ask(
            "SELECT found.position FROM unnest(?::integer[]) AS wanted (number) "  # noqa: S608
            f"CROSS JOIN LATERAL (SELECT position FROM audit_rows_{index.number} "
            f"WHERE {' AND '.join(conditions)} ORDER BY position {order} LIMIT ?) "
            f"AS found ORDER BY found.position {order} LIMIT ?",
            list(numbers),
            *values,
            limit,
            limit,
        )
        return [position for (position,) in rows]

    def among(self, column: str) -> str:
        """Return the condition that a column is one of the values of one parameter."""
        return f"{column} = ANY(?)"

    def many(self, values: Iterable[object]) -> list[object]:
        """Return values as that parameter."""
        return list(values)

    def id_value(self, id_: UUID) -> UUID:
        """Return an id as columns of ids hold it."""
        return id_

    def id_of(self, value: UUID) -> UUID:
        """Return the id that a column holds."""
        return value

    def empty(self, tables: Sequence[str]) -> None:
        """Take all rows out of tables."""
        self.ask(f"TRUNCATE {', '.join(tables)}")


class PostgresAudit:
    """Fills `AuditDatabase`.

    Args:
        datastore: The database, prepared.
    """

    def __init__(self, datastore: Datastore) -> None:
        self._datastore = datastore

    def read(self, work: Callable[[AuditTables], Answer], *, by_index: bool = False) -> Answer:
        """Return what is read at one moment."""

        def read(cursor: Cursor) -> Answer:
            # Both statements at once, which only text can be.
            cursor.execute(
                f"{_PLANNED_ONCE}; {_NO_EMPTYING}" if by_index else _NO_EMPTYING, binary=False
            )
            return work(PostgresAuditTables(cursor, is_planned_once=by_index))

        with as_event_store_errors(self._datastore.shown_url):
            return self._datastore.read(read)

    def write(self, work: Callable[[AuditTables], Answer]) -> Answer:
        """Do something in one transaction."""
        with (
            as_event_store_errors(self._datastore.shown_url),
            self._datastore.transaction(commit=True) as cursor,
        ):
            return work(PostgresAuditTables(cursor))


def _marked(query: str) -> str:
    return query.replace("?", "%s")


def _copied(values: Column) -> Iterable[object]:
    """Return the values of a column as they are copied; numbers and ids are left as they are."""
    if isinstance(values[0], str):
        return [cast(str, value).translate(_ESCAPED) for value in values]
    return ["\\N" if value is None else value for value in values] if None in values else values
