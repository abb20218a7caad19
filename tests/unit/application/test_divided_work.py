"""Work divided among workers: everybody once, one share at a time, and erasures wait for it."""

from datetime import timedelta

import pytest

from testamur.adapters.inline_queue import InlineQueue
from testamur.application import issuing, notifying
from testamur.application.divided_work import DividedWork
from testamur.application.dividing import BATCH_SIZE, SHARES, divided, share_of, work_on_share
from testamur.application.errors import AlreadyRunning
from testamur.application.ports.register import CredentialFilter, CredentialRow
from testamur.application.ports.tasks import (
    AwardRun,
    IssueAwarded,
    IssueBatch,
    NotifyBatch,
    NotifyIssued,
    Task,
    TaskQueue,
)
from testamur.application.progress import Unwatched
from testamur.domain.credentials import CredentialStatus
from testamur.domain.identifiers import LearnerId, RunId
from tests.support.world import World


def queue_of(world: World, taken: list[Task] | None = None) -> TaskQueue:
    """Return a queue that divides the work, and does it inline.

    Args:
        world: The installation.
        taken: Gets each task when it is done.
    """
    work = DividedWork(world.work, world.register, world.database.deliveries, world.clock)

    def do(task: Task) -> None:
        if taken is not None:
            taken.append(task)
        work.do(task, queue, Unwatched())

    queue = InlineQueue(do)
    return queue


class KeptTasks:
    """A queue that nobody works on."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []

    def send(self, task: Task) -> None:
        """Keep a task."""
        self.tasks.append(task)


def awarded_and_divided(world: World) -> tuple[RunId, list[Task]]:
    """Carry out a run up to its batches, and return them."""
    run_id = world.runs.start(world.configure(), world.request())
    world.runs.carry_out(run_id, Unwatched())
    kept = KeptTasks()
    DividedWork(world.work, world.register, world.database.deliveries, world.clock).do(
        IssueAwarded(run_id), kept, Unwatched()
    )
    return run_id, kept.tasks


def test_everybody_is_issued_and_told_once() -> None:
    world = World()
    for number in range(40):
        world.enrol(f"learner-{number}")

    run_id = world.runs.start(world.configure(), world.request())
    queue_of(world).send(AwardRun(run_id))

    assert world.tally().by_status == {CredentialStatus.ISSUED: 40}
    assert world.tally().notifications == {"sent": 40}
    assert len({each.message_id for each in world.notifier.sent}) == len(world.notifier.sent) == 40


def test_a_batch_holds_learners_of_one_share_only() -> None:
    world = World()
    for number in range(60):
        world.enrol(f"learner-{number}")

    _, batches = awarded_and_divided(world)

    share_of_credential = {
        row.credential_id: share_of(row.learner_id)
        for row in world.register.credentials(CredentialFilter(), 100)
    }
    assert len(share_of_credential) == 60
    shares = []
    for each in batches:
        assert isinstance(each, IssueBatch)
        shares.append(each.share)
        assert {share_of_credential.pop(id_) for id_ in each.credential_ids} == {each.share}
    assert not share_of_credential
    assert len(set(shares)) == len(shares) > 1


def test_no_batch_is_larger_than_it_may_be() -> None:
    world = World()
    world.enrol("a")
    awarded_and_divided(world)
    (row,) = world.register.credentials(CredentialFilter(), 1)
    rows: list[CredentialRow] = [row] * (2 * BATCH_SIZE + 1)

    sizes = [len(ids) for _, ids in divided(rows)]

    assert sizes == [BATCH_SIZE, BATCH_SIZE, 1]


def test_learners_spread_over_all_shares() -> None:
    assert {share_of(LearnerId(f"learner-{number}")) for number in range(500)} == set(range(SHARES))


def test_a_batch_that_is_done_again_changes_nothing() -> None:
    world = World()
    world.enrol("a")
    _, (batch,) = awarded_and_divided(world)
    queue = queue_of(world)

    queue.send(batch)
    queue.send(batch)

    (row,) = world.register.credentials(CredentialFilter(), 2)
    names = [type(each.event).__name__ for each in world.events.load(row.credential_id)]
    assert names == ["CredentialAwarded", "CredentialIssued", "NotificationSent"]
    assert len(world.notifier.sent) == 1


def test_a_batch_is_left_while_another_worker_is_at_its_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(issuing, "PATIENCE_OF_A_BATCH_SECONDS", 0)
    monkeypatch.setattr(notifying, "PATIENCE_OF_A_BATCH_SECONDS", 0)
    world = World()
    world.enrol("a")
    _, (batch,) = awarded_and_divided(world)
    assert isinstance(batch, IssueBatch)

    for work, task in (
        ("issue", batch),
        ("notify", NotifyBatch(batch.share, batch.credential_ids)),
    ):
        with (
            world.locks.hold(work_on_share(work, batch.share)),
            pytest.raises(AlreadyRunning, match=f"{work} share {batch.share} "),
        ):
            queue_of(world).send(task)
    assert world.tally().by_status == {CredentialStatus.AWARDED: 1}


def test_a_batch_of_another_share_need_not_wait() -> None:
    world = World()
    world.enrol("a")
    _, (batch,) = awarded_and_divided(world)
    assert isinstance(batch, IssueBatch)

    with world.locks.hold(work_on_share("issue", (batch.share + 1) % SHARES)):
        queue_of(world).send(batch)

    assert world.tally().by_status == {CredentialStatus.ISSUED: 1}


def test_what_failed_waits_for_its_time_in_batches_too() -> None:
    world = World()
    world.enrol("a")
    _, (batch,) = awarded_and_divided(world)
    world.storage.broken = True
    queue_of(world).send(batch)
    world.storage.broken = False

    queue_of(world).send(batch)
    assert world.tally().by_status == {CredentialStatus.AWARDED: 1}

    world.clock.advance(timedelta(days=1))
    queue_of(world).send(IssueAwarded())
    assert world.tally().by_status == {CredentialStatus.ISSUED: 1}


def test_what_a_crash_left_is_found_and_divided() -> None:
    world = World()
    for number in range(5):
        world.enrol(f"learner-{number}")
    run_id, batches = awarded_and_divided(world)
    kept = KeptTasks()
    for batch in batches:
        world.work.do(batch, kept, Unwatched())  # issued, and the tasks that follow are lost

    taken: list[Task] = []
    queue_of(world, taken).send(NotifyIssued(run_id))

    assert world.tally().notifications == {"sent": 5}
    assert {type(each) for each in taken} == {NotifyIssued, NotifyBatch}


def test_an_erasure_waits_for_batches_of_the_learners_share() -> None:
    world = World()
    world.enrol("a")
    world.run(world.configure())
    learner = LearnerId("a")
    world.erasing.ask(learner, "asked for it", world.request())

    for work in ("issue", "notify"):
        with (
            world.locks.hold(work_on_share(work, share_of(learner))),
            pytest.raises(AlreadyRunning, match=f"{work} share"),
        ):
            world.erasing.finish(learner, wait_seconds=0)
    world.erasing.finish(learner, wait_seconds=0)

    assert world.tally().by_status == {CredentialStatus.ERASED: 1}
