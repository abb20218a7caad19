"""Workers whose connection to the queue breaks: what they had fetched is not lost to them."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import dramatiq
import pytest
from dramatiq import Broker, Consumer, Message, MessageProxy, Worker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import ConnectionClosed

from testamur.adapters.dramatiq_queue import redis_broker, redis_client
from tests.support.valkey_server import ValkeyServer, started_valkey

pytestmark = pytest.mark.integration

NAMESPACE = "tests"
QUEUE = "issue"
DELAYED = f"{QUEUE}.DQ"
PATIENCE_SECONDS = 30.0


@contextmanager
def broker_on(url: str) -> Iterator[RedisBroker]:
    with closing(redis_client(url)) as client:
        broker = redis_broker(client, NAMESPACE)
        broker.declare_queue(QUEUE)
        yield broker


@pytest.fixture
def broker(valkey: ValkeyServer) -> Iterator[RedisBroker]:
    with broker_on(valkey.fresh_database()) as broker:
        yield broker


def send(broker: Broker, number: int, delay: int | None = None) -> None:
    broker.enqueue(Message(QUEUE, "do", (number,), {}, {}), delay=delay)


def taken(consumer: Consumer) -> MessageProxy:
    until = time.monotonic() + PATIENCE_SECONDS
    while (message := next(consumer)) is None:
        assert time.monotonic() < until
    return message


def nothing_comes(consumer: Consumer) -> bool:
    return all(next(consumer) is None for _ in range(5))


def left(broker: RedisBroker) -> int:
    count: int = broker.do_qsize(QUEUE)
    return count


def test_what_was_on_its_way_comes_again_and_what_is_being_done_does_not(
    broker: RedisBroker,
) -> None:
    for number in (1, 2):
        send(broker, number)
    before = broker.consume(QUEUE, prefetch=2, timeout=100)
    first = taken(before)  # both were fetched

    after = broker.consume(QUEUE, prefetch=2, timeout=100)
    second = taken(after)

    assert (first.args, second.args) == ((1,), (2,))
    assert nothing_comes(after)
    after.ack(first)
    after.ack(second)
    assert left(broker) == 0


def test_all_delayed_messages_come_again(broker: RedisBroker) -> None:
    for number in (1, 2):
        send(broker, number, delay=60_000)
    before = broker.consume(DELAYED, prefetch=100, timeout=100)
    assert {taken(before).args for _ in range(2)} == {(1,), (2,)}

    after = broker.consume(DELAYED, prefetch=100, timeout=100)

    assert {taken(after).args for _ in range(2)} == {(1,), (2,)}
    assert nothing_comes(after)


def test_what_was_given_back_or_given_up_is_not_held_any_more(broker: RedisBroker) -> None:
    for number in (1, 2):
        send(broker, number)
    consumer = broker.consume(QUEUE, prefetch=2, timeout=100)
    first, second = taken(consumer), taken(consumer)

    consumer.requeue([first])
    consumer.nack(second)

    anew = broker.consume(QUEUE, prefetch=2, timeout=100)
    assert taken(anew).args == (1,)
    assert nothing_comes(anew)


def test_a_server_that_is_away_is_told_as_a_closed_connection() -> None:
    with started_valkey() as server, broker_on(server.url()) as broker:
        send(broker, 1)
        consumer = broker.consume(QUEUE, prefetch=1, timeout=100)
        message = taken(consumer)
        server.kill()

        for asked in (
            lambda: consumer.ack(message),
            lambda: consumer.nack(message),
            lambda: consumer.requeue([message]),
            lambda: broker.consume(QUEUE),
        ):
            with pytest.raises(ConnectionClosed):
                asked()

        server.start()
        consumer.ack(message)
        assert left(broker) == 0


def test_a_worker_goes_on_with_what_was_due_while_the_server_was_away() -> None:
    done: list[int] = []

    def do(number: int) -> None:
        done.append(number)

    with started_valkey() as server, broker_on(server.url()) as broker:
        dramatiq.actor(broker=broker, queue_name=QUEUE)(do)
        for number in range(3):
            send(broker, number, delay=1_500)
        worker = Worker(broker, worker_threads=1)
        worker.start()
        try:
            time.sleep(1.0)  # it has fetched them
            server.kill()
            time.sleep(1.5)  # now they are due
            server.start()
            until = time.monotonic() + PATIENCE_SECONDS
            while left(broker) and time.monotonic() < until:
                time.sleep(0.1)
            assert left(broker) == 0
        finally:
            worker.stop()
        assert set(done) == {0, 1, 2}
