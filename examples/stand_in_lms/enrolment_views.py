"""Enrolments, and the facts of a course that need no token: ``/api/enrollment/v1/``."""

import re
from re import Match
from typing import Final

from examples.stand_in_lms.catalogue import Course
from examples.stand_in_lms.exchange import (
    Answer,
    Request,
    Route,
    developer_error,
    empty_answer,
    field_error,
    html_answer,
    json_answer,
)
from examples.stand_in_lms.moments import moment
from examples.stand_in_lms.paging import NumberedPage, cursor_at, cursor_position
from examples.stand_in_lms.site import COURSE_KEY, Site, is_course_key

_ON_A_PAGE: Final = 100
_MOST_USERNAMES: Final = 100

_FORBIDDEN = developer_error(403, "You do not have permission to perform this action.")


def enrolments(site: Site, request: Request, _: Match[str]) -> Answer:
    """Answer a page of enrolments, inactive ones too, in the way of the LMS's release."""
    site.staff_only(_FORBIDDEN)
    key = request.one("course_id")
    if key is not None and not is_course_key(key):
        return field_error("course_id", f"'{key}' is not a valid course id.")
    usernames = request.names("username")
    if len(usernames) > _MOST_USERNAMES:
        return field_error(
            "username", f"Too many usernames in a single request - {len(usernames)}."
        )
    generation = site.faults.generation
    size = _ON_A_PAGE
    if generation != "old":
        size = min(request.positive("page_size", _ON_A_PAGE), _ON_A_PAGE)
    if key is not None and not usernames:
        return _all_of_a_course(site, request, key, size)
    if not usernames:
        return html_answer(501, "The stand-in lists enrollments of a course or of users only")
    people = site.population.people
    found = [user.user_id for name in usernames if (user := people.named(name))]
    keys = [key] if key is not None else list(site.population.courses)
    rows = sorted(
        (
            _row(site, course_key, user_id)
            for course_key in keys
            if course_key in site.population.rosters
            for user_id in found
            if site.population.enrolment(course_key, user_id)
        ),
        key=lambda row: str(row["created"]),
        reverse=True,
    )
    if generation == "new":
        page = _numbered(site, request, len(rows), size)
        return json_answer(page.default_envelope(rows[page.start : page.end]))
    start = cursor_position(request, developer_error(404, "Invalid cursor"))
    return _by_cursor(site, request, rows[start : start + size], start, len(rows), size)


def _all_of_a_course(site: Site, request: Request, key: str, size: int) -> Answer:
    roster = site.population.rosters.get(key)
    count = len(roster) if roster else 0
    if site.faults.generation == "new":
        page = _numbered(site, request, count, size)
        found = roster.newest_first(page.start, size) if roster else ()
        return json_answer(page.default_envelope([_row(site, key, user_id) for user_id in found]))
    start = cursor_position(request, developer_error(404, "Invalid cursor"))
    found = roster.newest_first(start, size) if roster else ()
    rows = [_row(site, key, user_id) for user_id in found]
    return _by_cursor(site, request, rows, start, count, size)


def _numbered(site: Site, request: Request, count: int, size: int) -> NumberedPage:
    return NumberedPage(site, request, count, size, developer_error(404, "Invalid page."))


def _by_cursor(
    site: Site,
    request: Request,
    rows: list[dict[str, object]],
    start: int,
    count: int,
    size: int,
) -> Answer:
    following = previous = None
    if start + size < count:
        following = site.link(request, cursor=cursor_at(start + size))
    if start:
        previous = site.link(request, cursor=cursor_at(max(0, start - size)))
    return json_answer({"next": following, "previous": previous, "results": rows})


def _row(site: Site, key: str, user_id: int) -> dict[str, object]:
    roster = site.population.rosters[key]
    return {
        "created": moment(roster.created(user_id)),
        "mode": "audit" if user_id % 2 else "honor",
        "is_active": roster.state(user_id) == "active",
        "user": site.population.people.username(user_id),
        "course_id": key,
    }


def enrolment(site: Site, request: Request, match: Match[str]) -> Answer:
    """Answer one enrolment with its course's facts; nothing at all where there never was one."""
    key, username = match["course"], match["username"]
    if not site.faults.is_staff and username != site.service_username:
        return empty_answer(404)
    course = site.population.courses.get(key)
    user = site.population.people.named(username)
    if course is None or user is None or site.population.enrolment(key, user.user_id) is None:
        return empty_answer(200)
    row = _row(site, key, user.user_id)
    del row["course_id"]
    return json_answer(row | {"course_details": _details(course)})


def enrolment_course(site: Site, request: Request, match: Match[str]) -> Answer:
    """Answer what is known about a course, with its name as it is."""
    key = match["course"]
    course = site.population.courses.get(key)
    if course is None:
        return json_answer({"message": f"No course found for course ID '{key}'"}, 400)
    return json_answer(_details(course))


def _details(course: Course) -> dict[str, object]:
    return {
        "course_id": course.key,
        "course_name": course.name,
        "enrollment_start": None,
        "enrollment_end": None,
        "course_start": moment(course.start),
        "course_end": moment(course.end),
        "invite_only": False,
        "course_modes": [{"slug": "audit", "name": "Audit", "min_price": 0, "currency": "usd"}],
        "pacing_type": "Instructor Paced",
    }


ENROLMENT_ROUTES = (
    Route(
        "enrollments",
        re.compile(r"/api/enrollment/v1/enrollments/?"),
        enrolments,
        "developer",
        throttled=True,
    ),
    Route(
        "enrollment",
        re.compile(rf"/api/enrollment/v1/enrollment/(?P<username>[^,/]+),(?P<course>{COURSE_KEY})"),
        enrolment,
        throttled=True,
    ),
    Route(
        "enrollment_course",
        re.compile(rf"/api/enrollment/v1/course/(?P<course>{COURSE_KEY})"),
        enrolment_course,
        open_to_all=True,
        throttled=True,
    ),
)
