"""Ticking: finds whatever is due now and hands it over. Once a minute, or less often."""

from dataclasses import dataclass

from testamur.application.configurations import Configurations
from testamur.application.correcting import Correcting
from testamur.application.digests import Digests
from testamur.application.erasing import Erasing
from testamur.application.errors import AlreadyRunning, StorageError
from testamur.application.following_schedules import FollowingSchedules
from testamur.application.looking import Looking
from testamur.application.ports.agenda import Agenda
from testamur.application.ports.register import Register
from testamur.application.ports.system import Clock, IdSource, WorkLocks
from testamur.application.ports.tasks import (
    AwardRun,
    IssueAwarded,
    NotifyIssued,
    Reconcile,
    TaskQueue,
)
from testamur.application.reconciling import Reconciling
from testamur.application.reminding import Reminding
from testamur.application.requests import SCHEDULER, Request
from testamur.application.running import Runs
from testamur.application.tick_reports import Problem, TickReport
from testamur.application.withdrawing import Withdrawing


@dataclass(frozen=True, slots=True)
class Ticking:
    """Starts due runs, picks up what was interrupted, and disables what has ended."""

    register: Register
    agenda: Agenda
    configurations: Configurations
    runs: Runs
    looking: Looking
    locks: WorkLocks
    clock: Clock
    ids: IdSource
    erasing: Erasing
    withdrawing: Withdrawing
    digests: Digests
    reminding: Reminding
    reconciling: Reconciling
    correcting: Correcting

    def tick(self, queue: TaskQueue) -> TickReport:
        """Do whatever is due now.

        One configuration's trouble never keeps the others waiting: it is reported and the rest
        goes on. Whatever a crash left behind is found and finished.

        Args:
            queue: Takes the tasks.

        Raises:
            AlreadyRunning: Another tick is going on.
            EventStoreError: The register cannot be read.
        """
        with self.locks.hold("tick"):
            report = TickReport()
            self._finish_erasures(report)
            self._finish_withdrawals(report)
            with report.going_on_after("reminders"):
                report.reminders = self.reminding.remind()
            self._resume_runs(queue, report)
            self._schedules.follow(queue, report)
            with report.going_on_after("corrections"):
                # Somebody accepted them, and a crash or a failure has left them undone.
                report.corrected = self.correcting.finish()
            self._reconcile(queue, report)
            with report.going_on_after("issue"):
                queue.send(IssueAwarded())
            with report.going_on_after("notify"):
                queue.send(NotifyIssued())
            with report.going_on_after("digests"):
                report.digests = self.digests.send_due()
            report.corrections = self.correcting.count_waiting()
            report.needs_approval = [run.run_id for run in self.register.runs_to_approve()]
            return report

    @property
    def _schedules(self) -> FollowingSchedules:
        return FollowingSchedules(
            self.register,
            self.agenda,
            self.configurations,
            self.runs,
            self.looking,
            self.clock,
            self.ids,
        )

    def _finish_erasures(self, report: TickReport) -> None:
        for learner_id in self.erasing.unfinished():
            subject = f"erasure of {learner_id}"
            with report.going_on_after(subject):
                try:
                    self.erasing.finish(learner_id)
                except AlreadyRunning as error:
                    report.left_to_others.append(f"{error.work}, which the {subject} waits for")
                else:
                    report.erased.append(learner_id)

    def _finish_withdrawals(self, report: TickReport) -> None:
        subject = "documents of credentials that have ended"
        with report.going_on_after(subject):
            report.withdrawn = self.withdrawing.finish()
        for failure in report.withdrawn.failures:
            report.problems.append(Problem(subject, StorageError(failure)))

    def _resume_runs(self, queue: TaskQueue, report: TickReport) -> None:
        for run in self.agenda.runs_to_resume(self.clock.now()):
            with report.going_on_after(f"run {run.slot}"):
                queue.send(AwardRun(run.run_id))
                report.resumed.append(run.run_id)

    def _reconcile(self, queue: TaskQueue, report: TickReport) -> None:
        """Have credentials compared where that is due; it only proposes."""
        for row in self.agenda.to_reconcile(self.clock.now()):
            request = Request(SCHEDULER, self.ids.request_id())
            with report.going_on_after(f"reconciliation of {row.label}"):
                id_ = self.reconciling.start_due(row.configuration_id, row.due, request)
                queue.send(Reconcile(id_))
                report.reconciling.append(id_)
