"""The limit that all workers share, on a real Valkey server: how often, and not at all."""

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
import redis

from testamur.adapters.dramatiq_queue import RedisLimit, redis_client
from testamur.adapters.open_edx import rate_limit
from testamur.adapters.open_edx.rate_limit import share_limit
from tests.support.lms_connections import CLIENT_ID, SECRET, connection_to
from tests.support.scripted_server import Asked, TokenIssuer, Told, html, scripted_server, told
from tests.support.valkey_server import ValkeyServer, started_valkey

pytestmark = pytest.mark.integration

NAMESPACE = "tests"
LMS = "https://lms.example.org"
OTHER = "https://other.example.org"

#: Two requests that go at the same time may arrive apart by so many seconds, or more.
SLACK_SECONDS = 0.4


@pytest.fixture
def url(valkey: ValkeyServer) -> str:
    return valkey.fresh_database()


@pytest.fixture
def limits(url: str) -> Iterator[tuple[RedisLimit, RedisLimit]]:
    """Give the limits of two processes."""
    here, there = redis_client(url), redis_client(url)
    yield RedisLimit(here, NAMESPACE), RedisLimit(there, NAMESPACE)
    here.close()
    there.close()


def test_two_processes_share_one_limit(limits: tuple[RedisLimit, RedisLimit]) -> None:
    # One request in twenty seconds; the next twenty may begin meanwhile.
    told = [limit.take(LMS, 3) for limit in limits * 5]

    assert told[0] == 0
    assert told.count(0) <= 2
    assert all(0 <= seconds <= 1 for seconds in told)
    assert limits[0].take(OTHER, 3) == 0


def test_requests_of_a_second_may_go_at_once(limits: tuple[RedisLimit, RedisLimit]) -> None:
    began = time.monotonic()
    taken = [limit.take(LMS, 600) == 0 for limit in limits * 20]
    seconds = time.monotonic() - began

    assert taken[:10] == [True] * 10
    assert sum(taken) <= 10 * (int(seconds) + 2)


def test_whoever_asks_again_when_told_to_gets_one(limits: tuple[RedisLimit, RedisLimit]) -> None:
    here, there = limits
    assert here.take(LMS, 60) == 0
    time.sleep(there.take(LMS, 60) + 0.01)
    assert there.take(LMS, 60) == 0


def test_a_pause_holds_for_the_others_until_it_ends_by_itself(
    url: str, limits: tuple[RedisLimit, RedisLimit]
) -> None:
    here, there = limits
    began = time.monotonic()
    here.pause(LMS, 1.5)
    refused_for = there.take(LMS, 600)
    assert 0 < refused_for <= 1.5
    while there.take(LMS, 600):
        time.sleep(0.02)

    assert 1.5 <= time.monotonic() - began < 1.5 + 5 * SLACK_SECONDS
    time.sleep(1.5)
    with redis.Redis.from_url(url) as client:
        assert client.keys() == []


def test_a_shorter_pause_does_not_end_a_longer_one(
    limits: tuple[RedisLimit, RedisLimit],
) -> None:
    here, there = limits
    here.pause(LMS, 60)
    there.pause(LMS, 1)
    assert 50 < there.take(LMS, 600) <= 60


def test_a_longer_pause_goes_on_after_a_shorter_one(
    limits: tuple[RedisLimit, RedisLimit],
) -> None:
    here, there = limits
    here.pause(LMS, 1)
    there.pause(LMS, 60)
    assert 50 < here.take(LMS, 600) <= 60


def test_pauses_do_not_add_up(limits: tuple[RedisLimit, RedisLimit]) -> None:
    for limit in limits * 10:
        limit.pause(LMS, 10)
    assert 5 < limits[0].take(LMS, 600) <= 10


def test_a_pause_of_one_lms_is_none_of_another(limits: tuple[RedisLimit, RedisLimit]) -> None:
    here, there = limits
    here.pause(LMS, 60)
    assert there.take(OTHER, 600) == 0


def test_a_pause_of_one_installation_is_none_of_another(url: str) -> None:
    with redis_client(url) as client:
        RedisLimit(client, NAMESPACE).pause(LMS, 60)
        assert RedisLimit(client, "another").take(LMS, 600) == 0


def test_no_more_than_a_seconds_requests_are_saved_up_in_a_pause(
    limits: tuple[RedisLimit, RedisLimit],
) -> None:
    here, there = limits
    here.pause(LMS, 1.5)
    time.sleep(there.take(LMS, 600) + 0.01)

    began = time.monotonic()
    taken = [limit.take(LMS, 600) == 0 for limit in (here, there) * 20]
    assert sum(taken) <= 10 * (int(time.monotonic() - began) + 2)


