"""The agenda: what is to be looked at now, on every database."""

from datetime import datetime, timedelta
from threading import Event, Thread
from uuid import UUID

import pytest

from testamur.application.ports.agenda import AgendaRow, NextLook
from testamur.application.ports.event_store import NewEvents
from testamur.domain.configurations import (
    ConfigurationDisabled,
    ConfigurationEnabled,
    ConfigurationRetired,
    OptionsChanged,
    ScheduleChanged,
)
from testamur.domain.credential_types import CredentialTypeRetired
from testamur.domain.events import DomainEvent
from testamur.domain.identifiers import ConfigurationId, Slug, credential_type_id, run_id
from testamur.domain.run_results import RunCounts
from testamur.domain.runs import RunCompleted, RunFailed
from testamur.domain.schedules import Schedule
from tests.support.databases import Database
from tests.support.events import CONFIGURATION, NOON, TYPE, a_configuration, a_run, a_type, by, then
from tests.support.records import COURSE, OTHER_COURSE

MINUTE = timedelta(minutes=1)
LATEST = NOON + timedelta(hours=1)
ENABLED = ConfigurationEnabled(enabled_at=NOON)


def enabled(database: Database, number: int = 0, **changes: str) -> ConfigurationId:
    """Add a configuration that is enabled."""
    id_ = ConfigurationId(UUID(int=number)) if number else CONFIGURATION
    created = a_configuration().model_copy(update=changes)
    database.events.append([NewEvents(id_, 0, [created, ENABLED])], by())
    return id_


def looked_at(database: Database, now: datetime = NOON) -> list[UUID]:
    """Return what is to be looked at."""
    return [row.configuration_id for row in database.agenda.to_look_at(now, now + 60 * MINUTE)]


def happens(database: Database, after_version: int, *events: DomainEvent) -> None:
    database.events.append(then(CONFIGURATION, after_version, *events), by())


def test_one_that_was_enabled_is_looked_at_at_once(database: Database) -> None:
    happens(database, 0, a_configuration())
    assert looked_at(database) == []
    happens(database, 1, ENABLED)
    assert database.agenda.to_look_at(NOON, LATEST) == [
        AgendaRow(CONFIGURATION, f"{TYPE} {COURSE}", version=2, last_slot=None)
    ]


def test_one_that_was_looked_at_is_left_alone_until_its_moment(database: Database) -> None:
    id_ = enabled(database)
    moment = NOON + timedelta(minutes=5, microseconds=3)
    database.agenda.look_again([NextLook(id_, 2, moment)])
    assert looked_at(database) == []
    assert looked_at(database, moment - timedelta(microseconds=1)) == []
    assert looked_at(database, moment) == [id_]


def test_a_moment_that_only_a_wrong_clock_can_have_set_counts_for_nothing(
    database: Database,
) -> None:
    id_ = enabled(database)
    database.agenda.look_again([NextLook(id_, 2, LATEST + MINUTE)])
    assert database.agenda.to_look_at(NOON, LATEST + MINUTE) == []
    assert [row.configuration_id for row in database.agenda.to_look_at(NOON, LATEST)] == [id_]


@pytest.mark.parametrize(
    "events",
    [
        [ScheduleChanged(schedule=Schedule())],
        [ConfigurationDisabled(reason="x"), ENABLED],
    ],
    ids=["schedule changed", "enabled again"],
)
def test_what_happens_to_one_has_it_looked_at_at_once(
    database: Database, events: list[DomainEvent]
) -> None:
    id_ = enabled(database)
    database.agenda.look_again([NextLook(id_, 2, NOON + MINUTE)])
    happens(database, 2, *events)
    assert looked_at(database) == [id_]


def test_options_do_not_say_when_one_runs(database: Database) -> None:
    id_ = enabled(database)
    happens(database, 2, OptionsChanged(options={"x": 1}))
    database.agenda.look_again([NextLook(id_, 2, NOON + MINUTE)])
    assert looked_at(database) == []


def test_who_did_not_know_of_the_last_change_moves_nothing_on(database: Database) -> None:
    id_ = enabled(database)
    (seen,) = database.agenda.to_look_at(NOON, LATEST)
    happens(database, 2, ScheduleChanged(schedule=Schedule()))
    database.agenda.look_again([NextLook(id_, seen.version, NOON + MINUTE)])
    assert looked_at(database) == [id_]
    (seen,) = database.agenda.to_look_at(NOON, LATEST)
    database.agenda.look_again([NextLook(id_, seen.version, NOON + MINUTE)])
    assert looked_at(database) == []


@pytest.mark.parametrize(
    "event", [ConfigurationDisabled(reason="x"), ConfigurationRetired(reason="x")]
)
def test_one_that_is_not_enabled_is_never_looked_at(database: Database, event: DomainEvent) -> None:
    enabled(database)
    happens(database, 2, event)
    assert looked_at(database) == []


