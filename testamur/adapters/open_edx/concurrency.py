"""Several things at the same time: lists read side by side, and many small requests."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, CancelledError, Future, wait
from threading import Event
from typing import Final, Protocol, TypeVar

from testamur.adapters.current_work import HelpingThreads
from testamur.adapters.open_edx.errors import LmsError

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Requests that wait for their turn while others are under way, for each one under way.
_WAITING: Final = 2


class Stopped(Exception):
    """The work of one thread was given up, since that of another failed."""


class Stop:
    """Tells threads that work side by side to give up."""

    def __init__(self) -> None:
        self._event = Event()

    def set(self) -> None:
        """Have them give up."""
        self._event.set()

    def check(self) -> None:
        """Go on, or not.

        Raises:
            Stopped: Another thread failed.
        """
        if self._event.is_set():
            raise Stopped


class Submitting(Protocol):
    """What runs single requests in threads of its own."""

    def submit(self, function: Callable[[Item], Result], item: Item, /) -> Future[Result]:
        """Run a function of one argument."""
        ...


def side_by_side(tasks: Sequence[Callable[[], Result]], stop: Stop, at_most: int) -> list[Result]:
    """Do tasks at the same time, each in a thread of its own, and return their results in order.

    The threads are not those that send requests, so that tasks can wait for requests.

    Args:
        tasks: What to do.
        stop: Is set when one of them fails; the others look at it now and then.
        at_most: The most at the same time, from 1.

    Raises:
        Exception: What the first task that failed raised, after all have ended.
    """
    if len(tasks) == 1:
        return [tasks[0]()]
    if not tasks:
        return []
    with HelpingThreads(min(at_most, len(tasks)), "open-edx-reading") as threads:
        futures = [threads.submit(task) for task in tasks]
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
        except BaseException:
            stop.set()
            raise
        if any(future.exception() for future in done):
            stop.set()
            for future in futures:
                future.cancel()
    failures = [
        error
        for future in futures
        if not future.cancelled() and (error := future.exception()) is not None
    ]
    for failure in failures:
        if not isinstance(failure, Stopped):
            raise failure
    return [future.result() for future in futures]


def each(
    threads: Submitting, ask: Callable[[Item], Result], items: Iterable[Item], at_once: int
) -> Iterator[tuple[Item, Result]]:
    """Ask for each item, several at the same time, and yield the answers in order.

    Args:
        threads: What runs the requests.
        ask: Sends a request.
        items: What to ask for; read as answers come.
        at_once: How many are under way at the same time.

    Raises:
        LmsError: The connection was closed meanwhile.
        Exception: What asking for one of them raised.
    """
    waiting: deque[tuple[Item, Future[Result]]] = deque()
    try:
        for item in items:
            waiting.append((item, threads.submit(ask, item)))
            if len(waiting) >= _WAITING * at_once:
                yield _first(waiting)
        while waiting:
            yield _first(waiting)
    finally:
        for _, future in waiting:
            future.cancel()


def _first(waiting: deque[tuple[Item, Future[Result]]]) -> tuple[Item, Result]:
    item, future = waiting.popleft()
    try:
        return item, future.result()
    except CancelledError:
        raise LmsError("the data source was closed while it was asked") from None
