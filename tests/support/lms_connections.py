"""Connections to a server of a test, and time that passes only when it is waited for."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from testamur.adapters.open_edx.connection import Connection
from testamur.adapters.open_edx.options import OpenEdxOptions
from tests.support.scripted_server import (
    Script,
    ScriptedServer,
    TokenIssuer,
    Told,
    in_turn,
    scripted_server,
)

CLIENT_ID = "credential-issuer"
SECRET = "correct-horse-battery"


class WaitedTime:
    """A clock that goes on when somebody waits, and then at once.

    Args:
        waits: The seconds of each wait.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = 1_000.0
        self.waits: list[float] = []

    def clock(self) -> float:
        return self._now

    def wait(self, seconds: float) -> None:
        with self._lock:
            self.waits.append(seconds)
            self._now += seconds


def options_for(url: str, **changes: Any) -> OpenEdxOptions:
    """Return options that ask as fast as can be."""
    values = {
        "url": url,
        "client_id": CLIENT_ID,
        "client_secret": SECRET,
        "requests_per_minute": 600_000,
        "timeout_seconds": 5,
    }
    return OpenEdxOptions.model_validate(values | changes)


def connection_to(url: str, time: WaitedTime | None = None, **changes: Any) -> Connection:
    """Return a connection; with a time of the test's own, it waits in that."""
    if time is None:
        return Connection(options_for(url, **changes))
    return Connection(options_for(url, **changes), wait=time.wait, clock=time.clock)


@contextmanager
def served(
    script: Script, time: WaitedTime | None = None, **changes: Any
) -> Iterator[tuple[ScriptedServer, Connection]]:
    """Run a server and a connection to it while the context lasts."""
    with scripted_server(script) as server, connection_to(server.url, time, **changes) as lms:
        yield server, lms


@contextmanager
def answered(
    *answers: Told, time: WaitedTime | None = None, **changes: Any
) -> Iterator[tuple[ScriptedServer, Connection]]:
    """Run a server that gives tokens and these answers in turn, and a connection to it."""
    with served(TokenIssuer(in_turn(*answers)), time, **changes) as both:
        yield both
