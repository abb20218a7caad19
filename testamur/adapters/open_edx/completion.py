"""Completion, as the completion aggregator plugin of the LMS counts it."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final, NoReturn

from testamur.adapters.open_edx.addresses import segment
from testamur.adapters.open_edx.connection import Connection
from testamur.adapters.open_edx.errors import FeatureMissing, LmsRefused, NotPermitted
from testamur.adapters.open_edx.pages import Page, pages
from testamur.adapters.open_edx.refusals import GLOBAL_STAFF
from testamur.adapters.open_edx.shapes import (
    Row,
    mapping,
    nested,
    nested_rows,
    number,
    rows,
    text,
    whole_number,
)
from testamur.adapters.open_edx.snapshot import EnrolledRow, Snapshot, lessons_text

_NOTHING: Final = "0"


class CompletionMissing(FeatureMissing):
    """The LMS does not count completion."""

    def __init__(self) -> None:
        super().__init__(
            "the LMS does not tell completion, so that no criterion of completion can be checked",
            "install openedx-completion-aggregator in the LMS",
        )


def completions(
    connection: Connection, course: str, page_size: int, *, lessons: bool = False
) -> Iterator[Page]:
    """Yield the pages of the learners actively enrolled in a course, with their completion.

    Args:
        connection: The LMS.
        course: Key of the course.
        page_size: Learners asked for at once.
        lessons: Whether to ask for the completion of each lesson too.

    Raises:
        CompletionMissing: The LMS does not count completion.
        NotPermitted: It takes global staff.
    """
    query = {"page_size": str(page_size), "requested_fields": _fields(lessons=lessons)}
    try:
        yield from pages(connection, _path(course), query, what=_what(course))
    except LmsRefused as refused:
        _explain(refused, course)


def count_enrolled(connection: Connection, course: str) -> int:
    """Return how many learners are actively enrolled in a course.

    Raises:
        CompletionMissing, NotPermitted: As :func:`completions`.
    """
    what = _what(course)
    try:
        answer = connection.get(_path(course), {"page_size": "1"}, what=what)
    except LmsRefused as refused:
        _explain(refused, course)
    return whole_number(nested(mapping(answer, what), "pagination", what), "count", what)


def completion_of(
    connection: Connection, course: str, username: str, *, lesson: str | None = None
) -> str | None:
    """Return how much of a course, or of a lesson of it, one learner has completed, counted now.

    Returns:
        The completed fraction; None: the learner is not actively enrolled.

    Raises:
        CompletionMissing, NotPermitted: As :func:`completions`.
    """
    row = _row_of(connection, course, username, lessons=lesson is not None)
    if row is None or lesson is None:
        return None if row is None else _completed(row, _what(course))
    return dict(_of_lessons(row, _what(course))).get(lesson, _NOTHING)


def enrolled_row_of(
    connection: Connection, snapshot: Snapshot, username: str, *, lessons: bool
) -> EnrolledRow | None:
    """Return what a snapshot stores of one learner; None: they are not actively enrolled."""
    row = _row_of(connection, snapshot.course, username, lessons=lessons)
    what = _what(snapshot.course)
    if row is None:
        return None
    return username, _completed(row, what), _lessons(snapshot, row, what) if lessons else None


def enrolled_rows(snapshot: Snapshot, found: Sequence[Row], *, lessons: bool) -> list[EnrolledRow]:
    """Return what a snapshot stores of the rows of a page.

    Raises:
        MalformedAnswer: A row is not as it must be.
    """
    what = _what(snapshot.course)
    return [
        (
            text(row, "username", what),
            _completed(row, what),
            _lessons(snapshot, row, what) if lessons else None,
        )
        for row in found
    ]


def _row_of(connection: Connection, course: str, username: str, *, lessons: bool) -> Row | None:
    what = _what(course)
    query = {"username": username, "requested_fields": _fields(lessons=lessons)}
    try:
        answer = mapping(connection.get(_path(course), query, what=what), what)
    except LmsRefused as refused:
        # Without the plugin there is no JSON that says what was not found.
        if refused.status == 404 and refused.detail:
            return None
        _explain(refused, course)
    found = rows(answer.get("results"), what, "results")
    return found[0] if found else None


def _completed(row: Row, what: str) -> str:
    completion = nested(row, "completion", what)
    percent = number(completion, "percent", what)
    return _NOTHING if completion.get("possible") is None else percent


def _of_lessons(row: Row, what: str) -> Iterator[tuple[str, str]]:
    for each in nested_rows(row, "sequential", what) if "sequential" in row else ():
        yield text(each, "block_key", what), _completed(each, what)


def _lessons(snapshot: Snapshot, row: Row, what: str) -> str | None:
    return lessons_text(
        (snapshot.lesson(block_key), completed)
        for block_key, completed in _of_lessons(row, what)
        if Decimal(completed) != 0
    )


def _fields(*, lessons: bool) -> str:
    return "username,sequential" if lessons else "username"


def _path(course: str) -> str:
    return f"/completion-aggregator/v1/course/{segment(course)}/"


def _what(course: str) -> str:
    return f"completion of {course}"


def _explain(refused: LmsRefused, course: str) -> NoReturn:
    if refused.status == 403:
        raise NotPermitted(_what(course), GLOBAL_STAFF) from refused
    if refused.status == 404:
        raise CompletionMissing from refused
    raise refused
