"""The work that is being done right now: what log lines and messages of it belong to.

It goes with the thread, or task, that does the work, and with the threads that help it.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar, Token, copy_context
from dataclasses import dataclass
from functools import partial
from typing import Final, ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class CurrentWork:
    """A piece of work that is being done.

    Args:
        task: Its name, such as ``issue_batch``.
        correlation_id: What it belongs to: the run, as its events say too; else the tick, or the
            message.
        message_id: Of the message that asked for it.
        run_id: The run that it is limited to, if any.
        share: The share of the learners that it is limited to, if any.
        credentials: How many credentials it is about, where it names them.
    """

    task: str
    correlation_id: str
    message_id: str | None = None
    run_id: str | None = None
    share: int | None = None
    credentials: int | None = None


_current: Final[ContextVar[CurrentWork | None]] = ContextVar("testamur_current_work", default=None)


def current_work() -> CurrentWork | None:
    """Return what is being done here, if anything is."""
    return _current.get()


def begin(work: CurrentWork | None) -> Token[CurrentWork | None]:
    """Say what is being done here from now on; None: nothing."""
    return _current.set(work)


class HelpingThreads(ThreadPoolExecutor):
    """Threads that help with the work of whoever gives them something to do."""

    def submit(
        self,
        function: Callable[Parameters, Result],
        /,
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Future[Result]:
        """Have a thread call a function, as a part of the work that is being done here."""
        return super().submit(partial(copy_context().run, function, *args, **kwargs))
