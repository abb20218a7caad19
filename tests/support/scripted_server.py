"""A real HTTP server on this machine that answers as a script says, in good manners or bad."""

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

HOST = "127.0.0.1"
TOKEN_PATH = "/oauth2/access_token"


@dataclass(frozen=True)
class Asked:
    """A request that the server got.

    Args:
        target: Path and query as they came, still encoded.
        headers: By their names in lower case.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The path, decoded."""
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str]:
        """The query, decoded."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        """The form in the body, decoded."""
        return dict(parse_qsl(self.body.decode()))


@dataclass(frozen=True)
class Told:
    """An answer.

    Args:
        body: What it says.
        status: The HTTP status.
        content_type: Its media type.
        headers: Beside those that every answer has.
        delay: Seconds before it begins.
        cut_after: Octets of the body after which the connection is closed.
        drip: Seconds before each octet of the body.
        hang_up: Whether the connection is closed without any answer.
    """

    body: bytes = b""
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    cut_after: int | None = None
    drip: float = 0.0
    hang_up: bool = False


Script = Callable[[Asked], Told]


def told(document: object, status: int = 200, **manners: Any) -> Told:
    """Answer with JSON."""
    return Told(json.dumps(document).encode(), status, **manners)


def html(status: int = 200, **manners: Any) -> Told:
    """Answer with a page for people, as proxies do."""
    page = b"<html><body><h1>Something for people</h1></body></html>"
    return Told(page, status, content_type="text/html; charset=utf-8", **manners)


def in_turn(*answers: Told) -> Script:
    """Answer the first request with the first answer, and so on; the last one stays."""
    left = list(answers)
    lock = threading.Lock()

    def script(_: Asked) -> Told:
        with lock:
            return left.pop(0) if len(left) > 1 else left[0]

    return script


class TokenIssuer:
    """Gives out tokens as the LMS does, and answers requests that have a good one by a script.

    Args:
        script: Answers what has a good token.
        life: Seconds that a token is said to live.
        delay: Seconds before a token is given.
    """

    def __init__(self, script: Script, life: float | None = 3600, delay: float = 0.0) -> None:
        self._script = script
        self._life = life
        self._delay = delay
        self._lock = threading.Lock()
        self.given: list[str] = []
        self.good: set[str] = set()

    def revoke_all(self) -> None:
        """Let no token that was given out be good."""
        with self._lock:
            self.good.clear()

    def __call__(self, asked: Asked) -> Told:
        if asked.path.endswith(TOKEN_PATH):
            with self._lock:
                token = f"eyJ.token-{len(self.given) + 1}"
                self.given.append(token)
                self.good.add(token)
            answer = {"access_token": token, "token_type": "JWT", "scope": "read"}
            if self._life is not None:
                answer["expires_in"] = self._life  # type: ignore[assignment]
            return told(answer, delay=self._delay)
        kind, _, token = asked.headers.get("authorization", "").partition(" ")
        with self._lock:
            is_good = kind == "JWT" and token in self.good
        return self._script(asked) if is_good else told({"detail": "Invalid token."}, 401)


@dataclass
class ScriptedServer:
    """A server that runs.

    Args:
        url: Where it is.
        asked: What it was asked, in the order of arrival.
        most_at_once: The most requests that it was answering at the same time.
        connections: How many connections were made to it.
        script_errors: What the script raised; the first one is raised when the server ends.
    """

    url: str
    asked: list[Asked] = field(default_factory=list)
    most_at_once: int = 0
    connections: int = 0
    script_errors: list[Exception] = field(default_factory=list)

    @property
    def asked_with_token(self) -> Sequence[Asked]:
        """The requests that were not for a token."""
        return [each for each in self.asked if not each.path.endswith(TOKEN_PATH)]


@contextmanager
def scripted_server(
    script: Script, *, tls: ssl.SSLContext | None = None
) -> Iterator[ScriptedServer]:
    """Run a server while the context lasts.

    Args:
        script: Says what to answer to each request; called by several threads at once.
        tls: Encrypts the connections.
    """
    server = _Server((HOST, 0), _Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    scheme = "http" if tls is None else "https"
    server.script = script
    server.log = ScriptedServer(f"{scheme}://{HOST}:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.log
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    if server.log.script_errors:
        raise server.log.script_errors[0]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    script: Script
    log: ScriptedServer

    def __init__(self, *address: Any) -> None:
        super().__init__(*address)
        self.lock = threading.Lock()
        self.at_once = 0

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that went away


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        with self.server.lock:
            self.server.log.connections += 1

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        asked = Asked(
            self.command,
            self.path,
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(length),
        )
        with self.server.lock:
            self.server.log.asked.append(asked)
            self.server.at_once += 1
            self.server.log.most_at_once = max(self.server.log.most_at_once, self.server.at_once)
        try:
            answer = self.server.script(asked)
            time.sleep(answer.delay)
        except Exception as error:  # noqa: BLE001 - the test is told when the server ends
            self.server.log.script_errors.append(error)
            answer = Told(b"the script failed", 400, content_type="text/plain")
        finally:
            with self.server.lock:
                self.server.at_once -= 1
        self._tell(answer)

    do_POST = do_GET  # noqa: N815

    def _tell(self, answer: Told) -> None:
        if answer.hang_up:
            self.close_connection = True
            return
        self.send_response(answer.status)
        if answer.body:
            self.send_header("Content-Type", answer.content_type)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        body = answer.body[: answer.cut_after]
        if answer.drip:
            for octet in body:
                time.sleep(answer.drip)
                self.wfile.write(bytes([octet]))
        else:
            self.wfile.write(body)
        if answer.cut_after is not None:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass
