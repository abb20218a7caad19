"""Work: what each task stands for, and which task follows on it. run → award → issue → notify."""

from dataclasses import dataclass

from testamur.application.issuing import IssueCounts, Issuing
from testamur.application.notifying import NotifyCounts, Notifying
from testamur.application.ports.tasks import (
    AwardRun,
    IssueAwarded,
    IssueBatch,
    NotifyBatch,
    NotifyIssued,
    Task,
    TaskQueue,
)
from testamur.application.progress import Progress
from testamur.application.running import Runs
from testamur.domain.runs import RunCounts

Done = RunCounts | IssueCounts | NotifyCounts
"""What a task did: a run, a pass of issuing, or a pass of notifying."""


@dataclass(frozen=True, slots=True)
class Work:
    """Does tasks. Each finds what there is to do itself, so doing one again is harmless."""

    runs: Runs
    issuing: Issuing
    notifying: Notifying

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
