"""What the grade views share: their errors, and their lists of learners by cursor."""

from collections.abc import Callable
from typing import Final

from examples.stand_in_lms.catalogue import Course
from examples.stand_in_lms.exchange import Answer, Request, as_json, developer_error
from examples.stand_in_lms.paging import cursor_at, cursor_position
from examples.stand_in_lms.site import Site

_PAGE_SIZE: Final = 50

NO_USER: Final = developer_error(404, "The user does not exist.", "user_does_not_exist")
NOT_ENROLLED: Final = developer_error(
    404, "The user is not enrolled in this course", "user_not_enrolled"
)
NOT_ALLOWED: Final = developer_error(
    403, "The course does not exist or the user has no access to it.", "user_permissions"
)
NO_COURSE: Final = developer_error(404, "The course does not exist.", "course_does_not_exist")
_INVALID_CURSOR: Final = developer_error(404, "Invalid cursor")


def key_error(status: int) -> Answer:
    """Answer that a text is no course key."""
    return developer_error(
        status, "The provided course key cannot be parsed.", "invalid_course_key"
    )


def page_of_learners(
    site: Site,
    request: Request,
    course: Course,
    endpoint: str,
    row: Callable[[int], str],
    more: str = "",
) -> str:
    """Return a page of a course's active enrolments, ordered by the enrolment's id, as JSON.

    Learners whose grade cannot be computed are left out after the page was cut, so it may be
    short, or even empty, without being the last.

    Args:
        site: Where they are.
        request: Names the cursor and the page size, which has no maximum of its own.
        course: Whose enrolments.
        endpoint: For a cap on the page size.
        row: Writes the row of a user id.
        more: Fields after the results, as JSON, with a comma before them.
    """
    roster = site.population.rosters[course.key]
    size = site.capped(endpoint, request.positive("page_size", _PAGE_SIZE))
    position = cursor_position(request, _INVALID_CURSOR)
    found = roster.active_after(position, size + 1)
    following = previous = None
    if len(found) > size:
        following = site.link(request, cursor=cursor_at(found[size - 1][0]))
    if position:
        before = roster.start_of_page_before(position, size)
        previous = site.link(request, cursor=cursor_at(before))
    missing = site.faults.missing_from_gradebook
    rows = ",".join([row(user_id) for _, user_id in found[:size] if user_id not in missing])
    links = f'"next":{as_json(following)},"previous":{as_json(previous)}'
    return f'{{{links},"results":[{rows}]{more}}}'
