"""A worker process: one installation, opened when the first task needs it, used by all threads."""

import logging
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from dramatiq import Middleware, Retry
from dramatiq.broker import Broker, MessageProxy

from testamur.adapters.dramatiq_queue import redis_client
from testamur.adapters.dramatiq_queue.figures import QueueStatus
from testamur.adapters.dramatiq_queue.messages import ADDRESSES, arguments_of, subject_of
from testamur.adapters.metrics.catalogue import TICK_PROBLEMS
from testamur.adapters.metrics.measured import measured
from testamur.application.divided_work import DividedWork
from testamur.application.errors import AlreadyRunning, QueueError
from testamur.application.following import Following
from testamur.application.ports.tasks import AwardRun, Reconcile, Task
from testamur.application.progress import Progress, Step, Unwatched
from testamur.application.ticking import Ticking
from testamur.application.transparency.sealing import Sealing
from testamur.application.work import Done
from testamur.domain.identifiers import RunId
from testamur.domain.run_results import RunCounts
from testamur.entrypoints.collecting import spare_what_is_loaded
from testamur.entrypoints.container import Wiring
from testamur.entrypoints.log_lines import tell
from testamur.entrypoints.observing import Observing
from testamur.entrypoints.setting_values import RedisUrl
from testamur.entrypoints.settings import Settings

if TYPE_CHECKING:
    from dramatiq.worker import Worker

    from testamur.adapters.dramatiq_queue import DramatiqQueue

#: A batch that found its share taken is tried again after so long.
SHARE_TAKEN_MILLISECONDS: Final = 15_000

#: Events by which the audit trail is brought on at a time.
MOST_FOLLOWED: Final = 200_000

#: A run that has gone on for so long hands itself back between two pages, an hour before Dramatiq
#: would interrupt it between any two lines. Those whom it awarded are not gone over again.
LONGEST_RUN_SECONDS: Final = 11 * 3600.0

_logger: Final = logging.getLogger("testamur.worker")


class HandedBack(BaseException):
    """The process is to stop, or a run takes too long: it goes back to the queue.

    It is no `Exception`, as nothing went wrong: it is not recorded as a failure of the run.
    """


class UntilStopped:
    """Progress of a run: it is counted, and ends between two pages where it is to stop or is long.

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
        self._until = time.monotonic() + LONGEST_RUN_SECONDS

    def expect(self, step: Step, total: int) -> None:
        """Do nothing."""

    def advance(self, step: Step, by: int) -> None:
        """Go on, or not.

        Raises:
            HandedBack: The process is to stop, or the run has gone on for too long.
        """
        if step is Step.EVALUATE:
            self._evaluated += by
            try:
                self._queue.note_evaluated(self._run_id, self._evaluated)
            except QueueError as error:
                # It is for people to look at; the run need not stop for it.
                tell(_logger, logging.WARNING, task="run_configuration", run=self._run_id,
                     problem=error.for_the_record())  # fmt: skip
        if self._stopping.is_set() or time.monotonic() > self._until:
            raise HandedBack


class WorkerProcess(Middleware):
    """Does tasks, ticks and follows the log; tells of it, and closes what it opened.

    Args:
        settings: Of the installation.
        observing: Says what is measured.
    """

    def __init__(self, settings: Settings, observing: Observing | None = None) -> None:
        self._settings = settings
        self._observing = observing or Observing(settings)
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
        is_run = isinstance(task, AwardRun | Reconcile)
        progress: Progress = Unwatched()
        if isinstance(task, AwardRun):
            progress = UntilStopped(self._stopping, queue, task.run_id)
        began = time.monotonic()
        try:
            done = wiring.resolve(DividedWork).do(task, queue, progress)
        except HandedBack:
            queue.send(task)
            tell(_logger, logging.INFO, task=name, outcome="handed-back", **subject)
        except AlreadyRunning as error:
            if not is_run:
                raise Retry(str(error), delay=SHARE_TAKEN_MILLISECONDS) from error
            # Whoever carries it out may end without a word; then a tick finds it again.
            tell(_logger, logging.INFO, task=name, outcome="left-to-another", **subject)
        else:
            seconds = time.monotonic() - began
            tell(_logger, logging.INFO, task=name, outcome="done", seconds=round(seconds, 3),
                 **_counts(done), **subject)  # fmt: skip

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
            tell(_logger, logging.INFO, task="tick", outcome="left-to-another")
            return
        self._note_tick(len(report.problems))
        for problem in report.problems:
            tell(_logger, logging.ERROR, task="tick", subject=problem.subject,
                 error=type(problem.error).__name__,
                 problem=problem.error.for_the_record())  # fmt: skip
        tell(
            _logger,
            logging.INFO,
            task="tick",
            outcome="done",
            started=len(report.started),
            resumed=len(report.resumed),
            disabled=len(report.disabled),
            erased=len(report.erased),
            problems=len(report.problems),
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
            tell(_logger, logging.INFO, task="follow_log", outcome="done", events=written)

    # What Dramatiq tells

    def after_nack(self, broker: Broker, message: MessageProxy) -> None:
        """Tell which work was given up."""
        tell(
            _logger,
            logging.ERROR,
            task=message.actor_name,
            outcome="given-up",
            attempts=message.options.get("retries", 0),
            message=message.message_id,
            **subject_of(message.kwargs, in_full=True),
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
                measures = self._observing.measures
                in_front = None if measures is None else partial(measured, measures=measures)
                self._wiring = Wiring.of(self._settings, in_front=in_front)
                spare_what_is_loaded()
            return self._wiring

    def _note_tick(self, problems: int) -> None:
        """Keep that there was one, for those who look after the installation."""
        if self._observing.measures is not None:
            self._observing.measures.count(TICK_PROBLEMS, problems)
        if not isinstance(self._settings.queue, RedisUrl):
            raise AssertionError("a worker without a queue")
        client = redis_client(self._settings.queue.reveal())
        try:
            with closing(QueueStatus(client, self._settings.queue_namespace)) as status:
                status.note_tick(datetime.now(UTC))
        except QueueError as error:
            # It is for people to look at; what the tick found is on its way.
            tell(_logger, logging.WARNING, task="tick", problem=error.for_the_record())


def _counts(done: Done) -> dict[str, int]:
    if isinstance(done, RunCounts):
        return {"evaluated": done.evaluated, "awarded": done.awarded, "refused": done.refused}
    return {
        name: getattr(done, name)
        for name in ("issued", "sent", "skipped", "failed", "compared", "proposed", "withdrawn")
        if hasattr(done, name)
    }
