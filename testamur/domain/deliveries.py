"""Silence: that a learner is to get no messages any more, until somebody lifts that."""

from dataclasses import dataclass

from testamur.domain.erasures import parse_reason
from testamur.domain.errors import DecisionRefused
from testamur.domain.events import DomainEvent
from testamur.domain.identifiers import LearnerId

# Events


class LearnerSilenced(DomainEvent):
    """The learner is to get no messages, such as after a complaint.

    Args:
        learner_id: Who.
        reason: Why; it stays in the log, so it holds nothing personal.
    """

    learner_id: LearnerId
    reason: str


class SilenceLifted(DomainEvent):
    """The learner may get messages again.

    Args:
        learner_id: Who.
        reason: Why.
    """

    learner_id: LearnerId
    reason: str


SilenceEvent = LearnerSilenced | SilenceLifted


# State


@dataclass(frozen=True, slots=True)
class Silence:
    """Whether a learner gets no messages, as the events left it."""

    learner_id: LearnerId
    active: bool


def evolve(state: Silence | None, event: SilenceEvent) -> Silence:
    """Return the state after an event."""
    return Silence(event.learner_id, isinstance(event, LearnerSilenced))


# Decisions


def decide_silence(state: Silence | None, learner_id: LearnerId, reason: str) -> list[SilenceEvent]:
    """Send the learner no messages any more; nothing happens where that is so.

    Raises:
        InvalidInput: The reason is empty or holds an e-mail address.
    """
    checked = parse_reason(reason)
    if state is not None and state.active:
        return []
    return [LearnerSilenced(learner_id=learner_id, reason=checked)]


def decide_lift(state: Silence | None, learner_id: LearnerId, reason: str) -> list[SilenceEvent]:
    """Let the learner get messages again.

    Raises:
        InvalidInput: The reason is empty or holds an e-mail address.
        DecisionRefused: The learner's messages are not suppressed.
    """
    checked = parse_reason(reason)
    if state is None or not state.active:
        raise DecisionRefused(f"learner {learner_id!r}", "their messages are not suppressed")
    return [SilenceLifted(learner_id=learner_id, reason=checked)]
