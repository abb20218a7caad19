"""Course facts and one learner's progress: ``/api/courses/v1/`` and ``/api/course_home/``."""

import re
from re import Match

from examples.stand_in_lms.exchange import (
    Answer,
    Request,
    Route,
    developer_error,
    json_answer,
    plain_error,
)
from examples.stand_in_lms.moments import moment
from examples.stand_in_lms.site import COURSE_KEY, Site, is_course_key

_NOT_FOUND = plain_error(404, "Not found.")


def course(site: Site, request: Request, match: Match[str]) -> Answer:
    """Answer facts of a course, as an anonymous visitor sees them unless a user is named."""
    key = match["course"]
    if not is_course_key(key):
        return developer_error(400, f"Invalid course key: {key}")
    username = request.one("username")
    if username and username != site.service_username and not site.faults.is_staff:
        return developer_error(403, "You do not have permission to perform this action.")
    found = site.population.courses.get(key)
    if found is None or (found.hidden and not username):
        return developer_error(404, "Course not found.")
    org, number, run = key.partition(":")[2].split("+")[:3]
    told: dict[str, object] = {
        "id": key,
        "course_id": key,
        # Only these two characters are escaped.
        "name": found.name.replace("<", "&lt;").replace(">", "&gt;"),
        "number": number,
        "org": org,
        "start": moment(found.start),
        "end": moment(found.end),
        "start_display": moment(found.start),
        "start_type": "timestamp",
        "enrollment_start": None,
        "enrollment_end": None,
        "pacing": "instructor",
        "short_description": f"Run {run}",
        "overview": "",
        "effort": None,
        "media": {},
        "hidden": found.hidden,
        "invitation_only": False,
        "mobile_available": False,
        "blocks_url": f"{site.url}/api/courses/v2/blocks/",
    }
    return json_answer(told | ({"is_enrolled": False} if username else {}))


def progress(site: Site, request: Request, match: Match[str]) -> Answer:
    """Answer one learner's graded subsections, with what each is worth, attempted or not."""
    key = match["course"]
    found = site.population.courses.get(key)
    if not site.faults.progress_enabled or found is None or not site.faults.is_staff:
        return _NOT_FOUND
    user_id = int(match["user_id"])
    user = site.population.people.of_id(user_id)
    if user is None or site.population.enrolment(key, user_id) is None:
        return _NOT_FOUND
    site.graded_only(user_id)
    work = site.population.work(key, user_id)
    subsections = [
        {
            "assignment_type": each.category,
            "block_key": each.block_key,
            "display_name": each.name,
            "has_graded_assignment": True,
            "num_points_earned": float(earned or 0),
            "num_points_possible": float(possible),
            "percent_graded": round(float((earned or 0) / possible), 4) if possible else 0.0,
            "override": {"earned_graded_override": float(earned or 0)}
            if place in work.overridden
            else None,
        }
        for place, (each, earned, possible) in enumerate(
            zip(found.graded, work.earned, work.possible, strict=True)
        )
        if not each.hidden_from_progress
    ]
    done = sum(work.completed)
    return json_answer(
        {
            "username": user.username,
            "user_has_passing_grade": False,
            "completion_summary": {
                "complete_count": done,
                "incomplete_count": found.blocks - done,
                "locked_count": 0,
            },
            "section_scores": [{"display_name": "All", "subsections": subsections}],
            "grading_policy": {
                "assignment_policies": [
                    {
                        "type": each.type,
                        "short_label": each.short_label,
                        "num_droppable": each.dropped,
                        "num_total": each.count,
                        "weight": None if each.weight is None else float(each.weight),
                    }
                    for each in found.policy
                ],
                "grade_range": dict(found.cutoffs),
            },
        }
    )


def progress_route(prefix: str) -> Route:
    """Return the route of the progress page, whose prefix differs between releases."""
    pattern = rf"{re.escape(prefix)}progress/(?P<course>{COURSE_KEY})/(?P<user_id>\d+)/?"
    return Route("progress", re.compile(pattern), progress)


COURSE_ROUTES = (
    Route(
        "course",
        re.compile(rf"/api/courses/v1/courses/(?P<course>{COURSE_KEY})/"),
        course,
        "developer",
    ),
)
