"""Outlook: when a configuration will run next, or why it will not."""

from dataclasses import dataclass
from datetime import datetime

from testamur.application.configurations import Configurations
from testamur.application.cron import latest_cron_time, next_cron_time
from testamur.application.ports.register import Register
from testamur.application.ports.retrieval import ONLY_DATES, RetrievalSource
from testamur.application.ports.system import Clock
from testamur.domain.identifiers import ConfigurationId
from testamur.domain.learning import ContextFacts
from testamur.domain.schedules import RunDue, ScheduleEnded, bounds, due, next_slot


@dataclass(frozen=True, slots=True)
class NextRun:
    """What is known of a configuration's next run.

    Args:
        at: The slot; it may lie in the past, then the next tick starts it. None: none is known.
        because: Why none is known, or why it is late, for people to read.
    """

    at: datetime | None
    because: str = ""


@dataclass(frozen=True, slots=True)
class Outlook:
    """Tells when a configuration will run next."""

    register: Register
    configurations: Configurations
    source: RetrievalSource
    clock: Clock

    def next_run(self, id_: ConfigurationId) -> NextRun:
        """Return what is known of a configuration's next run.

        Raises:
            NotFound: There is no such configuration.
            RetrievalError: The schedule follows the course's dates, and the data source does not
                tell them.
        """
        configuration = self.configurations.get(id_)
        if configuration.retired:
            return NextRun(None, "it is retired")
        if configuration.enabled_at is None:
            return NextRun(None, "it is disabled")
        if self.configurations.types.get(configuration.type_slug).retired:
            return NextRun(None, "its credential type is retired; the next tick disables it")
        schedule, now = configuration.schedule, self.clock.now()
        context = self.configurations.context_kinds.parse(configuration.context_key)
        facts = (
            self.source.facts(context, ONLY_DATES)
            if schedule.window
            else ContextFacts(configuration.context_key)
        )
        within = bounds(schedule, facts)
        found = due(
            schedule,
            within,
            enabled_at=configuration.enabled_at,
            last_slot=self.register.last_slot(id_),
            now=now,
            latest_cron_time=latest_cron_time,
        )
        match found:
            case RunDue(slot):
                return NextRun(slot, "the next tick starts it")
            case ScheduleEnded(reason):
                return NextRun(None, f"{reason}; the next tick disables it")
        if within.waits_for:
            date = within.waits_for.removeprefix("course-")
            return NextRun(None, f"it waits for the course's {date}, which is not known")
        upcoming = next_slot(
            schedule,
            within,
            enabled_at=configuration.enabled_at,
            now=now,
            next_cron_time=next_cron_time,
        )
        return NextRun(upcoming, "" if upcoming else "none comes within the schedule's bounds")
