from datetime import timedelta

import pytest

from testamur.application.outlook import NextRun, Outlook
from testamur.domain.identifiers import ConfigurationId
from testamur.domain.schedules import CronRule, IntervalRule, IssueWindow, OnceRule, Schedule
from tests.support.records import COURSE, course
from tests.support.world import MONDAY, World

DAILY = Schedule(rule=IntervalRule(every=timedelta(days=1)))


def next_run(world: World, configuration: ConfigurationId) -> NextRun:
    return Outlook(world.register, world.configurations, world.source, world.clock).next_run(
        configuration
    )


def enabled(world: World, schedule: Schedule) -> ConfigurationId:
    configuration = world.configure(schedule=schedule)
    world.configurations.enable(configuration, world.request())
    return configuration


def test_a_configuration_that_is_disabled_or_retired_has_no_next_run() -> None:
    world = World()
    configuration = world.configure(schedule=DAILY)
    assert next_run(world, configuration) == NextRun(None, "it is disabled")
    world.configurations.retire(configuration, "it is over", world.request())
    assert next_run(world, configuration) == NextRun(None, "it is retired")


def test_a_configuration_whose_type_is_retired_has_no_next_run() -> None:
    world = World()
    configuration = enabled(world, DAILY)
    world.types.retire("completion", "a better one replaces it", world.request())
    assert next_run(world, configuration) == NextRun(
        None, "its credential type is retired; the next tick disables it"
    )


def test_a_run_that_is_due_is_the_next_run_until_a_tick_starts_it() -> None:
    world = World()
    configuration = enabled(world, DAILY)
    world.clock.advance(timedelta(hours=1))
    assert next_run(world, configuration) == NextRun(MONDAY, "the next tick starts it")
    world.tick()
    assert next_run(world, configuration) == NextRun(MONDAY + timedelta(days=1))


def test_the_next_time_of_a_cron_rule_is_the_next_run() -> None:
    world = World()
    configuration = enabled(world, Schedule(rule=CronRule(expression="0 6 * * TUE")))
    assert next_run(world, configuration) == NextRun(MONDAY + timedelta(hours=18))


def test_a_window_that_waits_for_the_course_says_so() -> None:
    world = World()
    window = IssueWindow(opens="course-end", closes_at_course_end=False)
    configuration = enabled(world, DAILY.model_copy(update={"window": window}))
    answer = next_run(world, configuration)
    assert (answer.at, "the course's end" in answer.because) == (None, True)

    world.source.facts_by_key[COURSE] = course(end=MONDAY + timedelta(days=3))
    assert next_run(world, configuration) == NextRun(MONDAY + timedelta(days=3))


def test_a_schedule_that_is_over_is_about_to_be_disabled() -> None:
    world = World()
    configuration = enabled(world, Schedule(rule=OnceRule(at=MONDAY)))
    world.tick()
    answer = next_run(world, configuration)
    assert answer.at is None
    assert "the next tick disables it" in answer.because


@pytest.mark.parametrize("closes_after", [timedelta(hours=1), timedelta(days=1)])
def test_the_closing_moment_is_the_last_run(closes_after: timedelta) -> None:
    world = World()
    configuration = enabled(world, Schedule(rule=DAILY.rule, end=MONDAY + closes_after))
    world.tick()
    assert next_run(world, configuration) == NextRun(MONDAY + closes_after)
