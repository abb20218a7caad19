"""Decisions on credentials that expire: learners are reminded, and certified once more."""

from datetime import datetime

from testamur.domain.credentials.awarding import decide_award
from testamur.domain.credentials.events import (
    CredentialAwarded,
    CredentialEvent,
    NotificationRequested,
    NotificationSkipped,
)
from testamur.domain.credentials.state import (
    Credential,
    CredentialStatus,
    require,
    require_awarded,
    subject_of,
)
from testamur.domain.errors import DecisionRefused
from testamur.domain.expiry import next_reminder

#: Why a reminder is not sent that comes when the credential has expired.
TOO_LATE = "expired"


def decide_remind(state: Credential | None, now: datetime) -> list[CredentialEvent]:
    """Have the learner reminded that it expires; nothing happens where that is not due.

    Of several that are due, only the last one is asked for. Where it has expired meanwhile, there
    is nothing to remind of any more; that is recorded.

    Args:
        state: The credential.
        now: The moment (aware).
    """
    known = require_awarded(state)
    if known.status is not CredentialStatus.ISSUED or known.remind_at is None:
        return []
    if now < known.remind_at:
        return []
    reminders = known.awarded.reminders
    sequence = max(number for number, moment in enumerate(reminders) if moment <= now)
    request = NotificationRequested(
        notice="expiring",
        sequence=sequence,
        next_reminder_at=next_reminder(reminders, sequence),
    )
    expires_at = known.awarded.expires_at
    if expires_at is not None and now >= expires_at:
        return [
            request,
            NotificationSkipped(reason=TOO_LATE, notice="expiring", sequence=sequence),
        ]
    return [request]


def decide_recertify(state: Credential | None, award: CredentialAwarded) -> list[CredentialEvent]:
    """Begin the edition of somebody who has met the criteria again; they are told of it.

    Args:
        state: The credential whose place it takes; see `decide_supersede` for that one's end.
        award: The new edition's.

    Raises:
        DecisionRefused: The one before is not issued, never expires, or does so no earlier than
            the new one; or the person has no name.
    """
    known = require_awarded(state)
    require(known, CredentialStatus.ISSUED, "be followed by a recertification")
    expires_at = known.awarded.expires_at
    if expires_at is None:
        raise DecisionRefused(subject_of(known), "it never expires, so it need not be renewed")
    if award.expires_at is not None and award.expires_at <= expires_at:
        raise DecisionRefused(
            subject_of(known), f"it is valid as long as a new edition: until {expires_at}"
        )
    return [*decide_award(None, award), NotificationRequested(notice="recertified")]
