"""Runs that take long: a time limit ends the attempt and not the run; nobody is awarded twice."""

import threading
from collections.abc import Iterator, Sequence
from typing import cast

import pytest
from dramatiq.middleware import TimeLimitExceeded

from testamur.adapters.dramatiq_queue import DramatiqQueue
from testamur.application.ports.retrieval import Needs
from testamur.application.progress import Unwatched
from testamur.domain.contexts import LearningContextKey
from testamur.domain.identifiers import LearnerId, RunId
from testamur.domain.learning import LearnerRecord
from testamur.entrypoints import worker_process
from testamur.entrypoints.worker_process import HandedBack, UntilStopped
from tests.support.world import World

LEARNERS = 6


class Uncounted:
    """Keeps no counts."""

    def note_evaluated(self, run_id: RunId, count: int) -> None:
        """Do nothing."""


def started(world: World) -> RunId:
    """Start a run over some learners, of whom a page has two."""
    for number in range(LEARNERS):
        world.enrol(f"learner-{number}")
    return world.runs.start(world.configure(), world.request())


def assert_goes_on(world: World, run_id: RunId) -> None:
    (run,) = world.register.runs(open_only=True)
    assert (run.failures, sum(world.tally().by_status.values())) == (0, world.source.page_size)
    report = world.tick()
    assert report.resumed == [run_id]
    counts = world.runs.get(run_id).counts
    assert counts is not None
    assert (counts.evaluated, counts.awarded) == (LEARNERS, LEARNERS)


def test_a_run_that_takes_too_long_is_handed_back_between_pages_and_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    run_id = started(world)
    monkeypatch.setattr(worker_process, "LONGEST_RUN_SECONDS", 0.0)
    progress = UntilStopped(threading.Event(), cast(DramatiqQueue, Uncounted()), run_id)

    with pytest.raises(HandedBack):
        world.runs.carry_out(run_id, progress)

    assert_goes_on(world, run_id)


def test_a_run_that_is_interrupted_at_its_limit_has_not_failed_and_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    run_id = started(world)
    records = world.source.records

    def until_the_limit(
        context: LearningContextKey, needs: Needs, learner_id: LearnerId | None = None
    ) -> Iterator[Sequence[LearnerRecord]]:
        yield next(records(context, needs, learner_id))
        raise TimeLimitExceeded

    with monkeypatch.context() as limited:
        limited.setattr(world.source, "records", until_the_limit)
        with pytest.raises(TimeLimitExceeded):
            world.runs.carry_out(run_id, Unwatched())

    assert_goes_on(world, run_id)
