"""Figures about the queues, asked of the server: how much waits, since when, and the last tick."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import redis
from dramatiq.common import dq_name, xq_name

from testamur.adapters.dramatiq_queue.failures import as_queue_errors
from testamur.adapters.dramatiq_queue.messages import QUEUED_AT, QUEUES

_MILLISECONDS: Final = 1_000


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """What is in one queue, in messages.

    Args:
        waiting: No worker has taken them yet.
        taken: Workers are at them, or have fetched them and will soon be.
        delayed: They are to be tried again later.
        given_up: They were tried for the last time, and are kept for seven days.
        age_seconds: How long the first of the waiting ones has waited; 0 where none waits.
    """

    waiting: int
    taken: int
    delayed: int
    given_up: int
    age_seconds: float


class QueueStatus:
    """Asks the server about queues and ticks.

    Args:
        client: Of the server; it is closed with this.
        namespace: What the names of all keys begin with.
    """

    def __init__(self, client: "redis.Redis", namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    def figures(self, now: datetime) -> Mapping[str, QueueFigures]:
        """Return what is in each queue.

        Args:
            now: The present moment (aware).

        Raises:
            QueueError: The server cannot be reached, or refuses.
        """
        with as_queue_errors():
            return {queue: self._of(queue, now) for queue in QUEUES}

    def note_tick(self, at: datetime) -> None:
        """Keep when a tick came to its end (aware).

        Raises:
            QueueError: The server cannot be reached, or refuses.
        """
        with as_queue_errors():
            self._client.set(self._last_tick, int(at.timestamp() * _MILLISECONDS))

    def last_tick(self) -> datetime | None:
        """Return when a tick last came to its end; None: never as far as the server knows.

        Raises:
            QueueError: The server cannot be reached, or refuses.
        """
        with as_queue_errors():
            found = self._client.get(self._last_tick)
        return None if found is None else datetime.fromtimestamp(int(found) / _MILLISECONDS, UTC)

    def close(self) -> None:
        """Let go of the connections. Closing again is harmless."""
        self._client.close()

    @property
    def _last_tick(self) -> str:
        return f"{self._namespace}:last-tick"

    def _of(self, queue: str, now: datetime) -> QueueFigures:
        name = f"{self._namespace}:{queue}"
        # In one transaction: a message that is taken in between would be counted twice.
        with self._client.pipeline() as asked:
            asked.llen(name)
            asked.hlen(f"{name}.msgs")
            asked.hlen(f"{self._namespace}:{dq_name(queue)}.msgs")
            asked.zcard(f"{self._namespace}:{xq_name(queue)}")
            asked.lindex(name, 0)
            waiting, known, delayed, given_up, first = asked.execute()
        message = self._client.hget(f"{name}.msgs", first) if first is not None else None
        age = 0.0 if message is None else now.timestamp() - _queued_at(json.loads(message))
        return QueueFigures(waiting, known - waiting, delayed, given_up, max(0.0, age))


def _queued_at(message: Mapping[str, Any]) -> float:
    """Return when a message came into its queue (Unix time), not when it was first sent."""
    at: int = message["options"].get(QUEUED_AT) or message["message_timestamp"]
    return at / _MILLISECONDS
