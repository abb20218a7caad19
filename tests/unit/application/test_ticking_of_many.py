"""Ticks over many configurations: each is followed, and what one tick learnt misleads no other."""

from dataclasses import replace
from datetime import timedelta

from testamur.application.ports.tasks import AwardRun, Task
from testamur.domain.identifiers import ConfigurationId
from testamur.domain.schedules import IntervalRule, Schedule
from tests.support.records import course
from tests.support.world import MONDAY, World

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


class Elsewhere:
    """A queue whose tasks wait for workers."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []

    def send(self, task: Task) -> None:
        """Keep it."""
        self.tasks.append(task)


def test_a_run_that_outlasts_its_interval_is_not_started_again_on_top() -> None:
    world = World()
    enabled(world, 1)
    workers = Elsewhere()
    (long_run,) = world.ticking.tick(workers).started

    for _ in range(5):
        world.clock.advance(timedelta(minutes=50))
        assert world.ticking.tick(workers).started == []
    assert world.register.runs()[0].run_id == long_run

    world.queue.send(AwardRun(long_run))
    (next_run,) = world.ticking.tick(workers).started
    assert world.runs.get(next_run).started.scheduled_for == MONDAY + timedelta(hours=4)
    assert len(world.register.runs()) == 2


def test_a_run_that_failed_keeps_no_later_slot_waiting_until_it_is_tried_again() -> None:
    world = World()
    (id_,) = enabled(world, 1)
    world.enrol("ann")
    world.source.fails_after_pages = 0
    for minutes in (0, 22, 22):  # tried again after 5, 10 and 20 minutes: the next time after 64
        world.clock.advance(timedelta(minutes=minutes))
        world.tick()
    world.source.fails_after_pages = None
    world.clock.advance(timedelta(minutes=17))

    report = world.tick()
    assert (report.resumed, len(report.started)) == ([], 1)
    assert world.register.last_slot(id_) == MONDAY + timedelta(hours=1)


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
