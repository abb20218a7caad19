"""The gradebook of a course: its pages, read into rows of a snapshot."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final, NoReturn

from testamur.adapters.open_edx.addresses import segment
from testamur.adapters.open_edx.connection import Connection
from testamur.adapters.open_edx.errors import FeatureMissing, LmsRefused
from testamur.adapters.open_edx.pages import Page, pages
from testamur.adapters.open_edx.points import BETWEEN, GAP, CoursePoints, result
from testamur.adapters.open_edx.refusals import explain
from testamur.adapters.open_edx.shapes import (
    Row,
    mapping,
    nested_rows,
    number,
    text,
    text_or_none,
    truth,
    whole_number,
)
from testamur.adapters.open_edx.snapshot import GradesRow, Learner

#: The course waffle flag without which there is no gradebook; it is off by default.
FLAG: Final = "grades.writable_gradebook"

#: How it says that there is no such course; it answers 404 to other things too.
_UNKNOWN_COURSE: Final = frozenset({"course_does_not_exist", "invalid_course_key"})

#: A learner whose grade fails to compute fails each time, so that patience only takes time.
_ATTEMPTS_FOR_ONE: Final = 2

#: Different results that are remembered while a gradebook is read.
_MOST_REMEMBERED: Final = 5_000


class GradebookOff(FeatureMissing):
    """The gradebook of the course is not switched on."""

    def __init__(self, course: str) -> None:
        super().__init__(
            f"the gradebook of {course} is off",
            f"switch the course waffle flag {FLAG} on in the LMS",
        )


def gradebook(connection: Connection, course: str, page_size: int) -> Iterator[Page]:
    """Yield the pages of a course's gradebook; who fails to be graded is not in it.

    Raises:
        GradebookOff: It is not switched on.
        NotPermitted: It takes a role in the course.
        UnknownContext: The LMS does not know the course.
    """
    what = f"gradebook of {course}"
    try:
        yield from pages(connection, _path(course), {"page_size": str(page_size)}, what=what)
    except LmsRefused as refused:
        _explain(refused, course)


def gradebook_of(connection: Connection, course: str, user_id: int, username: str) -> Row | None:
    """Return one learner's row of a course's gradebook; None: they are not enrolled.

    Raises:
        GradebookOff, NotPermitted, UnknownContext: As :func:`gradebook`.
    """
    what = f"gradebook of {course}, learner {user_id}"
    try:
        answer = connection.get(
            _path(course), {"username": username}, what=what, attempts=_ATTEMPTS_FOR_ONE
        )
        return mapping(answer, what)
    except LmsRefused as refused:
        if refused.status == 404 and refused.code in {"user_not_enrolled", "user_does_not_exist"}:
            return None
        _explain(refused, course)


class GradebookReader:
    """Reads rows of a gradebook into what a snapshot stores of them.

    Rows are many, so that a row is looked at closely only where it cannot be read.

    Args:
        points: Takes the layouts, and what the subsections are worth.
        what: What the rows are of, for messages.
    """

    def __init__(self, points: CoursePoints, what: str) -> None:
        self._points = points
        self._what = what
        self._layouts: dict[tuple[tuple[str, str], ...], tuple[int, list[Counter[str]]]] = {}
        self._results: dict[str, tuple[str, str]] = {}

    def read(self, rows: Sequence[Row]) -> tuple[list[Learner], list[GradesRow]]:
        """Read rows.

        Raises:
            MalformedAnswer: One is not as it must be.
        """
        learners: list[Learner] = []
        grades: list[GradesRow] = []
        for row in rows:
            try:
                user_id, username = row["user_id"], row["username"]
                breakdown = row["section_breakdown"]
                layout, work = self._read_work(breakdown)
            except (AttributeError, KeyError, TypeError):
                self._look_closely(row)
                raise
            if type(user_id) is not int or type(username) is not str or type(breakdown) is not list:
                self._look_closely(row)
            learners.append((user_id, username))
            grades.append((user_id, layout, work))
        return learners, grades

    def _read_work(self, breakdown: Sequence[Row]) -> tuple[int, str]:
        modules = tuple([(each["module_id"], each["category"]) for each in breakdown])
        try:
            layout, seen = self._layouts[modules]
        except KeyError:
            layout, seen = self._new_layout(breakdown, modules)
        remembered = self._results
        results = []
        for each, points in zip(breakdown, seen, strict=True):
            written = f"{each['score_earned']}/{each['score_possible']}"
            try:
                read, possible = remembered[written]
            except KeyError:
                read, possible = self._new_result(written, each)
            if each["attempted"] is True:
                points[possible] += 1
                results.append(read)
            elif each["attempted"] is not False:
                raise TypeError
            # Should an LMS tell the points of what was not attempted, they need not be guessed.
            elif possible == "0":
                results.append(GAP)
            else:
                points[possible] += 1
                results.append(read)
        return layout, BETWEEN.join(results)

    def _new_layout(
        self, breakdown: Sequence[Row], modules: tuple[tuple[str, str], ...]
    ) -> tuple[int, list[Counter[str]]]:
        checked = [
            (text(each, "module_id", self._what), text_or_none(each, "category", self._what) or "")
            for each in breakdown
        ]
        known = self._points.known
        made = (
            self._points.layout(checked),
            [known.seen[module_id] for module_id, _ in checked],
        )
        self._layouts[modules] = made
        return made

    def _new_result(self, written: str, each: Row) -> tuple[str, str]:
        earned = number(each, "score_earned", self._what)
        possible = number(each, "score_possible", self._what)
        if len(self._results) > _MOST_REMEMBERED:
            self._results.clear()
        self._results[written] = made = (result(earned, possible), possible)
        return made

    def _look_closely(self, row: Row) -> None:
        """Say which field is wrong."""
        whole_number(row, "user_id", self._what)
        text(row, "username", self._what)
        for each in nested_rows(row, "section_breakdown", self._what):
            truth(each, "attempted", self._what)
            text(each, "module_id", self._what)
            text_or_none(each, "category", self._what)
            if "category" not in each:
                text(each, "category", self._what)
            number(each, "score_earned", self._what)
            number(each, "score_possible", self._what)


def learners_listed(page: Page) -> int | None:
    """Return how many learners the LMS says are in the gradebook; it counts once an hour."""
    count: Any = page.envelope.get("filtered_users_count")
    return count if isinstance(count, int) and not isinstance(count, bool) else None


def _path(course: str) -> str:
    return f"/api/grades/v1/gradebook/{segment(course)}/"


def _explain(refused: LmsRefused, course: str) -> NoReturn:
    if refused.status == 403 and refused.code == "feature_not_enabled":
        raise GradebookOff(course) from refused
    unknown = refused.status == 404 and refused.code in _UNKNOWN_COURSE
    explain(refused, f"gradebook of {course}", course, unknown=unknown)
