"""Rules for a row as a whole, beyond what each of its values may be."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from testamur.adapters.files.columns import MOST_REMEMBERED, Fault
from testamur.adapters.files.tables import COURSES, GRADES, Raw, Table
from testamur.adapters.files.values import NotAllowed, Stored
from testamur.domain.contexts import LessonKey, parse_context_key
from testamur.domain.errors import InvalidInput

Columns = Mapping[str, Sequence[Stored]]
RowRule = Callable[[Raw, Columns], Iterator[Fault]]
"""Yields what is wrong with the rows of a batch, given as the file has them and as stored."""


def row_rule(table: Table) -> RowRule:
    """Return the rule for the rows of a table, new for each time that its file is read."""
    if table is COURSES:
        return _course_ends_after_it_starts
    if table is GRADES:
        return _LessonsOfTheirCourse()
    return _no_rule


def _no_rule(raw: Raw, stored: Columns) -> Iterator[Fault]:
    return iter(())


def _course_ends_after_it_starts(raw: Raw, stored: Columns) -> Iterator[Fault]:
    # All moments are stored in UTC and the same form, in which they sort as text.
    for index, (start, end) in enumerate(zip(stored["start"], stored["end"], strict=True)):
        if isinstance(start, str) and isinstance(end, str) and end < start:
            allowed = f"a time from the start on, which is {raw['start'][index].strip()}"
            yield Fault(index, "end", raw["end"][index].strip(), NotAllowed(allowed))


class _LessonsOfTheirCourse:
    """A subsection that is a lesson belongs to the course of its row.

    Otherwise its grade would be found neither for the lesson nor for its course.
    """

    def __init__(self) -> None:
        self._seen: set[tuple[str, str]] = set()

    def __call__(self, raw: Raw, stored: Columns) -> Iterator[Fault]:
        pairs = set(zip(raw["subsection_id"], raw["course_key"], strict=True)) - self._seen
        if not pairs:
            return
        if len(self._seen) > MOST_REMEMBERED:
            self._seen.clear()
        wrong = {pair for pair in pairs if _of_another_course(*pair)}
        self._seen |= pairs - wrong
        rows = zip(raw["subsection_id"], raw["course_key"], strict=True)
        for index, pair in enumerate(rows) if wrong else ():
            if pair in wrong:
                allowed = f"a subsection of the row's course, {pair[1].strip()}"
                yield Fault(index, "subsection_id", pair[0].strip(), NotAllowed(allowed))


def _of_another_course(subsection_id: str, course_key: str) -> bool:
    try:
        subsection = parse_context_key(subsection_id.strip())
        course = parse_context_key(course_key.strip())
    except InvalidInput:
        # No lesson of Open edX, which is fine; or no key of a course, which is said elsewhere.
        return False
    return isinstance(subsection, LessonKey) and subsection.course != course
