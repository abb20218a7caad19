"""Rows of the register: how their fields stand in the columns, and how changes are written."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from eventsourcing.persistence import IntegrityError

from testamur.adapters.event_store.postgres.connections import Cursor
from testamur.application.ports.register import CatalogueRow, CredentialRow, MessageRow, RunRow
from testamur.application.registration import RegisterChanges, TableChanges
from testamur.domain.credentials import CredentialStatus
from testamur.domain.identifiers import (
    ConfigurationId,
    CredentialId,
    LearnerId,
    RunId,
    VerificationId,
)

#: From so many rows on, COPY takes less time than one INSERT; at 1,000 a tenth of it.
COPY_FROM_ROWS: Final = 10

EVENT_TYPES: Final = {
    "position": "int8",
    "originator_id": "uuid",
    "originator_version": "int4",
    "topic": "text",
    "state": "bytea",
}
_CREDENTIAL_TYPES: Final = {
    "credential_id": "uuid",
    "configuration_id": "uuid",
    "learner_id": "text",
    "edition": "int4",
    "context_key": "text",
    "type_slug": "text",
    "verification_id": "text",
    "run_id": "uuid",
    "awarded_at": "timestamptz",
    "status": "text",
    "issue_failures": "int4",
    "issue_retry_at": "timestamptz",
    "notification": "text",
    "notification_failures": "int4",
    "notification_retry_at": "timestamptz",
    "notification_reason": "text",
    "issued_at": "timestamptz",
    "notified_at": "timestamptz",
    "withdrawal_pending": "bool",
    "serial": "text",
    "expires_at": "timestamptz",
    "remind_at": "timestamptz",
}
_MESSAGE_TYPES: Final = {
    "credential_id": "uuid",
    "notice": "text",
    "sequence": "int4",
    "request": "int4",
    "requested_at": "timestamptz",
    "status": "text",
    "failures": "int4",
    "retry_at": "timestamptz",
    "reason": "text",
    "sent_at": "timestamptz",
}
_RUN_TYPES: Final = {
    "run_id": "uuid",
    "configuration_id": "uuid",
    "slot": "text",
    "scheduled_for": "timestamptz",
    "started_at": "timestamptz",
    "completed": "bool",
    "failures": "int4",
    "retry_at": "timestamptz",
    "approval": "text",
    "narrowed": "bool",
    "awarded": "int4",
}
_CATALOGUE_TYPES: Final = {
    "stream_id": "uuid",
    "kind": "text",
    "label": "text",
    "active": "bool",
    "look_version": "int4",
    "look_at": "timestamptz",
    "version": "int4",
    "last_number": "int8",
    "reconcile_at": "timestamptz",
}

CREDENTIAL_COLUMNS: Final = ", ".join(_CREDENTIAL_TYPES)
RUN_COLUMNS: Final = ", ".join(_RUN_TYPES)
CATALOGUE_COLUMNS: Final = ", ".join(_CATALOGUE_TYPES)
MESSAGE_COLUMNS: Final = ", ".join(_MESSAGE_TYPES)

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
    _change(cursor, "credentials", _OF_CREDENTIAL, _CREDENTIAL_TYPES, changes.credentials)
    _change(cursor, "runs", "run_id = new.changed_stream", _RUN_TYPES, changes.runs)
    _change(
        cursor,
        "catalogue",
        "stream_id = new.changed_stream",
        _CATALOGUE_TYPES,
        changes.catalogue,
    )
    _change(cursor, "messages", "message_id = new.changed_stream", _MESSAGE_TYPES, changes.messages)
    add_rows(
        cursor,
        "credentials",
        {"position": "int8"} | _CREDENTIAL_TYPES,
        [
            (_position(stream_id, positions), *_credential_values(row))
            for stream_id, row in changes.credentials.added.items()
        ],
    )
    add_rows(cursor, "runs", _RUN_TYPES, [_values(row) for row in changes.runs.added.values()])
    add_rows(
        cursor,
        "catalogue",
        _CATALOGUE_TYPES,
        [_values(row) for row in changes.catalogue.added.values()],
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


def credential_row(values: Iterable[Any]) -> CredentialRow:
    """Return a credential from its columns."""
    (
        credential_id,
        configuration_id,
        learner_id,
        edition,
        context_key,
        type_slug,
        verification_id,
        run_id,
        awarded_at,
        status,
        issue_failures,
        issue_retry_at,
        notification,
        notification_failures,
        notification_retry_at,
        notification_reason,
        issued_at,
        notified_at,
        withdrawal_pending,
        serial,
        expires_at,
        remind_at,
    ) = values
    return CredentialRow(
        credential_id=CredentialId(credential_id),
        configuration_id=ConfigurationId(configuration_id),
        learner_id=LearnerId(learner_id),
        edition=edition,
        context_key=context_key,
        type_slug=type_slug,
        verification_id=VerificationId(verification_id),
        run_id=run_id,
        awarded_at=awarded_at,
        status=CredentialStatus(status),
        issue_failures=issue_failures,
        issue_retry_at=issue_retry_at,
        notification=notification,
        notification_failures=notification_failures,
        notification_retry_at=notification_retry_at,
        notification_reason=notification_reason,
        issued_at=issued_at,
        notified_at=notified_at,
        withdrawal_pending=withdrawal_pending,
        serial=serial,
        expires_at=expires_at,
        remind_at=remind_at,
    )


def run_row(values: Iterable[Any]) -> RunRow:
    """Return a run from its columns."""
    (
        run_id,
        configuration_id,
        slot,
        scheduled_for,
        started_at,
        completed,
        failures,
        retry_at,
        approval,
        narrowed,
        awarded,
    ) = values
    return RunRow(
        run_id=RunId(run_id),
        configuration_id=ConfigurationId(configuration_id),
        slot=slot,
        scheduled_for=scheduled_for,
        started_at=started_at,
        completed=completed,
        failures=failures,
        retry_at=retry_at,
        approval=approval,
        narrowed=narrowed,
        awarded=awarded,
    )


def message_row(values: Iterable[Any]) -> MessageRow:
    """Return a message from its columns."""
    credential_id, *rest = values
    return MessageRow(CredentialId(credential_id), *rest)


def catalogue_row(values: Iterable[Any]) -> CatalogueRow:
    """Return an entry of the catalogue from its columns."""
    return CatalogueRow(*values)


def _credential_values(row: CredentialRow) -> tuple[object, ...]:
    # Written out, because runs add thousands.
    return (
        row.credential_id,
        row.configuration_id,
        row.learner_id,
        row.edition,
        row.context_key,
        row.type_slug,
        row.verification_id,
        row.run_id,
        row.awarded_at,
        row.status.value,
        row.issue_failures,
        row.issue_retry_at,
        row.notification,
        row.notification_failures,
        row.notification_retry_at,
        row.notification_reason,
        row.issued_at,
        row.notified_at,
        row.withdrawal_pending,
        row.serial,
        row.expires_at,
        row.remind_at,
    )


def _values(row: RunRow | CatalogueRow | MessageRow) -> tuple[object, ...]:
    return tuple(_value(getattr(row, field.name)) for field in fields(row))


def _value(value: object) -> object:
    # psycopg would take the name of a member of an enumeration.
    return value.value if isinstance(value, StrEnum) else value


def _add_messages(cursor: Cursor, rows: Mapping[UUID, MessageRow]) -> None:
    if not rows:
        return
    types = {"message_id": "uuid"} | _MESSAGE_TYPES
    columns = ", ".join(types)
    arrays = ", ".join(f"%t::{each}[]" for each in types.values())
    values = ((id_, *_values(row)) for id_, row in rows.items())
    cursor.execute(
        f"INSERT INTO messages (position, {columns}) "  # noqa: S608
        f"SELECT credentials.position, {', '.join(f'new.{name}' for name in types)} "
        f"FROM unnest({arrays}) AS new ({columns}) "
        "JOIN stored_events AS award "
        "ON award.originator_id = new.credential_id AND award.originator_version = 1 "
        "JOIN credentials ON credentials.position = award.position",
        [list(column) for column in zip(*values, strict=True)],
    )
    if cursor.rowcount != len(rows):
        raise IntegrityError("a message is asked for about what is no credential")


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
        values = (stream_id, *map(_value, columns.values()))
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
        if cursor.rowcount != len(rows):
            raise IntegrityError(
                f"{len(rows) - cursor.rowcount} of the streams in the batch are not among the "
                f"{table}: they do not begin with the event that puts them there"
            )


def _position(stream_id: UUID, positions: Mapping[UUID | str, int]) -> int:
    try:
        return positions[stream_id]
    except KeyError:
        raise IntegrityError(
            f"stream {stream_id} has events already, and an award can only be the first"
        ) from None
