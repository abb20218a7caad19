"""Following the log: the trail is brought up to it in batches, and filled in from first events."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from testamur.adapters.event_store.memory import MemoryDatabase
from testamur.application import following
from testamur.application.errors import EventStoreError
from testamur.application.following import Following
from testamur.application.ports.audit import AuditEntry, AuditFilter
from testamur.application.ports.log import Outline
from testamur.application.progress import Step
from testamur.domain.configurations import ConfigurationRetired
from testamur.domain.identifiers import LearnerId
from testamur.domain.run_results import Refusal, RunCounts
from testamur.domain.runs import LearnersRefused, RunCompleted
from tests.support.events import (
    CONFIGURATION,
    COURSE,
    a_configuration,
    a_run,
    a_type,
    an_award,
    an_issue,
    awarding,
    by,
    id_of,
    then,
)

RUN = UUID(int=77)


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "BATCH", 2)


@pytest.fixture
def database() -> MemoryDatabase:
    return MemoryDatabase()


def follower(database: MemoryDatabase) -> Following:
    return Following(database.log, database.audit_rows)


def award(database: MemoryDatabase, *learners: str) -> None:
    database.events.append(awarding(*map(an_award, learners)), by())


def trail(database: MemoryDatabase) -> Sequence[AuditEntry]:
    return database.trail.page(AuditFilter(), 1000)


def test_catching_up_goes_to_the_end_of_the_log_and_on_from_there(database: MemoryDatabase) -> None:
    award(database, "a", "b", "c", "d", "e")
    follow = follower(database)
    assert follow.behind() == 5
    assert follow.catch_up() == 5
    assert (follow.behind(), follow.catch_up()) == (0, 0)
    award(database, "f")
    assert follow.behind() == 1
    assert follow.catch_up() == 1
    assert [entry.position for entry in trail(database)] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("most", [1, 2, 3, 4])
def test_catching_up_stops_after_so_many_events(database: MemoryDatabase, most: int) -> None:
    award(database, "a", "b", "c", "d", "e")
    assert follower(database).catch_up(most) == most
    assert follower(database).behind() == 5 - most


def test_what_an_aggregate_is_about_is_filled_in_from_its_first_event(
    database: MemoryDatabase,
) -> None:
    events = database.events
    events.append(then(CONFIGURATION, 0, a_configuration()), by())
    events.append(then(RUN, 0, a_run()), by())
    award(database, "a")
    events.append(then(UUID(int=9), 0, a_type()), by())
    follower(database).catch_up()
    # By another follower, which has seen none of it.
    events.append(then(id_of(an_award("a")), 1, an_issue()), by())
    events.append(then(RUN, 1, RunCompleted(counts=RunCounts())), by())
    events.append(then(CONFIGURATION, 1, ConfigurationRetired(reason="over")), by())
    events.append(then(UUID(int=78), 0, a_run("manual:2")), by())
    follower(database).catch_up()
    about = {
        entry.position: (entry.configuration_id, entry.context_key, entry.learner_ids)
        for entry in trail(database)
    }
    configured = (CONFIGURATION, COURSE, ())
    awarded = (CONFIGURATION, COURSE, ("a",))
    assert about == {
        1: configured,
        2: configured,
        3: awarded,
        4: (None, None, ()),
        5: awarded,
        6: configured,
        7: configured,
        8: configured,
    }


def test_a_run_for_one_learner_is_about_them_throughout(database: MemoryDatabase) -> None:
    started = a_run().model_copy(update={"learner_id": "a"})
    refusals = (Refusal(learner_id=LearnerId("b"), reason="no-name", detail="none"),)
    database.events.append(then(RUN, 0, started, LearnersRefused(refusals=refusals)), by())
    database.events.append(then(RUN, 2, RunCompleted(counts=RunCounts())), by())
    follower(database).catch_up()
    assert [entry.learner_ids for entry in trail(database)] == [("a",), ("b", "a"), ("a",)]


class Overtaken:
    """A log during whose reading another follower goes on, as often as the test states."""

    def __init__(self, database: MemoryDatabase, times: int) -> None:
        self._log = database.log
        self._other = follower(database)
        self._times = times

    def outlines(self, after_position: int, limit: int) -> Sequence[Outline]:
        """Read, and let the other follower write one event meanwhile."""
        outlines = self._log.outlines(after_position, limit)
        if self._times:
            self._times -= 1
            self._other.catch_up(1)
        return outlines

    def last_position(self) -> int:
        """Return the last position."""
        return self._log.last_position()


def test_several_followers_write_each_event_once(database: MemoryDatabase) -> None:
    award(database, "a", "b", "c", "d", "e", "f", "g")
    overtaken = Following(Overtaken(database, 3), database.audit_rows)  # type: ignore[arg-type]
    assert overtaken.catch_up() == 4
    assert [entry.position for entry in trail(database)] == [1, 2, 3, 4, 5, 6, 7]
    assert database.trail.count(AuditFilter(learner_id=LearnerId("a"))) == 1


def test_a_rebuild_makes_the_same_trail(database: MemoryDatabase) -> None:
    award(database, "a", "b", "c")
    follow = follower(database)
    follow.catch_up()
    before = trail(database)
    assert follow.rebuild() == 3
    assert trail(database) == before
    assert follow.status().projection.rebuilt_to is None


class Interrupted:
    """A log that cannot be read any more from a position on."""

    def __init__(self, database: MemoryDatabase, readable_to: int) -> None:
        self._log = database.log
        self._readable_to = readable_to

    def outlines(self, after_position: int, limit: int) -> Sequence[Outline]:
        """Read, up to that position."""
        if after_position >= self._readable_to:
            raise EventStoreError("the disk went away")
        return self._log.outlines(after_position, limit)

    def last_position(self) -> int:
        """Return the last position."""
        return self._log.last_position()


def test_a_rebuild_that_was_interrupted_leaves_the_old_trail_and_can_be_begun_anew(
    database: MemoryDatabase,
) -> None:
    award(database, "a", "b", "c", "d", "e")
    follow = follower(database)
    follow.catch_up()
    before = trail(database)
    interrupted = Following(Interrupted(database, 4), database.audit_rows)  # type: ignore[arg-type]
    with pytest.raises(EventStoreError, match="went away"):
        interrupted.rebuild()
    assert trail(database) == before
    assert follow.status().projection.rebuilt_to == 4
    award(database, "f")
    assert follow.catch_up() == 1
    assert follow.rebuild() == 6
    assert len(trail(database)) == 6


def test_a_rebuild_takes_in_what_happens_meanwhile(database: MemoryDatabase) -> None:
    award(database, "a", "b", "c", "d", "e")
    follower(database).catch_up(2)
    overtaken = Following(Overtaken(database, 9), database.audit_rows)  # type: ignore[arg-type]
    assert overtaken.rebuild() == 5
    assert [entry.position for entry in trail(database)] == [1, 2, 3, 4, 5]


class Watch:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.expected = 0
        self.done = 0

    def expect(self, step: Step, total: int) -> None:
        """Keep how much there is to do."""
        assert step is Step.FOLLOW
        self.expected = total

    def advance(self, step: Step, by: int) -> None:
        """Keep how much is done."""
        self.done += by


def test_progress_is_told(database: MemoryDatabase) -> None:
    award(database, "a", "b", "c", "d", "e")
    watch = Watch()
    follower(database).rebuild(watch)
    assert (watch.expected, watch.done) == (5, 5)
