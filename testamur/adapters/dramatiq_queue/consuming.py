"""Consuming: how a worker process fetches messages, and takes up again what a connection lost.

A message that was fetched is kept from other workers until it is done, or its worker is dead. Of
what a process held when its connection broke, Dramatiq forgets a part: messages that were on their
way, and all delayed ones that it had fetched. They would lie there as long as the process lives.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import redis
from dramatiq import Consumer, Message, MessageProxy
from dramatiq.brokers.redis import RedisBroker
from dramatiq.common import dq_name
from dramatiq.errors import ConnectionClosed

_LOST: Final = (redis.ConnectionError, redis.TimeoutError)


class LastingRedisBroker(RedisBroker):
    """A broker whose consumers begin by giving back what the ones before them lost.

    Args:
        options: Those of `RedisBroker`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self._in_hand: dict[str, set[str]] = {}

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        """Return a consumer of a queue; of each queue, a process uses one at a time.

        Args:
            queue_name: The queue.
            prefetch: The most messages that are fetched and not done.
            timeout: The longest wait for messages, in milliseconds.

        Raises:
            ConnectionClosed: The server cannot be reached.
        """
        in_hand = self._in_hand.setdefault(queue_name, set())
        if dq_name(queue_name) == queue_name:
            # They were in the hand of the consumer before, and went with it. Messages of other
            # queues are with the threads that do the work.
            in_hand.clear()
        with _as_closed_connections():
            # The key is Dramatiq's own (dispatch.lua); a test guards it.
            fetched = self.client.smembers(
                f"{self.namespace}:__acks__.{self.broker_id}.{queue_name}"
            )
            ids = {each if isinstance(each, str) else each.decode() for each in fetched}
            if lost := ids - in_hand:
                self.logger.info("Giving back %d messages of %r.", len(lost), queue_name)
                self.do_requeue(queue_name, *lost)
        return _LastingConsumer(super().consume(queue_name, prefetch, timeout), in_hand)


class _LastingConsumer(Consumer):
    """A consumer that knows which messages the process holds.

    Whatever breaks the connection is told in the one way that Dramatiq's threads survive.

    Args:
        consumer: Does the work.
        in_hand: Ids of the messages that the process holds.
    """

    def __init__(self, consumer: Consumer, in_hand: set[str]) -> None:
        self._consumer = consumer
        self._in_hand = in_hand

    def __next__(self) -> MessageProxy | None:
        with _as_closed_connections():
            message = next(self._consumer)
        if message is not None:
            self._in_hand.add(_id_of(message))
        return message

    def ack(self, message: MessageProxy) -> None:
        """Tell the server that a message is done."""
        with _as_closed_connections():
            self._consumer.ack(message)
        self._in_hand.discard(_id_of(message))

    def nack(self, message: MessageProxy) -> None:
        """Tell the server that a message is given up."""
        with _as_closed_connections():
            self._consumer.nack(message)
        self._in_hand.discard(_id_of(message))

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        """Give messages back that were not begun."""
        given_back = list(messages)
        with _as_closed_connections():
            self._consumer.requeue(given_back)
        self._in_hand.difference_update(map(_id_of, given_back))

    def close(self) -> None:
        """Close the consumer."""
        self._consumer.close()


def _id_of(message: MessageProxy | Message[Any]) -> str:
    id_: str = message.options["redis_message_id"]
    return id_


@contextmanager
def _as_closed_connections() -> Iterator[None]:
    try:
        yield
    except _LOST as error:
        raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call]
