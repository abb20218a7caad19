"""The inline queue does tasks in order, without recursion, and says what it left undone."""

import threading
from collections.abc import Callable
from uuid import UUID

import pytest

from testamur.adapters.inline_queue import InlineQueue
from testamur.application.ports.tasks import AwardRun, IssueAwarded, NotifyIssued, Task, TaskQueue
from testamur.domain.identifiers import RunId

RUN = RunId(UUID(int=1))


class Handler:
    """Does tasks by writing them down, and sends what follows from each."""

    def __init__(self) -> None:
        self.done: list[Task] = []
        self.follow: Callable[[Task], None] = lambda task: None

    def __call__(self, task: Task) -> None:
        self.follow(task)
        self.done.append(task)


def test_a_task_is_done_when_send_returns() -> None:
    handler = Handler()
    queue: TaskQueue = InlineQueue(handler)

    queue.send(AwardRun(RUN))

    assert handler.done == [AwardRun(RUN)]


def test_tasks_sent_by_a_task_are_done_after_it_in_the_order_they_were_sent() -> None:
    handler = Handler()
    queue = InlineQueue(handler)

    def follow(task: Task) -> None:
        if isinstance(task, AwardRun):
            queue.send(IssueAwarded(RUN))
            queue.send(IssueAwarded())
        elif isinstance(task, IssueAwarded):
            queue.send(NotifyIssued(task.run_id))

    handler.follow = follow

    queue.send(AwardRun(RUN))

    assert handler.done == [
        AwardRun(RUN),
        IssueAwarded(RUN),
        IssueAwarded(),
        NotifyIssued(RUN),
        NotifyIssued(),
    ]


def test_a_chain_of_tasks_far_deeper_than_the_stack_is_done() -> None:
    handler = Handler()
    queue = InlineQueue(handler)
    chain = 5000

    def follow(task: Task) -> None:
        assert isinstance(task, AwardRun)
        if task.run_id.int < chain:
            queue.send(AwardRun(RunId(UUID(int=task.run_id.int + 1))))

    handler.follow = follow

    queue.send(AwardRun(RUN))

    assert len(handler.done) == chain


def test_a_failing_task_reaches_the_sender_and_names_the_tasks_left_to_the_tick() -> None:
    handler = Handler()
    queue = InlineQueue(handler)

    def follow(task: Task) -> None:
        if isinstance(task, AwardRun):
            queue.send(IssueAwarded(RUN))
            queue.send(NotifyIssued(RUN))
            raise LookupError("no such run")

    handler.follow = follow

    with pytest.raises(LookupError, match="no such run") as raised:
        queue.send(AwardRun(RUN))

    assert handler.done == []
    assert raised.value.__notes__ == [
        f"not done because of this, left to the next tick: {IssueAwarded(RUN)}",
        f"not done because of this, left to the next tick: {NotifyIssued(RUN)}",
    ]


def test_after_a_failure_the_queue_takes_tasks_as_before() -> None:
    handler = Handler()
    queue = InlineQueue(handler)

    def follow(task: Task) -> None:
        if isinstance(task, AwardRun):
            queue.send(IssueAwarded(RUN))
            raise LookupError("no such run")

    handler.follow = follow
    with pytest.raises(LookupError):
        queue.send(AwardRun(RUN))

    queue.send(NotifyIssued())

    assert handler.done == [NotifyIssued()]


def test_threads_do_not_do_each_others_tasks() -> None:
    handler = Handler()
    queue = InlineQueue(handler)
    first_is_busy, second_is_done = threading.Event(), threading.Event()
    done_by: dict[Task, int] = {}

    def follow(task: Task) -> None:
        done_by[task] = threading.get_ident()
        if isinstance(task, AwardRun):
            first_is_busy.set()
            assert second_is_done.wait(10)

    handler.follow = follow
    first = threading.Thread(target=queue.send, args=(AwardRun(RUN),))
    first.start()
    assert first_is_busy.wait(10)

    queue.send(IssueAwarded())

    assert done_by[IssueAwarded()] == threading.get_ident()
    assert handler.done == [IssueAwarded()]
    second_is_done.set()
    first.join(10)
    assert handler.done == [IssueAwarded(), AwardRun(RUN)]
