"""Refusals explained: which role the user lacks, or that there is no such course."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

from testamur.adapters.open_edx.errors import LmsRefused, NotPermitted, UnknownContext

#: What makes a refusal go away, for messages about the user of the OAuth2 application.
GLOBAL_STAFF: Final = "make it global staff"
COURSE_STAFF: Final = "make it global staff, or staff of the course"


def explain(refused: LmsRefused, what: str, course: str, *, unknown: bool) -> NoReturn:
    """Raise what a refusal means where the staff of a course may ask.

    Args:
        refused: The refusal.
        what: What was asked, for people to read, without anything personal.
        course: Key of the course that was asked about.
        unknown: Whether this is how the address that was asked says that there is no such course.

    Raises:
        NotPermitted: It takes a role in the course.
        UnknownContext: The LMS does not know the course.
        LmsRefused: It means neither.
    """
    if refused.status == 403:
        raise NotPermitted(what, COURSE_STAFF) from refused
    if unknown:
        raise unknown_course(course) from refused
    raise refused


@contextmanager
def explained(what: str, course: str, *, unknown: Collection[int]) -> Iterator[None]:
    """Raise what a refusal in the block means, as :func:`explain` does.

    Args:
        what: What is asked, for people to read, without anything personal.
        course: Key of the course that is asked about.
        unknown: The statuses by which the address says that there is no such course.

    Raises:
        NotPermitted, UnknownContext, LmsRefused: As :func:`explain`.
    """
    try:
        yield
    except LmsRefused as refused:
        explain(refused, what, course, unknown=refused.status in unknown)


def unknown_course(course: str) -> UnknownContext:
    """Return the error that says that there is no such course."""
    return UnknownContext(course, "the LMS does not know this course")
