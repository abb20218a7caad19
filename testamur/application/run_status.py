"""How far a run is, as the database tells while it goes on."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from testamur.application.aggregates import fold
from testamur.application.ports.event_store import EventStore, RecordedEvent
from testamur.application.ports.register import CredentialFilter, Register
from testamur.domain import runs
from testamur.domain.credentials import CredentialStatus
from testamur.domain.errors import NotFound
from testamur.domain.identifiers import Actor, ConfigurationId, RunId
from testamur.domain.runs import (
    IssuanceRun,
    RunApproved,
    RunFailed,
    RunNeedsApproval,
    RunRejected,
)


@dataclass(frozen=True, slots=True)
class ApprovalDecision:
    """What somebody decided about a run that needed approval.

    Args:
        approved: Whether it was approved; else it was rejected.
        actor: Who decided.
        at: When (aware).
        reason: Why.
    """

    approved: bool
    actor: Actor
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class RunStatus:
    """How far a run is, and what became of the credentials that it awarded.

    Args:
        run_id: The run.
        configuration_id: Whose run.
        started_at: When it was started (aware).
        state: ``open``: it waits, goes on, or was interrupted; ``needs-approval``: it awards nobody
            until somebody approves it; ``rejected``: it never will; ``failed``: it could not go
            over all learners; ``completed``: it has.
        evaluated: Learners that were looked at; None while the run goes on and nobody counts.
        awarded: Credentials that it awarded.
        refused: Eligible learners who could not be awarded it.
        left_out: Learners who could not be judged.
        issued: Of the awarded, those whose document is stored.
        failed: Of the awarded, those whose document could not be made or stored; tried again.
        left: Of the awarded, those that wait for their document and have not failed.
        told: Learners who were told.
        not_told_yet: Learners who wait to be told.
        error: Why it failed last, if it did.
        retry_at: When a failed one is tried again (aware); None: not by itself.
        asked: Why approval is or was needed, if it is or was.
        decision: What was decided then, if anything was.
    """

    run_id: RunId
    configuration_id: ConfigurationId
    started_at: datetime
    state: Literal["open", "needs-approval", "rejected", "failed", "completed"]
    evaluated: int | None
    awarded: int
    refused: int
    left_out: int
    issued: int
    failed: int
    left: int
    told: int
    not_told_yet: int
    error: str | None = None
    retry_at: datetime | None = None
    asked: RunNeedsApproval | None = None
    decision: ApprovalDecision | None = None

    @property
    def settled(self) -> bool:
        """Whether nothing more comes of it for now; what failed is tried again later."""
        nothing_left = not self.left and not self.not_told_yet
        return self.state in ("failed", "needs-approval", "rejected") or (
            self.state == "completed" and nothing_left
        )


@dataclass(frozen=True, slots=True)
class RunStatuses:
    """Tells how far runs are."""

    events: EventStore
    register: Register

    def of(self, id_: RunId, evaluated_so_far: int | None = None) -> RunStatus:
        """Return how far a run is.

        Args:
            id_: Which.
            evaluated_so_far: Learners looked at by now, where somebody counts them.

        Raises:
            NotFound: There is no such run.
            EventStoreError: The database cannot be read.
        """
        recorded = self.events.load(id_)
        run = fold(id_, recorded, runs.evolve).state
        if run is None:
            raise NotFound("run", str(id_))
        tally = self.register.tally(CredentialFilter(run_id=id_))
        awarded = sum(tally.by_status.values())
        not_issued = tally.by_status.get(CredentialStatus.AWARDED, 0)
        failures = [each.event for each in recorded if isinstance(each.event, RunFailed)]
        counts = run.counts or (run.asked.counts if run.asked and not run.can_go_on else None)
        evaluated = counts.evaluated if counts else evaluated_so_far
        if run.divided is not None and counts is None:
            evaluated = run.divided.counts.evaluated + run.divided.earned
        return RunStatus(
            run_id=id_,
            configuration_id=run.started.configuration_id,
            started_at=recorded[0].attribution.at,
            state=_state(run),
            evaluated=evaluated,
            awarded=awarded,
            refused=len(run.refused),
            left_out=len(run.left_out),
            issued=awarded - not_issued,
            failed=tally.failing,
            left=not_issued - tally.failing,
            told=tally.notifications.get("sent", 0),
            not_told_yet=tally.notifications.get("pending", 0),
            error=failures[-1].error if _state(run) == "failed" else None,
            retry_at=run.retry_at,
            asked=run.asked,
            decision=next(filter(None, map(_decision, reversed(recorded))), None),
        )


def _state(
    run: IssuanceRun,
) -> Literal["open", "needs-approval", "rejected", "failed", "completed"]:
    if run.completed:
        return "completed"
    if run.approval == "needed":
        return "needs-approval"
    if run.approval == "rejected":
        return "rejected"
    return "failed" if run.failures else "open"


def _decision(recorded: RecordedEvent) -> ApprovalDecision | None:
    by = recorded.attribution
    match recorded.event:
        case RunApproved(reason=reason):
            return ApprovalDecision(True, by.actor, by.at, reason)
        case RunRejected(reason=reason):
            return ApprovalDecision(False, by.actor, by.at, reason)
        case _:
            return None
