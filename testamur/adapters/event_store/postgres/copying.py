"""A schema of a PostgreSQL database as one end of a copy."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import sql

from testamur.adapters.event_store.copying import BATCH, Row, Table, refuse_used
from testamur.adapters.event_store.failures import as_event_store_errors
from testamur.adapters.event_store.postgres.connections import Cursor, Datastore
from testamur.application.errors import EventStoreError

#: Columns that have another name than in the database file.
_NAMES: Final = {("stored_events", "rowid"): "position"}

#: How a column is read as the database file would have it, by its type. The other way round needs
#: nothing: PostgreSQL takes all of these as they are.
_AS_IN_THE_FILE: Final[Mapping[str, str]] = {
    "int2": "{}",
    "int4": "{}",
    "int8": "{}",
    "text": "{}",
    "bytea": "{}",
    "bool": "{}::integer",
    "uuid": "replace({}::text, '-', '')",
    "timestamptz": ("to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"+00:00\"')"),
}
_TYPES: Final = """
    SELECT relname::text, attname::text, typname::text
    FROM pg_attribute
    JOIN pg_class ON pg_class.oid = attrelid
    JOIN pg_type ON pg_type.oid = atttypid
    WHERE attnum > 0 AND NOT attisdropped AND relkind = 'r'
        AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %s)
"""
#: Numbers that a table gives by itself go on after the last one that was copied.
_GO_ON: Final = """
    SELECT setval(pg_get_serial_sequence({table}, {column}), max({name}))
    FROM {of}
    HAVING pg_get_serial_sequence({table}, {column}) IS NOT NULL AND max({name}) IS NOT NULL
"""


class PostgresEnd:
    """Fills the protocols `Source` and `Target`.

    Args:
        datastore: The database, with the schema of this release; its statements may take as long
            as they like, and its transactions may pause.
    """

    def __init__(self, datastore: Datastore) -> None:
        self._datastore = datastore

    @property
    def name(self) -> str:
        """Its name for people."""
        return self._datastore.shown_url

    @contextmanager
    def reading(self) -> "Iterator[PostgresRows]":
        """Give the schema as it is now."""
        with (
            as_event_store_errors(self.name),
            self._datastore.transaction(commit=False) as cursor,
        ):
            yield self._rows(cursor)

    @contextmanager
    def writing(self, tables: Sequence[Table]) -> "Iterator[PostgresRows]":
        """Let the schema be filled, all or nothing; meanwhile it is locked."""
        with as_event_store_errors(self.name):
            names = sql.SQL(", ").join(sql.Identifier(table.name) for table in tables)
            with self._datastore.transaction(commit=True) as cursor:
                cursor.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(names))
                rows = self._rows(cursor)
                refuse_used(self.name, rows.count, tables)
                # Also frees what a copy that was interrupted had written.
                cursor.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(names))
                yield rows
                for table in tables:
                    rows.go_on(table)
            with self._datastore.transaction(commit=True) as cursor:
                cursor.execute(sql.SQL("ANALYZE {}").format(names))

    def _rows(self, cursor: Cursor) -> "PostgresRows":
        types = {
            (table, column): kind
            for table, column, kind in cursor.execute(_TYPES, (self._datastore.schema,))
        }
        return PostgresRows(cursor, types)


class PostgresRows:
    """Fills the protocols `Reading` and `Writing`.

    Args:
        cursor: In a transaction.
        types: Of all columns, by table and name.
    """

    def __init__(self, cursor: Cursor, types: Mapping[tuple[str, str], str]) -> None:
        self._cursor = cursor
        self._types = types

    def count(self, table: Table) -> int:
        """Return how many rows a table has."""
        query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table.name))
        ((count,),) = self._cursor.execute(query).fetchall()
        return int(count)

    def rows(self, table: Table) -> Iterator[Sequence[Row]]:
        """Yield the rows of a table in the order of its key, in batches."""
        query = sql.SQL("SELECT {} FROM {} ORDER BY {}").format(
            sql.SQL(", ").join(self._read(table, column) for column in table.columns),
            sql.Identifier(table.name),
            sql.SQL(", ").join(sql.Identifier(_name(table, column)) for column in table.key),
        )
        connection = self._cursor.connection
        # On the server, so that not all rows come at once.
        with psycopg.ServerCursor[tuple[Any, ...]](connection, "rows") as cursor:
            cursor.execute(query, binary=True)
            while batch := cursor.fetchmany(BATCH):
                yield batch

    def write(self, table: Table, rows: Sequence[Row]) -> None:
        """Add rows to a table."""
        columns = [sql.Identifier(_name(table, column)) for column in table.columns]
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(table.name), sql.SQL(", ").join(columns)
        )
        with self._cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)

    def go_on(self, table: Table) -> None:
        """Let what the table numbers by itself go on after its last number."""
        for column in table.key:
            if (table.name, column) in _NAMES or not self._is_number(table, column):
                continue
            self._cursor.execute(
                sql.SQL(_GO_ON).format(
                    table=sql.Literal(table.name),
                    column=sql.Literal(column),
                    name=sql.Identifier(column),
                    of=sql.Identifier(table.name),
                )
            )

    def _is_number(self, table: Table, column: str) -> bool:
        return self._types.get((table.name, column), "").startswith("int")

    def _read(self, table: Table, column: str) -> sql.Composed:
        name = _name(table, column)
        kind = self._types.get((table.name, name), "no")
        if kind not in _AS_IN_THE_FILE:
            raise EventStoreError(
                f"column {name} of table {table.name} is of type {kind}, which copies know nothing "
                "of; this is a bug in Testamur"
            )
        return sql.SQL(_AS_IN_THE_FILE[kind]).format(sql.Identifier(name))


def _name(table: Table, column: str) -> str:
    return _NAMES.get((table.name, column), column)
