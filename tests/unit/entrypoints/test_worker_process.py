"""A worker process: what it does where it is to stop, and what it tells of work given up."""

import threading
from typing import cast
from uuid import UUID

import pytest
from dramatiq import Message
from dramatiq.broker import Broker, MessageProxy

from testamur.adapters.dramatiq_queue import DramatiqQueue
from testamur.application.errors import QueueError
from testamur.application.progress import Step
from testamur.domain.identifiers import RunId
from testamur.entrypoints.setting_values import RedisUrl
from testamur.entrypoints.settings import Settings
from testamur.entrypoints.worker_process import HandedBack, UntilStopped, WorkerProcess
from tests.support.world import World


class Counting:
    """Keeps the counts of runs, or cannot be reached."""

    def __init__(self, *, reachable: bool = True) -> None:
        self.counts: list[int] = []
        self._reachable = reachable

    def note_evaluated(self, run_id: RunId, count: int) -> None:
        """Keep a count."""
        if not self._reachable:
            raise QueueError("away")
        self.counts.append(count)


def progress_of(run_id: RunId, stopping: threading.Event, counting: Counting) -> UntilStopped:
    return UntilStopped(stopping, cast(DramatiqQueue, counting), run_id)


def test_a_run_ends_between_pages_where_the_process_is_to_stop_and_goes_on_later() -> None:
    world = World()
    for number in range(6):
        world.enrol(f"learner-{number}")
    run_id = world.runs.start(world.configure(), world.request())
    stopping = threading.Event()
    stopping.set()

    with pytest.raises(HandedBack):
        world.runs.carry_out(run_id, progress_of(run_id, stopping, Counting()))
    (run,) = world.register.runs(open_only=True)
    assert (run.failures, sum(world.tally().by_status.values())) == (0, world.source.page_size)

    counts = world.runs.carry_out(run_id, progress_of(run_id, threading.Event(), Counting()))
    assert (counts.evaluated, counts.awarded) == (6, 6)


def test_learners_are_counted_page_by_page() -> None:
    world = World()
    for number in range(5):
        world.enrol(f"learner-{number}")
    run_id = world.runs.start(world.configure(), world.request())
    counting = Counting()

    world.runs.carry_out(run_id, progress_of(run_id, threading.Event(), counting))

    assert counting.counts == [2, 4, 5]


def test_a_run_goes_on_where_its_count_cannot_be_kept(caplog: pytest.LogCaptureFixture) -> None:
    counting = Counting(reachable=False)
    run_id = RunId(UUID(int=1))

    progress_of(run_id, threading.Event(), counting).advance(Step.EVALUATE, 2)

    assert f"run={run_id} problem=away" in caplog.text


def test_work_that_is_given_up_names_its_credentials(caplog: pytest.LogCaptureFixture) -> None:
    ids = [str(UUID(int=number)) for number in (1, 2)]
    given_up = Message[None](
        queue_name="notify",
        actor_name="notify_batch",
        args=(),
        kwargs={"share": 4, "credential_ids": ids},
        options={"retries": 9},
    )
    process = WorkerProcess(Settings(queue=RedisUrl("redis://127.0.0.1:1/0")))

    process.after_nack(cast(Broker, None), MessageProxy(given_up))

    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert "task=notify_batch outcome=given-up attempts=9" in record.message
    assert f"credentials={','.join(ids)}" in record.message
