"""Looking: until the next look nothing becomes due; those of a course are looked at together."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import assume, given
from hypothesis import strategies as st

from testamur.application.cron import KnownCronTimes, latest_cron_time, next_cron_time
from testamur.application.looking import LONGEST_WITHOUT_A_LOOK, Looking, LookIntervals, View
from testamur.domain.configurations import CredentialConfiguration
from testamur.domain.contexts import ContextKinds
from testamur.domain.identifiers import ConfigurationId, Slug
from testamur.domain.learning import ContextFacts
from testamur.domain.schedules import (
    CronRule,
    IntervalRule,
    IssueWindow,
    NothingDue,
    RunDue,
    Schedule,
)
from tests.support.domain_strategies import tries
from tests.support.records import COURSE, course
from tests.support.world import MONDAY, LearnersInMemory
from tests.unit.application.test_ticking_by_agenda import courses, minutes, offsets, schedules

MINUTE = timedelta(minutes=1)
LESSON = "block-v1:Uni+Maths+2026+type@sequential+block@week1"
WINDOW = Schedule(window=IssueWindow())

#: Around changes of the clock by an hour, by half an hour, and at midnight.
changing_zones = {
    "Europe/Warsaw": datetime(2026, 3, 29, 1, tzinfo=UTC),
    "Australia/Lord_Howe": datetime(2026, 4, 4, 15, tzinfo=UTC),
    "America/Havana": datetime(2026, 3, 8, 5, tzinfo=UTC),
}
near_changes = st.builds(
    lambda zone, offset: (zone, changing_zones[zone] + offset), st.sampled_from([*changing_zones]),
    st.integers(-3000, 3000).map(lambda number: number * MINUTE),
)  # fmt: skip
expressions = st.sampled_from(["30 2 * * *", "*/20 * * * *", "0 */2 * * *", "0 0 * * *"])


def view(
    schedule: Schedule,
    now: datetime = MONDAY,
    *,
    number: int = 1,
    key: str = COURSE,
    enabled_at: datetime = MONDAY,
    facts: ContextFacts | None = None,
) -> View:
    """Look at a configuration."""
    source = LearnersInMemory()
    source.facts_by_key[key] = facts or course()
    looking = Looking(ContextKinds({}), source, LookIntervals())
    configuration = CredentialConfiguration(Slug("x"), key, {}, schedule, enabled_at)
    id_ = ConfigurationId(UUID(int=number))
    return looking.view(id_, configuration, looking.dates(now), now)


@tries(150)
@given(schedules(), courses, minutes, offsets, st.floats(0, 1))
def test_until_the_next_look_nothing_becomes_due(
    schedule: Schedule, facts: ContextFacts, enabled_at: datetime, since: timedelta, part: float
) -> None:
    now = enabled_at + abs(since)
    seen = view(schedule, now, enabled_at=enabled_at, facts=facts)
    found = seen.due(None)
    last_slot = found.slot if isinstance(found, RunDue) else None
    assume(seen.due(last_slot) == NothingDue())
    until = seen.next_look()
    assert now < until <= now + LONGEST_WITHOUT_A_LOOK
    later = now + (until - now - timedelta.resolution) * part
    assert replace(seen, now=later).due(last_slot) == NothingDue()


@tries(40)
@given(st.lists(st.tuples(near_changes, expressions), min_size=2, max_size=30))
def test_remembered_cron_times_are_those_that_are_found_anew(
    asked: list[tuple[tuple[str, datetime], str]],
) -> None:
    known = KnownCronTimes()
    for (zone, moment), expression in asked:
        rule = CronRule(expression=expression, time_zone=zone)
        for each in (moment, moment + 7 * MINUTE, moment - timedelta.resolution):
            assert known.latest(rule, each) == latest_cron_time(rule, each)
            assert known.next(rule, each) == next_cron_time(rule, each)


def test_dates_are_looked_at_every_ten_minutes_at_the_courses_own_turn() -> None:
    turns = set()
    for number in range(3):
        seen = view(WINDOW, MONDAY + number * MINUTE, number=number)
        turns.add((seen.next_look() - MONDAY) % (10 * MINUTE))
        assert seen.next_look() <= seen.now + 10 * MINUTE
    assert len(turns) == 1


def test_a_lesson_is_looked_at_with_its_course() -> None:
    assert view(WINDOW, key=LESSON).next_look() == view(WINDOW, key=COURSE).next_look()


def test_configurations_without_a_window_are_spread_over_an_hour() -> None:
    schedule = Schedule(rule=IntervalRule(every=timedelta(days=9)))
    in_minutes = Counter(
        (view(schedule, number=number).next_look() - MONDAY) // MINUTE for number in range(600)
    )
    assert set(in_minutes) == set(range(60))
    assert max(in_minutes.values()) < 40
