"""A stretch of network that fails: connections go through it until it cuts one off."""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

Cut = Literal["before", "after"]
_PATIENCE_SECONDS = 20.0


class CuttingProxy:
    """Passes on what a client and a server on loopback say; see :func:`cutting_proxy`.

    Args:
        port: Of the server.
    """

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(0.1)
        self._closed = threading.Event()
        self._next_cut: tuple[bytes, Cut] | None = None
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        self.cuts = 0

    @property
    def port(self) -> int:
        """Where clients connect."""
        port: int = self._listening.getsockname()[1]
        return port

    def cut_at(self, words: bytes, when: Cut) -> None:
        """Cut off the next client that says these words, once.

        Args:
            words: What it says.
            when: Before the server hears them; or after it did what they say, so that only its
                answer is lost.
        """
        self._next_cut = (words, when)

    def close(self) -> None:
        """Cut off everybody."""
        self._closed.set()
        for thread in self._threads:
            thread.join(_PATIENCE_SECONDS)
        self._listening.close()

    def _accept(self) -> None:
        while not self._closed.is_set():
            with suppress(TimeoutError):
                client, _ = self._listening.accept()
                thread = threading.Thread(target=self._pass_on, args=(client,))
                self._threads.append(thread)
                thread.start()

    def _pass_on(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._server_port)) as server:
            while not self._closed.is_set():
                readable, _, _ = select.select([client, server], [], [], 0.1)
                for side in readable:
                    said = side.recv(65536)
                    if not said:
                        return
                    if side is client and self._is_cut(said, server):
                        return
                    (server if side is client else client).sendall(said)

    def _is_cut(self, said: bytes, server: socket.socket) -> bool:
        if self._next_cut is None or self._next_cut[0] not in said:
            return False
        _, when = self._next_cut
        self._next_cut = None
        if when == "after":
            server.sendall(said)
            server.recv(65536)
        self.cuts += 1
        return True


@contextmanager
def cutting_proxy(port: int) -> Iterator[CuttingProxy]:
    """Run a proxy before a server on loopback while the context lasts."""
    proxy = CuttingProxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
