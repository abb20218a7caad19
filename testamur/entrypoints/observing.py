"""Watching tasks: which one is being done, how long it takes, and what became of it."""

import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal

from dramatiq import Broker, Middleware

from testamur.adapters.current_work import CurrentWork, begin
from testamur.adapters.dramatiq_queue.messages import CORRELATION_ID, QUEUED_AT
from testamur.adapters.metrics.catalogue import (
    TASK_RETRIES,
    TASK_SECONDS,
    TASKS_AT_ONCE,
    TASKS_GIVEN_UP,
)
from testamur.entrypoints.settings import Settings

if TYPE_CHECKING:
    from dramatiq import Message
    from dramatiq.broker import MessageProxy
    from dramatiq.worker import Worker

    from testamur.adapters.metrics.measures import Measures

_MILLISECONDS: Final = 1_000

Outcome = Literal["done", "retried", "given-up", "skipped"]


class Observing(Middleware):
    """Says what is being done for as long as it is, and counts and times it where that is wanted.

    It stands before all others: what they tell of a task belongs to it as well.

    Args:
        settings: Of the installation.
    """

    def __init__(self, settings: Settings) -> None:
        self._is_measuring = settings.metrics_port is not None
        self._began = threading.local()
        #: Made once the worker process is there: each process has its own.
        self.measures: Measures | None = None

    @property
    def forks(self) -> list[Callable[[], int]]:
        """What runs in a process beside the workers."""
        from testamur.entrypoints.exposition import serve

        return [serve] if self._is_measuring else []

    def after_process_boot(self, broker: Broker) -> None:
        """Begin to measure."""
        if not self._is_measuring:
            return
        from testamur.adapters.metrics.measures import Measures
        from testamur.adapters.metrics.shared_files import share_metrics

        share_metrics()
        from prometheus_client import CollectorRegistry

        self.measures = Measures(CollectorRegistry())

    def after_worker_shutdown(self, broker: Broker, worker: "Worker") -> None:
        """Take what this process does at once out of the sum."""
        if self.measures is not None:
            from prometheus_client.multiprocess import mark_process_dead

            mark_process_dead(os.getpid())  # type: ignore[no-untyped-call]

    def before_process_message(self, broker: Broker, message: "MessageProxy") -> None:
        """Say what is being done from now on."""
        begin(work_of(message))
        self._began.at = time.perf_counter()
        if self.measures is not None:
            self.measures.count(TASKS_AT_ONCE, 1, task=message.actor_name)

    def after_process_message(
        self,
        broker: Broker,
        message: "MessageProxy",
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        """Note how long it took, and what became of it."""
        if exception is None:
            self._ended(message, "done")
        else:
            self._ended(message, "given-up" if message.failed else "retried")

    def after_skip_message(self, broker: Broker, message: "MessageProxy") -> None:
        """Note that it was not done."""
        self._ended(message, "skipped")

    def after_ack(self, broker: Broker, message: "MessageProxy") -> None:
        """Nothing is being done here until the next message."""
        begin(None)

    def after_nack(self, broker: Broker, message: "MessageProxy") -> None:
        """Count what was given up."""
        if self.measures is not None:
            self.measures.count(TASKS_GIVEN_UP, task=message.actor_name)
        begin(None)

    def before_enqueue(self, broker: Broker, message: "Message[Any]", delay: int | None) -> None:
        """Note when a message comes into its queue, and keep what an error said out of it."""
        message.options[QUEUED_AT] = int(time.time() * _MILLISECONDS)
        # Dramatiq puts it there for people to read. An error may quote a learner's name.
        message.options.pop("traceback", None)

    def after_enqueue(self, broker: Broker, message: "Message[Any]", delay: int | None) -> None:
        """Count what is to be tried again."""
        if self.measures is not None and delay is not None and "retries" in message.options:
            self.measures.count(TASK_RETRIES, task=message.actor_name)

    def _ended(self, message: "MessageProxy", outcome: Outcome) -> None:
        if self.measures is not None:
            seconds = time.perf_counter() - self._began.at
            task = message.actor_name
            self.measures.time(TASK_SECONDS, seconds, task=task, outcome=outcome)
            self.measures.count(TASKS_AT_ONCE, -1, task=task)


def work_of(message: "MessageProxy") -> CurrentWork:
    """Return what a message is about. What belongs to nothing else belongs to the message."""
    arguments = message.kwargs
    run_id = arguments.get("run_id")
    credentials = arguments.get("credential_ids")
    return CurrentWork(
        task=message.actor_name,
        correlation_id=run_id or message.options.get(CORRELATION_ID) or message.message_id,
        message_id=message.message_id,
        run_id=run_id,
        share=arguments.get("share"),
        credentials=None if credentials is None else len(credentials),
    )