def test_those_of_a_retired_type_are_looked_at_whatever_their_moment(database: Database) -> None:
    of_type = enabled(database)
    others = [
        enabled(database, 1, type_slug=f"{TYPE}-2"),
        enabled(database, 2, type_slug=TYPE[:-1]),
    ]
    disabled = enabled(database, 3, context_key=OTHER_COURSE)
    database.events.append(then(disabled, 2, ConfigurationDisabled(reason="x")), by())
    database.agenda.look_again([NextLook(id_, 2, NOON + MINUTE) for id_ in (of_type, *others)])
    type_id = credential_type_id(Slug(TYPE))
    database.events.append(then(type_id, 0, a_type()), by())
    assert looked_at(database) == []
    database.events.append(then(type_id, 1, CredentialTypeRetired(reason="x")), by())
    assert looked_at(database) == [of_type]


def test_they_come_by_label_with_the_latest_slot_of_each(database: Database) -> None:
    second = enabled(database, 1, context_key="course-v1:Uni+Z+2026")
    first = enabled(database, 2, context_key="course-v1:Uni+A+2026")
    for number in (3, 5, 4):
        slot = a_run(f"{number}", scheduled_for=NOON + number * MINUTE).model_copy(
            update={"configuration_id": second}
        )
        database.events.append(then(run_id(second, slot.slot), 0, slot), by())
    rows = database.agenda.to_look_at(NOON, LATEST)
    assert [(row.configuration_id, row.last_slot) for row in rows] == [
        (first, None),
        (second, NOON + 5 * MINUTE),
    ]


def test_a_look_at_what_is_not_there_changes_nothing(database: Database) -> None:
    database.agenda.look_again([NextLook(ConfigurationId(UUID(int=9)), 2, NOON)])
    database.agenda.look_again([])
    assert looked_at(database) == []


def test_next_looks_do_not_get_lost_between_changes_of_several_writers(database: Database) -> None:
    # Whoever enables it anew is never overruled by a look at the state before, however they meet.
    id_ = enabled(database)
    done = Event()

    def look() -> None:
        while not done.is_set():
            for row in database.agenda.to_look_at(NOON, LATEST):
                database.agenda.look_again([NextLook(id_, row.version, NOON + MINUTE)])
                seen.append(row.version)

    seen: list[int] = []
    ticking = Thread(target=look)
    ticking.start()
    try:
        for version in range(2, 60):
            happens(database, version, ScheduleChanged(schedule=Schedule()))
    finally:
        done.set()
        ticking.join()
    (row,) = database.register.catalogue("configuration")
    assert row.look_version == 60
    assert (row.look_at is None) == (60 not in seen)


# Runs


def start(database: Database, slot: str, *events: DomainEvent, scheduled: bool = False) -> UUID:
    """Add a run, and what happened to it."""
    started = a_run(slot, scheduled_for=NOON if scheduled else None)
    id_ = run_id(CONFIGURATION, slot)
    database.events.append([NewEvents(id_, 0, [started, *events])], by())
    return id_


def resumed(database: Database, now: datetime = NOON) -> set[UUID]:
    return {run.run_id for run in database.agenda.runs_to_resume(now)}


def failed(retry_at: datetime | None) -> RunFailed:
    return RunFailed(attempt=1, error="x", retry_at=retry_at)


def test_a_run_without_an_end_is_resumed_and_one_with_an_end_is_not(database: Database) -> None:
    enabled(database)
    open_run = start(database, "a")
    start(database, "b", RunCompleted(counts=RunCounts()))
    assert resumed(database) == {open_run}


def test_a_run_that_failed_is_resumed_at_its_moment_or_never(database: Database) -> None:
    enabled(database)
    start(database, "given-up", failed(None))
    later = start(database, "later", failed(NOON + MINUTE), scheduled=True)
    assert resumed(database) == set()
    assert resumed(database, NOON + MINUTE) == {later}


def test_a_scheduled_run_waits_while_its_configuration_is_disabled(database: Database) -> None:
    enabled(database)
    scheduled = start(database, "scheduled", scheduled=True)
    by_hand = start(database, "by hand")
    happens(database, 2, ConfigurationDisabled(reason="x"))
    assert resumed(database) == {by_hand}
    happens(database, 3, ENABLED)
    assert resumed(database) == {by_hand, scheduled}


def test_a_run_to_resume_is_given_as_the_register_gives_it(database: Database) -> None:
    enabled(database)
    start(database, "a", failed(NOON), scheduled=True)
    assert database.agenda.runs_to_resume(NOON) == database.register.runs()
