"""Ticking: finds whatever is due now and hands it over. Once a minute, or less often."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final

from testamur.application.configurations import Configurations
from testamur.application.correcting import Corrected, Correcting
from testamur.application.credential_types import CredentialTypes
from testamur.application.digests import Digests
from testamur.application.erasing import Erasing
from testamur.application.errors import AlreadyRunning, StorageError, Unforeseen
from testamur.application.issuing import IssueCounts
from testamur.application.looking import LONGEST_WITHOUT_A_LOOK, CourseDates, Looking
from testamur.application.notifying import NotifyCounts
from testamur.application.ports.agenda import Agenda, NextLook
from testamur.application.ports.register import Register
from testamur.application.ports.system import Clock, IdSource, WorkLocks
from testamur.application.ports.tasks import (
    AwardRun,
    IssueAwarded,
    NotifyIssued,
    Reconcile,
    Task,
    TaskQueue,
)
from testamur.application.reconciling import Reconciling
from testamur.application.reminding import Reminding
from testamur.application.requests import SCHEDULER, Request
from testamur.application.running import Runs
from testamur.application.withdrawing import Withdrawal, Withdrawing
from testamur.application.work import Done
from testamur.domain.errors import TestamurError
from testamur.domain.identifiers import ConfigurationId, LearnerId, ReconciliationId, RunId
from testamur.domain.schedules import NothingDue, RunDue, ScheduleEnded

#: Configurations whose streams are loaded together.
_LOADED_TOGETHER: Final = 500


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that a tick could not do; the rest went on.

    Args:
        subject: What it was about.
        error: What went wrong.
    """

    subject: str
    error: TestamurError


