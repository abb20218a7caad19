"""A task queue for the embedded case: tasks are done at once, in the thread that sends them."""

import threading
from collections import deque
from collections.abc import Callable

from testamur.application.ports.tasks import Task


class InlineQueue:
    """Does each task before :meth:`send` returns.

    A task that is sent while another is being done waits for its end, first in, first out, so that
    a long chain of tasks needs no deep stack. Every thread has a queue of its own: two threads
    that send do not wait for each other.

    When a task fails, its exception goes to the caller of the outermost :meth:`send`, and the tasks
    that were waiting behind it are not done; a note on the exception names them. Nothing is lost by
    that: what they would have done is found, and done, by the next tick.

    Args:
        handle: Does one task.
    """

    def __init__(self, handle: Callable[[Task], None]) -> None:
        self._handle = handle
        self._of_thread = _Waiting()

    def send(self, task: Task) -> None:
        """Do a task now, or after the one that is being done in this thread."""
        waiting = self._of_thread.tasks
        waiting.append(task)
        if self._of_thread.busy:
            return
        self._of_thread.busy = True
        try:
            while waiting:
                self._handle(waiting.popleft())
        except BaseException as error:
            for left in waiting:
                error.add_note(f"not done because of this, left to the next tick: {left}")
            raise
        finally:
            waiting.clear()
            self._of_thread.busy = False


class _Waiting(threading.local):
    def __init__(self) -> None:
        self.tasks: deque[Task] = deque()
        self.busy = False
