"""What the LMS tells of grades without the gradebook: ``/api/grades/v1/``."""

import re
from re import Match

from examples.stand_in_lms.catalogue import Course
from examples.stand_in_lms.exchange import (
    Answer,
    Request,
    Route,
    as_json,
    developer_error,
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
from examples.stand_in_lms.site import COURSE_KEY, Site


def course_grades(site: Site, request: Request, match: Match[str]) -> Answer:
    """Answer the platform's own grades, without categories."""
    course = site.course(match["course"], key_error(404), NO_COURSE)
    site.staff_only(NOT_ALLOWED)
    rows = site.grade_rows(course)
    population = site.population

    def row(user_id: int) -> str:
        percent = rows.percent(rows.parts(population.work(course.key, user_id)))
        letter = _letter(course, percent)
        return as_json(
            {
                "username": population.people.username(user_id),
                "email": "",
                "course_id": course.key,
                "passed": letter is not None,
                "percent": percent,
                "letter_grade": letter,
            }
        )

    if username := request.one("username"):
        user = site.user(username, NO_USER)
        if population.enrolment(course.key, user.user_id) is None:
            return NOT_ENROLLED
        site.graded_only(user.user_id)
        return text_answer(f"[{row(user.user_id)}]")
    return text_answer(page_of_learners(site, request, course, "course_grades", row))


def section_grades(site: Site, request: Request, _: Match[str]) -> Answer:
    """Answer the grader's summary: averages and subsections mixed, without their keys."""
    key = request.one("course_id") or ""
    course = site.course(key, key_error(404), NO_COURSE)
    site.staff_only(NOT_ALLOWED)
    wanted = set(request.names("username"))
    rows = site.grade_rows(course)
    population = site.population

    def row(user_id: int) -> str:
        parts = rows.parts(population.work(course.key, user_id))
        percent = rows.percent(parts)
        sections = [
            {
                "percent": share,
                "label": label,
                "detail": f"{each.name} - {share:.0%}",
                "category": each.category,
            }
            for (share, _), label, each in zip(parts, course.labels, course.graded, strict=True)
        ]
        averages = [
            {
                "percent": share,
                "label": f"{category} Avg",
                "detail": f"{category} Average = {share:.0%}",
                "category": category,
                "prominent": True,
            }
            for category, share in rows.averages(parts)
        ]
        return as_json(
            {
                "course_id": course.key,
                "username": population.people.username(user_id),
                "passed": _letter(course, percent) is not None,
                "current_grade": round(percent * 100),
                "section_breakdown": sections + averages,
            }
        )

    if not wanted:
        return text_answer(page_of_learners(site, request, course, "section_grades", row))
    found = (population.people.named(username) for username in sorted(wanted))
    rosters = population.rosters[course.key]
    some = ",".join(
        row(user.user_id) for user in found if user and rosters.state(user.user_id) == "active"
    )
    return text_answer(f'{{"next":null,"previous":null,"results":[{some}]}}')


def subsection(site: Site, request: Request, match: Match[str]) -> Answer:
    """Answer what is stored of one learner's grade in one subsection; nulls where nothing is."""
    key = match["usage"]
    course = next(
        (
            course
            for course in site.population.courses.values()
            if any(each.block_key == key for each in course.graded)
        ),
        None,
    )
    if course is None:
        return developer_error(404, "Invalid UsageKey", "invalid_usage_key")
    site.staff_only(NOT_ALLOWED)
    text = request.one("user_id") or ""
    if not text.isdecimal() or site.population.people.of_id(int(text)) is None:
        return NO_USER
    work = site.population.work(course.key, int(text))
    place = [each.block_key for each in course.graded].index(key)
    points, possible = work.earned[place], float(work.possible[place])
    told: dict[str, object] = {
        "original_grade": None,
        "override": None,
        "history": None,
        "subsection_id": key,
        "user_id": int(text),
        "course_id": None,
    }
    if points is not None:
        overridden = place in work.overridden
        own = 0.0 if overridden else float(points)
        told |= {
            "original_grade": _points(own, possible, ""),
            "override": _points(float(points), possible, "_override") if overridden else None,
            "history": [],
            "course_id": course.key,
        }
    return json_answer(told)


def _points(earned: float, possible: float, suffix: str) -> dict[str, float]:
    """Return points as they are stored; of the whole subsection, and of its graded part."""
    return {
        f"earned_all{suffix}": earned,
        f"possible_all{suffix}": possible,
        f"earned_graded{suffix}": earned,
        f"possible_graded{suffix}": possible,
    }


def _letter(course: Course, percent: float) -> str | None:
    reached = [(cutoff, letter) for letter, cutoff in course.cutoffs.items() if percent >= cutoff]
    return max(reached)[1] if reached else None


GRADE_FALLBACK_ROUTES = (
    Route(
        "course_grades",
        re.compile(rf"/api/grades/v1/courses/(?P<course>{COURSE_KEY})/"),
        course_grades,
        "developer",
        name_of_one="course_grades_of_one",
    ),
    Route(
        "section_grades",
        re.compile(r"/api/grades/v1/section_grades_breakdown"),
        section_grades,
        "developer",
    ),
    Route(
        "subsection",
        re.compile(r"/api/grades/v1/subsection/(?P<usage>[^/]+)/"),
        subsection,
        "developer",
    ),
)
