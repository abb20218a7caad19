"""What all views share: the population, the client, tokens, links, and a log of requests."""

import re
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, NoReturn

from examples.stand_in_lms.catalogue import Course
from examples.stand_in_lms.exchange import Answer, Refused, Request, html_answer
from examples.stand_in_lms.faults import FaultDrawer, Faults
from examples.stand_in_lms.grade_rows import GradeRows
from examples.stand_in_lms.people import User
from examples.stand_in_lms.population import Population
from examples.stand_in_lms.tokens import Tokens

#: What the LMS's URL patterns take for a course key.
COURSE_KEY: Final = r"[^/+]+(?:/|\+)[^/+]+(?:/|\+)[^/?]+"

_WELL_FORMED = re.compile(
    r"course-v1:[^/+]+\+[^/+]+\+[^/+]+|ccx-v1:[^/+]+\+[^/+]+\+[^/+]+\+ccx@\d+"
)
_WRONG_ORIGIN = "http://lms-internal.example.org:8000"
_LAST_REQUESTS = 20_000


@dataclass(frozen=True, slots=True)
class Logged:
    """A request that was answered, or met a fault.

    Args:
        endpoint: Name of the endpoint.
        method: HTTP method.
        target: Path and query as sent.
        outcome: Status of the answer, or the name of the fault.
    """

    endpoint: str
    method: str
    target: str
    outcome: str


class RequestLog:
    """Counts requests by endpoint, and keeps the last ones."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[str] = Counter()
        self._outcomes: Counter[tuple[str, str]] = Counter()
        self._last: deque[Logged] = deque(maxlen=_LAST_REQUESTS)

    def add(self, logged: Logged) -> None:
        """Count a request."""
        with self._lock:
            self._counts[logged.endpoint] += 1
            self._outcomes[logged.endpoint, logged.outcome] += 1
            self._last.append(logged)

    def __getitem__(self, endpoint: str) -> int:
        """Return how many requests came to an endpoint, answered or not."""
        with self._lock:
            return self._counts[endpoint]

    @property
    def counts(self) -> Counter[str]:
        """How many requests came, by endpoint."""
        with self._lock:
            return self._counts.copy()

    @property
    def outcomes(self) -> Counter[tuple[str, str]]:
        """How many requests came, by endpoint and status or fault."""
        with self._lock:
            return self._outcomes.copy()

    @property
    def last(self) -> list[Logged]:
        """The last requests, in order."""
        with self._lock:
            return list(self._last)

    def clear(self) -> None:
        """Begin counting anew."""
        with self._lock:
            self._counts.clear()
            self._outcomes.clear()
            self._last.clear()


class Throttle:
    """Lets so many requests through in each period, and says when the next may come."""

    def __init__(self) -> None:
        self._moments: deque[float] = deque()
        self._lock = Lock()

    def seconds_to_wait(self, requests: int, period_seconds: float) -> float:
        """Return 0 and count the request, or how long to wait."""
        now = time.monotonic()
        with self._lock:
            while self._moments and self._moments[0] <= now - period_seconds:
                self._moments.popleft()
            if len(self._moments) < requests:
                self._moments.append(now)
                return 0
            return self._moments[0] + period_seconds - now if self._moments else period_seconds


@dataclass
class Site:
    """One running stand-in.

    Args:
        population: Everything it knows.
        faults: How it misbehaves; may be replaced while it runs.
        client_id: Of the one OAuth2 application.
        client_secret: Of the same.
        service_username: The user for whom that application speaks.
        url: Where it is.
    """

    population: Population
    faults: Faults
    client_id: str
    client_secret: str
    service_username: str
    url: str = ""
    tokens: Tokens = field(default_factory=Tokens)
    log: RequestLog = field(default_factory=RequestLog)
    throttle: Throttle = field(default_factory=Throttle)
    drawer: FaultDrawer = field(default_factory=FaultDrawer)
    counted: dict[str, int] = field(default_factory=dict)
    completion_pages: Counter[str] = field(default_factory=Counter)
    _rows: dict[str, GradeRows] = field(default_factory=dict)

    def grade_rows(self, course: Course) -> GradeRows:
        """Return what writes the gradebook rows of a course."""
        rows = self._rows.get(course.key)
        if rows is None or rows.course is not course:
            rows = self._rows[course.key] = GradeRows(course)
        return rows

    def course(self, key: str, malformed: Answer, unknown: Answer) -> Course:
        """Return a course.

        Args:
            key: Its key, as asked for.
            malformed: What is answered where that is no course key.
            unknown: What is answered where there is no such course.

        Raises:
            Refused: With one of these answers.
        """
        if not _WELL_FORMED.fullmatch(key):
            raise Refused(malformed)
        if key not in self.population.courses:
            raise Refused(unknown)
        return self.population.courses[key]

    def user(self, username: str, unknown: Answer) -> User:
        """Return the account with a username.

        Raises:
            Refused: With the given answer, where there is none.
        """
        user = self.population.people.named(username)
        if user is None:
            raise Refused(unknown)
        return user

    def staff_only(self, refusal: Answer) -> None:
        """Refuse callers who are not global staff.

        Raises:
            Refused: With the given answer.
        """
        if not self.faults.is_staff:
            raise Refused(refusal)

    def graded_only(self, user_id: int) -> None:
        """Crash where a learner's grade cannot be computed.

        Raises:
            Refused: With the page of a crashed view.
        """
        missing = user_id in self.faults.missing_from_gradebook
        if missing and self.faults.missing_single == "fails":
            raise Refused(html_answer(500))

    def link(self, request: Request, **changes: object) -> str:
        """Return the request's own URL with some parameters set."""
        origin = _WRONG_ORIGIN if self.faults.wrong_origin_links else self.url
        return f"{origin}{request.raw_path}?{request.query_with(**changes)}"

    def capped(self, endpoint: str, size: int) -> int:
        """Return a page size, or the most that the endpoint gives."""
        return min(size, self.faults.page_size_cap.get(endpoint, size))


def refuse(answer: Answer) -> NoReturn:
    """Answer with something else than what was asked for.

    Raises:
        Refused: Always.
    """
    raise Refused(answer)


def is_course_key(text: str) -> bool:
    """Return whether a text is a well-formed course key."""
    return _WELL_FORMED.fullmatch(text) is not None
