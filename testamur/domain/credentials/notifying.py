"""Decisions on telling the learner: whether, what became of it, once more, or not at all."""

from datetime import datetime
from typing import Final

from testamur.domain.credentials.events import (
    CredentialEvent,
    Notice,
    NotificationBounced,
    NotificationFailed,
    NotificationRequested,
    NotificationSent,
    NotificationSkipped,
    NotificationSuppressed,
)
from testamur.domain.credentials.messages import FIRST_MESSAGE, Message, MessageKey
from testamur.domain.credentials.retries import retry_after
from testamur.domain.credentials.state import (
    Credential,
    CredentialStatus,
    message_of,
    require,
    require_awarded,
    subject_of,
)
from testamur.domain.errors import DecisionRefused

#: Mails are given up after about four days, as mail servers do (RFC 5321, section 4.5.4.1).
MOST_NOTIFICATION_ATTEMPTS: Final = 18

#: What also tells that a document was issued, so that no second message does.
TELL_OF_THE_ISSUE: Final[frozenset[Notice]] = frozenset({"reissued", "recertified"})

_STATUS_TO_TELL: Final = {"revoked": CredentialStatus.REVOKED}


def decide_notification(
    state: Credential | None,
    *,
    switched_on: bool,
    suppressed: bool = False,
    key: MessageKey = FIRST_MESSAGE,
) -> str | None:
    """Decide whether the learner is to be told: None for yes, else the reason why not.

    Args:
        state: The credential.
        switched_on: Whether learners of its configuration are told of such things.
        suppressed: Whether the learner is to get no messages at all.
        key: Which message.

    Raises:
        DecisionRefused: It is not issued yet, nobody asked for the message, or it was dealt with.
    """
    known = _to_tell(state, key)
    person = known.awarded.person
    if not _still_holds(known, key.notice):
        return "ended"
    if not switched_on:
        return "switched-off"
    if suppressed:
        return "suppressed"
    if person is None or not person.email:
        return "no-address"
    if not person.mailable:
        return "inactive-account"
    # What somebody asks for once more is tried; they may know better.
    if key.request == 1 and _has_bounced(known):
        return "bounced"
    if key == FIRST_MESSAGE and any(each.notice in TELL_OF_THE_ISSUE for each in known.messages):
        return "told-otherwise"
    if key.notice == "revoked" and known.notification == "pending":
        return "never-told"
    return None


def decide_skip_notification(
    state: Credential | None, reason: str, key: MessageKey = FIRST_MESSAGE
) -> list[CredentialEvent]:
    """Record that the learner is not told.

    Raises:
        DecisionRefused: As :func:`decide_notification`.
    """
    _to_tell(state, key)
    return [
        NotificationSkipped(
            reason=reason, notice=key.notice, sequence=key.sequence, request=key.request
        )
    ]


def decide_notified(
    state: Credential | None, message_id: str, key: MessageKey = FIRST_MESSAGE
) -> list[CredentialEvent]:
    """Record that the mail server took the message.

    Raises:
        DecisionRefused: As :func:`decide_notification`.
    """
    _to_tell(state, key)
    return [
        NotificationSent(
            message_id=message_id, notice=key.notice, sequence=key.sequence, request=key.request
        )
    ]


def decide_fail_notification(
    state: Credential | None,
    reason: str,
    detail: str,
    now: datetime,
    *,
    permanent: bool,
    key: MessageKey = FIRST_MESSAGE,
) -> list[CredentialEvent]:
    """Record that the learner could not be told, to be tried again with doubling delays.

    Args:
        state: The credential.
        reason: What kind of reason.
        detail: For people to read.
        now: The moment of failing (aware).
        permanent: Whether trying again is pointless.
        key: Which message.

    Raises:
        DecisionRefused: As :func:`decide_notification`.
    """
    known = _to_tell(state, key)
    attempt = _asked_for(known, key).failures + 1
    given_up = permanent or attempt >= MOST_NOTIFICATION_ATTEMPTS
    return [
        NotificationFailed(
            learner_id=known.awarded.learner_id,
            attempt=attempt,
            reason=reason,
            detail=detail,
            retry_at=None if given_up else now + retry_after(attempt),
            notice=key.notice,
            sequence=key.sequence,
            request=key.request,
        )
    ]


