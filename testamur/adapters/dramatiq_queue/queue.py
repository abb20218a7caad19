"""The queue: tasks go to a Redis or Valkey server, and whichever worker is free does them."""

import hashlib
import json
from typing import Final

import redis
from dramatiq import Broker, Message

from testamur.adapters.current_work import current_work
from testamur.adapters.dramatiq_queue.broker import redis_broker
from testamur.adapters.dramatiq_queue.failures import as_queue_errors
from testamur.adapters.dramatiq_queue.messages import (
    ADDRESSES,
    CORRELATION_ID,
    QUEUES,
    arguments_of,
)
from testamur.application.ports.tasks import IssueBatch, NotifyBatch, Task
from testamur.domain.identifiers import RunId

#: A task that waits is not sent again for so long. By then it may have been lost: a worker whose
#: connection breaks while it fetches messages keeps them from others as long as it lives.
WAITS_AT_MOST_MILLISECONDS: Final = 5 * 60_000

#: How long it is kept how many learners a run has looked at.
COUNTED_MILLISECONDS: Final = 24 * 3_600_000


class DramatiqQueue:
    """Sends each task as a message; it returns before the task is done.

    Each tick asks anew for what is not done, and would fill the queue while workers are behind. So
    a run, or a search for what is left, is not sent again while it waits. Batches always are: they
    come of such a search.

    Args:
        client: Of the server; it is closed with the queue.
        namespace: What the names of all keys begin with.
    """

    def __init__(self, client: "redis.Redis", namespace: str) -> None:
        self._client = client
        self._namespace = namespace
        self._broker: Broker = redis_broker(client, namespace)

    def send(self, task: Task) -> None:
        """Hand a task over, unless it waits already and is no batch.

        Raises:
            QueueError: The server cannot be reached, or refuses. The task may have been taken.
        """
        with as_queue_errors():
            if isinstance(task, IssueBatch | NotifyBatch):
                self._broker.enqueue(_message_of(task))
                return
            mark = self._mark(task)
            if self._client.set(mark, b"", nx=True, px=WAITS_AT_MOST_MILLISECONDS):
                try:
                    self._broker.enqueue(_message_of(task))
                except BaseException:
                    self._client.delete(mark)
                    raise

    def begun(self, task: Task) -> None:
        """Take note that a task is being done: sent now, it is to be done again.

        Raises:
            QueueError: The server cannot be reached, or refuses.
        """
        with as_queue_errors():
            self._client.delete(self._mark(task))

    def note_evaluated(self, run_id: RunId, count: int) -> None:
        """Keep how many learners a run has looked at, for whoever watches it.

        Raises:
            QueueError: The server cannot be reached, or refuses.
        """
        with as_queue_errors():
            self._client.set(self._count_of(run_id), count, px=COUNTED_MILLISECONDS)

    def evaluated(self, run_id: RunId) -> int | None:
        """Return how many learners a run has looked at; None where nobody counted lately.

        Raises:
            QueueError: The server cannot be reached, or refuses.
        """
        with as_queue_errors():
            count = self._client.get(self._count_of(run_id))
        return None if count is None else int(count)

    def waiting(self) -> dict[str, int]:
        """Return how many messages each queue has, with those that are being worked on.

        Raises:
            QueueError: The server cannot be reached, or refuses.
        """
        with as_queue_errors():
            return {
                queue: sum(
                    int(self._client.hlen(f"{self._namespace}:{name}.msgs"))
                    for name in (queue, f"{queue}.DQ")
                )
                for queue in QUEUES
            }

    def check(self) -> str:
        """Return what the server says of itself.

        Raises:
            QueueError: It cannot be reached, or refuses.
        """
        with as_queue_errors():
            found = self._client.info()
        software = "Valkey" if found.get("server_name") == "valkey" else "Redis"
        version = found.get("valkey_version") or found.get("redis_version")
        return f"{software} {version}"

    def is_lasting(self) -> bool:
        """Tell whether the server keeps what is queued in an append-only file.

        Raises:
            QueueError: It cannot be reached, or refuses.
        """
        with as_queue_errors():
            return bool(self._client.info("persistence").get("aof_enabled"))

    def close(self) -> None:
        """Let go of the connections. Closing again is harmless."""
        self._client.close()

    def _count_of(self, run_id: RunId) -> str:
        return f"{self._namespace}:evaluated:{run_id}"

    def _mark(self, task: Task) -> str:
        told = json.dumps([ADDRESSES[type(task)].actor, arguments_of(task)])
        digest = hashlib.sha256(told.encode()).hexdigest()[:32]
        return f"{self._namespace}:waiting:{digest}"


def _message_of(task: Task) -> Message[None]:
    actor, queue = ADDRESSES[type(task)]
    arguments = arguments_of(task)
    # What follows on a task belongs to the same run; a task that names its run, to that one.
    work = current_work()
    run_id = arguments.get("run_id")
    belongs_to = run_id or (work.correlation_id if work else None)
    return Message(
        queue_name=queue,
        actor_name=actor,
        args=(),
        kwargs=arguments,
        options={CORRELATION_ID: belongs_to} if belongs_to else {},
    )
