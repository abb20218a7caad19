"""The issuance run: one pass over the learners of a configuration's context."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field

from testamur.domain.errors import DecisionRefused
from testamur.domain.events import DomainEvent
from testamur.domain.identifiers import ConfigurationId, LearnerId
from testamur.domain.run_results import LeftOut, Refusal, RunCounts
from testamur.domain.schedules import Moment

#: A scheduled run that fails is tried this often in all, the last time about a day after the first.
MOST_ATTEMPTS: Final = 9
FIRST_RETRY_AFTER: Final = timedelta(minutes=5)

Approval = Literal["not-needed", "needed", "approved", "rejected"]
"""Whether somebody has to agree to what a run found, and what became of that."""

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


class RunDivided(DomainEvent):
    """The run has gone over all learners, and left awarding them to several workers, in pages.

    Args:
        division: Tells these pages from those of another attempt.
        pages: How many there are.
        earned: Learners on them: they meet the criteria, and were not awarded yet.
        counts: What became of all the others.
        context_name: Name of the context, as the credentials are to show it.
        retrieved_at: When the data source was asked.
    """

    division: UUID
    pages: Annotated[int, Field(ge=1)]
    earned: Annotated[int, Field(ge=1)]
    counts: RunCounts
    context_name: str
    retrieved_at: Moment


class RunNeedsApproval(DomainEvent):
    """The run found more than its guard lets pass; nobody is awarded until somebody approves it.

    Args:
        reason: What the guard looked at: ``max-new``: the most that a run may award;
            ``change-of-scale``: what the last runs awarded.
        limit: The most that it would have let pass.
        usual: For a change of scale: the median of what the last runs awarded.
        proposed: Learners on the list of those whom the run would award, see `LearnersProposed`.
        pages: Pages of that list.
        sha256: SHA-256 of that list, see `ListDigest`.
        counts: What the run found; those on the list are eligible, and not awarded.
    """

    reason: Literal["max-new", "change-of-scale"]
    limit: Annotated[int, Field(ge=1)]
    usual: Decimal | None = None
    proposed: Annotated[int, Field(ge=1)]
    pages: Annotated[int, Field(ge=1)]
    sha256: str
    counts: RunCounts


class RunApproved(DomainEvent):
    """Somebody agreed: the run awards those on its list who are eligible still."""

    reason: str


class RunRejected(DomainEvent):
    """Somebody refused: the run is over, and awards nobody."""

    reason: str


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


RunEvent = (
    RunStarted
    | LearnersRefused
    | LearnersLeftOut
    | RunDivided
    | RunNeedsApproval
    | RunApproved
    | RunRejected
    | RunCompleted
    | RunFailed
)


# State


@dataclass(frozen=True, slots=True)
class IssuanceRun:
    """A run as its events left it.

    ``divided`` says whether its pages are being awarded; after a failure all learners are gone over
    anew.
    """

    started: RunStarted
    failures: int = 0
    retry_at: datetime | None = None
    counts: RunCounts | None = None
    refused: frozenset[LearnerId] = field(default_factory=frozenset)
    left_out: frozenset[LearnerId] = field(default_factory=frozenset)
    approval: Approval = "not-needed"
    asked: RunNeedsApproval | None = None
    divided: RunDivided | None = None

    @property
    def completed(self) -> bool:
        """Whether it has gone over all learners, and awarded those who are to be."""
        return self.counts is not None

    @property
    def can_go_on(self) -> bool:
        """Whether it is to go over learners: it is not over, and does not wait for approval."""
        return not self.completed and self.approval in ("not-needed", "approved")


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
        case RunDivided():
            return replace(_started(state), divided=event)
        case RunNeedsApproval():
            # All learners were gone over, so what went wrong before counts no more.
            return replace(
                _started(state),
                approval="needed",
                asked=event,
                failures=0,
                retry_at=None,
                divided=None,
            )
        case RunApproved():
            return replace(_started(state), approval="approved")
        case RunRejected():
            return replace(_started(state), approval="rejected")
        case RunCompleted():
            return replace(_started(state), counts=event.counts, retry_at=None)
        case RunFailed():
            return replace(
                _started(state), failures=event.attempt, retry_at=event.retry_at, divided=None
            )


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
        DecisionRefused: The run is over, or waits for approval.
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
        DecisionRefused: The run is over, or waits for approval.
    """
    run = _open(state)
    new: dict[LearnerId, LeftOut] = {}
    for learner in learners:
        if learner.learner_id not in run.left_out:
            new.setdefault(learner.learner_id, learner)
    return [LearnersLeftOut(learners=tuple(new.values()))] if new else []


def decide_divide(state: IssuanceRun | None, divided: RunDivided) -> list[RunEvent]:
    """Leave awarding those who have earned the credential to several workers.

    Raises:
        DecisionRefused: The run is over, waits for approval, or was approved: then it awards those
            on its list only.
    """
    run = _open(state)
    if run.approval == "approved":
        raise DecisionRefused(_name(run), "it was approved, and awards those on its list")
    return [divided]


def decide_need_approval(state: IssuanceRun | None, asked: RunNeedsApproval) -> list[RunEvent]:
    """Let the run wait until somebody has approved or rejected it.

    Raises:
        DecisionRefused: It is over, waits already, or was approved.
    """
    run = _open(state)
    if run.approval == "approved":
        raise DecisionRefused(_name(run), "it was approved already")
    return [asked]


def decide_approve(state: IssuanceRun | None, reason: str) -> list[RunEvent]:
    """Let the run award those on its list; nothing happens where that was decided already.

    Raises:
        DecisionRefused: It does not need approval, or was rejected.
    """
    run = _started(state)
    if run.approval == "approved":
        return []
    _require_needed(run)
    return [RunApproved(reason=reason)]


def decide_reject(state: IssuanceRun | None, reason: str) -> list[RunEvent]:
    """End the run without awarding anybody; nothing happens where that was decided already.

    Raises:
        DecisionRefused: It does not need approval, or was approved.
    """
    run = _started(state)
    if run.approval == "rejected":
        return []
    _require_needed(run)
    return [RunRejected(reason=reason)]


def decide_complete(state: IssuanceRun | None, counts: RunCounts) -> list[RunEvent]:
    """Complete the run.

    Raises:
        DecisionRefused: It is over, waits for approval, or its counts do not add up.
    """
    run = _open(state)
    if not counts.add_up:
        raise DecisionRefused(
            _name(run),
            f"its counts do not add up, so learners were lost or counted twice: {counts}",
        )
    return [RunCompleted(counts=counts)]


def decide_fail(state: IssuanceRun | None, error: str, now: datetime) -> list[RunEvent]:
    """Record that the run failed; a scheduled one is tried again with doubling delays.

    Raises:
        DecisionRefused: It is over, or waits for approval.
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
    if not run.can_go_on:
        raise DecisionRefused(_name(run), f"it {_standing(run)}")
    return run


def _require_needed(run: IssuanceRun) -> None:
    if run.approval != "needed":
        raise DecisionRefused(
            _name(run), f"only a run that needs approval can be decided on; it {_standing(run)}"
        )


def _standing(run: IssuanceRun) -> str:
    if run.completed:
        return "is completed already"
    match run.approval:
        case "needed":
            return "waits until somebody has approved or rejected it"
        case "approved":
            return "was approved already"
        case "rejected":
            return "was rejected already"
        case "not-needed":
            return "needs no approval, or not yet"


def _name(run: IssuanceRun) -> str:
    return f"run {run.started.slot}"
