"""Ticking: finds whatever is due now and hands it over. Once a minute, or less often."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Final

from testamur.application.configurations import Configurations
from testamur.application.cron import latest_cron_time
from testamur.application.erasing import Erasing
from testamur.application.errors import AlreadyRunning, Unforeseen
from testamur.application.issuing import IssueCounts
from testamur.application.notifying import NotifyCounts
from testamur.application.ports.register import CatalogueRow, Register, RunRow
from testamur.application.ports.retrieval import ONLY_DATES, Needs, RetrievalSource
from testamur.application.ports.system import Clock, IdSource, WorkLocks
from testamur.application.ports.tasks import (
    AwardRun,
    IssueAwarded,
    NotifyIssued,
    Task,
    TaskQueue,
)
from testamur.application.requests import SCHEDULER, Request
from testamur.application.running import Runs
from testamur.application.work import Done
from testamur.domain.configurations import CredentialConfiguration
from testamur.domain.errors import TestamurError
from testamur.domain.identifiers import ConfigurationId, LearnerId, RunId
from testamur.domain.learning import ContextFacts
from testamur.domain.schedules import Due, NothingDue, RunDue, ScheduleEnded, bounds, due

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
        problems: What could not be done.
        issued: What was issued, and what failed to be; a queue that works elsewhere tells nothing.
        notified: Who was told and who not; a queue that works elsewhere tells nothing.
    """

    started: list[RunId] = field(default_factory=list)
    resumed: list[RunId] = field(default_factory=list)
    disabled: dict[ConfigurationId, str] = field(default_factory=dict)
    left_to_others: list[str] = field(default_factory=list)
    erased: list[LearnerId] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    issued: IssueCounts = field(default_factory=IssueCounts)
    notified: NotifyCounts = field(default_factory=NotifyCounts)

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
    configurations: Configurations
    runs: Runs
    source: RetrievalSource
    locks: WorkLocks
    clock: Clock
    ids: IdSource
    erasing: Erasing
    # The latest slots that are known to have had their run. There may be later ones, never earlier
    # ones, so whatever had its run needs no question to the register.
    _slots: dict[ConfigurationId, datetime] = field(default_factory=dict, init=False)

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
            # Dates that were read since this tick began do for all configurations of a course.
            dates = replace(ONLY_DATES, not_before=self.clock.now())
            report = TickReport()
            self._finish_erasures(report)
            for run in self._interrupted():
                if self._send(AwardRun(run.run_id), f"run {run.slot}", queue, report):
                    report.resumed.append(run.run_id)
            for row in self._maybe_due(dates):
                try:
                    self._follow_schedule(ConfigurationId(row.stream_id), dates, queue, report)
                except Exception as error:  # noqa: BLE001 - reported, and the others go on
                    report.problems.append(Problem(row.label, _told(error)))
            self._send(IssueAwarded(), "issue", queue, report)
            self._send(NotifyIssued(), "notify", queue, report)
            return report

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

    def _interrupted(self) -> list[RunRow]:
        """Return runs that ended without a word, or failed and are to be tried again now.

        A run that another process carries out right now is among them; its lock says so. One that
        the schedule started waits while its configuration is disabled.
        """
        now = self.clock.now()
        enabled = {
            row.stream_id for row in self.register.catalogue("configuration", active_only=True)
        }
        return [
            run
            for run in self.register.runs(open_only=True)
            if (run.failures == 0 or (run.retry_at is not None and run.retry_at <= now))
            and (run.scheduled_for is None or run.configuration_id in enabled)
        ]

    def _maybe_due(self, dates: Needs) -> Iterator[CatalogueRow]:
        """Yield the enabled configurations that something is to be done about, as far as is known.

        They are loaded many at a time, which with ten thousand of them takes a fraction of the time
        of one after the other. What is yielded is looked at anew: work on those before it may
        have taken long. Whatever fails here fails there, and is reported there.
        """
        retired: dict[str, bool] = {}
        rows = iter(list(self.register.catalogue("configuration", active_only=True)))
        while page := list(islice(rows, _LOADED_TOGETHER)):
            known = self.configurations.many([ConfigurationId(row.stream_id) for row in page])
            for row in page:
                configuration = known.get(ConfigurationId(row.stream_id))
                try:
                    if configuration is not None:
                        slug = configuration.type_slug
                        if slug not in retired:
                            retired[slug] = self.configurations.types.get(slug).retired
                        id_ = ConfigurationId(row.stream_id)
                        if not retired[slug] and self._due(id_, configuration, dates) == _NOTHING:
                            continue
                except Exception:  # noqa: BLE001, S110 - met again, and reported then
                    pass
                yield row

    def _follow_schedule(
        self,
        id_: ConfigurationId,
        dates: Needs,
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
        match self._due(id_, configuration, dates):
            case RunDue(slot):
                run_id = self.runs.start_scheduled(id_, slot, request)
                report.started.append(run_id)
                subject = f"{configuration.type_slug} {configuration.context_key}"
                self._send(AwardRun(run_id), subject, queue, report)
            case ScheduleEnded(reason) if not self._is_to_finish(id_):
                self.configurations.disable(id_, reason, request)
                report.disabled[id_] = reason

    def _is_to_finish(self, id_: ConfigurationId) -> bool:
        """Tell whether a run that the schedule started goes on still, or is to be tried again."""
        return any(
            run.scheduled_for is not None and (run.failures == 0 or run.retry_at is not None)
            for run in self.register.runs(id_, open_only=True)
        )

    def _due(
        self, id_: ConfigurationId, configuration: CredentialConfiguration, dates: Needs
    ) -> Due:
        schedule = configuration.schedule
        facts = (
            self.source.facts(
                self.configurations.context_kinds.parse(configuration.context_key), dates
            )
            if schedule.window
            else ContextFacts(configuration.context_key)
        )
        now = self.clock.now()
        within = bounds(schedule, facts)

        def due_after(last_slot: datetime | None) -> Due:
            return due(
                schedule,
                within,
                enabled_at=configuration.enabled_at or now,
                last_slot=last_slot,
                now=now,
                latest_cron_time=latest_cron_time,
            )

        found = due_after(self._slots.get(id_))
        if isinstance(found, RunDue):
            last_slot = self.register.last_slot(id_)
            if last_slot is not None:
                self._slots[id_] = last_slot
            return due_after(last_slot)
        return found

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


def _told(error: Exception) -> TestamurError:
    return error if isinstance(error, TestamurError) else Unforeseen(error)
