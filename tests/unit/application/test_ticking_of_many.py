"""Ticks over many configurations: each is followed, and what one tick learnt misleads no other."""

from dataclasses import replace
from datetime import timedelta

from testamur.domain.identifiers import ConfigurationId
from testamur.domain.schedules import IntervalRule, Schedule
from tests.support.records import course
from tests.support.world import World

HOURLY = Schedule(rule=IntervalRule(every=timedelta(hours=1)))


def enabled(world: World, count: int) -> list[ConfigurationId]:
    """Enable so many configurations, each for a course of its own, that run every hour."""
    ids = []
    for number in range(count):
        key = f"course-v1:Uni+Maths{number}+2026"
        world.source.facts_by_key[key] = course(key)
        ids.append(world.configure(key, schedule=HOURLY))
        world.configurations.enable(ids[-1], world.request())
    return ids


def test_all_are_followed_however_many_are_loaded_together() -> None:
    world = World()
    ids = enabled(world, 501)

    assert len(world.tick().started) == 501
    assert world.tick().started == []
    assert {run.configuration_id for run in world.register.runs()} == set(ids)


def test_the_next_slot_is_started_by_a_process_that_remembers_the_last() -> None:
    world = World()
    enabled(world, 1)
    world.tick()
    world.tick()

    world.clock.advance(timedelta(hours=1))

    assert len(world.tick().started) == 1
    assert world.tick().started == []


def test_a_slot_that_another_process_ran_is_not_started_again() -> None:
    world = World()
    enabled(world, 1)
    elsewhere = replace(world.ticking)
    world.tick()
    world.clock.advance(timedelta(hours=1))
    assert len(elsewhere.tick(world.queue).started) == 1

    assert world.tick().started == []


def test_one_that_is_disabled_while_another_runs_is_left_alone() -> None:
    world = World()
    first, second = sorted(
        enabled(world, 2), key=lambda id_: world.configurations.get(id_).context_key
    )
    world.enrol("a")

    def disable() -> None:
        world.configurations.disable(second, "not now", world.request())

    world.notifier.after_next = disable
    report = world.tick()

    assert [world.runs.get(id_).started.configuration_id for id_ in report.started] == [first]
