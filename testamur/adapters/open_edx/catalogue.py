"""What is taught: names and dates of courses, weights of categories, steps of pathways."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from testamur.adapters.open_edx.addresses import segment
from testamur.adapters.open_edx.connection import Connection
from testamur.adapters.open_edx.errors import (
    FeatureMissing,
    LmsRefused,
    MalformedAnswer,
    UnknownContext,
)
from testamur.adapters.open_edx.pages import pages
from testamur.adapters.open_edx.refusals import explained, unknown_course
from testamur.adapters.open_edx.shapes import (
    Row,
    described,
    digits,
    mapping,
    rows,
    text,
    text_or_none,
    truth,
    whole_number,
)
from testamur.domain.contexts import CourseKey, PathwayKey, parse_context_key
from testamur.domain.errors import InvalidInput

#: What Open edX keeps as the start of a course for which none was set.
_START_NOT_SET: Final = datetime(2030, 1, 1, tzinfo=UTC)

#: Years outside of these stand for "never", not for a date.
_FIRST_YEAR, _LAST_YEAR = 1971, 2999

_ALL_PATHWAYS: Final = "/api/learning_paths/v1/learning-paths/"


@dataclass(frozen=True, slots=True)
class CourseDetails:
    """Name and dates of a course.

    Args:
        name: As its staff wrote it, unescaped.
        start: When it starts (aware), where that is set.
        end: When it ends (aware), where that is set.
    """

    name: str | None
    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Pathway:
    """Name and courses of a pathway, the courses in order."""

    name: str | None
    steps: tuple[CourseKey, ...]


def own_username(connection: Connection) -> str:
    """Return the username of the user whom the token speaks for."""
    what = "the user of the OAuth2 application"
    return text(mapping(connection.get("/api/user/v1/me", what=what), what), "username", what)


def course_details(connection: Connection, course: str) -> CourseDetails:
    """Return name and dates of a course.

    Raises:
        UnknownContext: The LMS does not know the course.
    """
    what = f"course {course}"
    try:
        answer = connection.get(f"/api/enrollment/v1/course/{segment(course)}", what=what)
    except LmsRefused as refused:
        if refused.status not in {400, 403, 404}:
            raise
        return _details_of_course_list(connection, course, refused)
    row = mapping(answer, what)
    return CourseDetails(
        text_or_none(row, "course_name", what) or None,
        _start(row, "course_start", what),
        _moment(row, "course_end", what),
    )


def _details_of_course_list(
    connection: Connection, course: str, refused: LmsRefused
) -> CourseDetails:
    what = f"course {course}"
    # Without a name, the course would be looked at as by a visitor, who does not see all.
    query = {"username": own_username(connection)}
    try:
        path = f"/api/courses/v1/courses/{segment(course)}/"
        row = mapping(connection.get(path, query, what=what), what)
    except LmsRefused as second:
        if second.status in {400, 404}:
            raise unknown_course(course) from refused
        raise
    name = text_or_none(row, "name", what)
    return CourseDetails(
        # Only these two are escaped, so that "&amp;" stands for itself.
        name.replace("&lt;", "<").replace("&gt;", ">") if name else None,
        _start(row, "start", what),
        _moment(row, "end", what),
    )


def weights(connection: Connection, course: str) -> Mapping[str, Decimal]:
    """Return the weight of each assignment category, where the policy gives it one.

    Raises:
        NotPermitted: It takes a role in the course.
        UnknownContext: The LMS does not know the course.
    """
    what = f"grading policy of {course}"
    with explained(what, course, unknown={400, 404}):
        path = f"/api/grades/v1/policy/courses/{segment(course)}/"
        policy = rows(connection.get(path, what=what), what)
    return {
        text(row, "assignment_type", what): Decimal(digits(row["weight"], what, "weight"))
        for row in policy
        if row.get("assignment_type") is not None and row.get("weight") is not None
    }


def pathway(connection: Connection, key: PathwayKey) -> Pathway:
    """Return name and courses of a pathway.

    Raises:
        UnknownContext: The LMS does not know it, or it has no steps.
        FeatureMissing: The LMS has no pathways.
    """
    what = f"pathway {key}"
    # The route of one pathway takes no dot.
    row = _listed(connection, key) if "." in str(key) else _asked(connection, key)
    steps = sorted(
        rows(row.get("steps"), what, "steps"),
        key=lambda step: (
            step.get("order") is None,
            0 if step.get("order") is None else whole_number(step, "order", what),
        ),
    )
    if not steps:
        raise UnknownContext(key, "the pathway has no steps")
    return Pathway(
        text_or_none(row, "display_name", what) or None,
        tuple(_course_key(text(step, "course_key", what), what) for step in steps),
    )


def pathway_learners(
    connection: Connection, key: PathwayKey, username: str | None = None
) -> list[int]:
    """Return the user ids of those actively enrolled in a pathway, in order.

    Raises:
        FeatureMissing, UnknownContext: There is no such pathway.
    """
    what = f"enrolments of {key}"
    query = {} if username is None else {"username": username}
    path = f"/api/learning_paths/v1/{segment(str(key))}/enrollments/"
    answer = _about_pathway(connection, key, path, what, query)
    return sorted(
        {
            whole_number(row, "user", what)
            for row in rows(answer, what)
            if truth(row, "is_active", what)
        }
    )


def _asked(connection: Connection, key: PathwayKey) -> Row:
    what, path = f"pathway {key}", f"{_ALL_PATHWAYS}{segment(str(key))}/"
    return mapping(_about_pathway(connection, key, path, what), what)


def _about_pathway(
    connection: Connection,
    key: PathwayKey,
    path: str,
    what: str,
    query: Mapping[str, str] | None = None,
) -> object:
    try:
        return connection.get(path, query, what=what)
    except LmsRefused as refused:
        if refused.status != 404:
            raise
        raise _unknown_pathway(connection, key) from refused


def _listed(connection: Connection, key: PathwayKey) -> Row:
    for row in _all_pathways(connection):
        if row.get("key") == str(key):
            return row
    raise UnknownContext(key, "the LMS does not know this pathway, or does not show it")


def _all_pathways(connection: Connection) -> Iterator[Row]:
    what = "pathways"
    try:
        for page in pages(connection, _ALL_PATHWAYS, {}, what=what):
            yield from rows(list(page.rows), what)
    except LmsRefused as refused:
        if refused.status == 404:
            raise FeatureMissing(
                "the LMS has no pathways", "install learning-paths-plugin in the LMS"
            ) from refused
        raise


def _unknown_pathway(connection: Connection, key: PathwayKey) -> UnknownContext:
    """Say that there is no such pathway, unless there are none at all."""
    next(_all_pathways(connection), None)
    return UnknownContext(key, "the LMS does not know this pathway, or does not show it")


def _course_key(key: str, what: str) -> CourseKey:
    try:
        parsed = parse_context_key(key)
    except InvalidInput as error:
        allowed = "the key of a course"
        raise MalformedAnswer(what, "steps[].course_key", repr(key), allowed) from error
    if not isinstance(parsed, CourseKey):
        raise MalformedAnswer(what, "steps[].course_key", repr(key), "the key of a course")
    return parsed


def _start(row: Row, field: str, what: str) -> datetime | None:
    moment = _moment(row, field, what)
    return None if moment == _START_NOT_SET else moment


def _moment(row: Row, field: str, what: str) -> datetime | None:
    value = row.get(field)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise MalformedAnswer(what, field, described(value), "a date and time (ISO 8601)") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment if _FIRST_YEAR <= moment.year <= _LAST_YEAR else None