def decide_resend(
    state: Credential | None, notice: Notice, sequence: int, reason: str
) -> list[CredentialEvent]:
    """Have a message sent once more, whatever became of it: as a new one, with its own attempts.

    Args:
        state: The credential.
        notice: What it tells.
        sequence: Which of that kind.
        reason: Why.

    Raises:
        DecisionRefused: It is not issued yet; nobody asked for such a message before, or it still
            waits to be sent; or what it tells does not hold any more.
    """
    known = require_awarded(state)
    _require_issued(known)
    last = last_request(known, notice, sequence)
    if last is None:
        raise DecisionRefused(subject_of(known), f"the learner was never to be told {notice!r}")
    key = MessageKey(notice, sequence, last)
    if _asked_for(known, key).status == "pending" and _still_holds(known, notice):
        raise DecisionRefused(subject_of(known), "that message waits to be sent already")
    if not _still_holds(known, notice):
        raise DecisionRefused(
            subject_of(known), f"it is {known.status}, so the message {notice!r} is not true now"
        )
    return [
        NotificationRequested(notice=notice, sequence=sequence, request=last + 1, reason=reason)
    ]


def decide_suppress(
    state: Credential | None, key: MessageKey, reason: str
) -> list[CredentialEvent]:
    """Keep a message that waits from being sent.

    Raises:
        DecisionRefused: Nobody asked for it, or it was dealt with already.
    """
    known = require_awarded(state)
    if _asked_for(known, key).status != "pending":
        raise DecisionRefused(subject_of(known), "that message does not wait any more")
    return [
        NotificationSuppressed(
            reason=reason, notice=key.notice, sequence=key.sequence, request=key.request
        )
    ]


def decide_bounced(state: Credential | None, key: MessageKey, reason: str) -> list[CredentialEvent]:
    """Record that a message came back; nothing happens where that was recorded.

    Raises:
        DecisionRefused: It was never sent.
    """
    known = require_awarded(state)
    status = _asked_for(known, key).status
    if status == "bounced":
        return []
    if status != "sent":
        raise DecisionRefused(subject_of(known), f"that message is {status}; it was never sent")
    return [
        NotificationBounced(
            reason=reason, notice=key.notice, sequence=key.sequence, request=key.request
        )
    ]


def last_request(state: Credential, notice: Notice, sequence: int = 0) -> int | None:
    """Return how often a message was asked for; None: never."""
    asked = [
        key.request
        for key in (FIRST_MESSAGE, *state.messages)
        if (key.notice, key.sequence) == (notice, sequence)
    ]
    return max(asked, default=None)


def waiting_messages(state: Credential, now: datetime) -> list[MessageKey]:
    """Return the messages that are to be dealt with now, in the order in which they were asked for.

    The first one waits for ever where the credential ended before it was sent; what somebody asked
    for is dealt with all the same, if only to record that it is too late.
    """
    if state.status is CredentialStatus.AWARDED:
        return []
    keys = [*state.messages]
    if state.status is CredentialStatus.ISSUED:
        keys.insert(0, FIRST_MESSAGE)
    return [key for key in keys if _is_due(_asked_for(state, key), now)]


def pending_messages(state: Credential) -> list[MessageKey]:
    """Return the messages that wait, now or later, the first one too where it can still be sent."""
    keys = [*state.messages]
    if state.status in (CredentialStatus.AWARDED, CredentialStatus.ISSUED):
        keys.insert(0, FIRST_MESSAGE)
    return [key for key in keys if _asked_for(state, key).status == "pending"]


def _is_due(message: Message, now: datetime) -> bool:
    return message.status == "pending" and (message.retry_at is None or message.retry_at <= now)


def _still_holds(state: Credential, notice: Notice) -> bool:
    return state.status is _STATUS_TO_TELL.get(notice, CredentialStatus.ISSUED)


def _has_bounced(state: Credential) -> bool:
    messages = [_asked_for(state, FIRST_MESSAGE), *state.messages.values()]
    return any(message.status == "bounced" for message in messages)


def _asked_for(state: Credential, key: MessageKey) -> Message:
    message = message_of(state, key)
    if message is None:
        raise DecisionRefused(subject_of(state), f"nobody asked for the message {key.notice!r}")
    return message


def _require_issued(state: Credential) -> None:
    if state.status is CredentialStatus.AWARDED:
        require(state, CredentialStatus.ISSUED, "be told of")


def _to_tell(state: Credential | None, key: MessageKey) -> Credential:
    known = require_awarded(state)
    if key == FIRST_MESSAGE:
        require(known, CredentialStatus.ISSUED, "be told of")
    _require_issued(known)
    if _asked_for(known, key).status != "pending":
        raise DecisionRefused(subject_of(known), "the learner was dealt with already")
    return known
