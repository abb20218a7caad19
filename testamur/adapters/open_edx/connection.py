"""The connection to one LMS: asks it over HTTP with a token, as often and as hard as it may."""

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from types import TracebackType
from typing import Any, Final, ParamSpec, Self, TypeVar

from testamur.adapters.current_work import HelpingThreads
from testamur.adapters.open_edx.addresses import origin, query_string, site_name
from testamur.adapters.open_edx.errors import LmsError
from testamur.adapters.open_edx.exchange import Exchange
from testamur.adapters.open_edx.options import OpenEdxOptions
from testamur.adapters.open_edx.rate_limit import pace_of
from testamur.adapters.open_edx.replies import Reply
from testamur.adapters.open_edx.retries import Patience, TemporaryFailure
from testamur.adapters.open_edx.tokens import TOKEN_PATH, Token, Tokens, token_in
from testamur.adapters.open_edx.verdicts import Verdicts

P = ParamSpec("P")
T = TypeVar("T")

_BAD_REQUEST: Final = 400
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403


class Connection:
    """One LMS, asked over HTTP with a token. Several threads may use it at once.

    A request that fails in a way that may pass is sent again (see :mod:`.retries`); all
    connections of the process to one LMS share one pace, and all workers one limit (see
    :mod:`.rate_limit`). A pause that the LMS asks for holds for all of these. Whole numbers
    of an answer come as ``int``, all others as ``Decimal`` with the digits that were sent.

    A process that forks opens its connections afterwards.

    Args:
        options: Which LMS, and how hard to ask it.
        wait: Waits for a number of seconds; by default in a way that :meth:`close` ends.
        clock: Tells seconds, and never goes back.
    """

    def __init__(
        self,
        options: OpenEdxOptions,
        *,
        wait: Callable[[float], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        self._clock = clock
        self._closed = threading.Event()
        self._wait_for = wait or self._closed.wait
        self._process = os.getpid()
        self._pace = pace_of(origin(options.url))
        self._tokens = Tokens(self._new_token, clock)
        self._verdicts = Verdicts(options)
        self._exchange = Exchange(options, clock)
        self._own_thread = threading.local()
        self._pool = HelpingThreads(
            options.concurrency,
            thread_name_prefix="testamur-open-edx",
            # Not a method: threads must not keep alive a connection that nobody closed.
            initializer=partial(setattr, self._own_thread, "is_own", True),
        )

    @property
    def site(self) -> str:
        """Host, with port and path where the address has them, for the name of the source."""
        return site_name(self._options.url)

    @property
    def requests_sent(self) -> int:
        """How many requests were sent so far, with those that failed and those for tokens."""
        return self._exchange.requests_sent

    @property
    def concurrency(self) -> int:
        """How many requests can be under way at once."""
        return self._options.concurrency

    def get(
        self,
        path: str,
        query: Mapping[str, str] | str | None = None,
        *,
        what: str,
        attempts: int | None = None,
    ) -> Any:
        """Ask, and return the JSON of the answer; None where the answer is empty (200, 204).

        Args:
            path: Below the LMS's address, from its first slash, with keys as
                :func:`~testamur.adapters.open_edx.addresses.segment` writes them.
            query: Names and values, not encoded yet; or a query string that is.
            what: What is asked, for messages, such as ``grades of course-v1:A+B+C``, without
                anything personal.

        Raises:
            LmsRefused: The LMS says no (4xx).
            LmsError: There is no usable answer.
        """
        encoded = query if isinstance(query, str) else query_string(query or {})
        target = f"{path}?{encoded}" if encoded else path
        return self._asked_with_token("GET", target, what, attempts=attempts)

    def post(self, path: str, document: object, *, what: str) -> Any:
        """Send JSON, and return the JSON of the answer, as :meth:`get` does.

        It may be sent more than once, so it is for asking only.
        """
        return self._asked_with_token("POST", path, what, json.dumps(document).encode())

    def submit(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a function in one of the connection's ``concurrency`` threads.

        Submitted from within one of these threads it is run at once, so that they never wait for
        each other.

        Raises:
            LmsError: The connection is closed.
        """
        self._require_open()
        if getattr(self._own_thread, "is_own", False):
            return _run_now(function, *args, **kwargs)
        try:
            return self._pool.submit(function, *args, **kwargs)
        except RuntimeError:  # closed this very moment
            self._require_open()
            raise

    def close(self) -> None:
        """Give up what waits, let requests under way end, and close the sockets."""
        self._closed.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._exchange.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Connection({self._options.url!r})"

    def _asked_with_token(
        self,
        method: str,
        target: str,
        what: str,
        content: bytes | None = None,
        attempts: int | None = None,
    ) -> Any:
        advice = {
            _UNAUTHORIZED: "it takes no token of this client: check that the user of the OAuth"
            f" application with client_id {self._options.client_id!r} is active"
        }
        answer, _ = self._asked(
            lambda: self._send_with_token(method, target, what, content), what, advice, attempts
        )
        return answer

    def _asked(
        self,
        send: Callable[[], Reply],
        what: str,
        advice: Mapping[int, str],
        attempts: int | None = None,
    ) -> tuple[Any, Reply]:
        """Send until there is a usable answer; return its JSON, and the reply that had it."""
        self._require_open()
        most = self._options.attempts
        patience = Patience(most if attempts is None else min(attempts, most))
        while True:
            try:
                reply = send()
                return self._verdicts.json(reply, what, advice), reply
            except TemporaryFailure as failure:
                seconds = patience.wait_after(failure)
                if failure.throttled or failure.retry_after is not None:
                    self._pace.pause_all(seconds, self._clock)  # waited for with the next turn
                else:
                    self._wait(seconds)

    def _send_with_token(self, method: str, target: str, what: str, content: bytes | None) -> Reply:
        """Send with a token; where it is refused, once more with another one.

        That it expired cannot be told from the words of a 401, so any of them counts.
        """
        reply, token = self._send_with_newest_token(method, target, what, content)
        if reply.status == _UNAUTHORIZED:
            self._tokens.refused(token)
            reply, _ = self._send_with_newest_token(method, target, what, content)
        return reply

    def _send_with_newest_token(
        self, method: str, target: str, what: str, content: bytes | None
    ) -> tuple[Reply, Token]:
        self._await_turn()
        token = self._tokens.current()
        headers = {"Authorization": token.header}
        if content is not None:
            headers["Content-Type"] = "application/json"
        return self._exchange.send(method, target, what, headers=headers, content=content), token

    def _new_token(self) -> Token:
        what = f"an access token for client_id {self._options.client_id!r}"
        form = query_string(
            {
                "grant_type": "client_credentials",
                "client_id": self._options.client_id,
                "client_secret": self._options.client_secret.get_secret_value(),
                "token_type": "jwt",
            }
        ).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}

        def send() -> Reply:
            self._await_turn()
            return self._exchange.send("POST", TOKEN_PATH, what, headers=headers, content=form)

        advice = dict.fromkeys(
            (_BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN),
            "check client_id and client_secret, that the OAuth application has the grant type"
            " client credentials, and that not too many tokens were asked for",
        )
        answer, reply = self._asked(send, what, advice)
        token = token_in(answer, reply.sent_at, what)
        self._verdicts.keep_secret(token.text)
        return token

    def _await_turn(self) -> None:
        self._pace.wait_for_turn(self._options.requests_per_minute, self._clock, self._wait)
        self._require_open()

    def _wait(self, seconds: float) -> None:
        self._wait_for(seconds)
        self._require_open()

    def _require_open(self) -> None:
        if self._closed.is_set():
            raise LmsError(f"the connection to {self.site} is closed")
        if os.getpid() != self._process:
            raise LmsError(f"the connection to {self.site} was opened by another process")


def _run_now(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
    future: Future[T] = Future()
    try:
        future.set_result(function(*args, **kwargs))
    except Exception as error:  # noqa: BLE001 - whoever asks for the result gets it
        future.set_exception(error)
    return future
