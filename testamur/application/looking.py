"""Looking: what a configuration's schedule asks for now, and when to look at it again."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from testamur.application.cron import KnownCronTimes
from testamur.application.ports.retrieval import ONLY_DATES, RetrievalSource
from testamur.domain.configurations import CredentialConfiguration
from testamur.domain.contexts import ContextKinds, LearningContextKey, LessonKey
from testamur.domain.identifiers import ConfigurationId
from testamur.domain.learning import ContextFacts
from testamur.domain.schedules import Bounds, Due, Schedule, bounds, due, next_slot

#: However far the next slot is: a new release, or new data of time zones, may move it.
LONGEST_WITHOUT_A_LOOK: Final = timedelta(hours=1)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LookIntervals:
    """How often configurations are looked at whose next slot is known.

    Args:
        course_dates: Where an issue window follows the dates of a course, which may be changed at
            any time; at most an hour.
    """

    course_dates: timedelta = timedelta(minutes=10)


class CourseDates:
    """The dates of courses, asked for once for all configurations that need them.

    Args:
        source: Who knows them.
        not_before: What was read at this moment (aware) or later will do.

    Attributes:
        as_of: That moment.
    """

    def __init__(self, source: RetrievalSource, not_before: datetime) -> None:
        self.as_of = not_before
        self._source = source
        self._needs = replace(ONLY_DATES, not_before=not_before)
        self._answers: dict[LearningContextKey, ContextFacts | Exception] = {}

    def of(self, context: LearningContextKey) -> ContextFacts:
        """Return what is known of a context.

        Raises:
            Exception: What kept the source from telling, this time or the first time.
        """
        if context not in self._answers:
            try:
                self._answers[context] = self._source.facts(context, self._needs)
            except Exception as error:  # noqa: BLE001 - kept, so that it is not asked again
                self._answers[context] = error
        answer = self._answers[context]
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass(frozen=True, slots=True)
class View:
    """A configuration as it was seen at one moment.

    Args:
        id: The configuration.
        schedule: Its schedule.
        within: The schedule's bounds, with the course's dates in them.
        enabled_at: When it was enabled.
        now: The moment.
        course: Whose dates its window follows; None: it has none.
        dates_as_of: When these dates were read, or earlier.
        intervals: How often it is looked at.
        cron: The times of cron rules.
    """

    id: ConfigurationId
    schedule: Schedule
    within: Bounds
    enabled_at: datetime
    now: datetime
    course: str | None
    dates_as_of: datetime
    intervals: LookIntervals
    cron: KnownCronTimes

    def due(self, last_slot: datetime | None) -> Due:
        """Return what is due, if so far the runs up to this slot have been started."""
        return due(
            self.schedule,
            self.within,
            enabled_at=self.enabled_at,
            last_slot=last_slot,
            now=self.now,
            latest_cron_time=self.cron.latest,
        )

    def next_look(self) -> datetime:
        """Return until when nothing can become due, where nothing is due now.

        Those of one course are looked at together, so that its dates are asked for once. Apart from
        that, configurations are spread over the time between two looks.
        """
        if self.course is None:
            moments = [_next_turn(str(self.id), LONGEST_WITHOUT_A_LOOK, self.now)]
        else:
            moments = [_next_turn(self.course, self.intervals.course_dates, self.dates_as_of)]
        slot = next_slot(
            self.schedule,
            self.within,
            enabled_at=self.enabled_at,
            now=self.now,
            next_cron_time=self.cron.next,
        )
        if slot is not None:
            moments.append(slot)
        # A schedule ends even where it has no slot any more.
        if self.within.closes_at is not None and self.within.closes_at > self.now:
            moments.append(self.within.closes_at)
        return min(moments)


@dataclass(frozen=True, slots=True)
class Looking:
    """Looks at configurations."""

    context_kinds: ContextKinds
    source: RetrievalSource
    intervals: LookIntervals
    _cron: KnownCronTimes = field(default_factory=KnownCronTimes, init=False)

    def dates(self, not_before: datetime) -> CourseDates:
        """Return the dates of courses, as they are at this moment (aware) or later."""
        return CourseDates(self.source, not_before)

    def view(
        self,
        id_: ConfigurationId,
        configuration: CredentialConfiguration,
        dates: CourseDates,
        now: datetime,
    ) -> View:
        """Look at a configuration.

        Args:
            id_: Its id.
            configuration: Its state.
            dates: Are asked only if it has an issue window.
            now: The moment (aware).

        Raises:
            RetrievalError: The dates of its course cannot be had.
        """
        schedule = configuration.schedule
        facts, course = ContextFacts(configuration.context_key), None
        if schedule.window:
            context = self.context_kinds.parse(configuration.context_key)
            facts, course = dates.of(context), _course_of(context)
        return View(
            id=id_,
            schedule=schedule,
            within=bounds(schedule, facts),
            enabled_at=configuration.enabled_at or now,
            now=now,
            course=course,
            dates_as_of=dates.as_of,
            intervals=self.intervals,
            cron=self._cron,
        )


def _course_of(context: LearningContextKey) -> str:
    return str(context.course if isinstance(context, LessonKey) else context)


def _next_turn(key: str, every: timedelta, now: datetime) -> datetime:
    """Return the first moment after now at which it is a key's turn; each key has its own."""
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8])
    first = _EPOCH + timedelta(seconds=number % int(every.total_seconds()))
    return now + every - (now - first) % every
