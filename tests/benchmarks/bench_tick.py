"""What a tick costs that has nothing to do: 10,000 enabled configurations, half with a window."""

import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Final
from uuid import uuid4

from testamur.adapters.event_store.postgres import PostgresDatabase
from testamur.adapters.event_store.sqlite import SqliteDatabase
from testamur.application.ports.event_store import Attribution, NewEvents
from testamur.application.requests import SCHEDULER
from testamur.domain.configurations import ConfigurationCreated, ConfigurationEnabled
from testamur.domain.identifiers import (
    ConfigurationId,
    Slug,
    configuration_id,
    credential_type_id,
    run_id,
)
from testamur.domain.run_results import RunCounts
from testamur.domain.runs import RunCompleted, RunStarted, scheduled_slot
from testamur.domain.schedules import CronRule, IntervalRule, IssueWindow, Schedule
from tests.benchmarks.measuring import Stopwatch, report, stopwatch
from tests.support.databases import Database
from tests.support.postgres_server import started_postgres
from tests.support.records import course
from tests.support.world import MONDAY, World

CONFIGURATIONS: Final = 10_000
BATCH: Final = 1_000
ROUNDS: Final = 20
#: The type of `World.define_type`.
SLUG: Final = Slug("completion")

#: In turn. All had a run when they were enabled, and have none in the days of the measurement.
SCHEDULES: Final = (
    Schedule(rule=IntervalRule(), window=IssueWindow(opens="course-start")),
    Schedule(rule=IntervalRule()),
    Schedule(rule=CronRule(expression="0 3 * * MON", time_zone="Europe/Warsaw"),
             window=IssueWindow(closes_offset=timedelta(days=30))),
    Schedule(rule=CronRule(expression="0 3 * * MON", time_zone="Europe/Warsaw")),
)  # fmt: skip


def main() -> None:
    """Measure on both databases."""
    with (
        tempfile.TemporaryDirectory(prefix="testamur-bench-") as name,
        SqliteDatabase.open(Path(name) / "bench.db") as file,
    ):
        _measure("SQLite", file)
    with started_postgres() as server, PostgresDatabase.open(server.fresh_database()) as database:
        _measure("PostgreSQL", database)


def _measure(kind: str, database: Database) -> None:
    world = World(database=database)
    world.define_type()
    world.clock.advance(timedelta(days=3))
    some_id = _enable(world)
    floor = median(
        _timed(lambda: database.register.last_slot(some_id)).seconds for _ in range(ROUNDS)
    )

    def told(what: str, seconds: float, cpu_seconds: float) -> None:
        times = f"{seconds / floor:,.0f} times one indexed SELECT"
        cpu = f"{1000 * cpu_seconds:.1f} ms of CPU here"
        report(f"{kind}: {what}", f"{1000 * seconds:.1f} ms", ratio=f"{times}; {cpu}")

    first = _timed(lambda: _tick(world))
    told("the first tick, which looks at all", first.seconds, first.cpu_seconds)
    idle = [_timed(lambda: _tick(world)) for _ in range(ROUNDS)]
    told(
        "a tick at which it is nobody's turn",
        median(each.seconds for each in idle),
        median(each.cpu_seconds for each in idle),
    )
    every_minute = []
    for _ in range(60):
        world.clock.advance(timedelta(minutes=1))
        every_minute.append(_timed(lambda: _tick(world)))
    told(
        "a tick of every minute, median of an hour",
        median(each.seconds for each in every_minute),
        median(each.cpu_seconds for each in every_minute),
    )


def _tick(world: World) -> None:
    found = world.tick()
    if found.started or found.resumed or found.disabled or found.problems:
        raise AssertionError("there was something to do")


def _timed(work: Callable[[], object]) -> Stopwatch:
    with stopwatch() as watch:
        work()
    return watch


def _enable(world: World) -> ConfigurationId:
    """Enable all, each for a course of its own, and return one of them."""
    by = Attribution(SCHEDULER, MONDAY, uuid4())
    batch: list[NewEvents] = []
    for number in range(CONFIGURATIONS):
        key = f"course-v1:Uni+Maths{number:05}+2026"
        world.source.facts_by_key[key] = course(
            key, start=MONDAY - timedelta(days=7), end=MONDAY + timedelta(days=90)
        )
        id_ = configuration_id(credential_type_id(SLUG), key)
        schedule = SCHEDULES[number % len(SCHEDULES)]
        created = ConfigurationCreated(
            type_slug=SLUG, context_key=key, options={}, schedule=schedule
        )
        started = RunStarted(
            configuration_id=id_,
            slot=scheduled_slot(MONDAY),
            trigger="schedule",
            scheduled_for=MONDAY,
        )
        batch += [
            NewEvents(id_, 0, [created, ConfigurationEnabled(enabled_at=MONDAY)]),
            NewEvents(
                run_id(id_, started.slot), 0, [started, RunCompleted(counts=RunCounts(evaluated=1))]
            ),
        ]
        if len(batch) >= BATCH:
            world.events.append(batch, by)
            batch = []
    return id_


if __name__ == "__main__":
    main()
