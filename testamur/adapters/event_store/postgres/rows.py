"""Rows of the register: how their fields stand in the columns."""

from collections.abc import Iterable
from dataclasses import fields
from enum import StrEnum
from typing import Any, Final

from testamur.application.ports.register import CatalogueRow, CredentialRow, MessageRow, RunRow
from testamur.domain.credentials import CredentialStatus
from testamur.domain.identifiers import (
    ConfigurationId,
    CredentialId,
    LearnerId,
    RunId,
    VerificationId,
)

CREDENTIAL_TYPES: Final = {
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
MESSAGE_TYPES: Final = {
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
RUN_TYPES: Final = {
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
CATALOGUE_TYPES: Final = {
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

CREDENTIAL_COLUMNS: Final = ", ".join(CREDENTIAL_TYPES)
RUN_COLUMNS: Final = ", ".join(RUN_TYPES)
CATALOGUE_COLUMNS: Final = ", ".join(CATALOGUE_TYPES)
MESSAGE_COLUMNS: Final = ", ".join(MESSAGE_TYPES)


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


def credential_values(row: CredentialRow) -> tuple[object, ...]:
    """Return a credential as its columns hold it; written out, because runs add thousands."""
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


def values_of(row: RunRow | CatalogueRow | MessageRow) -> tuple[object, ...]:
    """Return a row of any other table as its columns hold it."""
    return tuple(value_of(getattr(row, field.name)) for field in fields(row))


def value_of(value: object) -> object:
    """Return the value of a field as its column holds it."""
    # psycopg would take the name of a member of an enumeration.
    return value.value if isinstance(value, StrEnum) else value
