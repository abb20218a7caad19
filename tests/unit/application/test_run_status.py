"""How far a run is: while it waits, when it has failed, and when all of it is done."""

import pytest

from testamur.application.errors import RetrievalError
from testamur.application.progress import Unwatched
from testamur.application.run_status import RunStatuses
from tests.support.world import World


def test_a_run_that_was_only_started_is_open() -> None:
    world = World()
    id_ = world.runs.start(world.configure(), world.request())

    status = RunStatuses(world.events, world.register).of(id_)

    assert (status.state, status.evaluated, status.awarded) == ("open", None, 0)
    assert not status.settled


def test_what_is_awarded_and_not_issued_is_left() -> None:
    world = World()
    for name in ("a", "b", "c"):
        world.enrol(name)
    world.enrol("late", completion="0.5")
    id_ = world.runs.start(world.configure(), world.request())
    world.runs.carry_out(id_, Unwatched())

    status = RunStatuses(world.events, world.register).of(id_)

    assert (status.state, status.evaluated) == ("completed", 4)
    assert (status.awarded, status.issued, status.failed, status.left) == (3, 0, 0, 3)
    assert not status.settled


def test_a_document_that_failed_is_not_waited_for() -> None:
    world = World()
    for name in ("a", "b"):
        world.enrol(name)
    configuration = world.configure()
    world.storage.broken = True

    status = RunStatuses(world.events, world.register).of(world.run(configuration))

    assert (status.awarded, status.issued, status.failed, status.left) == (2, 0, 2, 0)
    assert status.settled


def test_whoever_is_not_told_yet_is_waited_for() -> None:
    world = World()
    world.enrol("a")
    configuration = world.configure()
    world.notifier.unreachable = True

    status = RunStatuses(world.events, world.register).of(world.run(configuration))

    assert (status.issued, status.told, status.not_told_yet) == (1, 0, 1)
    assert not status.settled


def test_a_run_that_failed_says_why() -> None:
    world = World()
    world.enrol("a")
    world.source.fails_after_pages = 0
    id_ = world.runs.start(world.configure(), world.request())
    with pytest.raises(RetrievalError):
        world.runs.carry_out(id_, Unwatched())

    status = RunStatuses(world.events, world.register).of(id_)

    assert (status.state, status.error) == ("failed", "the LMS went away")
    assert status.settled
