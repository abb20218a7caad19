"""Digests: that the staff of a course are told what a run came to."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Final

from pydantic import Field

from testamur.domain.credentials.retries import retry_after
from testamur.domain.errors import DecisionRefused
from testamur.domain.events import DomainEvent
from testamur.domain.identifiers import ConfigurationId, RunId
from testamur.domain.schedules import Moment

#: As often as a message to a learner; that is about four days.
MOST_DIGEST_ATTEMPTS: Final = 18

# Events


class DigestRequested(DomainEvent):
    """The staff are to be told what a run came to.

    Args:
        run_id: Which run.
        configuration_id: The run's configuration, which says who the staff are.
    """

    run_id: RunId
    configuration_id: ConfigurationId


class DigestSent(DomainEvent):
    """The mail server took the message for everybody whom it could be sent to.

    Args:
        message_id: Message-ID (RFC 5322) of the message.
        recipients: How many it was sent to.
        refused: How many addresses were refused for good.
    """

    message_id: str
    recipients: Annotated[int, Field(ge=0)]
    refused: Annotated[int, Field(ge=0)] = 0


class DigestFailed(DomainEvent):
    """The message could not be sent.

    Args:
        attempt: 1 for the first failure.
        reason: What kind of reason; never an address.
        retry_at: When it is tried again; None: given up.
    """

    attempt: int
    reason: str
    retry_at: Moment | None


class DigestSkipped(DomainEvent):
    """Nobody is told: the options name nobody any more, or the notifier writes to no staff."""

    reason: str


DigestEvent = DigestRequested | DigestSent | DigestFailed | DigestSkipped


# State


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest as its events left it."""

    requested: DigestRequested
    failures: int = 0
    retry_at: datetime | None = None
    done: bool = False


def evolve(state: Digest | None, event: DigestEvent) -> Digest:
    """Return the state after an event."""
    match event:
        case DigestRequested():
            return Digest(event)
        case DigestSent() | DigestSkipped():
            return replace(_requested(state), done=True, retry_at=None)
        case DigestFailed():
            return replace(
                _requested(state),
                failures=event.attempt,
                retry_at=event.retry_at,
                done=event.retry_at is None,
            )


# Decisions


def decide_request_digest(
    state: Digest | None, run_id: RunId, configuration_id: ConfigurationId
) -> list[DigestEvent]:
    """Have the staff told; nothing happens where that was asked for already."""
    if state is not None:
        return []
    return [DigestRequested(run_id=run_id, configuration_id=configuration_id)]


def decide_digest_sent(
    state: Digest | None, message_id: str, recipients: int, refused: int
) -> list[DigestEvent]:
    """Record that the staff were told.

    Raises:
        DecisionRefused: Nobody asked for it, or it was dealt with already.
    """
    _open(state)
    return [DigestSent(message_id=message_id, recipients=recipients, refused=refused)]


def decide_fail_digest(
    state: Digest | None, reason: str, now: datetime, *, permanent: bool
) -> list[DigestEvent]:
    """Record that the staff could not be told, to be tried again with doubling delays.

    Raises:
        DecisionRefused: As :func:`decide_digest_sent`.
    """
    attempt = _open(state).failures + 1
    given_up = permanent or attempt >= MOST_DIGEST_ATTEMPTS
    retry_at = None if given_up else now + retry_after(attempt)
    return [DigestFailed(attempt=attempt, reason=reason, retry_at=retry_at)]


def decide_skip_digest(state: Digest | None, reason: str) -> list[DigestEvent]:
    """Record that the staff are not told.

    Raises:
        DecisionRefused: As :func:`decide_digest_sent`.
    """
    _open(state)
    return [DigestSkipped(reason=reason)]


def _requested(state: Digest | None) -> Digest:
    if state is None:
        raise DecisionRefused("digest", "nobody asked for it")
    return state


def _open(state: Digest | None) -> Digest:
    known = _requested(state)
    if known.done:
        raise DecisionRefused(
            f"digest of run {known.requested.run_id}", "it was dealt with already"
        )
    return known
