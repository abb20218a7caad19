"""Registering credentials: what their events, and those of messages, change in the register.

Each case says what the `evolve` of the credential says; a property test compares the two.
"""

from typing import Any, Final, assert_never
from uuid import UUID, uuid5

from testamur.application.ports.event_store import Attribution
from testamur.application.ports.register import CredentialRow, MessageRow
from testamur.application.row_changes import RegisterChanges
from testamur.domain.credentials import (
    FIRST_MESSAGE,
    CredentialAwarded,
    CredentialEvent,
    CredentialIssued,
    CredentialRevoked,
    CredentialStatus,
    CredentialSuperseded,
    DocumentsWithdrawn,
    IssuanceFailed,
    MessageEvent,
    MessageKey,
    NotificationBounced,
    NotificationFailed,
    NotificationRequested,
    NotificationSent,
    NotificationSkipped,
    NotificationSuppressed,
    PersonalDataErased,
    is_reminder,
    key_of,
    status_after,
)
from testamur.domain.identifiers import CredentialId

#: Where the row of a credential has what is told of the message about its issue.
_IN_CREDENTIALS: Final = {
    "status": "notification",
    "failures": "notification_failures",
    "retry_at": "notification_retry_at",
    "reason": "notification_reason",
    "sent_at": "notified_at",
}


def register_credential(
    changes: RegisterChanges,
    stream_id: UUID,
    _: int,
    event: CredentialEvent,
    attribution: Attribution,
) -> None:
    """Note what an event of a credential changes.

    Args:
        changes: Where it is noted.
        stream_id: The credential's.
        _: The event's version in the stream; nothing depends on it.
        event: What happened.
        attribution: Who did it, when, and in which run.
    """
    credentials = changes.credentials
    match event:
        case CredentialAwarded():
            credentials.added[stream_id] = CredentialRow(
                credential_id=CredentialId(stream_id),
                configuration_id=event.configuration_id,
                learner_id=event.learner_id,
                edition=event.edition,
                context_key=event.context_key,
                type_slug=event.type_slug,
                verification_id=event.verification_id,
                run_id=attribution.correlation_id,
                awarded_at=attribution.at,
                serial=event.serial,
                expires_at=event.expires_at,
                remind_at=event.reminders[0] if event.reminders else None,
            )
        case CredentialIssued():
            credentials.change(
                stream_id,
                status=CredentialStatus.ISSUED,
                issue_retry_at=None,
                issued_at=attribution.at,
            )
        case IssuanceFailed():
            credentials.change(
                stream_id, issue_failures=event.attempt, issue_retry_at=event.retry_at
            )
        case (
            NotificationRequested()
            | NotificationSent()
            | NotificationFailed()
            | NotificationSkipped()
            | NotificationSuppressed()
            | NotificationBounced()
        ):
            _register_message(changes, stream_id, event, attribution)
        case CredentialRevoked():
            _end(changes, stream_id, CredentialStatus.REVOKED, withdrawal_pending=True)
        case CredentialSuperseded():
            _end(changes, stream_id, CredentialStatus.SUPERSEDED, withdrawal_pending=True)
        case DocumentsWithdrawn():
            credentials.change(stream_id, withdrawal_pending=False)
        case PersonalDataErased():
            _end(changes, stream_id, CredentialStatus.ERASED, withdrawal_pending=False)
        case _:
            assert_never(event)


def _register_message(
    changes: RegisterChanges, stream_id: UUID, event: MessageEvent, attribution: Attribution
) -> None:
    key = key_of(event)
    if isinstance(event, NotificationRequested) and is_reminder(event):
        changes.credentials.change(stream_id, remind_at=event.next_reminder_at)
    values: dict[str, Any] = {"status": status_after(event), "retry_at": None}
    if isinstance(event, NotificationFailed):
        values |= {"failures": event.attempt, "retry_at": event.retry_at}
    if isinstance(event, NotificationSent):
        values |= {"sent_at": attribution.at, "reason": None}
    elif not isinstance(event, NotificationRequested):
        values["reason"] = event.reason
    if key == FIRST_MESSAGE:
        changes.credentials.change(
            stream_id, **{_IN_CREDENTIALS[name]: value for name, value in values.items()}
        )
        return
    id_ = message_row_id(CredentialId(stream_id), key)
    if isinstance(event, NotificationRequested):
        changes.messages.added[id_] = MessageRow(
            CredentialId(stream_id),
            key.notice,
            key.sequence,
            key.request,
            requested_at=attribution.at,
        )
    else:
        changes.messages.change(id_, **values)


def message_row_id(credential_id: CredentialId, key: MessageKey) -> UUID:
    """Return the id of a message's row; the message that needs no request has none."""
    return uuid5(credential_id, f"{key.notice} {key.sequence} {key.request}")


def _end(
    changes: RegisterChanges,
    stream_id: UUID,
    status: CredentialStatus,
    *,
    withdrawal_pending: bool,
) -> None:
    changes.credentials.change(
        stream_id,
        status=status,
        issue_retry_at=None,
        notification_retry_at=None,
        withdrawal_pending=withdrawal_pending,
    )
