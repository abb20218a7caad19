"""One request to an LMS and its whole answer, over connections that are kept alive."""

import logging
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.metadata import version
from typing import Final

import httpx

from testamur.adapters.open_edx.addresses import site_name
from testamur.adapters.open_edx.errors import LmsError, LmsUnavailable
from testamur.adapters.open_edx.options import OpenEdxOptions
from testamur.adapters.open_edx.replies import Reply, one_line
from testamur.adapters.open_edx.retries import TemporaryFailure

#: An answer as a whole may take so many times the time that is allowed for each part of it.
WHOLE_ANSWER: Final = 5


class Exchange:
    """Sends requests to one LMS, and to nowhere else: redirects are not followed.

    No more than ``concurrency`` requests are under way at once. The time-out holds for connecting
    and for each wait for a part of the answer; the body must be there after five times as long,
    so that one which drips in does not take for ever. (The head of an answer can drip for longer,
    up to the 100 KiB that it may have.)

    Args:
        options: Where the LMS is, how long to wait for it, and how many requests at once.
        clock: Tells seconds, and never goes back.
    """

    def __init__(self, options: OpenEdxOptions, clock: Callable[[], float]) -> None:
        self._url = options.url
        self._timeout = options.timeout_seconds
        self._clock = clock
        self._places = options.concurrency
        self._free_places = threading.BoundedSemaphore(options.concurrency)
        self._lock = threading.Lock()
        self._sent = 0
        self._is_closed = False
        self._client = httpx.Client(
            headers={
                "User-Agent": f"testamur/{version('testamur')}",
                "Accept": "application/json",
            },
            # A session kept beside the token would be a second login.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            timeout=options.timeout_seconds,
            limits=httpx.Limits(max_connections=options.concurrency),
            follow_redirects=False,
        )
        _silence_requests_of_ours()

    @property
    def requests_sent(self) -> int:
        """How many requests were sent so far."""
        return self._sent

    def send(
        self,
        method: str,
        target: str,
        what: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None = None,
    ) -> Reply:
        """Send a request and read the answer, whatever it says.

        Args:
            method: Of HTTP.
            target: Path and query below the LMS's address, encoded.
            what: What is asked, for messages.
            headers: Beside those of every request.
            content: The body.

        Raises:
            TemporaryFailure: No whole answer came.
            LmsError: None will come.
        """
        try:
            request = self._client.build_request(
                method, self._url + target, headers=headers, content=content
            )
            with self._free_places, _ours():
                self._count(what)
                return self._answer_to(request)
        except httpx.InvalidURL:
            raise LmsError(f"{what}: no address that can be asked for can be made of it") from None
        except httpx.RequestError as error:
            untrusted = _untrusted_certificate(error)
            if untrusted:
                raise LmsError(
                    f"{what}: the certificate of {site_name(self._url)} is not trusted"
                    f" ({one_line(untrusted)}); SSL_CERT_FILE can name a file of authorities"
                ) from error
            reason = self._reason(error)
            raise TemporaryFailure(
                lambda attempts: LmsUnavailable(what, reason, attempts)
            ) from error

    def close(self) -> None:
        """Wait until no request is under way, and close the sockets."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        for _ in range(self._places):
            self._free_places.acquire()
        self._client.close()
        self._free_places.release(self._places)

    def _count(self, what: str) -> None:
        with self._lock:
            if self._is_closed:
                raise LmsError(f"{what}: the connection to {site_name(self._url)} is closed")
            self._sent += 1

    def _answer_to(self, request: httpx.Request) -> Reply:
        sent_at = self._clock()
        response = self._client.send(request, stream=True)
        try:
            if isinstance(response.stream, httpx.SyncByteStream):
                response.stream = _InTime(
                    response.stream, self._clock, sent_at + WHOLE_ANSWER * self._timeout
                )
            content = response.read()
        finally:
            response.close()
        return Reply(response.status_code, dict(response.headers), content, sent_at)

    def _reason(self, error: httpx.RequestError) -> str:
        site = site_name(self._url)
        match error:
            case httpx.ConnectTimeout():
                return f"no connection to {site} within {self._timeout:g} s"
            case _TooLate():
                return f"the answer is not whole after {WHOLE_ANSWER * self._timeout:g} s"
            case httpx.TimeoutException():
                return f"{site} was silent for {self._timeout:g} s"
            case httpx.ConnectError():
                return f"no connection to {site}: {one_line(str(error))}"
            case httpx.DecodingError():
                return "the answer cannot be unpacked"
            case _:
                return f"the connection to {site} broke: {one_line(str(error))}"


class _TooLate(httpx.ReadTimeout):
    """The parts of an answer came in time, and the answer did not."""


class _InTime(httpx.SyncByteStream):
    """A body that must be there at a certain moment; checked whenever a part of it came."""

    def __init__(
        self, stream: httpx.SyncByteStream, clock: Callable[[], float], deadline: float
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._deadline = deadline

    def __iter__(self) -> Iterator[bytes]:
        for part in self._stream:
            if self._clock() > self._deadline:
                raise _TooLate("too late")
            yield part

    def close(self) -> None:
        self._stream.close()


def _untrusted_certificate(error: BaseException) -> str:
    """Return why the certificate of a server is not trusted; empty where that is not the cause."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message
        cause = cause.__cause__ or cause.__context__  # httpcore cuts the one off
    return ""


# httpx logs the address of every request, and addresses have learners' names in them. Only the
# requests of this module are kept out of the log; those of the host application are its own.
_thread: Final = threading.local()


@contextmanager
def _ours() -> Iterator[None]:
    _thread.sends_ours = True
    try:
        yield
    finally:
        _thread.sends_ours = False


def _is_not_ours(_: logging.LogRecord) -> bool:
    return not getattr(_thread, "sends_ours", False)


def _silence_requests_of_ours() -> None:
    logging.getLogger("httpx").addFilter(_is_not_ours)  # once, however often it is added
