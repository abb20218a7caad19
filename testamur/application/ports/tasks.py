"""Port: work to be done soon, here or in another process."""

from dataclasses import dataclass
from typing import Protocol

from testamur.domain.identifiers import CredentialId, ReconciliationId, RunId


@dataclass(frozen=True, slots=True)
class AwardRun:
    """Go over the learners of a run and award those who are eligible."""

    run_id: RunId


@dataclass(frozen=True, slots=True)
class AwardPage:
    """Award those on a page of a run, as far as they do not hold the credential.

    Args:
        run_id: The run.
        share: The share that all their learners are in, see `testamur.application.dividing`.
        number: Of the page, see `testamur.application.ports.run_pages`.
    """

    run_id: RunId
    share: int
    number: int


@dataclass(frozen=True, slots=True)
class IssueAwarded:
    """Issue what is awarded and waiting, of one run or of all."""

    run_id: RunId | None = None


@dataclass(frozen=True, slots=True)
class NotifyIssued:
    """Tell the learners whose credential is issued and who wait, of one run or of all."""

    run_id: RunId | None = None


@dataclass(frozen=True, slots=True)
class IssueBatch:
    """Issue these credentials, as far as they are awarded and waiting.

    Args:
        share: The share that all their learners are in, see `testamur.application.dividing`.
        credential_ids: Which; 100 at most.
    """

    share: int
    credential_ids: tuple[CredentialId, ...]


@dataclass(frozen=True, slots=True)
class NotifyBatch:
    """Tell the learners of these credentials, as far as they are issued and wait to be told.

    Args:
        share: The share that all the learners are in, see `testamur.application.dividing`.
        credential_ids: Which; 100 at most.
    """

    share: int
    credential_ids: tuple[CredentialId, ...]


@dataclass(frozen=True, slots=True)
class Reconcile:
    """Compare a configuration's credentials with today's verdicts, and propose corrections."""

    reconciliation_id: ReconciliationId


Task = AwardRun | AwardPage | IssueAwarded | NotifyIssued | IssueBatch | NotifyBatch | Reconcile


class TaskQueue(Protocol):
    """Takes tasks. Each is idempotent: done twice, it has the effect of once."""

    def send(self, task: Task) -> None:
        """Hand a task over; with a queue that works inline it is done on return."""
        ...
