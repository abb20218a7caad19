"""A proxy before an HTTP server that answers badly, or not at all, when it is told to."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Literal

HOST: Final = "127.0.0.1"
_PATIENCE_SECONDS: Final = 30

#: What happens to a request:
#: ``status``: the server never hears of it, and the client gets a status;
#: ``cut before``: the connection is closed before the server hears of it;
#: ``cut after``: the server does what it asks for, and the connection is closed without an answer;
#: ``cut in the body``: it is closed in the middle of the answer's body;
#: ``damaged request``, ``damaged answer``: one octet of the body is another;
#: ``stalled``: the answer comes only after some seconds.
Kind = Literal[
    "status",
    "cut before",
    "cut after",
    "cut in the body",
    "damaged request",
    "damaged answer",
    "stalled",
]


@dataclass(frozen=True)
class Fault:
    """What goes wrong.

    Args:
        kind: How.
        method: Only with requests of this method.
        path: Only where the path holds this.
        times: With how many requests.
        status: Of the answer, for the kind ``status``.
        body: Of that answer.
        content_type: Of that body.
        headers: More of that answer's.
        seconds: How long the answer is held back, for ``status`` and ``stalled``.
    """

    kind: Kind
    method: str | None = None
    path: str = ""
    times: int = 1
    status: int = 503
    body: bytes = b""
    content_type: str = "application/xml"
    headers: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0


@dataclass
class FaultyProxy:
    """A proxy that runs.

    Args:
        port: Where it listens.
        faults: What is going to go wrong; one that has happened often enough is taken out.
        drawn: Asked, with its method and path, what goes wrong with a request that is met by none
            of these; None: nothing.
        seen: Method and path of every request, in the order of arrival.
        connections: How many connections were made to it.
    """

    port: int
    faults: list[Fault] = field(default_factory=list)
    drawn: Callable[[str, str], Fault | None] | None = None
    seen: list[tuple[str, str]] = field(default_factory=list)
    connections: int = 0

    @property
    def endpoint(self) -> str:
        """Host and port."""
        return f"{HOST}:{self.port}"

    def methods(self) -> list[str]:
        """Return the methods of the requests."""
        return [method for method, _ in self.seen]


@contextmanager
def faulty_proxy(
    server_port: int, *faults: Fault, tls: ssl.SSLContext | None = None
) -> Iterator[FaultyProxy]:
    """Run a proxy before a server on loopback while the context lasts.

    Args:
        server_port: Where the server listens.
        faults: What is going to go wrong.
        tls: Encrypts the connections of clients.
    """
    server = _Server((HOST, 0), _Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    server.target = server_port
    server.log = FaultyProxy(server.server_port, list(faults))
    server.happened = {}
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.log
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    target: int
    log: FaultyProxy
    happened: dict[Fault, int]

    def __init__(self, *address: object) -> None:
        super().__init__(*address)  # type: ignore[arg-type]
        self.lock = threading.Lock()

    def handle_error(self, *_: object) -> None:
        """Say nothing: clients that do not trust the certificate hang up."""

    def fault_of(self, method: str, path: str) -> Fault | None:
        """Note a request, and return what goes wrong with it."""
        with self.lock:
            self.log.seen.append((method, path))
            for fault in self.log.faults:
                if fault.method in {None, method} and fault.path in path:
                    number = self.happened.get(fault, 0) + 1
                    self.happened[fault] = number
                    if number >= fault.times:
                        self.log.faults.remove(fault)
                        del self.happened[fault]
                    return fault
            drawn = self.log.drawn
        return drawn(method, path) if drawn is not None else None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        with self.server.lock:
            self.server.log.connections += 1

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.server.fault_of(self.command, self.path)
        kind = None if fault is None else fault.kind
        if fault is not None and kind == "status":
            time.sleep(fault.seconds)
            told = {"Content-Type": fault.content_type, **dict(fault.headers)}
            self._answer(fault.status, told, fault.body)
            return
        if kind == "cut before":
            self.close_connection = True
            return
        if kind == "damaged request":
            body = _damaged(body)
        status, headers, answer = self._asked(body)
        if kind == "cut after":
            self.close_connection = True
            return
        if fault is not None and kind == "stalled":
            time.sleep(fault.seconds)
        if kind == "damaged answer":
            answer = _damaged(answer)
        self._answer(status, headers, answer, cut=kind == "cut in the body")

    do_PUT = do_GET  # noqa: N815
    do_HEAD = do_GET  # noqa: N815
    do_POST = do_GET  # noqa: N815
    do_DELETE = do_GET  # noqa: N815

    def _asked(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        server = HTTPConnection(HOST, self.server.target, timeout=_PATIENCE_SECONDS)
        try:
            # As they came: the signature is over the Host that the client knows.
            server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                server.putheader(name, value)
            server.endheaders(body)
            response = server.getresponse()
            return response.status, dict(response.headers), response.read()
        finally:
            server.close()

    def _answer(
        self, status: int, headers: Mapping[str, str], body: bytes, *, cut: bool = False
    ) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                self.send_header(name, value)
        length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(body))
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            try:
                self.wfile.write(body[: len(body) // 2] if cut else body)
            except OSError:  # the client has given up
                self.close_connection = True
        self.close_connection = self.close_connection or cut

    def log_message(self, *_: object) -> None:
        pass


def _damaged(body: bytes) -> bytes:
    return body[:-1] + bytes([body[-1] ^ 1])
