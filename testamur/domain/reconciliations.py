"""The reconciliation: one comparison of a configuration's credentials with today's verdicts.

It changes no credential. What it finds is proposed, see `testamur.domain.corrections`.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from testamur.domain.credentials.retries import retry_after
from testamur.domain.errors import DecisionRefused
from testamur.domain.events import DomainEvent
from testamur.domain.identifiers import ConfigurationId
from testamur.domain.schedules import Moment

Count = Annotated[int, Field(ge=0)]


class ReconciliationCounts(BaseModel):
    """What a reconciliation found and did.

    Args:
        compared: Credentials that hold, and were compared with what is so today.
        no_longer_eligible: Of these, those whose learner does not meet the criteria any more.
        data_changed: Of these, those that say something else than they would today.
        now_eligible: Learners without a credential that holds who meet the criteria.
        proposed: Findings that were proposed, or proposed anew as something about them changed.
        rejected_before: Findings that somebody rejected before and that are as they were.
        withdrawn: Corrections that were proposed before and do not apply any more.
        not_judged: Credentials that no criteria were applied to, such as those awarded by hand;
            only their data was compared.
        left_out: Learners about whom the data source does not tell, or whose name it does not.
        unknown: Credentials that hold whose learners the data source does not know any more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    compared: Count = 0
    no_longer_eligible: Count = 0
    data_changed: Count = 0
    now_eligible: Count = 0
    proposed: Count = 0
    rejected_before: Count = 0
    withdrawn: Count = 0
    not_judged: Count = 0
    left_out: Count = 0
    unknown: Count = 0

    def __add__(self, other: "ReconciliationCounts") -> "ReconciliationCounts":
        return ReconciliationCounts(
            **{name: getattr(self, name) + getattr(other, name) for name in type(self).model_fields}
        )


# Events


class ReconciliationStarted(DomainEvent):
    """The credentials of a configuration are to be compared with today's verdicts.

    Args:
        configuration_id: Whose credentials.
        slot: What it is for; see :func:`scheduled_slot` and :func:`manual_slot`.
        trigger: Whether the option ``reconcile`` or a person started it.
    """

    configuration_id: ConfigurationId
    slot: str
    trigger: Literal["schedule", "manual"]


class ReconciliationCompleted(DomainEvent):
    """All of them were compared.

    Args:
        configuration_id: Whose credentials.
        counts: What was found.
        next_at: When the option ``reconcile`` asks for the next one; None for one by hand.
    """

    configuration_id: ConfigurationId
    counts: ReconciliationCounts
    next_at: Moment | None = None


class ReconciliationFailed(DomainEvent):
    """Not all of them could be compared; what was proposed until then stays.

    Args:
        configuration_id: Whose credentials.
        attempt: 1 for the first failure.
        error: What went wrong, for people to read.
        retry_at: When it is tried again; None for one by hand.
    """

    configuration_id: ConfigurationId
    attempt: Annotated[int, Field(ge=1)]
    error: str
    retry_at: Moment | None = None


ReconciliationEvent = ReconciliationStarted | ReconciliationCompleted | ReconciliationFailed


# State


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A reconciliation as its events left it."""

    started: ReconciliationStarted
    failures: int = 0
    counts: ReconciliationCounts | None = None


def evolve(state: Reconciliation | None, event: ReconciliationEvent) -> Reconciliation:
    """Return the state after an event."""
    match event:
        case ReconciliationStarted():
            return Reconciliation(event)
        case ReconciliationCompleted():
            return replace(_started(state), counts=event.counts)
        case ReconciliationFailed():
            return replace(_started(state), failures=event.attempt)


# Decisions


def scheduled_slot(moment: datetime) -> str:
    """Return the slot of a reconciliation that became due at a moment (aware)."""
    return f"schedule:{moment.astimezone(UTC).isoformat()}"


def manual_slot(request: str) -> str:
    """Return the slot of a reconciliation that a person asked for, by the request's own id."""
    return f"manual:{request}"


def decide_start(
    state: Reconciliation | None, start: ReconciliationStarted
) -> list[ReconciliationEvent]:
    """Claim a slot; nothing happens where it is claimed already, by this or another process."""
    return [start] if state is None else []


def decide_complete(
    state: Reconciliation | None, counts: ReconciliationCounts, next_at: datetime | None
) -> list[ReconciliationEvent]:
    """Record that all were compared.

    Args:
        state: The reconciliation.
        counts: What was found.
        next_at: When the next one is due, for one that was scheduled.

    Raises:
        DecisionRefused: It is completed already.
    """
    known = _open(state)
    return [
        ReconciliationCompleted(
            configuration_id=known.started.configuration_id,
            counts=counts,
            next_at=next_at if known.started.trigger == "schedule" else None,
        )
    ]


def decide_fail(
    state: Reconciliation | None, error: str, now: datetime
) -> list[ReconciliationEvent]:
    """Record that not all could be compared; a scheduled one is tried again, ever later.

    Raises:
        DecisionRefused: It is completed already.
    """
    known = _open(state)
    attempt = known.failures + 1
    is_scheduled = known.started.trigger == "schedule"
    return [
        ReconciliationFailed(
            configuration_id=known.started.configuration_id,
            attempt=attempt,
            error=error,
            retry_at=now + retry_after(attempt) if is_scheduled else None,
        )
    ]


def _started(state: Reconciliation | None) -> Reconciliation:
    if state is None:
        raise DecisionRefused("reconciliation", "it was never started")
    return state


def _open(state: Reconciliation | None) -> Reconciliation:
    known = _started(state)
    if known.counts is not None:
        raise DecisionRefused(f"reconciliation {known.started.slot}", "it is completed")
    return known