@dataclass(slots=True)
class TickReport:
    """What a tick found and did.

    Args:
        started: Runs whose slot had come.
        resumed: Runs that were interrupted or had failed, tried again.
        disabled: Configurations whose schedule had ended, with the reason.
        left_to_others: Work that another process was at.
        erased: Learners whose erasure was asked for, and was finished.
        withdrawn: What became of files of credentials that had ended, which a crash or a storage
            that failed had left in their public places.
        reminders: Learners who are to be reminded that a credential of theirs expires.
        needs_approval: Runs that wait until somebody has approved or rejected them, latest first;
            no slot of their configurations is started meanwhile.
        problems: What could not be done.
        issued: What was issued, and what failed to be; a queue that works elsewhere tells nothing.
        notified: Who was told and who not; a queue that works elsewhere tells nothing.
        digests: Messages to staff about runs.
        reconciling: Reconciliations that the option ``reconcile`` made due, or that were
            interrupted; they only propose.
        corrected: What became of corrections that were accepted and not carried out until then.
        corrections: How many corrections wait until somebody has accepted or rejected them.
    """

    started: list[RunId] = field(default_factory=list)
    resumed: list[RunId] = field(default_factory=list)
    disabled: dict[ConfigurationId, str] = field(default_factory=dict)
    left_to_others: list[str] = field(default_factory=list)
    erased: list[LearnerId] = field(default_factory=list)
    withdrawn: Withdrawal = field(default_factory=Withdrawal)
    reminders: int = 0
    needs_approval: list[RunId] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    issued: IssueCounts = field(default_factory=IssueCounts)
    notified: NotifyCounts = field(default_factory=NotifyCounts)
    digests: int = 0
    reconciling: list[ReconciliationId] = field(default_factory=list)
    corrected: Corrected = field(default_factory=Corrected)
    corrections: int = 0

    def add(self, done: Iterable[Done]) -> None:
        """Add what the tick's tasks did."""
        for each in done:
            if isinstance(each, IssueCounts):
                self.issued += each
            elif isinstance(each, NotifyCounts):
                self.notified += each


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
            self._remind(report)
            for run in self.agenda.runs_to_resume(self.clock.now()):
                if self._send(AwardRun(run.run_id), f"run {run.slot}", queue, report):
                    report.resumed.append(run.run_id)
            self._follow_schedules(queue, report)
            self._finish_corrections(report)
            self._reconcile(queue, report)
            self._send(IssueAwarded(), "issue", queue, report)
            self._send(NotifyIssued(), "notify", queue, report)
            self._send_digests(report)
            report.corrections = self.correcting.count_waiting()
            report.needs_approval = [run.run_id for run in self.register.runs_to_approve()]
            return report

    def _remind(self, report: TickReport) -> None:
        try:
            report.reminders = self.reminding.remind()
        except Exception as error:  # noqa: BLE001 - reported, and the rest goes on
            report.problems.append(Problem("reminders", _told(error)))

    def _send_digests(self, report: TickReport) -> None:
        try:
            report.digests = self.digests.send_due()
        except AlreadyRunning as error:
            report.left_to_others.append(error.work)
        except Exception as error:  # noqa: BLE001 - reported, and the rest goes on
            report.problems.append(Problem("digests", _told(error)))

    def _finish_corrections(self, report: TickReport) -> None:
        """Carry out what somebody accepted, and a crash or a failure has left undone."""
        try:
            report.corrected = self.correcting.finish()
        except Exception as error:  # noqa: BLE001 - reported, and the rest goes on
            report.problems.append(Problem("corrections", _told(error)))

    def _reconcile(self, queue: TaskQueue, report: TickReport) -> None:
        """Have credentials compared where that is due; it only proposes."""
        for row in self.agenda.to_reconcile(self.clock.now()):
            request = Request(SCHEDULER, self.ids.request_id())
            try:
                id_ = self.reconciling.start_due(row.configuration_id, row.due, request)
            except Exception as error:  # noqa: BLE001 - reported, and the others go on
                report.problems.append(Problem(f"reconciliation of {row.label}", _told(error)))
                continue
            if self._send(Reconcile(id_), f"reconciliation of {row.label}", queue, report):
                report.reconciling.append(id_)

    def _finish_erasures(self, report: TickReport) -> None:
        for learner_id in self.erasing.unfinished():
            subject = f"erasure of {learner_id}"
            try:
                self.erasing.finish(learner_id)
            except AlreadyRunning as error:
                report.left_to_others.append(f"{error.work}, which the {subject} waits for")
            except Exception as error:  # noqa: BLE001 - reported, and the rest goes on
                report.problems.append(Problem(subject, _told(error)))
            else:
                report.erased.append(learner_id)

    def _finish_withdrawals(self, report: TickReport) -> None:
        subject = "documents of credentials that have ended"
        try:
            report.withdrawn = self.withdrawing.finish()
        except AlreadyRunning as error:
            report.left_to_others.append(error.work)
        except Exception as error:  # noqa: BLE001 - reported, and the rest goes on
            report.problems.append(Problem(subject, _told(error)))
        for failure in report.withdrawn.failures:
            report.problems.append(Problem(subject, StorageError(failure)))

    def _follow_schedules(self, queue: TaskQueue, report: TickReport) -> None:
        """Do what is due of the configurations that are to be looked at now.

        They are loaded many at a time, which takes a fraction of the time of one after the other.
        Where something is to be done about one, it is looked at anew: work on those before it may
        have taken long. Whatever fails at the first look fails at the second, and is reported.
        """
        now = self.clock.now()
        dates = self.looking.dates(not_before=now)
        rows = iter(self.agenda.to_look_at(now, latest=now + LONGEST_WITHOUT_A_LOOK))
        retired = _RetiredTypes(self.configurations.types)
        while page := list(islice(rows, _LOADED_TOGETHER)):
            known = self.configurations.many([row.configuration_id for row in page])
            looks: list[NextLook] = []
            for row in page:
                configuration = known.get(row.configuration_id)
                try:
                    if configuration is not None and configuration.type_slug not in retired:
                        view = self.looking.view(
                            row.configuration_id, configuration, dates, self.clock.now()
                        )
                        if view.due(row.last_slot) == _NOTHING:
                            at = view.next_look()
                            looks.append(NextLook(row.configuration_id, row.version, at))
                            continue
                except Exception:  # noqa: BLE001, S110 - met again, and reported then
                    pass
                try:
                    self._follow_schedule(row.configuration_id, dates, queue, report)
                except Exception as error:  # noqa: BLE001 - reported, and the others go on
                    report.problems.append(Problem(row.label, _told(error)))
            self._look_again(looks, report)

    def _look_again(self, looks: list[NextLook], report: TickReport) -> None:
        try:
            self.agenda.look_again(looks)
        except TestamurError as error:
            # Nothing is lost: the next tick looks at them once more.
            report.problems.append(Problem("agenda", error))

    def _follow_schedule(
        self,
        id_: ConfigurationId,
        dates: CourseDates,
        queue: TaskQueue,
        report: TickReport,
    ) -> None:
        request = Request(SCHEDULER, self.ids.request_id())
        configuration = self.configurations.get(id_)
        if not configuration.enabled:
            return  # disabled since this tick began
        if self.configurations.types.get(configuration.type_slug).retired:
            reason = "its credential type is retired"
            self.configurations.disable(id_, reason, request)
            report.disabled[id_] = reason
            return
        view = self.looking.view(id_, configuration, dates, self.clock.now())
        match view.due(self.register.last_slot(id_)):
            case RunDue() if self.register.runs_to_approve(id_):
                pass  # it would find the same learners, and ask once more
            case RunDue() if self._is_under_way(id_, view.now):
                pass  # slots that come meanwhile are one slot once it is done
            case RunDue(slot):
                run_id = self.runs.start_scheduled(id_, slot, request)
                report.started.append(run_id)
                subject = f"{configuration.type_slug} {configuration.context_key}"
                self._send(AwardRun(run_id), subject, queue, report)
            case ScheduleEnded(reason) if not self._is_to_finish(id_):
                self.configurations.disable(id_, reason, request)
                report.disabled[id_] = reason

    def _is_under_way(self, id_: ConfigurationId, now: datetime) -> bool:
        """Tell whether a run that the schedule started goes on, or has been handed over."""
        return any(
            run.scheduled_for is not None
            and (run.failures == 0 or (run.retry_at is not None and run.retry_at <= now))
            for run in self.register.runs(id_, open_only=True)
        )

    def _is_to_finish(self, id_: ConfigurationId) -> bool:
        """Tell whether a run that the schedule started goes on still, or is to be tried again."""
        return any(
            run.scheduled_for is not None and (run.failures == 0 or run.retry_at is not None)
            for run in self.register.runs(id_, open_only=True)
        )

    def _send(self, task: Task, subject: str, queue: TaskQueue, report: TickReport) -> bool:
        """Hand a task over; what keeps it from being done is reported, and the rest goes on."""
        try:
            queue.send(task)
        except AlreadyRunning as error:
            report.left_to_others.append(error.work)
        except Exception as error:  # noqa: BLE001 - reported, and the rest goes on
            report.problems.append(Problem(subject, _told(error)))
        else:
            return True
        return False


_NOTHING: Final = NothingDue()


class _RetiredTypes:
    """Tells which types are retired, looking up each once.

    Args:
        types: The types.
    """

    def __init__(self, types: CredentialTypes) -> None:
        self._types = types
        self._known: dict[str, bool] = {}

    def __contains__(self, slug: str) -> bool:
        if slug not in self._known:
            self._known[slug] = self._types.get(slug).retired
        return self._known[slug]


def _told(error: Exception) -> TestamurError:
    return error if isinstance(error, TestamurError) else Unforeseen(error)
