"""Decisions on the document of a credential."""

from datetime import datetime

from testamur.domain.credentials.events import (
    Artifact,
    CredentialEvent,
    CredentialIssued,
    IssuanceFailed,
)
from testamur.domain.credentials.retries import retry_after
from testamur.domain.credentials.state import (
    Credential,
    CredentialStatus,
    require,
    require_awarded,
)


def decide_issue(
    state: Credential | None, artifacts: tuple[Artifact, ...], rendering: str
) -> list[CredentialEvent]:
    """Record that the document is durably stored; nothing happens where it was issued before.

    Raises:
        DecisionRefused: It is revoked, superseded or erased.
    """
    known = require_awarded(state)
    if known.status is CredentialStatus.ISSUED:
        return []
    require(known, CredentialStatus.AWARDED, "be issued")
    return [CredentialIssued(artifacts=artifacts, rendering=rendering)]


def decide_fail_issuance(
    state: Credential | None, reason: str, detail: str, now: datetime
) -> list[CredentialEvent]:
    """Record that the document could not be made, to be tried again with doubling delays.

    Raises:
        DecisionRefused: It is not waiting to be issued.
    """
    known = require_awarded(state)
    require(known, CredentialStatus.AWARDED, "fail to be issued")
    attempt = known.issue_failures + 1
    return [
        IssuanceFailed(
            learner_id=known.awarded.learner_id,
            attempt=attempt,
            reason=reason,
            detail=detail,
            retry_at=now + retry_after(attempt),
        )
    ]
