"""Learning paths: ``/api/learning_paths/v1/``."""

import re
from collections.abc import Iterable
from re import Match
from typing import Final

from examples.stand_in_lms.catalogue import Pathway
from examples.stand_in_lms.exchange import Answer, Request, Route, json_answer, plain_error
from examples.stand_in_lms.moments import moment
from examples.stand_in_lms.paging import NumberedPage
from examples.stand_in_lms.site import Site

_PAGE_SIZE: Final = 10
_WELL_FORMED = re.compile(r"path-v1:[^/+]+\+[^/+]+\+[^/+]+\+[^/+]+")

_BAD_KEY = plain_error(404, "Invalid learning path key format.")
_UNKNOWN = plain_error(404, "No LearningPath matches the given query.")


def pathways(site: Site, request: Request, _: Match[str]) -> Answer:
    """Answer a page of all learning paths that the caller may see."""
    seen = [each for each in site.population.pathways.values() if _is_seen(site, each)]
    page = NumberedPage(site, request, len(seen), _PAGE_SIZE, plain_error(404, "Invalid page."))
    rows = [_row(site, each) for each in seen[page.start : page.end]]
    return json_answer(page.envelope(rows))


def pathway(site: Site, request: Request, match: Match[str]) -> Answer:
    """Answer one learning path."""
    found = _found(site, match["key"])
    return found if isinstance(found, Answer) else json_answer(_row(site, found))


def pathway_enrolments(site: Site, request: Request, match: Match[str]) -> Answer:
    """Answer who is actively enrolled, by user id, as a bare list without pages."""
    found = _found(site, match["key"])
    if isinstance(found, Answer):
        return found
    user_ids: Iterable[int] = site.population.pathway_rosters[found.key].active_by_user()
    username = request.one("username") if site.faults.is_staff else site.service_username
    if username:
        user = site.population.people.named(username)
        user_ids = [user_id for user_id in user_ids if user and user_id == user.user_id]
    roster = site.population.pathway_rosters[found.key]
    return json_answer(
        [
            {
                "user": user_id,
                "learning_path": found.path_id,
                "is_active": True,
                "created": moment(roster.created(user_id)),
            }
            for user_id in user_ids
        ]
    )


def _found(site: Site, key: str) -> Pathway | Answer:
    if not _WELL_FORMED.fullmatch(key):
        return _BAD_KEY
    found = site.population.pathways.get(key)
    return found if found and _is_seen(site, found) else _UNKNOWN


def _is_seen(site: Site, pathway: Pathway) -> bool:
    return site.faults.is_staff or pathway.public


def _row(site: Site, pathway: Pathway) -> dict[str, object]:
    steps = []
    for order, key in enumerate(pathway.steps, 1):
        course = site.population.courses.get(key)
        dates = [moment(course.start), moment(course.end)] if course else [None, None]
        steps.append({"order": order, "course_key": key, "course_dates": dates, "weight": 1.0})
    # Steps come in no order: the last one first shows who relies on one.
    return {
        "key": pathway.key,
        "display_name": pathway.name,
        "image": None,
        "sequential": True,
        "steps": steps[::-1],
        "required_completion": 0.8,
        "enrollment_date": None,
        "invite_only": not pathway.public,
        "subtitle": "",
        "description": "",
        "level": "",
        "duration": "",
        "time_commitment": "",
        "required_skills": [],
        "acquired_skills": [],
    }


PATHWAY_ROUTES = (
    Route(
        "pathways",
        re.compile(r"/api/learning_paths/v1/learning-paths/"),
        pathways,
        takes_bearer=False,
    ),
    Route(
        "pathway",
        # As in the plugin: a key with a dot does not get here.
        re.compile(r"/api/learning_paths/v1/learning-paths/(?P<key>[^/.]+)/"),
        pathway,
        takes_bearer=False,
    ),
    Route(
        "pathway_enrollments",
        re.compile(r"/api/learning_paths/v1/(?P<key>[^/]+)/enrollments/"),
        pathway_enrolments,
        takes_bearer=False,
    ),
)
