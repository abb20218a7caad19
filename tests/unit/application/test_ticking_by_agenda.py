"""Ticks that look only at what the agenda names do what ticks that look at everything would do."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from testamur.application.ports.agenda import Agenda, AgendaRow, DueReconciliation, NextLook
from testamur.application.ports.register import RunRow
from testamur.domain.identifiers import ConfigurationId
from testamur.domain.schedules import CronRule, IntervalRule, IssueWindow, OnceRule, Schedule
from tests.support.domain_strategies import tries
from tests.support.records import COURSE, course
from tests.support.world import MONDAY, World

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
HOURLY = Schedule(rule=IntervalRule(every=HOUR))
ENDS_BEFORE_IT_OPENS = Schedule(
    end=MONDAY + 5 * MINUTE,
    window=IssueWindow(opens="course-start", closes_at_course_end=False),
)
BY_THE_COURSE = Schedule(rule=IntervalRule(every=24 * HOUR), window=IssueWindow())


class Everything:
    """Fills the port `Agenda` so that each tick looks at all that is enabled."""

    def __init__(self, world: World) -> None:
        self._world = world

    def to_look_at(self, now: datetime, latest: datetime) -> list[AgendaRow]:
        """Return all, knowing nothing of them."""
        rows = self._world.register.catalogue("configuration", active_only=True)
        return [
            AgendaRow(ConfigurationId(row.stream_id), row.label, row.look_version, None)
            for row in rows
        ]

    def look_again(self, looks: Sequence[NextLook]) -> None:
        """Forget it."""

    def to_reconcile(self, now: datetime) -> list[DueReconciliation]:
        """Return none: it is not about them."""
        return []

    def runs_to_resume(self, now: datetime) -> list[RunRow]:
        """Return what the definition says."""
        enabled = {row.configuration_id for row in self.to_look_at(now, now)}
        return [
            run
            for run in self._world.register.runs(open_only=True)
            if (run.failures == 0 or (run.retry_at is not None and run.retry_at <= now))
            and (run.scheduled_for is None or run.configuration_id in enabled)
        ]


minutes = st.integers(-3000, 3000).map(lambda number: MONDAY + 5 * number * MINUTE)
offsets = st.integers(-200, 200).map(lambda number: 5 * number * MINUTE)
windows = st.builds(
    IssueWindow,
    opens=st.sampled_from([None, "course-start", "course-end"]),
    opens_offset=offsets,
    closes_at_course_end=st.booleans(),
    closes_offset=offsets,
)
rules = (
    st.integers(1, 3000).map(lambda number: IntervalRule(every=number * MINUTE))
    | st.builds(
        CronRule,
        expression=st.sampled_from(["0 */7 * * *", "*/20 * * * *", "30 2 * * TUE", "0 0 1 1 *"]),
        time_zone=st.sampled_from(["UTC", "Asia/Kolkata", "Australia/Lord_Howe"]),
    )
    | st.builds(OnceRule, at=minutes)
)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    rule = draw(rules)
    start, end = sorted(draw(st.lists(minutes, min_size=2, max_size=2, unique=True)))
    is_bound = not isinstance(rule, OnceRule)
    return Schedule(
        rule=rule,
        start=start if is_bound and draw(st.booleans()) else None,
        end=end if is_bound and draw(st.booleans()) else None,
        window=draw(st.none() | windows),
    )


courses = st.builds(course, start=st.none() | minutes, end=st.none() | minutes)
waits = st.tuples(st.just("wait"), st.integers(1, 600))
changes = st.one_of(
    waits,
    waits,
    st.tuples(st.just("schedule"), schedules()),
    st.tuples(st.just("enable"), st.none()),
    st.tuples(st.just("disable"), st.none()),
    st.tuples(st.just("runs fail"), st.booleans()),
    st.tuples(st.just("source breaks"), st.booleans()),
    st.tuples(st.just("retire the type"), st.none()),
)
changed_dates = st.tuples(st.just("dates"), courses)
clock_set_back = st.tuples(st.just("set back"), st.integers(1, 3000))


def happen(world: World, id_: ConfigurationId, what: str, value: Any) -> None:
    """Let something happen; what is not allowed any more is left out."""
    request = world.request()
    match what:
        case "wait":
            world.clock.advance(value * MINUTE)
        case "set back":
            world.clock.advance(-value * MINUTE)
        case "dates":
            world.source.facts_by_key[COURSE] = value
            # Until then nobody need know of it.
            world.clock.advance(10 * MINUTE)
        case "schedule":
            world.configurations.change_schedule(id_, value, request)
        case "enable" if not world.types.get("completion").retired:
            world.configurations.enable(id_, request)
        case "disable":
            world.configurations.disable(id_, "not now", request)
        case "runs fail":
            world.source.fails_after_pages = 0 if value else None
        case "source breaks":
            world.source.breaks_on = COURSE if value else None
        case "retire the type" if not world.types.get("completion").retired:
            world.types.retire("completion", "a better one replaces it", request)


def assert_ticks_do_the_same(
    schedule: Schedule, happened: Sequence[tuple[str, Any]], dates: Any
) -> None:
    ours, theirs = World(), World()
    agenda: Agenda = Everything(theirs)
    theirs.ticking = replace(theirs.ticking, agenda=agenda)
    worlds = (ours, theirs)
    ids = []
    for world in worlds:
        world.source.facts_by_key[COURSE] = dates
        world.enrol("ann")
        ids.append(world.configure(schedule=schedule))
        world.configurations.enable(ids[-1], world.request())
    for what, value in happened:
        for world, id_ in zip(worlds, ids, strict=True):
            happen(world, id_, what, value)
        did, would_have_done = (world.tick() for world in worlds)
        assert did.started == would_have_done.started, (what, ours.clock.now())
        assert did.resumed == would_have_done.resumed
        assert did.disabled == would_have_done.disabled
    assert [run.slot for run in ours.register.runs()] == [
        run.slot for run in theirs.register.runs()
    ]


@tries(60)
@given(schedules(), st.lists(changes | changed_dates, min_size=5, max_size=40), courses)
@example(BY_THE_COURSE, [("wait", 1), ("dates", course(end=MONDAY)), ("wait", 1)], course())
@example(ENDS_BEFORE_IT_OPENS, [("wait", 1)] * 9, course(start=MONDAY + HOUR))
@example(HOURLY, [("wait", 1), ("schedule", HOURLY), ("wait", 59)], course())
def test_nothing_is_missed_and_nothing_is_started_that_is_not_due(
    schedule: Schedule, happened: list[tuple[str, Any]], dates: Any
) -> None:
    assert_ticks_do_the_same(schedule, happened, dates)


@tries(30)
@given(schedules(), st.lists(changes | clock_set_back, min_size=5, max_size=40), courses)
@example(HOURLY, [("wait", 600), ("wait", 1), ("set back", 590), ("wait", 60)], course())
def test_a_clock_that_is_set_back_makes_nothing_missed(
    schedule: Schedule, happened: list[tuple[str, Any]], dates: Any
) -> None:
    assert_ticks_do_the_same(schedule, happened, dates)


# How often the source is asked


def enabled_by_the_course(world: World, slugs: Sequence[str]) -> list[ConfigurationId]:
    ids = []
    for slug in slugs:
        world.define_type(slug)
        id_ = world.configurations.create(slug, COURSE, world.request(), schedule=BY_THE_COURSE)
        world.configurations.enable(id_, world.request())
        ids.append(id_)
    return ids


def asked_in(world: World, ticks: int) -> list[int]:
    """Tick once a minute, and return how often each tick asked for dates."""
    asked = []
    for _ in range(ticks):
        before = len(world.source.asked)
        world.tick()
        asked.append(len(world.source.asked) - before)
        world.clock.advance(MINUTE)
    return asked


def test_dates_are_asked_for_every_ten_minutes_once_for_all_of_a_course() -> None:
    world = World()
    enabled_by_the_course(world, ["one", "two", "three"])
    world.tick()  # the first runs
    world.tick()
    asked = asked_in(world, 30)
    first = asked.index(1)
    assert asked == [int(number % 10 == first) for number in range(30)]


def test_a_source_that_does_not_answer_is_asked_once_a_tick_for_all_of_a_course() -> None:
    world = World()
    enabled_by_the_course(world, ["one", "two", "three"])
    world.source.breaks_on = COURSE
    asked = len(world.source.asked)
    assert len(world.tick().problems) == 3
    assert len(world.source.asked) - asked == 1
    world.clock.advance(MINUTE)
    assert len(world.tick().problems) == 3


def test_dates_that_were_read_long_ago_are_read_anew_by_the_next_tick() -> None:
    world = World()
    slow = world.configure(schedule=HOURLY)
    world.configurations.enable(slow, world.request())
    (by_the_course,) = enabled_by_the_course(world, ["z-after-the-slow-one"])
    world.tick()
    world.clock.advance(HOUR)
    world.enrol("ann")
    # Dates are read when the tick begins. Then the slow one takes hours, and only after it comes
    # the other's turn.
    world.notifier.after_next = lambda: world.clock.advance(5 * HOUR)
    world.tick()
    world.source.facts_by_key[COURSE] = course(end=world.clock.now() - MINUTE)
    started = [world.runs.get(id_).started for id_ in world.tick().started]
    closing = [each for each in started if each.configuration_id == by_the_course]
    assert [each.scheduled_for for each in closing] == [world.clock.now() - MINUTE]
