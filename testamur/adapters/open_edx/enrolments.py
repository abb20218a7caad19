"""Who is enrolled, where the LMS has no other list of it, and whether one learner is."""

from collections.abc import Iterator

from testamur.adapters.open_edx.addresses import segment
from testamur.adapters.open_edx.connection import Connection
from testamur.adapters.open_edx.errors import LmsRefused, NotPermitted
from testamur.adapters.open_edx.pages import Page, pages
from testamur.adapters.open_edx.refusals import GLOBAL_STAFF
from testamur.adapters.open_edx.shapes import mapping, truth

#: The most that any release gives at once.
_PAGE_SIZE = 100


def enrolments(connection: Connection, course: str) -> Iterator[Page]:
    """Yield the pages of all enrolments in a course, active or not.

    Raises:
        NotPermitted: It takes global staff.
    """
    what = f"enrolments in {course}"
    query = {"course_id": course, "page_size": str(_PAGE_SIZE)}
    try:
        yield from pages(connection, "/api/enrollment/v1/enrollments", query, what=what)
    except LmsRefused as refused:
        if refused.status == 403:
            raise NotPermitted(what, GLOBAL_STAFF) from refused
        raise


def is_enrolled(connection: Connection, course: str, username: str) -> bool | None:
    """Return whether a learner's enrolment in a course is active; None: there never was one."""
    what = f"enrolment of a learner in {course}"
    path = f"/api/enrollment/v1/enrollment/{segment(username)},{segment(course)}"
    try:
        answer = connection.get(path, what=what)
    except LmsRefused as refused:
        if refused.status == 404:
            raise NotPermitted(what, GLOBAL_STAFF) from refused
        raise
    return None if answer is None else truth(mapping(answer, what), "is_active", what)
