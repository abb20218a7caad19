"""Divided work: what several workers share.

A run is divided into pages, which are awarded, and what they award into batches, which are issued
and whose learners are told.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

from testamur.application.dividing import divided
from testamur.application.issuing import IssueCounts
from testamur.application.notifying import NotifyCounts
from testamur.application.ports.deliveries import DeliveryLedger
from testamur.application.ports.register import CredentialFilter, CredentialRow, Register
from testamur.application.ports.system import Clock
from testamur.application.ports.tasks import (
    AwardPage,
    AwardRun,
    IssueAwarded,
    IssueBatch,
    NotifyBatch,
    NotifyIssued,
    Task,
    TaskQueue,
)
from testamur.application.progress import Progress, Step
from testamur.application.work import Done, Work
from testamur.domain.credentials import CredentialStatus
from testamur.domain.identifiers import CredentialId, RunId

#: What a tick looks for is what a crash left behind, and what is to be tried again. So much of it
#: is handed over by one tick; the next one hands over more, and what is under way already is found
#: done by whoever takes it.
MOST_OF_ALL_RUNS: Final = 2_000

_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class DividedWork:
    """Does tasks as `Work` does, but cuts a run into pages, and a pass into batches."""

    work: Work
    register: Register
    ledger: DeliveryLedger
    clock: Clock

    def do(self, task: Task, queue: TaskQueue, progress: Progress) -> Done:
        """Do a task, hand over those that follow, and return what was done.

        Raises:
            AlreadyRunning: Another process is at it.
            TestamurError: It failed; what it did until then is recorded.
        """
        match task:
            case AwardRun(run_id):
                run = self.work.divided_runs.divide(run_id, progress)
                for place in run.left:
                    queue.send(AwardPage(run_id, place.share, place.number))
                if not run.by_pages:
                    queue.send(IssueAwarded(run_id))
                return run.counts
            case IssueAwarded(run_id):
                self._divide_issuing(run_id, queue, progress)
                return IssueCounts()
            case NotifyIssued(run_id):
                self._divide_notifying(run_id, queue, progress)
                return NotifyCounts()
            case _:
                return self.work.do(task, queue, progress)

    def _divide_issuing(self, run_id: RunId | None, queue: TaskQueue, progress: Progress) -> None:
        now = self.clock.now()
        if run_id is None:
            rows: Iterator[CredentialRow] = iter(
                self.register.awaiting_issue(now, MOST_OF_ALL_RUNS)
            )
        else:
            tally = self.register.tally(CredentialFilter(run_id=run_id))
            progress.expect(Step.ISSUE, tally.by_status.get(CredentialStatus.AWARDED, 0))
            rows = (
                row
                for row in self._of_run(run_id, CredentialStatus.AWARDED)
                if row.issue_retry_at is None or row.issue_retry_at <= now
            )
        for share, ids in divided(rows):
            queue.send(IssueBatch(share, ids))

    def _divide_notifying(self, run_id: RunId | None, queue: TaskQueue, progress: Progress) -> None:
        now = self.clock.now()
        if run_id is None:
            issued = self.register.awaiting_notification(now, MOST_OF_ALL_RUNS)
            known = {row.credential_id for row in issued}
            others = self.ledger.awaiting(now, MOST_OF_ALL_RUNS)
            rows: Iterator[CredentialRow] = chain(
                issued, (row for row in others if row.credential_id not in known)
            )
        else:
            tally = self.register.tally(CredentialFilter(run_id=run_id))
            progress.expect(Step.NOTIFY, tally.notifications.get("pending", 0))
            rows = (
                row
                for row in self._of_run(run_id, CredentialStatus.ISSUED)
                if row.notification == "pending"
                and (row.notification_retry_at is None or row.notification_retry_at <= now)
            )
        for share, ids in divided(rows):
            queue.send(NotifyBatch(share, ids))

    def _of_run(self, run_id: RunId, status: CredentialStatus) -> Iterator[CredentialRow]:
        after: CredentialId | None = None
        where = CredentialFilter(run_id=run_id, status=status)
        while page := self.register.credentials(where, _PAGE, after):
            yield from page
            after = page[-1].credential_id
