"""Work: what each task stands for, and which task follows on it. run → award → issue → notify."""

from dataclasses import dataclass

from testamur.application.issuing import Issuing
from testamur.application.notifying import Notifying
from testamur.application.ports.tasks import (
    AwardRun,
    IssueAwarded,
    NotifyIssued,
    Task,
    TaskQueue,
)
from testamur.application.progress import Progress
from testamur.application.running import Runs


@dataclass(frozen=True, slots=True)
class Work:
    """Does tasks. Each finds what there is to do itself, so doing one again is harmless."""

    runs: Runs
    issuing: Issuing
    notifying: Notifying

    def do(self, task: Task, queue: TaskQueue, progress: Progress) -> None:
        """Do a task, then hand over the one that follows.

        Raises:
            AlreadyRunning: Another process is at it.
            TestamurError: It failed; what it did until then is recorded.
        """
        match task:
            case AwardRun(run_id):
                self.runs.carry_out(run_id, progress)
                queue.send(IssueAwarded(run_id))
            case IssueAwarded(run_id):
                self.issuing.issue_awaiting(progress, run_id)
                queue.send(NotifyIssued(run_id))
            case NotifyIssued(run_id):
                self.notifying.notify_awaiting(progress, run_id)
