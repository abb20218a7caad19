"""The issuance run: one pass over the learners of a configuration's context."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from testamur.domain.errors import DecisionRefused
from testamur.domain.events import DomainEvent
from testamur.domain.identifiers import ConfigurationId, LearnerId
from testamur.domain.schedules import Moment

#: A scheduled run that fails is tried this often in all, the last time about a day after the first.
MOST_ATTEMPTS: Final = 9
FIRST_RETRY_AFTER: Final = timedelta(minutes=5)

Count = Annotated[int, Field(ge=0)]


class RunCounts(BaseModel):
    """What a run found and did, in learners.

    Those of a completed run add up: ``evaluated = already_held + not_eligible + eligible +
    left_out`` and ``eligible = awarded + refused + over_limit``. Those of a part of a run need not.

    Args:
        evaluated: Learners that the data source reported.
        already_held: Of these, those who hold a credential of this configuration or held one
            that was revoked; they are not judged again.
        not_eligible: Of the others, those who do not meet the criteria.
        eligible: Of the others, those who do.
        left_out: Of the others, those who were not judged, see `LearnersLeftOut`.
        awarded: Of the eligible, those who were awarded the credential.
        refused: Of the eligible, those who could not be awarded it, see `LearnersRefused`.
        over_limit: Of the eligible, those left for a later run because of ``limit``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    evaluated: Count = 0
    already_held: Count = 0
    not_eligible: Count = 0
    eligible: Count = 0
    left_out: Count = 0
    awarded: Count = 0
    refused: Count = 0
    over_limit: Count = 0

    @property
    def add_up(self) -> bool:
        """Whether every learner is counted for one outcome, and one only."""
        sorted_out = self.already_held + self.not_eligible + self.eligible + self.left_out
        dealt_with = self.awarded + self.refused + self.over_limit
        return self.evaluated == sorted_out and self.eligible == dealt_with

    def __add__(self, other: "RunCounts") -> "RunCounts":
        return RunCounts(
            **{name: getattr(self, name) + getattr(other, name) for name in type(self).model_fields}
        )


class Refusal(BaseModel):
    """Why an eligible learner could not be awarded the credential yet.

    Args:
        learner_id: Who.
        reason: What kind of reason: ``no-name``, ``no-person``, ``missing-glyph``, ``too-long``….
        detail: The reason for people to read; it never holds the learner's name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    learner_id: LearnerId
    reason: str
    detail: str


class LeftOut(BaseModel):
    """Why a learner was not judged: the data source cannot tell what they have achieved.

    Args:
        learner_id: Who.
        reason: The source's reason, for people to read; it never holds the learner's name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    learner_id: LearnerId
    reason: str


# Events


class RunStarted(DomainEvent):
    """A run was started for a slot.

    Args:
        configuration_id: Whose learners it goes over.
        slot: What the run is for; see :func:`scheduled_slot` and :func:`manual_slot`.
        trigger: Whether the schedule or a person started it.
        scheduled_for: The slot as a moment, for a scheduled run.
        learner_id: The one learner that it is limited to, if any.
        limit: The most credentials that it may award, if limited.
    """

    configuration_id: ConfigurationId
    slot: str
    trigger: Literal["schedule", "manual"]
    scheduled_for: Moment | None = None
    learner_id: LearnerId | None = None
    limit: Annotated[int, Field(ge=1)] | None = None


class LearnersRefused(DomainEvent):
    """Eligible learners could not be awarded; the next run tries them again."""

    refusals: tuple[Refusal, ...]


class LearnersLeftOut(DomainEvent):
    """Learners could not be judged; the next run tries them again."""

    learners: tuple[LeftOut, ...]


class RunCompleted(DomainEvent):
    """The run has gone over all learners."""

    counts: RunCounts


class RunFailed(DomainEvent):
    """The run could not go over all learners.

    Args:
        attempt: 1 for the first failure.
        error: What went wrong, for people to read.
        retry_at: When it is tried again; None: not by itself.
    """

    attempt: int
    error: str
    retry_at: Moment | None


RunEvent = RunStarted | LearnersRefused | LearnersLeftOut | RunCompleted | RunFailed


