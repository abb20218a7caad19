"""The correction: something that a reconciliation found, for a person to accept or reject.

There is one stream for each learner, configuration and kind, so that the same thing cannot be
proposed twice at once, however many reconciliations go on. Nothing about the credential changes
before somebody has accepted it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from testamur.domain.credentials.retries import retry_after
from testamur.domain.errors import DecisionRefused
from testamur.domain.events import DomainEvent
from testamur.domain.evidence import CriterionResult
from testamur.domain.identifiers import (
    ConfigurationId,
    CredentialId,
    LearnerId,
    ReconciliationId,
)
from testamur.domain.personal_data import Personal
from testamur.domain.schedules import Moment

CorrectionKind = Literal["no-longer-eligible", "data-changed", "now-eligible"]
"""What was found: revoke it, make a new edition of it, or award (reinstate) it."""

Differing = Literal["full_name", "context_name", "type_name", "issuer_name"]
"""What a document would say otherwise today."""

# Events


class CorrectionProposed(DomainEvent):
    """A reconciliation found that a credential is not as it would be today.

    Args:
        reconciliation_id: Which reconciliation.
        configuration_id: Of which configuration.
        learner_id: Whose credential.
        credential_id: The credential, in its latest edition; None where there never was one.
        kind: What was found.
        differs: What the document would say otherwise.
        full_name: The name that the data source has today, if it differs (personal).
        context_name: The context's name today, if it differs…
        type_name: …the type's…
        issuer_name: …and the issuer's.
        results_then: The criteria that the credential was awarded by, and what was reached.
        results_now: The same today; empty where it is not about criteria.
    """

    reconciliation_id: ReconciliationId
    configuration_id: ConfigurationId
    learner_id: LearnerId
    credential_id: CredentialId | None
    kind: CorrectionKind
    differs: tuple[Differing, ...] = ()
    full_name: Personal[str] = None
    context_name: str | None = None
    type_name: str | None = None
    issuer_name: str | None = None
    results_then: tuple[CriterionResult, ...] = ()
    results_now: tuple[CriterionResult, ...] = ()


class CorrectionAccepted(DomainEvent):
    """Somebody agreed; it is carried out from here on.

    Args:
        reason: Why.
        tell: Whether the learner is to be told.
    """

    reason: str
    tell: bool = False


class CorrectionRejected(DomainEvent):
    """Somebody refused; it is not proposed again until something about it changes."""

    reason: str


class CorrectionCarriedOut(DomainEvent):
    """What was accepted is done.

    Args:
        credential_id: The credential that was revoked, awarded, or is the new edition.
    """

    credential_id: CredentialId


class CorrectionFailed(DomainEvent):
    """What was accepted could not be done yet.

    Args:
        attempt: 1 for the first failure.
        error: What went wrong, for people to read; without the learner's name.
        retry_at: When it is tried again.
    """

    attempt: Annotated[int, Field(ge=1)]
    error: str
    retry_at: Moment


class CorrectionWithdrawn(DomainEvent):
    """It does not apply any more, and nothing is done.

    Args:
        reason: What has changed.
    """

    reason: str


CorrectionEvent = (
    CorrectionProposed
    | CorrectionAccepted
    | CorrectionRejected
    | CorrectionCarriedOut
    | CorrectionFailed
    | CorrectionWithdrawn
)


# State

CorrectionStatus = Literal["open", "accepted", "rejected", "done", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Correction:
    """A correction as its events left it.

    Args:
        proposed: What is proposed, as it was found last.
        status: ``open`` waits for a person; ``accepted`` is to be carried out.
        reason: Why it was accepted, rejected or withdrawn.
        failures: How often it could not be carried out.
        error: Why, the last time.
        retry_at: Not to be tried before.
        result: The credential that came of it.
    """

    proposed: CorrectionProposed
    status: CorrectionStatus = "open"
    reason: str | None = None
    failures: int = 0
    error: str | None = None
    retry_at: datetime | None = None
    result: CredentialId | None = None


def evolve(state: Correction | None, event: CorrectionEvent) -> Correction:
    """Return the state after an event."""
    if isinstance(event, CorrectionProposed):
        return Correction(event)
    known = _proposed(state)
    match event:
        case CorrectionAccepted():
            return replace(known, status="accepted", reason=event.reason)
        case CorrectionRejected():
            return replace(known, status="rejected", reason=event.reason)
        case CorrectionCarriedOut():
            return replace(known, status="done", result=event.credential_id, retry_at=None)
        case CorrectionFailed():
            return replace(
                known, failures=event.attempt, error=event.error, retry_at=event.retry_at
            )
        case CorrectionWithdrawn():
            return replace(known, status="withdrawn", reason=event.reason, retry_at=None)


# Decisions


def is_same_finding(one: CorrectionProposed, other: CorrectionProposed) -> bool:
    """Tell whether two reconciliations found the same, down to the last point reached."""
    return one == other.model_copy(update={"reconciliation_id": one.reconciliation_id})


def was_rejected(state: Correction | None, finding: CorrectionProposed) -> bool:
    """Tell whether somebody rejected this very finding."""
    return (
        state is not None
        and state.status == "rejected"
        and is_same_finding(state.proposed, finding)
    )


def decide_propose(state: Correction | None, finding: CorrectionProposed) -> list[CorrectionEvent]:
    """Propose what was found, or propose it anew where something about it has changed.

    Nothing happens where the same waits for a decision or was rejected, and where one that was
    accepted is still to be carried out.
    """
    if state is None or state.status in ("done", "withdrawn"):
        return [finding]
    if state.status == "accepted" or is_same_finding(state.proposed, finding):
        return []
    return [finding]


def decide_accept(
    state: Correction | None, reason: str, *, tell: bool = False
) -> list[CorrectionEvent]:
    """Accept it; nothing happens where it was accepted already.

    Args:
        state: The correction.
        reason: Why; it stays in the history.
        tell: Whether the learner is to be told of what is done.

    Raises:
        DecisionRefused: It was rejected, or does not apply any more.
    """
    known = _proposed(state)
    if known.status in ("accepted", "done"):
        return []
    _require_open(known, "be accepted")
    return [CorrectionAccepted(reason=reason, tell=tell)]


def decide_reject(state: Correction | None, reason: str) -> list[CorrectionEvent]:
    """Reject it; nothing happens where it was rejected already.

    Raises:
        DecisionRefused: It was accepted, or does not apply any more.
    """
    known = _proposed(state)
    if known.status == "rejected":
        return []
    _require_open(known, "be rejected")
    return [CorrectionRejected(reason=reason)]


def decide_withdraw(state: Correction | None, reason: str) -> list[CorrectionEvent]:
    """Withdraw what nobody has decided on; nothing happens to any other."""
    if state is None or state.status != "open":
        return []
    return [CorrectionWithdrawn(reason=reason)]


def decide_carried_out(state: Correction | None, result: CredentialId) -> list[CorrectionEvent]:
    """Record that it is done; nothing happens where it is not to be carried out any more."""
    if _proposed(state).status != "accepted":
        return []
    return [CorrectionCarriedOut(credential_id=result)]


def decide_drop(state: Correction | None, reason: str) -> list[CorrectionEvent]:
    """Give up what was accepted: something has changed since, so that it cannot be done."""
    if _proposed(state).status != "accepted":
        return []
    return [CorrectionWithdrawn(reason=reason)]


def decide_fail(state: Correction | None, error: str, now: datetime) -> list[CorrectionEvent]:
    """Record that it could not be done yet; it is tried again, ever later."""
    known = _proposed(state)
    if known.status != "accepted":
        return []
    attempt = known.failures + 1
    return [CorrectionFailed(attempt=attempt, error=error, retry_at=now + retry_after(attempt))]


def _proposed(state: Correction | None) -> Correction:
    if state is None:
        raise DecisionRefused("correction", "it was never proposed")
    return state


def _require_open(state: Correction, verb: str) -> None:
    if state.status != "open":
        subject = f"correction for learner {state.proposed.learner_id!r}"
        raise DecisionRefused(subject, f"it is {state.status} and cannot {verb}")
