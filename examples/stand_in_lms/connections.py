"""HTTP/1.1 over sockets: a thread for each connection, kept alive, and answers that can be cut.

The standard library's own handler parses headers as mail, which takes longer than most answers.
"""

import socket
import socketserver
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import parse_qs, unquote

from examples.stand_in_lms.exchange import Answer, Request, html_answer

HOST = "127.0.0.1"

_LONGEST_LINE = 65_536
_BACKLOG = 128

How = Literal["whole", "cut", "dropped"]


@dataclass(frozen=True, slots=True)
class Sending:
    """An answer, and how much of it is sent."""

    answer: Answer
    how: How = "whole"


class ConnectionServer(socketserver.ThreadingTCPServer):
    """Listens, and lets a function answer.

    Args:
        port: On `HOST`; 0 for any that is free.
        answer: Answers a request; is called in the connection's own thread.
        longest_line: Returns how many bytes a request line may have.
    """

    allow_reuse_address = True
    request_queue_size = _BACKLOG

    def __init__(
        self, port: int, answer: Callable[[Request], Sending], longest_line: Callable[[], int]
    ) -> None:
        self.answer = answer
        self.longest_line = longest_line
        self._open: set[socket.socket] = set()
        self._hung_up = False
        self._lock = threading.Lock()
        super().__init__((HOST, port), _Connection)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def opened(self, connection: socket.socket) -> None:
        """Remember a connection while it is open."""
        with self._lock:
            self._open.add(connection)
            if self._hung_up:
                _shut(connection)

    def closed(self, connection: socket.socket) -> None:
        """Forget a connection."""
        with self._lock:
            self._open.discard(connection)

    def hang_up(self) -> None:
        """End all connections, also those that are only now being taken."""
        with self._lock:
            self._hung_up = True
            for connection in self._open:
                _shut(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away; the rest is a mistake in the stand-in."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Connection(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    server: ConnectionServer

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        self.server.closed(self.connection)
        super().finish()

    def handle(self) -> None:
        while self._one():
            pass

    def _one(self) -> bool:
        """Answer one request; return whether the connection stays open."""
        longest = self.server.longest_line()
        line = self.rfile.readline(longest + 3)
        if not line.strip():
            return False
        if len(line.rstrip(b"\r\n")) > longest or not line.endswith(b"\n"):
            self._send(html_answer(414), keep=False)
            self._read_what_is_left()
            return False
        try:
            method, target, version = line.decode("ascii").split()
            headers = self._headers()
            body = self.rfile.read(int(headers.get("content-length", "0")))
        except ValueError:
            self._send(html_answer(400, "400 Bad Request"), keep=False)
            return False
        raw_path, _, query = target.partition("?")
        sending = self.server.answer(
            Request(
                method=method,
                path=unquote(raw_path),
                raw_path=raw_path,
                target=target,
                query=parse_qs(query, keep_blank_values=True) if query else {},
                headers=headers,
                body=body,
            )
        )
        keep = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
        if sending.how == "whole":
            self._send(sending.answer, keep=keep)
            return keep
        if sending.how == "cut":
            whole = _written(sending.answer, keep=keep)
            self.connection.sendall(whole[: len(whole) - len(sending.answer.body) // 2 - 1])
        return False

    def _headers(self) -> dict[str, str]:
        headers = {}
        while (line := self.rfile.readline(_LONGEST_LINE)) not in {b"\r\n", b"\n", b""}:
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        return headers

    def _send(self, answer: Answer, *, keep: bool) -> None:
        self.connection.sendall(_written(answer, keep=keep))

    def _read_what_is_left(self) -> None:
        """Read what a client is still sending, or closing would take the answer away from it."""
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(1)
        try:
            while self.rfile.read(_LONGEST_LINE):
                pass
        except TimeoutError:
            return


def _written(answer: Answer, *, keep: bool) -> bytes:
    headers = [
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
        "Server: nginx",
        f"Date: {formatdate(usegmt=True)}",
        f"Content-Length: {len(answer.body)}",
        *(f"{name}: {value}" for name, value in answer.headers),
    ]
    if answer.body:
        headers.append(f"Content-Type: {answer.content_type}")
    if not keep:
        headers.append("Connection: close")
    return "\r\n".join([*headers, "", ""]).encode("latin-1") + answer.body


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # the client was quicker
        return
