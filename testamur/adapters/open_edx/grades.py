"""Grades of one learner at a time, and the graded subsections of a course."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from testamur.adapters.open_edx.addresses import segment
from testamur.adapters.open_edx.connection import Connection
from testamur.adapters.open_edx.errors import LmsRefused
from testamur.adapters.open_edx.points import result
from testamur.adapters.open_edx.refusals import explained
from testamur.adapters.open_edx.shapes import (
    digits,
    mapping,
    nested_rows,
    number,
    text,
    text_or_none,
    truth,
)

#: Where the progress of a learner is, by release.
_PREFIXES: Final = ("/api/course_home/progress/", "/api/course_home/v1/progress/")

#: So many learners without an answer, and none with one: progress is off.
_ENOUGH_REFUSALS: Final = 3


@dataclass(frozen=True, slots=True)
class Subsection:
    """A subsection of a course.

    Args:
        module_id: Its usage key.
        name: Its display name.
        category: The assignment category that it is graded in; None: it is not graded.
    """

    module_id: str
    name: str | None
    category: str | None


def subsections(connection: Connection, course: str) -> tuple[Subsection, ...]:
    """Return the subsections of a course in order, without those that only staff see.

    Works whether the gradebook is on or not.

    Raises:
        NotPermitted: It takes a role in the course.
        UnknownContext: The LMS does not know the course.
    """
    what = f"subsections of {course}"
    with explained(what, course, unknown={404}):
        # This one route has no slash at its end.
        path = f"/api/grades/v1/gradebook/{segment(course)}/grading-info"
        answer = mapping(connection.get(path, what=what), what)
    return tuple(
        Subsection(
            text(each, "module_id", what),
            text_or_none(each, "display_name", what) or None,
            (text_or_none(each, "assignment_type", what) or "")
            if truth(each, "graded", what)
            else None,
        )
        for each in nested_rows(answer, "subsections", what)
    )


class Progress:
    """Asks for the progress of learners, which tells the points of all that they can see.

    It is an internal interface of the LMS whose address changed from release to release: the one
    that answered is used from then on.

    Args:
        connection: The LMS.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._prefix: str | None = None

    def of(self, course: str, user_id: int) -> Mapping[str, str] | None:
        """Return a learner's results by subsection, graded or not; None: there is no answer.

        Raises:
            LmsError: The LMS cannot be asked.
        """
        what = f"progress in {course}, learner {user_id}"
        for prefix in (self._prefix,) if self._prefix else _PREFIXES:
            try:
                path = f"{prefix}{segment(course)}/{user_id}"
                answer = mapping(self._connection.get(path, what=what), what)
            except LmsRefused as refused:
                if refused.status != 404:
                    raise
            else:
                self._prefix = prefix
                return _results(answer, what)
        return None


class ProgressOf:
    """Asks for the progress of learners of one course, until it is clear that it is off.

    Args:
        progress: Asks.
        course: Key of the course.
    """

    def __init__(self, progress: Progress, course: str) -> None:
        self._progress = progress
        self._course = course
        self._answered = False
        self._refused = 0

    @property
    def is_off(self) -> bool:
        """Whether several learners were asked for and there was no answer for any."""
        return not self._answered and self._refused >= _ENOUGH_REFUSALS

    @property
    def answered(self) -> bool:
        """Whether there was an answer for some learner."""
        return self._answered

    def of(self, user_id: int) -> Mapping[str, str] | None:
        """Return a learner's results by subsection; None: there is no answer."""
        if self.is_off:
            return None
        found = self._progress.of(self._course, user_id)
        if found is None:
            self._refused += 1
        else:
            self._answered = True
        return found


def stored_result(connection: Connection, module_id: str, user_id: int) -> str | None:
    """Return what the LMS has stored of a learner's work in one subsection; None: nothing.

    Where staff overrode the grade, their word counts.
    """
    what = f"grade of {module_id}, learner {user_id}"
    path = f"/api/grades/v1/subsection/{segment(module_id)}/"
    try:
        answer = mapping(connection.get(path, {"user_id": str(user_id)}, what=what), what)
    except LmsRefused as refused:
        if refused.status == 404:
            return None
        raise
    original = mapping(answer.get("original_grade") or {}, what, "original_grade")
    override = mapping(answer.get("override") or {}, what, "override")
    earned = _first(override.get("earned_graded_override"), original.get("earned_graded"))
    possible = _first(override.get("possible_graded_override"), original.get("possible_graded"))
    if earned is None or possible is None:
        return None
    return result(digits(earned, what, "earned_graded"), digits(possible, what, "possible_graded"))


def _results(answer: Mapping[str, Any], what: str) -> Mapping[str, str]:
    return {
        text(each, "block_key", what): result(
            number(each, "num_points_earned", what), number(each, "num_points_possible", what)
        )
        for section in nested_rows(answer, "section_scores", what)
        for each in nested_rows(section, "subsections", what)
    }


def _first(*values: object) -> object:
    return next((value for value in values if value is not None), None)
