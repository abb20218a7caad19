"""Access tokens of an LMS (OAuth2 client credentials), renewed before they expire."""

import re
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final

from testamur.adapters.open_edx.errors import LmsError

TOKEN_PATH: Final = "/oauth2/access_token"  # noqa: S105 - a path

#: A token is renewed this many seconds before it expires, or after three quarters of its life
#: where that is later, so that one of a few seconds can be used at all.
RENEWED_BEFORE: Final = 60.0

#: What may stand in a header; anything else is none of the LMS's tokens.
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True, eq=False)
class Token:
    """An access token.

    Args:
        text: The JSON Web Token; never shown.
        renew_at: When to ask for the next one, on the clock of whoever asked; None: when this
            one is refused.
    """

    text: str = field(repr=False)
    renew_at: float | None

    @property
    def header(self) -> str:
        """The value of the header ``Authorization``."""
        return f"JWT {self.text}"


def token_in(answer: Any, asked_at: float, what: str) -> Token:
    """Read the answer of the LMS to a request for a token.

    Args:
        answer: Its JSON.
        asked_at: When it was asked for.
        what: What was asked, for messages.

    Raises:
        LmsError: It holds no token that can be used. One that is no JWT cannot: newer views of
            the LMS, and its plugins, refuse it.
    """
    given: Mapping[str, Any] = answer if isinstance(answer, Mapping) else {}
    text, kind, life = (given.get(key) for key in ("access_token", "token_type", "expires_in"))
    if not isinstance(text, str) or not _TOKEN.fullmatch(text):
        raise LmsError(f"{what}: the answer holds no token; is url the address of an LMS?")
    if not isinstance(kind, str) or kind.lower() != "jwt":
        raise LmsError(
            f"{what}: the LMS gave a token of the type {str(kind)[:20]!r} though a JWT was asked"
            " for, and some of its views take nothing else; check that it is an Open edX LMS that"
            " issues JWTs"
        )
    if life is None:
        return Token(text, renew_at=None)
    try:
        seconds = float(life)
    except (TypeError, ValueError):
        seconds = 0.0
    if not seconds > 0:
        raise LmsError(
            f"{what}: the LMS gave a token that has expired already (expires_in is"
            f" {str(life)[:20]!r}); check JWT_ACCESS_TOKEN_EXPIRE_SECONDS of the LMS"
        )
    return Token(text, asked_at + max(seconds - RENEWED_BEFORE, seconds * 0.75))


class Tokens:
    """The token in use. Several threads may ask for it at once: one fetches, the others wait.

    Args:
        fetch: Asks the LMS for a new one.
        clock: Tells the moment that ``renew_at`` is compared with.
    """

    def __init__(self, fetch: Callable[[], Token], clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._newest: Future[Token] | None = None

    def current(self) -> Token:
        """Return a token that is good for a while, a new one if need be.

        Raises:
            LmsError: None can be had; all who wait for it are told, and the next one asks again.
        """
        fetched, is_mine = self._newest_or_mine()
        if is_mine:
            try:
                fetched.set_result(self._fetch())
            except BaseException as error:
                fetched.set_exception(error)
                raise
        return fetched.result()

    def refused(self, token: Token) -> None:
        """Take note that the LMS does not take this token, so that the next one is a new one."""
        with self._lock:
            if self._newest is not None and _token_of(self._newest) is token:
                self._newest = None

    def _newest_or_mine(self) -> tuple[Future[Token], bool]:
        """Return the newest token, and whether it is the caller who has to fetch it."""
        with self._lock:
            if self._newest is not None and not self._is_over(self._newest):
                return self._newest, False
            self._newest = Future()
            return self._newest, True

    def _is_over(self, fetched: Future[Token]) -> bool:
        if not fetched.done():
            return False
        token = _token_of(fetched)
        if token is None:
            return True
        return token.renew_at is not None and self._clock() >= token.renew_at


def _token_of(fetched: Future[Token]) -> Token | None:
    """Return the token, if it is there already; None too where it could not be had."""
    return fetched.result() if fetched.done() and fetched.exception() is None else None