# State


@dataclass(frozen=True, slots=True)
class IssuanceRun:
    """A run as its events left it."""

    started: RunStarted
    failures: int = 0
    retry_at: datetime | None = None
    counts: RunCounts | None = None
    refused: frozenset[LearnerId] = field(default_factory=frozenset)
    left_out: frozenset[LearnerId] = field(default_factory=frozenset)

    @property
    def completed(self) -> bool:
        """Whether it has gone over all learners."""
        return self.counts is not None


def evolve(state: IssuanceRun | None, event: RunEvent) -> IssuanceRun:
    """Return the state after an event."""
    match event:
        case RunStarted():
            return IssuanceRun(event)
        case LearnersRefused():
            known = _started(state)
            return replace(
                known, refused=known.refused | {refusal.learner_id for refusal in event.refusals}
            )
        case LearnersLeftOut():
            known = _started(state)
            return replace(
                known, left_out=known.left_out | {learner.learner_id for learner in event.learners}
            )
        case RunCompleted():
            return replace(_started(state), counts=event.counts, retry_at=None)
        case RunFailed():
            return replace(_started(state), failures=event.attempt, retry_at=event.retry_at)


# Decisions


def scheduled_slot(moment: datetime) -> str:
    """Return the slot of a run that the schedule makes due at a moment (aware)."""
    return f"schedule:{moment.astimezone(UTC).isoformat()}"


def manual_slot(request: str) -> str:
    """Return the slot of a run that a person asked for, by the request's own id."""
    return f"manual:{request}"


def decide_start(state: IssuanceRun | None, start: RunStarted) -> list[RunEvent]:
    """Claim a slot; nothing happens where it is claimed already, by this or another process."""
    return [start] if state is None else []


def decide_refuse(state: IssuanceRun | None, refusals: tuple[Refusal, ...]) -> list[RunEvent]:
    """Record eligible learners that could not be awarded, once each in a run.

    Raises:
        DecisionRefused: The run is completed.
    """
    run = _open(state)
    new: dict[LearnerId, Refusal] = {}
    for refusal in refusals:
        if refusal.learner_id not in run.refused:
            new.setdefault(refusal.learner_id, refusal)
    return [LearnersRefused(refusals=tuple(new.values()))] if new else []


def decide_leave_out(state: IssuanceRun | None, learners: tuple[LeftOut, ...]) -> list[RunEvent]:
    """Record learners that could not be judged, once each in a run.

    Raises:
        DecisionRefused: The run is completed.
    """
    run = _open(state)
    new: dict[LearnerId, LeftOut] = {}
    for learner in learners:
        if learner.learner_id not in run.left_out:
            new.setdefault(learner.learner_id, learner)
    return [LearnersLeftOut(learners=tuple(new.values()))] if new else []


def decide_complete(state: IssuanceRun | None, counts: RunCounts) -> list[RunEvent]:
    """Complete the run.

    Raises:
        DecisionRefused: It is completed already, or its counts do not add up.
    """
    run = _open(state)
    if not counts.add_up:
        raise DecisionRefused(
            f"run {run.started.slot}",
            f"its counts do not add up, so learners were lost or counted twice: {counts}",
        )
    return [RunCompleted(counts=counts)]


def decide_fail(state: IssuanceRun | None, error: str, now: datetime) -> list[RunEvent]:
    """Record that the run failed; a scheduled one is tried again with doubling delays.

    Raises:
        DecisionRefused: It is completed.
    """
    run = _open(state)
    attempt = run.failures + 1
    again = run.started.trigger == "schedule" and attempt < MOST_ATTEMPTS
    retry_at = now + FIRST_RETRY_AFTER * 2 ** (attempt - 1) if again else None
    return [RunFailed(attempt=attempt, error=error, retry_at=retry_at)]


def _started(state: IssuanceRun | None) -> IssuanceRun:
    if state is None:
        raise DecisionRefused("run", "it was never started")
    return state


def _open(state: IssuanceRun | None) -> IssuanceRun:
    run = _started(state)
    if run.completed:
        raise DecisionRefused(f"run {run.started.slot}", "it is completed already")
    return run
