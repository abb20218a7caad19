"""Rows of the register: how their fields stand in the columns."""

from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from testamur.adapters.event_store.reading import stream_id_of
from testamur.application.ports.register import CatalogueRow, CredentialRow, MessageRow, RunRow
from testamur.domain.credentials import CredentialStatus
from testamur.domain.identifiers import (
    ConfigurationId,
    CredentialId,
    LearnerId,
    RunId,
    VerificationId,
)

CREDENTIAL_COLUMNS: Final = ", ".join(field.name for field in fields(CredentialRow))
RUN_COLUMNS: Final = ", ".join(field.name for field in fields(RunRow))
CATALOGUE_COLUMNS: Final = ", ".join(field.name for field in fields(CatalogueRow))
MESSAGE_COLUMNS: Final = ", ".join(field.name for field in fields(MessageRow))


def credential_values(row: CredentialRow) -> tuple[object, ...]:
    """Return a credential as its columns hold it; written out, because runs add thousands."""
    return (
        row.credential_id.hex,
        row.configuration_id.hex,
        row.learner_id,
        row.edition,
        row.context_key,
        row.type_slug,
        row.verification_id,
        row.run_id.hex,
        text_of(row.awarded_at),
        row.status.value,
        row.issue_failures,
        text_of(row.issue_retry_at) if row.issue_retry_at else None,
        row.notification,
        row.notification_failures,
        text_of(row.notification_retry_at) if row.notification_retry_at else None,
        row.notification_reason,
        text_of(row.issued_at) if row.issued_at else None,
        text_of(row.notified_at) if row.notified_at else None,
        row.withdrawal_pending,
        row.serial,
        text_of(row.expires_at) if row.expires_at else None,
        text_of(row.remind_at) if row.remind_at else None,
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
        credential_id=CredentialId(stream_id_of(credential_id)),
        configuration_id=ConfigurationId(stream_id_of(configuration_id)),
        learner_id=LearnerId(learner_id),
        edition=edition,
        context_key=context_key,
        type_slug=type_slug,
        verification_id=VerificationId(verification_id),
        run_id=stream_id_of(run_id),
        awarded_at=datetime.fromisoformat(awarded_at),
        status=CredentialStatus(status),
        issue_failures=issue_failures,
        issue_retry_at=_moment(issue_retry_at),
        notification=notification,
        notification_failures=notification_failures,
        notification_retry_at=_moment(notification_retry_at),
        notification_reason=notification_reason,
        issued_at=_moment(issued_at),
        notified_at=_moment(notified_at),
        withdrawal_pending=bool(withdrawal_pending),
        serial=serial,
        expires_at=_moment(expires_at),
        remind_at=_moment(remind_at),
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
        run_id=RunId(UUID(run_id)),
        configuration_id=ConfigurationId(UUID(configuration_id)),
        slot=slot,
        scheduled_for=_moment(scheduled_for),
        started_at=datetime.fromisoformat(started_at),
        completed=bool(completed),
        failures=failures,
        retry_at=_moment(retry_at),
        approval=approval,
        narrowed=bool(narrowed),
        awarded=awarded,
    )


def message_row(values: Iterable[Any]) -> MessageRow:
    """Return a message from its columns."""
    (
        credential_id,
        notice,
        sequence,
        request,
        requested_at,
        status,
        failures,
        retry_at,
        reason,
        sent_at,
    ) = values
    return MessageRow(
        credential_id=CredentialId(stream_id_of(credential_id)),
        notice=notice,
        sequence=sequence,
        request=request,
        requested_at=datetime.fromisoformat(requested_at),
        status=status,
        failures=failures,
        retry_at=_moment(retry_at),
        reason=reason,
        sent_at=_moment(sent_at),
    )


def catalogue_row(values: Iterable[Any]) -> CatalogueRow:
    """Return an entry of the catalogue from its columns."""
    stream_id, kind, label, active, look_version, look_at, *counted, reconcile_at = values
    look = (look_version, _moment(look_at))
    of_row = (kind, label, bool(active), *look, *counted, _moment(reconcile_at))
    return CatalogueRow(UUID(stream_id), *of_row)


def text_of(moment: datetime) -> str:
    """Return a moment as text of fixed length in UTC, so that texts sort as moments do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def value_of(value: object) -> object:
    """Return the value of a field as its column holds it."""
    match value:
        case UUID():
            return value.hex
        case datetime():
            return text_of(value)
        case StrEnum():
            return value.value
        case _:
            return value


def values_of(row: RunRow | CatalogueRow | MessageRow) -> tuple[object, ...]:
    """Return a row of any other table as its columns hold it."""
    return tuple(value_of(getattr(row, field.name)) for field in fields(row))
