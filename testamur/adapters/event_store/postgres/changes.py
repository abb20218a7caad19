"""Changes of the register: how they are written, in the transaction of their events."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from testamur.adapters.event_store.changes import (
    position_of_award,
    require_all_asked,
    require_all_changed,
)
from testamur.adapters.event_store.postgres.connections import Cursor
from testamur.adapters.event_store.postgres.rows import (
    CATALOGUE_TYPES,
    CREDENTIAL_TYPES,
    MESSAGE_TYPES,
    RUN_TYPES,
    credential_values,
    value_of,
    values_of,
)
from testamur.application.ports.register import MessageRow
from testamur.application.row_changes import RegisterChanges, TableChanges

#: From so many rows on, COPY takes less time than one INSERT; at 1,000 a tenth of it.
COPY_FROM_ROWS: Final = 10

#: A credential's row is found through the first event of its stream, which is its award.
_OF_CREDENTIAL: Final = """
    position = (
        SELECT position FROM stored_events
        WHERE originator_id = new.changed_stream AND originator_version = 1
    )
"""


def write_changes(
    cursor: Cursor, changes: RegisterChanges, positions: Mapping[UUID | str, int]
) -> None:
    """Write what a batch of events changes in the register.

    Args:
        cursor: In the transaction that the events are written in, after them.
        changes: What to write.
        positions: Positions in the log of the first events of the streams that the batch begins.

    Raises:
        eventsourcing.persistence.IntegrityError: A row that is to change does not exist.
        psycopg.errors.UniqueViolation: There would be a second living credential.
    """
    # Changes go first: a credential that is superseded makes room for the one that supersedes it.
    _change(cursor, "credentials", _OF_CREDENTIAL, CREDENTIAL_TYPES, changes.credentials)
    _change(cursor, "runs", "run_id = new.changed_stream", RUN_TYPES, changes.runs)
    _change(
        cursor,
        "catalogue",
        "stream_id = new.changed_stream",
        CATALOGUE_TYPES,
        changes.catalogue,
    )
    _change(cursor, "messages", "message_id = new.changed_stream", MESSAGE_TYPES, changes.messages)
    add_rows(
        cursor,
        "credentials",
        {"position": "int8"} | CREDENTIAL_TYPES,
        [
            (position_of_award(stream_id, positions), *credential_values(row))
            for stream_id, row in changes.credentials.added.items()
        ],
    )
    add_rows(cursor, "runs", RUN_TYPES, [values_of(row) for row in changes.runs.added.values()])
    add_rows(
        cursor,
        "catalogue",
        CATALOGUE_TYPES,
        [values_of(row) for row in changes.catalogue.added.values()],
    )
    _add_messages(cursor, changes.messages.added)


def add_rows(
    cursor: Cursor,
    table: str,
    types: Mapping[str, str],
    rows: Sequence[Sequence[object]],
) -> None:
    """Add rows to a table, in their order.

    Args:
        cursor: In a transaction.
        table: Name of the table.
        types: The columns given, and of what type each is.
        rows: Their values, in the order of the columns.
    """
    columns = ", ".join(types)
    if len(rows) >= COPY_FROM_ROWS:
        with cursor.copy(f"COPY {table} ({columns}) FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(list(types.values()))
            for row in rows:
                copy.write_row(row)
    elif rows:
        marks = f"({', '.join(['%s'] * len(types))})"
        cursor.execute(
            f"INSERT INTO {table} ({columns}) VALUES {', '.join([marks] * len(rows))}",  # noqa: S608
            [value for row in rows for value in row],
        )


def _add_messages(cursor: Cursor, rows: Mapping[UUID, MessageRow]) -> None:
    if not rows:
        return
    types = {"message_id": "uuid"} | MESSAGE_TYPES
    columns = ", ".join(types)
    arrays = ", ".join(f"%t::{each}[]" for each in types.values())
    values = ((id_, *values_of(row)) for id_, row in rows.items())
    cursor.execute(
        f"INSERT INTO messages (position, {columns}) "  # noqa: S608
        f"SELECT credentials.position, {', '.join(f'new.{name}' for name in types)} "
        f"FROM unnest({arrays}) AS new ({columns}) "
        "JOIN stored_events AS award "
        "ON award.originator_id = new.credential_id AND award.originator_version = 1 "
        "JOIN credentials ON credentials.position = award.position",
        [list(column) for column in zip(*values, strict=True)],
    )
    require_all_asked(cursor.rowcount, len(rows))


def _change(
    cursor: Cursor,
    table: str,
    which: str,
    types: Mapping[str, str],
    changes: TableChanges[Any],
) -> None:
    # Rows that get new values in the same columns are changed by one statement.
    alike: dict[tuple[str, ...], list[tuple[object, ...]]] = {}
    for stream_id, columns in changes.changed.items():
        values = (stream_id, *map(value_of, columns.values()))
        alike.setdefault(tuple(columns), []).append(values)
    for names, rows in alike.items():
        assignments = ", ".join(f"{name} = new.{name}" for name in names)
        # As text: the binary form of a list says what it is a list of, and one of nothing but
        # None does not know.
        arrays = ", ".join(f"%t::{types[name]}[]" for name in names)
        cursor.execute(
            f"UPDATE {table} SET {assignments} "  # noqa: S608
            f"FROM unnest(%t::uuid[], {arrays}) AS new (changed_stream, {', '.join(names)}) "
            f"WHERE {table}.{which.strip()}",
            [list(column) for column in zip(*rows, strict=True)],
        )
        require_all_changed(table, cursor.rowcount, len(rows))
