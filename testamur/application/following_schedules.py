"""Following schedules: starts the runs that are due, and disables what has ended.

Configurations are loaded many at a time, which takes a fraction of the time of one after the other.
Where something is to be done about one, it is looked at anew: work on those before it may have
taken long. Whatever fails at the first look fails at the second, and is reported.
"""

from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from testamur.application.configurations import Configurations
from testamur.application.credential_types import CredentialTypes
from testamur.application.looking import LONGEST_WITHOUT_A_LOOK, CourseDates, Looking
from testamur.application.ports.agenda import Agenda, AgendaRow, NextLook
from testamur.application.ports.register import Register
from testamur.application.ports.system import Clock, IdSource
from testamur.application.ports.tasks import AwardRun, TaskQueue
from testamur.application.requests import SCHEDULER, Request
from testamur.application.running import Runs
from testamur.application.tick_reports import Problem, TickReport
from testamur.domain.configurations import CredentialConfiguration
from testamur.domain.errors import TestamurError
from testamur.domain.identifiers import ConfigurationId
from testamur.domain.schedules import NothingDue, RunDue, ScheduleEnded

#: Configurations whose streams are loaded together.
_LOADED_TOGETHER: Final = 500

_NOTHING: Final = NothingDue()


@dataclass(frozen=True, slots=True)
class FollowingSchedules:
    """Does what is due of the configurations that are to be looked at now."""

    register: Register
    agenda: Agenda
    configurations: Configurations
    runs: Runs
    looking: Looking
    clock: Clock
    ids: IdSource

    def follow(self, queue: TaskQueue, report: TickReport) -> None:
        """Do what is due; one configuration's trouble never keeps the others waiting.

        Args:
            queue: Takes the runs.
            report: Is told what was done, and what could not be.

        Raises:
            EventStoreError: The store cannot be read.
        """
        now = self.clock.now()
        dates = self.looking.dates(not_before=now)
        rows = iter(self.agenda.to_look_at(now, latest=now + LONGEST_WITHOUT_A_LOOK))
        retired = _RetiredTypes(self.configurations.types)
        while page := list(islice(rows, _LOADED_TOGETHER)):
            known = self.configurations.many([row.configuration_id for row in page])
            looks: list[NextLook] = []
            for row in page:
                next_look = self._idle(row, known.get(row.configuration_id), retired, dates)
                if next_look is not None:
                    looks.append(next_look)
                    continue
                with report.going_on_after(row.label):
                    self._follow_one(row.configuration_id, dates, queue, report)
            self._look_again(looks, report)

    def _idle(
        self,
        row: AgendaRow,
        configuration: CredentialConfiguration | None,
        retired: "_RetiredTypes",
        dates: CourseDates,
    ) -> NextLook | None:
        """Return when to look again where nothing is due; None: look at it closely now."""
        id_ = row.configuration_id
        try:
            if configuration is not None and configuration.type_slug not in retired:
                view = self.looking.view(id_, configuration, dates, self.clock.now())
                if view.due(row.last_slot) == _NOTHING:
                    return NextLook(id_, row.version, view.next_look())
        except Exception:  # noqa: BLE001, S110 - met again, and reported then
            pass
        return None

    def _look_again(self, looks: list[NextLook], report: TickReport) -> None:
        try:
            self.agenda.look_again(looks)
        except TestamurError as error:
            # Nothing is lost: the next tick looks at them once more.
            report.problems.append(Problem("agenda", error))

    def _follow_one(
        self, id_: ConfigurationId, dates: CourseDates, queue: TaskQueue, report: TickReport
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
                with report.going_on_after(
                    f"{configuration.type_slug} {configuration.context_key}"
                ):
                    queue.send(AwardRun(run_id))
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
