"""Joining: learners' records from the snapshots of courses, in the order of their user ids."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from testamur.adapters.open_edx.points import CannotTell, Restoring
from testamur.adapters.open_edx.snapshot import AT_ONCE, LEFT_OUT, Snapshot, lesson_completed
from testamur.application.ports.retrieval import Needs
from testamur.domain.identifiers import LearnerId
from testamur.domain.learning import Achievement, LearnerRecord

#: Different completed fractions that are remembered.
_MOST_REMEMBERED: Final = 2000

# A query for each of what criteria can need; CROSS JOIN keeps SQLite to the order of user ids.
_ENROLLED: Final = "FROM learners l CROSS JOIN enrolled e ON e.username = l.username"
_QUERIES: Final[Mapping[tuple[bool, bool], str]] = {
    (False, False): f"SELECT l.user_id, 0, '', NULL, NULL {_ENROLLED} WHERE ",
    (True, False): f"SELECT l.user_id, 0, '', e.completion, e.lessons {_ENROLLED} WHERE ",
    (False, True): "SELECT l.user_id, l.layout, l.work, NULL, NULL FROM grades l WHERE ",
    (True, True): (
        f"SELECT l.user_id, g.layout, g.work, e.completion, e.lessons {_ENROLLED}"
        " CROSS JOIN grades g ON g.user_id = l.user_id WHERE "
    ),
}


class CourseReader:
    """Reads what the learners of one course have achieved, in it or in a lesson of it.

    It stays good if the snapshot is deleted or gets more parts meanwhile; it is to be closed.

    Args:
        snapshot: Of the course; it holds what is needed, and nobody writes to it right now.
        needs: Which parts of the achievement to read.
        lesson: Usage key of the lesson to look at; None: the whole course.
    """

    def __init__(self, snapshot: Snapshot, needs: Needs, lesson: str | None = None) -> None:
        self.course = snapshot.course
        self.retrieved_at = snapshot.retrieved_at
        self._needs = needs
        self._lesson = lesson
        self._lesson_number = None if lesson is None else snapshot.lessons.get(lesson)
        self._restoring = Restoring(snapshot.points.layouts, snapshot.points.known.copy(), lesson)
        self._query = _QUERIES[needs.completion, needs.grades]
        self._completed: dict[str, Decimal] = {}
        self._connection = snapshot.open()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def pages(self, page_size: int) -> Iterator[Sequence[LearnerRecord]]:
        """Yield the records of all learners, by user id.

        Args:
            page_size: The most learners of a page, at least 1.
        """
        last = -1
        query = f"{self._query} l.user_id > ? ORDER BY l.user_id LIMIT ?"
        while rows := self._connection.execute(query, (last, page_size)).fetchall():
            yield [self._record(row) for row in rows]
            last = rows[-1][0]

    def achievements(self, user_ids: Sequence[int]) -> Mapping[int, Achievement | str]:
        """Return what learners have achieved, or why it cannot be told.

        Those who are not actively enrolled in the course are left out.
        """
        found: dict[int, Achievement | str] = {}
        for begin in range(0, len(user_ids), AT_ONCE):
            some = user_ids[begin : begin + AT_ONCE]
            query = f"{self._query} l.user_id IN ({', '.join('?' * len(some))})"
            for row in self._connection.execute(query, some):
                found[row[0]] = self._achievement(row)
        return found

    def _record(self, row: tuple[Any, ...]) -> LearnerRecord:
        achievement = self._achievement(row)
        learner_id = LearnerId(str(row[0]))
        if isinstance(achievement, str):
            return LearnerRecord(learner_id, left_out=achievement, retrieved_at=self.retrieved_at)
        return LearnerRecord(learner_id, True, achievement, retrieved_at=self.retrieved_at)

    def _achievement(self, row: tuple[Any, ...]) -> Achievement | str:
        _, layout, work, completion, lessons = row
        completed = None
        if self._needs.completion:
            if self._lesson is not None:
                completion = lesson_completed(lessons, self._lesson_number)
            try:
                completed = self._completed[completion]
            except KeyError:
                completed = self._remember(completion)
        if not self._needs.grades:
            return Achievement(completed)
        if layout == LEFT_OUT:
            return str(work)
        subsections = self._restoring.subsections(layout, work)
        if isinstance(subsections, CannotTell):
            return str(subsections)
        return Achievement(completed, subsections)

    def _remember(self, completion: str) -> Decimal:
        if len(self._completed) > _MOST_REMEMBERED:
            self._completed.clear()
        self._completed[completion] = made = Decimal(completion)
        return made


def pathway_pages(
    user_ids: Sequence[int],
    courses: Sequence[CourseReader],
    retrieved_at: datetime,
    page_size: int,
) -> Iterator[Sequence[LearnerRecord]]:
    """Yield the records of a pathway's learners with what they achieved in its courses.

    Args:
        user_ids: Who is actively enrolled in the pathway, in order.
        courses: Its courses.
        retrieved_at: When the list of these was read.
        page_size: The most learners of a page, at least 1.
    """
    earliest = min([retrieved_at, *(course.retrieved_at for course in courses)])
    ids = iter(user_ids)
    while page := list(islice(ids, page_size)):
        achieved = [(course.course, course.achievements(page)) for course in courses]
        yield [
            pathway_record(
                user_id,
                {course: found[user_id] for course, found in achieved if user_id in found},
                earliest,
            )
            for user_id in page
        ]


def pathway_record(
    user_id: int, steps: Mapping[str, Achievement | str], retrieved_at: datetime
) -> LearnerRecord:
    """Return the record of a pathway's learner; who is left out in one step is left out."""
    reasons = [f"{course}: {why}" for course, why in steps.items() if isinstance(why, str)]
    return LearnerRecord(
        LearnerId(str(user_id)),
        steps={each: found for each, found in steps.items() if isinstance(found, Achievement)},
        left_out="; ".join(reasons) or None,
        retrieved_at=retrieved_at,
    )
