"""Work: what each task stands for, and which task follows on it. run → award → issue → notify."""

from dataclasses import dataclass

from testamur.application.divided_runs import DividedRuns
from testamur.application.dividing import batches_of
from testamur.application.issuing import IssueCounts, Issuing
from testamur.application.notifying import NotifyCounts, Notifying
from testamur.application.ports.run_pages import PagePlace
from testamur.application.ports.tasks import (
    AwardPage,
    AwardRun,
    IssueAwarded,
    IssueBatch,
    NotifyBatch,
    NotifyIssued,
    Reconcile,
    Task,
    TaskQueue,
)
from testamur.application.progress import Progress
from testamur.application.reconciling import Reconciling
from testamur.application.running import Runs
from testamur.domain.reconciliations import ReconciliationCounts
from testamur.domain.run_results import RunCounts

Done = RunCounts | IssueCounts | NotifyCounts | ReconciliationCounts
"""What a task did: a run, a pass of issuing, a pass of notifying, or a reconciliation."""


@dataclass(frozen=True, slots=True)
class Work:
    """Does tasks. Each finds what there is to do itself, so doing one again is harmless."""

    runs: Runs
    issuing: Issuing
    notifying: Notifying
    reconciling: Reconciling
    divided_runs: DividedRuns

    def do(self, task: Task, queue: TaskQueue, progress: Progress) -> Done:
        """Do a task, hand over the one that follows, and return what was done.

        Raises:
            AlreadyRunning: Another process is at it.
            TestamurError: It failed; what it did until then is recorded.
        """
        match task:
            case AwardRun(run_id):
                counts = self.runs.carry_out(run_id, progress)
                queue.send(IssueAwarded(run_id))
                return counts
            case AwardPage(run_id, share, number):
                place = PagePlace(share, number)
                counts, ids = self.divided_runs.award_page(run_id, place, progress)
                for batch in batches_of(ids):
                    queue.send(IssueBatch(share, batch))
                return counts
            case IssueAwarded(run_id):
                issued = self.issuing.issue_awaiting(progress, run_id)
                queue.send(NotifyIssued(run_id))
                return issued
            case NotifyIssued(run_id):
                return self.notifying.notify_awaiting(progress, run_id)
            case IssueBatch(share, ids):
                issued = self.issuing.issue_batch(share, ids, progress)
                queue.send(NotifyBatch(share, ids))
                return issued
            case NotifyBatch(share, ids):
                return self.notifying.notify_batch(share, ids, progress)
            case Reconcile(id_):
                return self.reconciling.carry_out(id_, progress)
