"""Messages: what a credential's learner is to be told, and how far telling is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from testamur.domain.credentials.events import (
    Notice,
    NotificationBounced,
    NotificationFailed,
    NotificationRequested,
    NotificationSent,
    NotificationSkipped,
    NotificationSuppressed,
)

NotificationStatus = Literal["pending", "sent", "skipped", "given-up", "suppressed", "bounced"]
"""How far telling is. After ``pending`` nothing more is tried, unless somebody asks for it."""

MessageEvent = (
    NotificationRequested
    | NotificationSent
    | NotificationFailed
    | NotificationSkipped
    | NotificationSuppressed
    | NotificationBounced
)
"""Events that are about one message."""


@dataclass(frozen=True, slots=True)
class MessageKey:
    """Which message of a credential; each has a Message-ID and attempts of its own.

    Args:
        notice: What it tells.
        sequence: Which of that kind; 0 for the first.
        request: 1 for the first time; more where somebody had it sent again.
    """

    notice: Notice
    sequence: int = 0
    request: int = 1


#: That the credential was issued. It needs no request; all the others have one.
FIRST_MESSAGE: Final = MessageKey("issued")


@dataclass(frozen=True, slots=True)
class Message:
    """How far one message is.

    Args:
        status: Where it stands.
        failures: How often it could not be sent.
        retry_at: Not to be tried before; None: at any time.
    """

    status: NotificationStatus = "pending"
    failures: int = 0
    retry_at: datetime | None = None


def key_of(event: MessageEvent) -> MessageKey:
    """Return which message an event is about."""
    return MessageKey(event.notice, event.sequence, event.request)


def is_reminder(event: NotificationRequested) -> bool:
    """Tell whether it is asked for because time has come, and not by somebody once more."""
    return event.notice == "expiring" and event.request == 1


def status_after(event: MessageEvent) -> NotificationStatus:
    """Return where a message stands after an event about it."""
    match event:
        case NotificationRequested():
            return "pending"
        case NotificationSent():
            return "sent"
        case NotificationFailed():
            return "given-up" if event.retry_at is None else "pending"
        case NotificationSkipped():
            return "skipped"
        case NotificationSuppressed():
            return "suppressed"
        case NotificationBounced():
            return "bounced"
