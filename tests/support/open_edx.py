"""A stand-in Open edX for tests: courses, learners and their work told one by one, and a client."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx

from examples.stand_in_lms.catalogue import AssignmentType, Course, Pathway, Subsection
from examples.stand_in_lms.faults import NONE, Change, Faults, Outage
from examples.stand_in_lms.people import User
from examples.stand_in_lms.population import Population, generate
from examples.stand_in_lms.server import StandInLms
from examples.stand_in_lms.work import Work

__all__ = [
    "COURSE_KEY",
    "PATHWAY_KEY",
    "AssignmentType",
    "Change",
    "Course",
    "Faults",
    "Outage",
    "Pathway",
    "Population",
    "StandInLms",
    "Subsection",
    "User",
    "Work",
    "a_course",
    "a_learner",
    "a_population",
    "client_of",
    "enrol",
    "generate",
    "some_work",
    "stand_in",
]

COURSE_KEY = "course-v1:Example+Sailing+2026"
PATHWAY_KEY = "path-v1:Example+Seas+2026+all"

_START = datetime(2026, 1, 15, 8, tzinfo=UTC)
_END = datetime(2026, 6, 30, 22, tzinfo=UTC)


def a_course(
    graded: Sequence[tuple[str, str]] = (("Homework", "10"), ("Homework", "10"), ("Exam", "20")),
    weights: Mapping[str, str | None] | None = None,
    *,
    key: str = COURSE_KEY,
    name: str = "Sailing",
    units: Sequence[int] | None = None,
    dropped: int = 0,
    hidden: bool = False,
    end: datetime | None = _END,
) -> Course:
    """Return a course whose subsections are ``s1``, ``s2`` and so on.

    Args:
        graded: Assignment category and points of each subsection.
        weights: Of each line of the policy, None where it is missing; by default 0.5 for each.
        key: Course key; usage keys follow from it.
        name: Display name.
        units: How many units each subsection has; by default 10.
        dropped: Worst assignments that the platform's own grade leaves out of each category.
        hidden: Whether anonymous visitors do not see it.
        end: When it ends.
    """
    categories = dict.fromkeys(category for category, _ in graded)
    weighted: Mapping[str, str | None] = (
        dict.fromkeys(categories, "0.5") if weights is None else weights
    )
    scheme, _, run = key.partition(":")
    usage = f"{'ccx-block-v1' if scheme == 'ccx-v1' else 'block-v1'}:{run}+type@sequential+block@"
    return Course(
        key=key,
        name=name,
        start=_START,
        end=end,
        policy=tuple(
            AssignmentType(
                category,
                sum(each == category for each, _ in graded),
                dropped,
                None if weight is None else Decimal(weight),
                category[:4],
            )
            for category, weight in weighted.items()
        ),
        subsections=tuple(
            Subsection(
                f"{usage}s{place}",
                f"{category} {place}",
                category,
                Decimal(possible),
                units[place - 1] if units else 10,
            )
            for place, (category, possible) in enumerate(graded, 1)
        ),
        hidden=hidden,
    )


def a_learner(user_id: int, name: str | None = None, **fields: Any) -> User:
    """Return an account; by default its names follow from its id."""
    told: dict[str, Any] = {
        "username": f"learner_{user_id}",
        "name": f"Learner {user_id}" if name is None else name,
        "email": f"learner{user_id}@example.org",
    }
    return User(user_id=user_id, **(told | fields))


def some_work(
    course: Course,
    earned: Sequence[str | None] = (),
    completed: Sequence[int] | None = None,
    *,
    stored: Sequence[int] | None = None,
    possible: Sequence[str] | None = None,
    aggregated: bool = True,
) -> Work:
    """Return a learner's work.

    Args:
        course: In which.
        earned: Points of each graded subsection, None where not attempted; by default none was.
        completed: Units of each subsection; by default none.
        stored: The same as the LMS last stored it; by default the same.
        possible: What each graded subsection is worth to this learner, where it is not as usual.
        aggregated: Whether the LMS stored anything at all.
    """
    done = tuple(completed) if completed is not None else (0,) * len(course.subsections)
    points = tuple(earned) or (None,) * len(course.graded)
    return Work(
        earned=tuple(None if each is None else Decimal(each) for each in points),
        possible=tuple(map(Decimal, possible)) if possible is not None else course.possible,
        completed=done,
        stored=done if stored is None else tuple(stored),
        aggregated=aggregated,
    )


def a_population(
    courses: Iterable[Course] = (), steps: Sequence[str] = (), *, seed: int = 0
) -> Population:
    """Return a population without learners.

    Args:
        courses: Its courses; by default one.
        steps: Courses of a pathway with the key `PATHWAY_KEY`; without any there is none.
        seed: Of what is drawn.
    """
    pathways = [Pathway(PATHWAY_KEY, "The Seven Seas", tuple(steps), 1)] if steps else []
    return Population(seed, None, tuple(courses) or (a_course(),), pathways)


def enrol(
    population: Population,
    learner: User,
    earned: Sequence[str | None] = (),
    completed: Sequence[int] | None = None,
    *,
    course_key: str = COURSE_KEY,
    active: bool = True,
    **work: Any,
) -> None:
    """Enrol a learner in a course with their work in it; the arguments are those of `some_work`."""
    population.tell(learner)
    population.enrol(course_key, learner.user_id, active=active)
    course = population.courses[course_key]
    population.record(course_key, learner.user_id, some_work(course, earned, completed, **work))


@contextmanager
def stand_in(population: Population | None = None, faults: Faults = NONE) -> Iterator[StandInLms]:
    """Serve a population while the context lasts; by default forty generated learners."""
    with StandInLms(population or generate(1, 40), faults) as lms:
        yield lms


@contextmanager
def client_of(lms: StandInLms, token_type: str = "jwt") -> Iterator[httpx.Client]:
    """Give a client with a token, which does nothing about faults."""
    # There is no TLS here, and reading the system's authorities for it takes longest.
    with httpx.Client(base_url=lms.url, timeout=10, verify=False) as client:
        issued = client.post(
            "/oauth2/access_token",
            data={
                "grant_type": "client_credentials",
                "client_id": lms.client_id,
                "client_secret": lms.client_secret,
                "token_type": token_type,
            },
        ).json()
        client.headers["Authorization"] = f"{issued['token_type']} {issued['access_token']}"
        yield client
