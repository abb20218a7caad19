"""The completion aggregator: ``/completion-aggregator/v1/course/``."""

import json
import re
from collections.abc import Sequence
from json.encoder import encode_basestring
from re import Match
from typing import Any, Final

from examples.stand_in_lms.catalogue import Course
from examples.stand_in_lms.exchange import (
    Answer,
    Request,
    Route,
    as_json,
    plain_error,
    text_answer,
)
from examples.stand_in_lms.paging import NumberedPage
from examples.stand_in_lms.site import COURSE_KEY, Site, is_course_key
from examples.stand_in_lms.work import Work

_PAGE_SIZE: Final = 10
_FIELDS: Final = frozenset({"course", "chapter", "sequential", "vertical", "mean", "username"})

#: Fields that the real aggregator has and the stand-in does not.
_UNKNOWN_HERE: Final = frozenset({"chapter", "vertical", "mean"})


def completion(site: Site, request: Request, match: Match[str]) -> Answer:
    """Answer a page of learners by user id, or the learner that is named."""
    key = match["course"]
    asked = _asked(request)
    if asked is None:
        return plain_error(400, "JSON parse error")
    if not is_course_key(key):
        return plain_error(404, f"Invalid course key: '{key}'.")
    fields = {each for each in asked.get("requested_fields", "").split(",") if each}
    if unknown := fields - _FIELDS:
        return plain_error(400, f"Invalid requested_fields value(s): {unknown}")
    if fields & _UNKNOWN_HERE:
        return plain_error(501, f"The stand-in has no {sorted(fields & _UNKNOWN_HERE)}")
    username = asked.get("username")
    if not site.faults.is_staff and username != site.service_username:
        return plain_error(403, "You do not have permission to perform this action.")
    course = site.population.courses.get(key)
    if username:
        return _of_one(site, request, key, username, fields)
    found: Sequence[int] = ()
    wanted = asked.get("user_ids")
    roster = site.population.rosters.get(key)
    if roster is not None and wanted:
        ids = sorted({int(each) for each in re.split("[,.]", wanted) if each.isdecimal()})
        found = [user_id for user_id in ids if roster.state(user_id) == "active"]
    count = len(found) if wanted or roster is None else roster.active
    size = site.capped("completion", request.positive("page_size", _PAGE_SIZE))
    page = NumberedPage(site, request, count, size, plain_error(404, "Invalid page."))
    if roster is not None and not wanted:
        found = roster.active_by_user(page.start, size)
    else:
        found = found[page.start : page.end]
    people, work_of = site.population.people, site.population.work
    rows = [
        _row(
            course,
            encode_basestring(people.username(user_id)),
            work_of(key, user_id),
            user_id,
            "sequential" in fields,
        )
        for user_id in found
        if course
    ]
    _change_enrolments(site, key)
    return _answer(rows, page)


def _asked(request: Request) -> dict[str, str] | None:
    """Return the parameters of the query, or of a body; None where the body is no JSON object."""
    if request.method == "GET":
        return {name: values[-1] for name, values in request.query.items()}
    try:
        body: Any = json.loads(request.body or b"{}")
    except ValueError:
        return None
    if not isinstance(body, dict):
        return None
    asked = {name: values[-1] for name, values in request.query.items()}
    for name, value in body.items():
        asked[name] = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return asked


def _of_one(site: Site, request: Request, key: str, username: str, fields: set[str]) -> Answer:
    """Answer one learner's row, recalculated; it names them only if that is asked for."""
    user = site.population.people.named(username)
    if user is None:
        return plain_error(404, "Not found.")
    course = site.population.courses.get(key)
    if course is None or site.population.enrolment(key, user.user_id) != "active":
        return plain_error(
            404, f"User '{username}' does not have an active enrollment in course '{key}'."
        )
    work = site.population.work(key, user.user_id)
    named = encode_basestring(username) if "username" in fields else None
    row = _row(
        course, named, work._replace(stored=work.completed), user.user_id, "sequential" in fields
    )
    page = NumberedPage(site, request, 1, _PAGE_SIZE, plain_error(404, "Invalid page."))
    return _answer([row], page)


def _answer(rows: list[str], page: NumberedPage) -> Answer:
    return text_answer(
        f'{{"results":[{",".join(rows)}],"pagination":{as_json(page.namespaced())}}}'
    )


def _row(course: Course, username: str | None, work: Work, user_id: int, sequential: bool) -> str:
    named = "" if username is None else f'"username":{username},'
    start = f'{{"course_key":"{course.key}",{named}"completion":'
    if not work.aggregated:
        no_blocks = ',"sequential":[]' if sequential else ""
        return f'{start}{{"earned":0.0,"possible":null,"percent":0.0}}{no_blocks}}}'
    whole = _completion(sum(work.stored), course.blocks)
    if not sequential:
        return f"{start}{whole}}}"
    # A block that was never touched may have a row, or none.
    blocks = ",".join(
        f'{{"course_key":"{course.key}","block_key":"{each.block_key}",'
        f'"completion":{_completion(earned, each.blocks)}}}'
        for place, (each, earned) in enumerate(zip(course.subsections, work.stored, strict=True))
        if earned or (user_id + place) % 2
    )
    return f'{start}{whole},"sequential":[{blocks}]}}'


def _completion(earned: int, possible: int) -> str:
    percent = earned / possible if possible else 1.0
    return f'{{"earned":{float(earned)},"possible":{float(possible)},"percent":{percent}}}'


def _change_enrolments(site: Site, key: str) -> None:
    """Begin or end the enrolments that change after this page of the list."""
    site.completion_pages[key] += 1
    for change in site.faults.shifting_pages:
        if (change.course_key, change.after_pages) == (key, site.completion_pages[key]):
            site.population.enrol(key, change.user_id, active=change.active)


COMPLETION_ROUTES = (
    Route(
        "completion",
        re.compile(rf"/completion-aggregator/v1/course/(?P<course>{COURSE_KEY})/"),
        completion,
        methods=("GET", "POST"),
        name_of_one="completion_of_one",
    ),
)
