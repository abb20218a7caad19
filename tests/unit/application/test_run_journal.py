"""The journal of a run: it decides on what is there, and does not read what it wrote itself."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest

from testamur.application.errors import ConcurrencyConflict
from testamur.application.ports.event_store import (
    Attribution,
    EventStore,
    LoggedEvent,
    NewEvents,
    RecordedEvent,
)
from testamur.application.run_journal import RunJournal
from testamur.domain import runs
from testamur.domain.errors import DecisionRefused, NotFound
from testamur.domain.identifiers import LearnerId, RunId
from testamur.domain.run_results import LeftOut, Refusal, RunCounts
from tests.support.world import MONDAY, World


@dataclass
class WatchedEvents:
    """An event store that counts what is read, and lets a rival append first.

    Args:
        store: The store.
        rival: Appends before the next events are.
        rival_wins: How often it does.
        events_read: How many events were read.
    """

    store: EventStore
    rival: RunJournal | None = None
    rival_wins: int = 0
    events_read: int = 0

    def load(self, stream_id: UUID) -> list[RecordedEvent]:
        recorded = self.store.load(stream_id)
        self.events_read += len(recorded)
        return recorded

    def load_many(self, stream_ids: Sequence[UUID]) -> dict[UUID, list[RecordedEvent]]:
        return self.store.load_many(stream_ids)

    def append(self, batch: Sequence[NewEvents], attribution: Attribution) -> None:
        if self.rival is not None and self.rival_wins:
            self.rival_wins -= 1
            leave_out(self.rival, f"rival-{self.rival_wins}", "both")
        self.store.append(batch, attribution)

    def log(self, after_position: int = 0, batch_size: int = 1000) -> Iterator[LoggedEvent]:
        return self.store.log(after_position, batch_size)


def started(world: World) -> RunId:
    return world.runs.start(world.configure(), world.request())


def leave_out(journal: RunJournal, *learner_ids: str) -> None:
    learners = tuple(LeftOut(learner_id=LearnerId(id_), reason="no grade") for id_ in learner_ids)
    journal.record(partial(runs.decide_leave_out, learners=learners))


def refuse(journal: RunJournal, learner_id: str) -> None:
    refusal = Refusal(learner_id=LearnerId(learner_id), reason="no-name", detail="no full name")
    journal.record(partial(runs.decide_refuse, refusals=(refusal,)))


def test_what_is_recorded_is_what_the_store_holds() -> None:
    world = World()
    run_id = started(world)
    journal = RunJournal.open(world.events, world.clock, run_id)
    refuse(journal, "ann")
    leave_out(journal, "bob", "cid")
    leave_out(journal, "cid", "dan")
    journal.record(partial(runs.decide_complete, counts=RunCounts()))
    assert journal.run == world.runs.get(run_id)
    assert journal.run.left_out == {"bob", "cid", "dan"}
    attributed = {each.attribution.actor for each in world.events.load(run_id)}
    assert attributed == {"user:registrar"}


def test_recording_reads_nothing_again_however_much_is_recorded() -> None:
    world = World()
    events = WatchedEvents(world.events)
    journal = RunJournal.open(events, world.clock, started(world))
    for number in range(50):
        leave_out(journal, f"learner-{number}")
    assert events.events_read == 1
    assert len(journal.run.left_out) == 50


def test_a_decision_is_made_again_on_what_another_writer_recorded_first() -> None:
    world = World()
    run_id = started(world)
    rival = RunJournal.open(world.events, world.clock, run_id)
    events = WatchedEvents(world.events, rival, rival_wins=1)
    journal = RunJournal.open(events, world.clock, run_id)
    leave_out(journal, "ann", "both")
    assert journal.run == world.runs.get(run_id)
    recorded = [event.event for event in world.events.load(run_id)][1:]
    assert [
        [learner.learner_id for learner in event.learners]
        for event in recorded
        if isinstance(event, runs.LearnersLeftOut)
    ] == [["rival-0", "both"], ["ann"]]


def test_a_writer_that_is_first_every_time_is_reported() -> None:
    world = World()
    run_id = started(world)
    rival = RunJournal.open(world.events, world.clock, run_id)
    journal = RunJournal.open(
        WatchedEvents(world.events, rival, rival_wins=1000), world.clock, run_id
    )
    with pytest.raises(ConcurrencyConflict):
        leave_out(journal, "ann")


def test_a_decision_that_is_not_allowed_changes_nothing() -> None:
    world = World()
    run_id = started(world)
    journal = RunJournal.open(world.events, world.clock, run_id)
    with pytest.raises(DecisionRefused, match="do not add up"):
        journal.record(partial(runs.decide_complete, counts=RunCounts(evaluated=1)))
    leave_out(journal, "ann")
    assert world.runs.get(run_id).left_out == {"ann"}


def test_a_run_that_was_never_started_has_no_journal() -> None:
    world = World()
    with pytest.raises(NotFound, match="no run"):
        RunJournal.open(world.events, world.clock, RunId(UUID(int=7)))


def test_a_slot_tells_how_fresh_what_is_read_has_to_be_or_else_the_start() -> None:
    world = World()
    configuration = world.configure()
    world.clock.advance(timedelta(minutes=2))
    by_hand = world.runs.start(configuration, world.request())
    scheduled = world.runs.start_scheduled(configuration, MONDAY, world.request())
    world.clock.advance(timedelta(minutes=2))
    fresh_from = [
        RunJournal.open(world.events, world.clock, id_).fresh_from for id_ in (by_hand, scheduled)
    ]
    assert fresh_from == [MONDAY + timedelta(minutes=2), MONDAY]
