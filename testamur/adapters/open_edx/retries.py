"""When a request that failed is sent again, and how long to wait before that.

No library's retrying does it: a wait that the LMS asks for holds for all who ask it and so belongs
to their common pace, closing the connection has to end every wait, and a 429 is no attempt.
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar

from testamur.adapters.open_edx.errors import LmsError

T = TypeVar("T")

#: Seconds that the first wait has at most; each next one may be twice as long.
FIRST_WAIT: Final = 1.0

#: Seconds that no wait of our own exceeds.
LONGEST_BACKOFF: Final = 60.0

#: Seconds that the LMS may ask to wait, and that one request is put off by 429s in all.
LONGEST_WAIT: Final = 300.0


class TemporaryFailure(Exception):
    """A request failed in a way that may pass.

    Args:
        final_error: Makes the error for when it does not pass, of how often it was tried.
        retry_after: Seconds that the LMS asks to wait.
        throttled: Whether it was told to slow down (429), and so did not fail.
    """

    def __init__(
        self,
        final_error: Callable[[int], LmsError],
        *,
        retry_after: float | None = None,
        throttled: bool = False,
    ) -> None:
        super().__init__()
        self.final_error = final_error
        self.retry_after = retry_after
        self.throttled = throttled


def _draw(most: float) -> float:
    return random.uniform(0, most)  # noqa: S311 - it spreads requests, and guards nothing


class Patience:
    """Decides for one request how long to wait before it is sent again, and when to give up.

    The waits grow exponentially with full jitter: each is drawn evenly from nothing to twice the
    bound before. What the LMS asks for in ``Retry-After`` comes first.

    Args:
        attempts: How often it is sent in all, without the times that it was put off by a 429.
        draw: Draws evenly from nothing up to a number.
    """

    def __init__(self, attempts: int, draw: Callable[[float], float] = _draw) -> None:
        self._attempts = attempts
        self._draw = draw
        self._failures = 0
        self._refusals = 0
        self._put_off = 0.0

    def wait_after(self, failure: TemporaryFailure) -> float:
        """Return how many seconds to wait.

        Raises:
            LmsError: It is not to be sent again.
        """
        before = self._refusals if failure.throttled else self._failures
        bound = min(FIRST_WAIT * 2.0**before, LONGEST_BACKOFF)
        asked_for = failure.retry_after or 0.0
        if failure.throttled:
            self._refusals += 1
            self._put_off += asked_for or bound
        else:
            self._failures += 1
        if (
            self._failures == self._attempts
            or self._put_off > LONGEST_WAIT
            or asked_for > LONGEST_WAIT
        ):
            raise failure.final_error(self._failures + self._refusals)
        return asked_for or self._draw(bound)


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """Return the seconds that a ``Retry-After`` asks to wait (RFC 9110, section 10.2.3).

    Args:
        header: Its value: whole seconds, or a date of HTTP.
        now: The present moment (aware).

    Returns:
        None where it is missing, no time at all, or a moment that has passed.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text) or None
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    if at.tzinfo is None:  # the zone "-0000": UTC, and nothing is known of the place
        at = at.replace(tzinfo=UTC)
    seconds = (at - now).total_seconds()
    return seconds if seconds > 0 else None
