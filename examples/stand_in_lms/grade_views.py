"""The gradebook and the grading policy: ``/api/grades/v1/gradebook/`` and ``policy/``."""

import re
from collections.abc import Callable
from json.encoder import encode_basestring
from re import Match
from typing import Final

from examples.stand_in_lms.catalogue import AssignmentType, Course
from examples.stand_in_lms.exchange import (
    Answer,
    Request,
    Route,
    developer_error,
    html_answer,
    json_answer,
    text_answer,
)
from examples.stand_in_lms.grade_lists import (
    NO_COURSE,
    NO_USER,
    NOT_ALLOWED,
    NOT_ENROLLED,
    key_error,
    page_of_learners,
)
from examples.stand_in_lms.site import COURSE_KEY, Site, refuse

#: Parameters of the real gradebook that the stand-in would have to ignore, and so refuses.
_FILTERS: Final = (
    "user_contains",
    "username_contains",
    "cohort_id",
    "enrollment_mode",
    "assignment",
    "course_grade_min",
    "course_grade_max",
    "excluded_course_roles",
)


def gradebook(site: Site, request: Request, match: Match[str]) -> Answer:
    """Answer a page of the gradebook, or one learner's row as a bare object."""
    course = site.course(match["course"], key_error(404), NO_COURSE)
    if not site.faults.gradebook_enabled:
        refuse(developer_error(403, "Feature not enabled.", "feature_not_enabled"))
    site.staff_only(NOT_ALLOWED)
    if username := request.one("username"):
        return _gradebook_of_one(site, course, username)
    for name in _FILTERS:
        if name in request.query:
            refuse(html_answer(501, f"The stand-in has no filter {name}"))
    # The platform keeps these counts for an hour, and counts those who are left out.
    count = site.counted.setdefault(course.key, site.population.rosters[course.key].active)
    counts = f',"total_users_count":{count},"filtered_users_count":{count}'
    row = _gradebook_row(site, course)
    return text_answer(page_of_learners(site, request, course, "gradebook", row, counts))


def _gradebook_of_one(site: Site, course: Course, username: str) -> Answer:
    user = site.user(username, NO_USER)
    if site.population.enrolment(course.key, user.user_id) is None:
        return NOT_ENROLLED
    site.graded_only(user.user_id)
    return text_answer(_gradebook_row(site, course)(user.user_id))


def _gradebook_row(site: Site, course: Course) -> Callable[[int], str]:
    rows = site.grade_rows(course)
    population, generation = site.population, site.faults.generation
    people = population.people

    def row(user_id: int) -> str:
        username = encode_basestring(people.username(user_id))
        names = ""
        if generation != "middle":
            name = people.name(user_id)
            shown = "null" if name is None else encode_basestring(name)
            names = f',"{"profile_name" if generation == "new" else "full_name"}":{shown}'
        return rows.row(
            f'{{"user_id":{user_id},"username":{username},"email":""',
            names,
            population.work(course.key, user_id),
        )

    return row


def policy(site: Site, request: Request, match: Match[str]) -> Answer:
    """Answer the grading policy as a bare list."""
    course = site.course(
        match["course"],
        key_error(400),
        developer_error(
            404, "The user, the course or both do not exist.", "user_or_course_does_not_exist"
        ),
    )
    site.staff_only(developer_error(403, "The course does not exist."))
    return json_answer(
        [
            {
                "assignment_type": each.type,
                "count": each.count,
                "dropped": each.dropped,
                "weight": _weight(each),
            }
            for each in course.policy
        ]
    )


def grading_info(site: Site, request: Request, match: Match[str]) -> Answer:
    """Answer the policy and the subsections of a course."""
    course = site.course(match["course"], key_error(404), NO_COURSE)
    site.staff_only(NOT_ALLOWED)
    short = {each.type: each.short_label for each in course.policy}
    shown = course.graded if request.one("graded_only") == "true" else course.subsections
    return json_answer(
        {
            "grade_cutoffs": dict(course.cutoffs),
            "assignment_types": {
                each.type: {
                    "type": each.type,
                    "short_label": each.short_label,
                    "min_count": each.count,
                    "drop_count": each.dropped,
                    "weight": _weight(each),
                }
                for each in course.policy
            },
            "subsections": [
                {
                    "assignment_type": each.category,
                    "graded": each.category is not None,
                    "short_label": short.get(str(each.category)),
                    "module_id": each.block_key,
                    "display_name": each.name,
                }
                for each in shown
            ],
            "grades_frozen": False,
            "can_see_bulk_management": False,
        }
    )


def _weight(assignment: AssignmentType) -> float | None:
    return None if assignment.weight is None else float(assignment.weight)


GRADEBOOK_ROUTES = (
    Route(
        "gradebook",
        re.compile(rf"/api/grades/v1/gradebook/(?P<course>{COURSE_KEY})/"),
        gradebook,
        "developer",
        name_of_one="gradebook_of_one",
    ),
    Route(
        "policy",
        re.compile(rf"/api/grades/v1/policy/courses/(?P<course>{COURSE_KEY})/"),
        policy,
        "developer",
    ),
    Route(
        "grading_info",
        re.compile(rf"/api/grades/v1/gradebook/(?P<course>{COURSE_KEY})/grading-info"),
        grading_info,
        "developer",
    ),
)
