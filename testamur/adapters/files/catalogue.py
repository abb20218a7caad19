"""Courses, lessons and pathways of a folder, and the facts of each."""

# ruff: noqa: S608 - a name in a query is one of the schema's own, and values are bound

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from testamur.adapters.files.errors import UnknownContext
from testamur.adapters.files.index import Connections
from testamur.adapters.files.table_index import Words
from testamur.adapters.files.tables import (
    COURSES,
    GRADES,
    GRADING_POLICY,
    LESSONS,
    PATHWAY_STEPS,
    PATHWAYS,
    Table,
)
from testamur.domain.contexts import CourseKey, LessonKey, PathwayKey
from testamur.domain.learning import ContextFacts

_MOST_LOOKED_AT: Final = 1000
_MOST_HINTS: Final = 5


class Catalogue:
    """Looks contexts up.

    Args:
        folder: The folder, for errors.
        connections: To the indexes of the tables that a method names.
    """

    def __init__(self, folder: Path, connections: Connections) -> None:
        self._folder = folder
        self._connections = connections

    def require(self, key: CourseKey | LessonKey | PathwayKey) -> None:
        """Look a context up in courses or pathways; a lesson is known if its course is.

        Raises:
            UnknownContext: It is not there.
        """
        looked_up = key.course if isinstance(key, LessonKey) else key
        table = PATHWAYS if isinstance(looked_up, PathwayKey) else COURSES
        column = table.keys[0].columns[0]
        index = self._connections[table.name]
        found = index.execute(f"SELECT 1 FROM rows WHERE {column} = ?", (str(looked_up),))
        if found.fetchone() is None:
            reason = f"the table {table.name} does not have it"
            if isinstance(key, LessonKey):
                reason = f"the table {table.name} does not have its course {looked_up}"
            known = self._near(table, str(looked_up))
            raise UnknownContext(self._folder, key, reason, known)

    def course(self, key: CourseKey) -> ContextFacts:
        """Return the facts of a course, from courses and grading_policy.

        Raises:
            UnknownContext: There is no such course.
        """
        self.require(key)
        return self._course(str(key))

    def lesson(self, key: LessonKey) -> ContextFacts:
        """Return the facts of a lesson, from courses and lessons; its weights are left out.

        Raises:
            UnknownContext: There is no such course.
        """
        self.require(key)
        _, _, start, end = self._course_row(str(key.course))
        return ContextFacts(str(key), *self._names(LESSONS, key), start, end)

    def pathway(self, key: PathwayKey) -> ContextFacts:
        """Return the facts of a pathway, from all tables of courses and pathways.

        Raises:
            UnknownContext: There is no such pathway, or it has no steps.
        """
        steps = tuple(self._course(course) for course in self.steps(key))
        return ContextFacts(str(key), *self._names(PATHWAYS, key), steps=steps)

    def steps(self, key: PathwayKey) -> Sequence[str]:
        """Return the courses of a pathway in order, from pathways and pathway_steps.

        Raises:
            UnknownContext: There is no such pathway, or it has no steps: nobody could ever earn
                it, so it is more likely that they were forgotten.
        """
        self.require(key)
        rows = self._connections[PATHWAY_STEPS.name].execute(
            "SELECT course_key FROM rows WHERE pathway_key = ? ORDER BY position", (str(key),)
        )
        courses = [course for (course,) in rows]
        if not courses:
            reason = f"the table {PATHWAY_STEPS.name} has no step of it"
            raise UnknownContext(self._folder, key, reason)
        return courses

    def categories(self, lesson: LessonKey) -> Sequence[str]:
        """Return the categories that a lesson is graded in, from grades; usually one."""
        grades = self._connections[GRADES.name]
        categories = Words(grades, "category")
        rows = grades.execute(
            "SELECT DISTINCT category FROM rows WHERE course_key = ? AND work = ?",
            (
                Words(grades, "course_key").code(str(lesson.course)),
                Words(grades, "work").code(str(lesson)),
            ),
        )
        return sorted(categories.word(code) for (code,) in rows)

    def _course(self, key: str) -> ContextFacts:
        weights = self._connections[GRADING_POLICY.name].execute(
            "SELECT category, weight FROM rows WHERE course_key = ? ORDER BY rowid", (key,)
        )
        return ContextFacts(
            key,
            *self._course_row(key),
            weights={category: Decimal(weight) for category, weight in weights},
        )

    def _course_row(
        self, key: str
    ) -> tuple[str | None, str | None, datetime | None, datetime | None]:
        found = self._connections[COURSES.name].execute(
            'SELECT name, certificate_name, start, "end" FROM rows WHERE course_key = ?', (key,)
        )
        name, certificate_name, start, end = found.fetchone()
        return name or None, certificate_name or None, _moment(start), _moment(end)

    def _names(self, table: Table, key: LessonKey | PathwayKey) -> tuple[str | None, str | None]:
        column = table.keys[0].columns[0]
        found = self._connections[table.name].execute(
            f"SELECT name, certificate_name FROM rows WHERE {column} = ?", (str(key),)
        )
        name, certificate_name = found.fetchone() or (None, None)
        return name or None, certificate_name or None

    def _near(self, table: Table, key: str) -> Sequence[str]:
        column = table.keys[0].columns[0]
        rows = self._connections[table.name].execute(
            f"SELECT {column} FROM rows ORDER BY {column} LIMIT ?", (_MOST_LOOKED_AT,)
        )
        known = [known for (known,) in rows]
        return get_close_matches(key, known, n=_MOST_HINTS) or known[:_MOST_HINTS]


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
