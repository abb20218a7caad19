"""What holds for every schedule, however often and late it is asked what is due."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from testamur.domain.learning import ContextFacts
from testamur.domain.schedules import (
    Bounds,
    CronRule,
    Due,
    IntervalRule,
    IssueWindow,
    NothingDue,
    OnceRule,
    RunDue,
    Schedule,
    ScheduleEnded,
    bounds,
    due,
    next_slot,
)
from tests.support.domain_strategies import tries
from tests.support.records import course

HOUR = timedelta(hours=1)
YEAR = 24 * 365
BEGINNING = datetime(2026, 6, 1, tzinfo=UTC)

# All moments are in whole hours of a few days, so that they often coincide.
hours = st.integers(0, 120).map(lambda number: BEGINNING + number * HOUR)
offsets = st.integers(-30, 30).map(lambda number: number * HOUR)
issue_windows = st.builds(
    IssueWindow,
    opens=st.sampled_from([None, "course-start", "course-end"]),
    opens_offset=offsets,
    closes_at_course_end=st.booleans(),
    closes_offset=offsets,
)
courses = st.builds(course, start=st.none() | hours, end=st.none() | hours)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    start, middle, end = sorted(draw(st.lists(hours, min_size=3, max_size=3, unique=True)))
    return Schedule(
        rule=draw(
            st.integers(1, 30).map(lambda number: IntervalRule(every=number * HOUR))
            | st.just(CronRule(expression="0 */7 * * *"))
            | st.just(OnceRule(at=middle))
        ),
        start=draw(st.none() | st.just(start)),
        end=draw(st.none() | st.just(end)),
        window=draw(st.none() | issue_windows),
    )


def latest_seventh_hour(rule: CronRule, moment: datetime) -> datetime:
    return BEGINNING + (moment - BEGINNING) // (7 * HOUR) * (7 * HOUR)


def next_seventh_hour(rule: CronRule, moment: datetime) -> datetime:
    return latest_seventh_hour(rule, moment) + 7 * HOUR


@dataclass
class Enabled:
    """A configuration with a schedule, and the slots that it has had its runs for."""

    schedule: Schedule
    facts: ContextFacts
    at: datetime
    slots: Sequence[datetime] = ()

    @property
    def within(self) -> Bounds:
        return bounds(self.schedule, self.facts)

    def asked(self, now: datetime) -> Due:
        return due(
            self.schedule,
            self.within,
            enabled_at=self.at,
            last_slot=self.slots[-1] if self.slots else None,
            now=now,
            latest_cron_time=latest_seventh_hour,
        )

    def ticks(self, pauses: Sequence[int]) -> Iterator[tuple[datetime, Due]]:
        """Ask again and again, the last time a year later, and do what is due."""
        now = self.at
        for pause in [*pauses, YEAR, 1]:
            now += pause * HOUR
            answer = self.asked(now)
            yield now, answer
            if isinstance(answer, RunDue):
                self.slots = [*self.slots, answer.slot]


enabled = st.builds(Enabled, schedules(), courses, hours)


@tries(80)
@given(configuration=enabled, pauses=st.lists(st.integers(0, 12), max_size=20))
def test_slots_are_run_once_in_order_within_bounds_and_never_after_the_end(
    configuration: Enabled, pauses: list[int]
) -> None:
    within = configuration.within
    ended = False
    for now, answer in configuration.ticks(pauses):
        if isinstance(answer, RunDue):
            assert not ended
            assert all(slot < answer.slot for slot in configuration.slots)
            assert answer.slot <= now
            assert within.opens_at is None or within.opens_at <= answer.slot
            assert within.closes_at is None or answer.slot <= within.closes_at
            assert within.waits_for is None
        else:
            assert isinstance(answer, ScheduleEnded) or not ended
            ended = isinstance(answer, ScheduleEnded)


@tries(80)
@given(configuration=enabled, pauses=st.lists(st.integers(1, 12), max_size=10))
def test_the_last_run_is_at_the_closing_moment_so_that_nobody_is_lost(
    configuration: Enabled, pauses: list[int]
) -> None:
    for _ in configuration.ticks(pauses):
        pass
    within, rule = configuration.within, configuration.schedule.rule
    begin = max(configuration.at, within.opens_at or configuration.at)
    was_open = within.waits_for is None and (within.closes_at is None or begin <= within.closes_at)

    if isinstance(rule, OnceRule):
        in_time = within.closes_at is None or rule.at <= within.closes_at
        assert len(configuration.slots) == (was_open and in_time)
    elif within.closes_at is None:
        assert bool(configuration.slots) == was_open
    else:
        assert list(configuration.slots[-1:]) == [within.closes_at] * was_open


@tries(40)
@given(
    every=st.integers(1, 30), enabled_at=hours, last=st.none() | hours, later=st.integers(0, 200)
)
def test_slots_of_an_interval_are_whole_intervals_after_it_was_enabled(
    every: int, enabled_at: datetime, last: datetime | None, later: int
) -> None:
    configuration = Enabled(
        Schedule(rule=IntervalRule(every=every * HOUR)),
        course(),
        enabled_at,
        [last] if last else [],
    )

    answer = configuration.asked(enabled_at + later * HOUR)

    latest = max(enabled_at + number * every * HOUR for number in range(later // every + 1))
    assert answer == (RunDue(latest) if last is None or latest > last else NothingDue())


@tries(80)
@given(configuration=enabled, pause=st.integers(0, 100), share=st.floats(0, 0.99))
def test_the_next_slot_is_when_something_is_due_next(
    configuration: Enabled, pause: int, share: float
) -> None:
    now = configuration.at + pause * HOUR
    answer = configuration.asked(now)
    if isinstance(answer, RunDue):
        configuration.slots = [answer.slot]
        answer = configuration.asked(now)
    assume(not isinstance(answer, ScheduleEnded))

    upcoming = next_slot(
        configuration.schedule,
        configuration.within,
        enabled_at=configuration.at,
        now=now,
        next_cron_time=next_seventh_hour,
    )

    if upcoming is None:
        assert not isinstance(configuration.asked(now + YEAR * HOUR), RunDue)
    else:
        assert upcoming > now
        assert configuration.asked(now + (upcoming - now) * share) == NothingDue()
        assert configuration.asked(upcoming) == RunDue(upcoming)
