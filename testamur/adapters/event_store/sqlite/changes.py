"""Changes of the register: how they are written, in the transaction of their events."""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, Final
from uuid import UUID

from testamur.adapters.event_store.changes import (
    position_of_award,
    require_all_asked,
    require_all_changed,
)
from testamur.adapters.event_store.sqlite.rows import (
    CATALOGUE_COLUMNS,
    CREDENTIAL_COLUMNS,
    MESSAGE_COLUMNS,
    RUN_COLUMNS,
    credential_values,
    value_of,
    values_of,
)
from testamur.application.ports.register import MessageRow
from testamur.application.row_changes import RegisterChanges, TableChanges

#: A credential's row is found through the first event of its stream, which is its award.
_OF_CREDENTIAL: Final = """
    position = (
        SELECT rowid FROM stored_events WHERE originator_id = ? AND originator_version = 1
    )
"""


def write_changes(
    cursor: sqlite3.Cursor, changes: RegisterChanges, positions: Mapping[UUID | str, int]
) -> None:
    """Write what a batch of events changes in the register.

    Args:
        cursor: In the transaction that the events are written in, after them.
        changes: What to write.
        positions: Positions in the log of the first events of the streams that the batch begins.

    Raises:
        eventsourcing.persistence.IntegrityError: A row that is to change does not exist.
        sqlite3.IntegrityError: There would be a second living credential.
    """
    # Changes go first: a credential that is superseded makes room for the one that supersedes it.
    _change(cursor, "credentials", _OF_CREDENTIAL, changes.credentials)
    _change(cursor, "runs", "run_id = ?", changes.runs)
    _change(cursor, "catalogue", "stream_id = ?", changes.catalogue)
    _change(cursor, "messages", "message_id = ?", changes.messages)
    _add(
        cursor,
        "credentials",
        f"position, {CREDENTIAL_COLUMNS}",
        (
            (position_of_award(stream_id, positions), *credential_values(row))
            for stream_id, row in changes.credentials.added.items()
        ),
    )
    _add(cursor, "runs", RUN_COLUMNS, map(values_of, changes.runs.added.values()))
    _add(cursor, "catalogue", CATALOGUE_COLUMNS, map(values_of, changes.catalogue.added.values()))
    _add_messages(cursor, changes.messages.added)


def _add(
    cursor: sqlite3.Cursor, table: str, columns: str, rows: Iterable[tuple[object, ...]]
) -> None:
    marks = ", ".join("?" for _ in columns.split(","))
    cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)  # noqa: S608


def _add_messages(cursor: sqlite3.Cursor, rows: Mapping[UUID, MessageRow]) -> None:
    marks = ", ".join("?" for _ in fields(MessageRow))
    cursor.executemany(
        f"INSERT INTO messages (position, message_id, {MESSAGE_COLUMNS}) "  # noqa: S608
        f"SELECT position, ?, {marks} FROM credentials WHERE {_OF_CREDENTIAL}",
        ((id_.hex, *values_of(row), row.credential_id.hex) for id_, row in rows.items()),
    )
    if rows:
        require_all_asked(cursor.rowcount, len(rows))


def _change(cursor: sqlite3.Cursor, table: str, which: str, changes: TableChanges[Any]) -> None:
    # Rows that get new values in the same columns are changed by one statement.
    alike: dict[tuple[str, ...], list[tuple[object, ...]]] = {}
    for stream_id, columns in changes.changed.items():
        values = (*map(value_of, columns.values()), stream_id.hex)
        alike.setdefault(tuple(columns), []).append(values)
    for names, rows in alike.items():
        assignments = ", ".join(f"{name} = ?" for name in names)
        cursor.executemany(f"UPDATE {table} SET {assignments} WHERE {which}", rows)  # noqa: S608
        require_all_changed(table, cursor.rowcount, len(rows))
