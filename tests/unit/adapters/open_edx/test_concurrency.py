"""Things done at the same time: in order, and all given up when one fails."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from testamur.adapters.open_edx.concurrency import (
    Item,
    Result,
    Stop,
    Stopped,
    each,
    side_by_side,
)
from testamur.adapters.open_edx.errors import LmsError


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(3) as threads:
        yield threads


def test_tasks_run_at_the_same_time_and_their_results_come_in_order() -> None:
    together = Barrier(2, timeout=10)

    def task(name: str) -> Callable[[], str]:
        def run() -> str:
            together.wait()
            return name

        return run

    assert side_by_side([task("a"), task("b")], Stop(), 2) == ["a", "b"]


def test_no_more_tasks_than_allowed_run_at_the_same_time() -> None:
    running: list[int] = []
    most: list[int] = []

    def run() -> None:
        running.append(1)
        most.append(len(running))
        running.pop()

    side_by_side([run] * 5, Stop(), 1)
    assert max(most) == 1


def test_when_a_task_fails_the_others_are_told_and_its_error_is_raised() -> None:
    stop, begun = Stop(), Event()

    def fails() -> None:
        begun.wait(10)
        raise ValueError("first")

    def goes_on() -> None:
        begun.set()
        while True:
            stop.check()

    with pytest.raises(ValueError, match="first"):
        side_by_side([goes_on, fails], stop, 2)


def test_a_task_that_was_stopped_from_outside_says_so() -> None:
    stop = Stop()
    stop.set()
    with pytest.raises(Stopped):
        side_by_side([stop.check, stop.check], stop, 2)


def test_answers_come_in_the_order_of_the_items(pool: ThreadPoolExecutor) -> None:
    asked = each(pool, lambda number: number * number, range(50), 3)
    assert list(asked) == [(number, number * number) for number in range(50)]


def test_items_are_read_as_answers_are_taken(pool: ThreadPoolExecutor) -> None:
    read: list[int] = []

    def items() -> Iterator[int]:
        for number in range(1000):
            read.append(number)
            yield number

    answers = each(pool, str, items(), 3)
    next(answers)
    assert len(read) < 10
    answers.close()  # type: ignore[attr-defined]


def test_an_error_of_an_answer_is_raised(pool: ThreadPoolExecutor) -> None:
    with pytest.raises(ZeroDivisionError):
        list(each(pool, lambda number: 1 // number, [1, 0], 3))


def test_what_was_cancelled_is_an_error_of_the_source() -> None:
    class Closed:
        def submit(self, function: Callable[[Item], Result], item: Item, /) -> Future[Result]:
            future: Future[Result] = Future()
            future.cancel()
            return future

    with pytest.raises(LmsError, match="closed"):
        list(each(Closed(), abs, [1], 3))
