"""A worker process: one installation, opened when the first task needs it, used by all threads."""

import logging
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from dramatiq import Middleware, Retry
from dramatiq.broker import Broker, MessageProxy

from testamur.adapters.dramatiq_queue.messages import ADDRESSES, arguments_of, subject_of
from testamur.application.divided_work import DividedWork
from testamur.application.errors import AlreadyRunning, QueueError
from testamur.application.following import Following
from testamur.application.ports.tasks import AwardRun, Task
from testamur.application.progress import Progress, Step, Unwatched
from testamur.application.ticking import Ticking
from testamur.application.transparency.sealing import Sealing
from testamur.application.work import Done
from testamur.domain.identifiers import RunId
from testamur.domain.runs import RunCounts
from testamur.entrypoints.container import Wiring
from testamur.entrypoints.settings import Settings

if TYPE_CHECKING:
    from dramatiq.worker import Worker

    from testamur.adapters.dramatiq_queue import DramatiqQueue

#: A batch that found its share taken is tried again after so long.
SHARE_TAKEN_MILLISECONDS: Final = 15_000

#: Events by which the audit trail is brought on at a time.
MOST_FOLLOWED: Final = 200_000

_logger: Final = logging.getLogger("testamur.worker")


class HandedBack(BaseException):
    """The process is to stop, and a run on its way goes back to the queue.

    It is no `Exception`, as nothing went wrong: it is not recorded as a failure of the run.
    """


class UntilStopped:
    """Progress of a run: it is counted, and ends between two pages where the process is to stop.

    Args:
        stopping: Is set when it is.
        queue: Keeps the count.
        run_id: The run.
    """

    def __init__(self, stopping: threading.Event, queue: "DramatiqQueue", run_id: RunId) -> None:
        self._stopping = stopping
        self._queue = queue
        self._run_id = run_id
        self._evaluated = 0

    def expect(self, step: Step, total: int) -> None:
        """Do nothing."""

    def advance(self, step: Step, by: int) -> None:
        """Go on, or not.

        Raises:
            HandedBack: The process is to stop.
        """
        if step is Step.EVALUATE:
            self._evaluated += by
            try:
                self._queue.note_evaluated(self._run_id, self._evaluated)
            except QueueError as error:
                # It is for people to look at; the run need not stop for it.
                _logger.warning("task=run_configuration run=%s %s", self._run_id, error)
        if self._stopping.is_set():
            raise HandedBack


class WorkerProcess(Middleware):
    """Does tasks, ticks and follows the log; tells of it, and closes what it opened.

    Args:
        settings: Of the installation.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stopping = threading.Event()
        self._opening = threading.Lock()
        self._wiring: Wiring | None = None

    def do(self, task: Task) -> None:
        """Do a task.

        Raises:
            Retry: Another worker is at credentials of the same share.
            TestamurError: It failed.
        """
        wiring = self._opened()
        queue = wiring.workers
        if queue is None:
            raise AssertionError("a worker without a queue")
        queue.begun(task)
        name = ADDRESSES[type(task)].actor
        subject = subject_of(arguments_of(task))
        is_run = isinstance(task, AwardRun)
        progress: Progress = Unwatched()
        if isinstance(task, AwardRun):
            progress = UntilStopped(self._stopping, queue, task.run_id)
        began = time.monotonic()
        try:
            done = wiring.resolve(DividedWork).do(task, queue, progress)
        except HandedBack:
            queue.send(task)
            _logger.info("task=%s outcome=handed-back %s", name, subject)
        except AlreadyRunning as error:
            if not is_run:
                raise Retry(str(error), delay=SHARE_TAKEN_MILLISECONDS) from error
            # Whoever carries it out may end without a word; then a tick finds it again.
            _logger.info("task=%s outcome=left-to-another %s", name, subject)
        else:
            seconds = time.monotonic() - began
            _logger.info("task=%s outcome=done seconds=%.3f %s %s", name, seconds,
                         _told(done), subject)  # fmt: skip

    def tick(self) -> None:
        """Find what is due, and hand it over.

        Raises:
            TestamurError: The register cannot be read.
        """
        wiring = self._opened()
        queue = wiring.workers
        if queue is None:
            raise AssertionError("a worker without a queue")
        try:
            report = wiring.resolve(Ticking).tick(queue)
        except AlreadyRunning:
            _logger.info("task=tick outcome=left-to-another")
            return
        for problem in report.problems:
            _logger.error("task=tick subject=%r problem=%s: %s", problem.subject,
                          type(problem.error).__name__, problem.error)  # fmt: skip
        _logger.info(
            "task=tick outcome=done started=%d resumed=%d disabled=%d erased=%d problems=%d",
            len(report.started),
            len(report.resumed),
            len(report.disabled),
            len(report.erased),
            len(report.problems),
        )

    def follow(self) -> None:
        """Seal what the log has gained, and bring the audit trail on.

        Raises:
            TestamurError: The log cannot be read, or what follows it not be written.
        """
        wiring = self._opened()
        wiring.resolve(Sealing).seal()
        written = wiring.resolve(Following).catch_up(MOST_FOLLOWED)
        if written:
            _logger.info("task=follow_log outcome=done events=%d", written)

    # What Dramatiq tells

    def after_nack(self, broker: Broker, message: MessageProxy) -> None:
        """Tell which work was given up."""
        _logger.error(
            "task=%s outcome=given-up attempts=%s message=%s %s",
            message.actor_name,
            message.options.get("retries", 0),
            message.message_id,
            subject_of(message.kwargs, in_full=True),
        )

    def before_worker_shutdown(self, broker: Broker, worker: "Worker") -> None:
        """Let runs on their way go back to the queue; batches are soon done."""
        self._stopping.set()

    def after_worker_shutdown(self, broker: Broker, worker: "Worker") -> None:
        """Close the installation."""
        with self._opening:
            wiring, self._wiring = self._wiring, None
        if wiring is not None:
            wiring.close()

    def _opened(self) -> Wiring:
        with self._opening:
            if self._wiring is None:
                self._wiring = Wiring.of(self._settings)
            return self._wiring


def _told(done: Done) -> str:
    counts: dict[str, Any]
    if isinstance(done, RunCounts):
        counts = {"evaluated": done.evaluated, "awarded": done.awarded, "refused": done.refused}
    else:
        counts = {
            name: getattr(done, name)
            for name in ("issued", "sent", "skipped", "failed")
            if hasattr(done, name)
        }
    return " ".join(f"{name}={count}" for name, count in counts.items())