def test_a_machine_whose_clock_is_wrong_keeps_the_pause(
    limits: tuple[RedisLimit, RedisLimit], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = limits
    here.pause(LMS, 60)
    right = time.time
    for wrong in (-7_200, 7_200):
        monkeypatch.setattr(time, "time", lambda wrong=wrong: right() + wrong)
        assert 50 < there.take(LMS, 600) <= 60


def test_nothing_is_left_of_a_limit_while_the_server_is_away() -> None:
    with started_valkey() as server:
        client = redis_client(server.url())
        limit = RedisLimit(client, NAMESPACE)
        assert limit.take(LMS, 600) == 0
        server.stop()
        assert limit.take(LMS, 600) > 0
        server.start()
        assert limit.take(LMS, 600) == 0
        client.close()


def test_a_pause_outlives_the_death_of_the_server() -> None:
    with started_valkey() as server:
        client = redis_client(server.url())
        limit = RedisLimit(client, NAMESPACE)
        limit.pause(LMS, 60)
        server.kill()
        server.start()
        assert limit.take(LMS, 600) > 40
        client.close()


@contextmanager
def shared(url: str) -> Iterator[RedisLimit]:
    """Share a limit as a worker does, and forget the pace of this process."""
    with redis_client(url) as client, pytest.MonkeyPatch.context() as patch:
        patch.setattr(rate_limit, "_paces", {})
        limit = RedisLimit(client, NAMESPACE)
        share_limit(limit)
        try:
            yield limit
        finally:
            share_limit(None)


def test_who_cannot_tell_the_others_pauses_by_itself_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    arrived: list[float] = []

    with started_valkey() as queue, shared(queue.url()):

        def is_said() -> bool:
            return "only this process pauses its requests to" in caplog.text

        def come_back() -> None:
            until = time.monotonic() + 20
            while not is_said() and time.monotonic() < until:
                time.sleep(0.02)
            queue.start()

        def script(_: Asked) -> Told:
            arrived.append(time.monotonic())
            if len(arrived) > 1:
                return told({})
            queue.stop()
            coming_back.start()
            return html(429, headers={"Retry-After": "2"})

        coming_back = threading.Thread(target=come_back)
        with (
            caplog.at_level(logging.WARNING),
            scripted_server(TokenIssuer(script)) as server,
            connection_to(server.url, requests_per_minute=600) as lms,
        ):
            lms.get("/one", what="something")
        coming_back.join()

    assert is_said()
    assert arrived[1] - arrived[0] >= 2


#: A worker as far as it asks an LMS: it asks at once, and again and again until it is ended.
ASKING = f"""
import sys
from testamur.adapters.dramatiq_queue import RedisLimit, redis_client
from testamur.adapters.open_edx.connection import Connection
from testamur.adapters.open_edx.options import OpenEdxOptions
from testamur.adapters.open_edx.rate_limit import share_limit

name, lms, queue = sys.argv[1:]
share_limit(RedisLimit(redis_client(queue), {NAMESPACE!r}))
options = OpenEdxOptions(
    url=lms, client_id={CLIENT_ID!r}, client_secret={SECRET!r}, requests_per_minute=600
)
with Connection(options) as connection:
    while True:
        connection.get(f"/asked-by/{{name}}", what="something")
"""


@dataclass
class Throttling:
    """An LMS that asks once to wait, when both have asked for something.

    Args:
        status: What it answers then.
        seconds: How long they are to wait.
        arrived: When which path was asked for, on its own clock.
        throttled_at: When it asked to wait.
        by: Whom.
    """

    status: int
    seconds: int
    arrived: list[tuple[float, str]] = field(default_factory=list)
    throttled_at: float | None = None
    by: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, asked: Asked) -> Told:
        with self.lock:
            now = time.monotonic()
            self.arrived.append((now, asked.path))
            if self.throttled_at is None and len({path for _, path in self.arrived}) == 2:
                self.throttled_at, self.by = now, asked.path
                return html(self.status, headers={"Retry-After": str(self.seconds)})
        return told({})

    def since(self) -> list[tuple[float, str]]:
        """Return who came how many seconds after it asked to wait."""
        with self.lock:
            throttled_at = self.throttled_at
            if throttled_at is None:
                return []
            return [(at - throttled_at, path) for at, path in self.arrived if at > throttled_at]


@contextmanager
def asking(lms: str, queue: str, *names: str) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Run a process for each name that asks an LMS."""
    processes = [
        subprocess.Popen([sys.executable, "-c", ASKING, name, lms, queue]) for name in names
    ]
    try:
        yield processes
    finally:
        for each in processes:
            each.kill()
            each.wait()


@pytest.mark.parametrize("status", [429, 503])
def test_nobody_asks_an_lms_that_told_one_process_to_wait(status: int, url: str) -> None:
    throttling = Throttling(status, seconds=3)
    with (
        scripted_server(TokenIssuer(throttling)) as server,
        asking(server.url, url, "one", "two") as processes,
    ):
        until = time.monotonic() + 60
        while len({path for at, path in throttling.since() if at > 3}) < 2:
            assert [each.poll() for each in processes] == [None, None]
            assert time.monotonic() < until, throttling.since()
            time.sleep(0.05)
        time.sleep(1)

    since = throttling.since()
    # Until it hears of the pause, the other one may have a request on its way.
    early = [at for at, path in since if at < 3]
    assert all(at < SLACK_SECONDS for at in early), since
    assert len(early) <= SLACK_SECONDS * 10
    # Ten a second for both together; a second may turn within this time.
    first = min(at for at, _ in since if at >= 3)
    assert sum(first <= at < first + 0.8 for at, _ in since) <= 2 * 10
