"""Figures about queues, as a real server keeps them."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import dramatiq
import pytest
from dramatiq import Message, Worker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import Retries

from testamur.adapters.current_work import CurrentWork, begin
from testamur.adapters.dramatiq_queue import DramatiqQueue, redis_broker, redis_client
from testamur.adapters.dramatiq_queue.figures import QueueStatus
from testamur.adapters.dramatiq_queue.messages import QUEUES
from testamur.application.errors import QueueError
from testamur.application.ports.tasks import IssueAwarded, IssueBatch
from testamur.entrypoints.observing import Observing
from testamur.entrypoints.settings import Settings
from tests.support.valkey_server import ValkeyServer

pytestmark = pytest.mark.integration

NAMESPACE = "figures"
PATIENCE_SECONDS = 20


@pytest.fixture
def url(valkey: ValkeyServer) -> str:
    return valkey.fresh_database()


@pytest.fixture
def status(url: str) -> Iterator[QueueStatus]:
    made = QueueStatus(redis_client(url), NAMESPACE)
    yield made
    made.close()


@pytest.fixture
def queue(url: str) -> Iterator[DramatiqQueue]:
    made = DramatiqQueue(redis_client(url), NAMESPACE)
    yield made
    made.close()
    begin(None)


def working_broker(url: str) -> RedisBroker:
    return redis_broker(
        redis_client(url),
        NAMESPACE,
        [Observing(Settings()), Retries(max_retries=1, min_backoff=300, max_backoff=300)],
    )


def until(comes_true: Callable[[], bool]) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not comes_true():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def test_where_nothing_waits_all_figures_are_zero(status: QueueStatus) -> None:
    figures = status.figures(datetime.now(UTC))

    assert set(figures) == set(QUEUES)
    assert {(each.waiting, each.taken, each.age_seconds) for each in figures.values()} == {
        (0, 0, 0.0)
    }


def test_a_queue_is_as_old_as_its_first_message(status: QueueStatus, queue: DramatiqQueue) -> None:
    before = datetime.now(UTC)
    queue.send(IssueAwarded())
    time.sleep(0.3)
    queue.send(IssueBatch(1, ()))

    found = status.figures(before + timedelta(seconds=60))["issue"]

    assert (found.waiting, found.taken, found.delayed, found.given_up) == (2, 0, 0, 0)
    assert 59.0 < found.age_seconds <= 60.0


def test_what_is_put_off_is_as_old_as_its_return_to_the_queue(
    url: str, status: QueueStatus
) -> None:
    broker = working_broker(url)
    an_hour_ago = int(time.time() - 3600) * 1_000
    message = Message[None](
        queue_name="issue", actor_name="issue_awarded", args=(), kwargs={},
        options={"retries": 1}, message_timestamp=an_hour_ago,
    )  # fmt: skip

    broker.enqueue(message, delay=60_000)
    put_off = status.figures(datetime.now(UTC))["issue"]
    broker.enqueue(message)
    back = status.figures(datetime.now(UTC))["issue"]
    broker.close()

    assert (put_off.waiting, put_off.delayed, put_off.age_seconds) == (0, 1, 0.0)
    assert (back.waiting, back.delayed) == (1, 1)
    assert back.age_seconds < 60


def test_what_a_worker_has_taken_does_not_wait(url: str, status: QueueStatus) -> None:
    broker = working_broker(url)
    go_on, begun = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        go_on.wait(PATIENCE_SECONDS)

    dramatiq.actor(queue_name="issue", broker=broker)(wait).send()
    worker = Worker(broker, worker_threads=1)
    worker.start()
    assert begun.wait(PATIENCE_SECONDS)
    found = status.figures(datetime.now(UTC))["issue"]
    go_on.set()
    worker.stop()
    broker.close()

    assert (found.waiting, found.taken, found.age_seconds) == (0, 1, 0.0)


def _fail() -> None:
    raise ValueError("Zofia")


def test_the_words_of_an_error_do_not_stay_on_the_server(url: str, status: QueueStatus) -> None:
    broker = working_broker(url)
    dramatiq.actor(queue_name="issue", broker=broker)(_fail).send()
    worker = Worker(broker, worker_threads=1)
    worker.start()
    until(lambda: status.figures(datetime.now(UTC))["issue"].given_up == 1)
    worker.stop()
    broker.close()

    client = redis_client(url)
    (kept,) = client.hvals(f"{NAMESPACE}:issue.XQ.msgs")
    client.close()
    assert json.loads(kept)["options"]["retries"] == 1
    assert "Zofia" not in str(kept)


def test_tasks_that_follow_on_one_belong_to_the_same_run(url: str, queue: DramatiqQueue) -> None:
    begin(CurrentWork("issue_awarded", "run-1"))
    queue.send(IssueBatch(1, ()))

    client = redis_client(url)
    (kept,) = client.hvals(f"{NAMESPACE}:issue.msgs")
    client.close()
    assert json.loads(kept)["options"]["correlation_id"] == "run-1"


def test_the_last_tick_is_kept_to_the_millisecond(status: QueueStatus) -> None:
    assert status.last_tick() is None
    at = datetime(2026, 6, 1, 12, 30, 1, 250_000, tzinfo=UTC)
    status.note_tick(at)
    assert status.last_tick() == at


def test_a_server_that_is_away_is_told() -> None:
    status = QueueStatus(redis_client("redis://127.0.0.1:1/0"), NAMESPACE)
    for ask in (status.last_tick, lambda: status.figures(datetime.now(UTC))):
        with pytest.raises(QueueError, match="cannot be used"):
            ask()
