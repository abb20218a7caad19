"""The state of a credential, and what each event makes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from testamur.domain.credentials.events import (
    Artifact,
    CredentialAwarded,
    CredentialEvent,
    CredentialIssued,
    CredentialRevoked,
    CredentialSuperseded,
    DocumentsWithdrawn,
    IssuanceFailed,
    NotificationBounced,
    NotificationFailed,
    NotificationRequested,
    NotificationSent,
    NotificationSkipped,
    NotificationSuppressed,
    PersonalDataErased,
)
from testamur.domain.credentials.messages import (
    FIRST_MESSAGE,
    Message,
    MessageEvent,
    MessageKey,
    NotificationStatus,
    is_reminder,
    key_of,
    status_after,
)
from testamur.domain.errors import DecisionRefused
from testamur.domain.identifiers import CredentialId


class CredentialStatus(StrEnum):
    """Where a credential stands."""

    AWARDED = "awarded"
    ISSUED = "issued"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Credential:
    """A credential as its events left it.

    What begins with ``notification`` is of the message that tells of the issue; ``messages`` are
    all the others.
    """

    awarded: CredentialAwarded
    status: CredentialStatus = CredentialStatus.AWARDED
    artifacts: tuple[Artifact, ...] = ()
    rendering: str | None = None
    issue_failures: int = 0
    issue_retry_at: datetime | None = None
    notification: NotificationStatus = "pending"
    notification_failures: int = 0
    notification_retry_at: datetime | None = None
    messages: Mapping[MessageKey, Message] = field(default_factory=dict)
    revocation_reason: str | None = None
    superseded_by: CredentialId | None = None
    withdrawal_pending: bool = False
    remind_at: datetime | None = None


def evolve(state: Credential | None, event: CredentialEvent) -> Credential:
    """Return the state after an event."""
    if isinstance(event, CredentialAwarded):
        return Credential(event, remind_at=event.reminders[0] if event.reminders else None)
    known = require_awarded(state)
    match event:
        case CredentialIssued():
            return replace(
                known,
                status=CredentialStatus.ISSUED,
                artifacts=event.artifacts,
                rendering=event.rendering,
                issue_retry_at=None,
            )
        case IssuanceFailed():
            return replace(known, issue_failures=event.attempt, issue_retry_at=event.retry_at)
        case (
            NotificationRequested()
            | NotificationSent()
            | NotificationFailed()
            | NotificationSkipped()
            | NotificationSuppressed()
            | NotificationBounced()
        ):
            return _told(known, event)
        case CredentialRevoked():
            ended = _ended(known, CredentialStatus.REVOKED)
            return replace(ended, revocation_reason=event.reason, withdrawal_pending=True)
        case CredentialSuperseded():
            ended = _ended(known, CredentialStatus.SUPERSEDED)
            return replace(ended, superseded_by=event.by, withdrawal_pending=True)
        case DocumentsWithdrawn():
            return replace(known, withdrawal_pending=False)
        case PersonalDataErased():
            return replace(
                _ended(known, CredentialStatus.ERASED),
                awarded=known.awarded.model_copy(update={"person": None, "document_link": None}),
                artifacts=(),
                withdrawal_pending=False,
            )


def _told(state: Credential, event: MessageEvent) -> Credential:
    key = key_of(event)
    if isinstance(event, NotificationFailed):
        after = Message(status_after(event), event.attempt, event.retry_at)
    else:
        before = message_of(state, key) or Message()
        after = Message(status_after(event), before.failures)
    if isinstance(event, NotificationRequested) and is_reminder(event):
        state = replace(state, remind_at=event.next_reminder_at)
    if key != FIRST_MESSAGE:
        return replace(state, messages={**state.messages, key: after})
    return replace(
        state,
        notification=after.status,
        notification_failures=after.failures,
        notification_retry_at=after.retry_at,
    )


def _ended(state: Credential, status: CredentialStatus) -> Credential:
    return replace(state, status=status, issue_retry_at=None, notification_retry_at=None)


# What decisions ask of a state


def require_awarded(state: Credential | None) -> Credential:
    """Return the state of a credential that was awarded.

    Raises:
        DecisionRefused: It never was.
    """
    if state is None:
        raise DecisionRefused("credential", "it was never awarded")
    return state


def message_of(state: Credential, key: MessageKey) -> Message | None:
    """Return how far a message is; None: nobody asked for it."""
    if key == FIRST_MESSAGE:
        return Message(state.notification, state.notification_failures, state.notification_retry_at)
    return state.messages.get(key)


def require(state: Credential, status: CredentialStatus, verb: str) -> None:
    """Make sure that a credential has a status, or say that it cannot do so without.

    Raises:
        DecisionRefused: It has another one.
    """
    if state.status is not status:
        raise DecisionRefused(subject_of(state), f"it is {state.status} and cannot {verb}")


def require_living(state: Credential, verb: str) -> None:
    """Make sure that a credential is awarded or issued, and nothing has ended it.

    Raises:
        DecisionRefused: It has ended.
    """
    if state.status not in (CredentialStatus.AWARDED, CredentialStatus.ISSUED):
        raise DecisionRefused(subject_of(state), f"it is {state.status} and cannot {verb}")


def subject_of(state: Credential) -> str:
    """Return a credential's name for people, without anything personal but the opaque id."""
    awarded = state.awarded
    return f"credential of learner {awarded.learner_id!r} for {awarded.context_key}"
