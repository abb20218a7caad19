"""What goes wrong, and how often: drawn from a seed, and bounded, so that retrying is enough."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import blake2b
from threading import Lock
from typing import Literal

Generation = Literal["old", "middle", "new"]
RetryAfter = Literal["seconds", "date", "none"]
Fault = Literal["429", "503", "cut", "html_200", "dropped", "stall"]

_PARTS = 2**32


@dataclass(frozen=True, slots=True)
class Outage:
    """Requests that fail for as long as the fault is there.

    Args:
        prefix: Of the paths that fail.
        after: How many requests of these are answered first.
        status: With which status they fail; ``None`` drops the connection.
    """

    prefix: str
    after: int = 0
    status: int | None = 503


@dataclass(frozen=True, slots=True)
class Change:
    """An enrolment that begins or ends while the completion list of its course is being read.

    The population itself changes, so its truth does too.

    Args:
        course_key: Of the course.
        user_id: Whose.
        active: Whether it begins.
        after_pages: How many pages of the list have been served before.
    """

    course_key: str
    user_id: int
    active: bool
    after_pages: int = 1


@dataclass(frozen=True)
class Faults:
    """How the stand-in misbehaves, and which release of the LMS it is.

    The rates are fractions of all requests. A request, that is the same method, target and body,
    meets at most `most_in_a_row` of these faults one after another.

    Args:
        seed: The same seed gives the same faults for the same requests.
        most_in_a_row: See above.
        rate_429: Throttled.
        rate_503: Unavailable, as HTML.
        rate_cut: Cut off in the middle of the body.
        rate_html_200: A page of HTML with status 200.
        rate_dropped_connection: Closed without any answer.
        rate_stall: Answered, but only after `stall_seconds`.
        stall_seconds: See above.
        retry_after: How a 429 says when to come again.
        retry_after_seconds: When to come again.
        token_life_seconds: How long a token is good for.
        throttle: Requests to the enrolment views that are answered in each period. None: all.
        throttle_seconds: Length of the period.
        generation: Release of the LMS: which pages the enrolments list has (``old``: 100 by
            cursor, ``middle``: up to 100 by cursor, ``new``: numbered), whether developer views
            send ``Retry-After`` (``new`` only), and how the gradebook tells names.
        wrong_origin_links: Whether links to the next page name another host.
        page_size_cap: Most rows on a page, by endpoint: ``gradebook``, ``completion``,
            ``course_grades``.
        missing_from_gradebook: Users whose grades cannot be computed: left out of lists.
        missing_single: How the gradebook, the grades and the progress page answer when asked
            for one of these: as if nothing were wrong, or with 500.
        shifting_pages: Enrolments that change while the completion list is being read.
        outages: What fails for good.
        gradebook_enabled: Whether the gradebook's flag is on.
        progress_enabled: Whether the progress page's flag is on.
        progress_prefix: Where the progress page is in this release.
        completion_installed: Whether the completion aggregator is installed.
        learning_paths_installed: Whether the learning paths plugin is installed.
        is_staff: Whether the user of the client's application is global staff.
        longest_request_line: Bytes of a request line that the proxy lets through.
    """

    seed: int = 0
    most_in_a_row: int = 3
    rate_429: float = 0
    rate_503: float = 0
    rate_cut: float = 0
    rate_html_200: float = 0
    rate_dropped_connection: float = 0
    rate_stall: float = 0
    stall_seconds: float = 0.5
    retry_after: RetryAfter = "seconds"
    retry_after_seconds: int = 1
    token_life_seconds: float = 3600
    throttle: int | None = None
    throttle_seconds: float = 60
    generation: Generation = "new"
    wrong_origin_links: bool = False
    page_size_cap: Mapping[str, int] = field(default_factory=dict)
    missing_from_gradebook: frozenset[int] = frozenset()
    missing_single: Literal["answers", "fails"] = "fails"
    shifting_pages: tuple[Change, ...] = ()
    outages: tuple[Outage, ...] = ()
    gradebook_enabled: bool = True
    progress_enabled: bool = True
    progress_prefix: str = "/api/course_home/"
    completion_installed: bool = True
    learning_paths_installed: bool = True
    is_staff: bool = True
    longest_request_line: int = 4094

    @property
    def rates(self) -> Iterable[tuple[Fault, float]]:
        """The faults that are drawn, with their rates."""
        return (
            ("429", self.rate_429),
            ("503", self.rate_503),
            ("cut", self.rate_cut),
            ("html_200", self.rate_html_200),
            ("dropped", self.rate_dropped_connection),
            ("stall", self.rate_stall),
        )

    def retry_after_header(self, seconds: int) -> tuple[tuple[str, str], ...]:
        """Return the header of a 429 that says when to come again, in the configured form."""
        if self.retry_after == "none":
            return ()
        if self.retry_after == "seconds":
            return (("Retry-After", str(seconds)),)
        moment = datetime.now(UTC) + timedelta(seconds=seconds)
        return (("Retry-After", format_datetime(moment, usegmt=True)),)


NONE = Faults()


class FaultDrawer:
    """Draws which fault a request meets; one for each running server."""

    def __init__(self) -> None:
        self._attempts: dict[bytes, tuple[int, int]] = {}
        self._outages: dict[Outage, int] = {}
        self._lock = Lock()

    def outage(self, faults: Faults, path: str) -> Outage | None:
        """Return the outage that a path meets, and count the request."""
        for outage in faults.outages:
            if path.startswith(outage.prefix):
                with self._lock:
                    before = self._outages.get(outage, 0)
                    self._outages[outage] = before + 1
                if before >= outage.after:
                    return outage
        return None

    def draw(self, faults: Faults, method: str, target: str, body: bytes) -> Fault | None:
        """Return the fault that this attempt at a request meets."""
        if not any(rate for _, rate in faults.rates):
            return None
        request = blake2b(
            b"%b %b %b" % (method.encode(), target.encode(), body), digest_size=16
        ).digest()
        with self._lock:
            attempt, in_a_row = self._attempts.get(request, (0, 0))
            chance = blake2b(b"%d %d %b" % (faults.seed, attempt, request), digest_size=4).digest()
            fault = _at(int.from_bytes(chance, "big") / _PARTS, faults)
            if in_a_row >= faults.most_in_a_row:
                fault = None
            self._attempts[request] = (attempt + 1, in_a_row + 1 if fault else 0)
        return fault


def _at(chance: float, faults: Faults) -> Fault | None:
    for fault, rate in faults.rates:
        if chance < rate:
            return fault
        chance -= rate
    return None
