"""Records of learners, joined from the tables in the order of the learners' ids, page by page."""

# ruff: noqa: S608 - a name in a query is one of the schema's own, and values are bound

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from testamur.adapters.files.index import Connections
from testamur.adapters.files.table_index import Words
from testamur.adapters.files.tables import COMPLETIONS, ENROLMENTS, GRADES
from testamur.adapters.files.values import Work
from testamur.application.ports.retrieval import Needs
from testamur.domain.identifiers import LearnerId
from testamur.domain.learning import (
    NOTHING_ACHIEVED,
    Achievement,
    GradedSubsection,
    LearnerRecord,
)

_Page = dict[str, bool]
"""Learners in order, each with whether they are actively enrolled; never empty."""


#: Dates are read only where they matter: most runs do without.
_ACHIEVED_AT: Final = {False: "NULL", True: "achieved_at"}


class Joining:
    """Joins enrolments, completions and grades; contexts go by their keys as text.

    Args:
        connections: To their indexes; to those of completions and grades if they are needed.
        needs: Which parts of the achievement to read.
        page_size: The most learners of a page.
    """

    def __init__(self, connections: Connections, needs: Needs, page_size: int) -> None:
        self._page_size = page_size
        self._enrolments = connections[ENROLMENTS.name]
        self._contexts = Words(self._enrolments, "context_key")
        self._completions = (
            _Completions(connections[COMPLETIONS.name], dates=needs.dates)
            if needs.completion
            else None
        )
        self._grades = (
            _Grades(connections[GRADES.name], dates=needs.dates) if needs.grades else None
        )

    def of_course(
        self, course: str, learner_id: LearnerId | None, lesson: str | None = None
    ) -> Iterator[Sequence[LearnerRecord]]:
        """Yield the learners of a course with what they achieved in it, or in a lesson of it."""
        for page in self._pages(course, learner_id):
            achieved = self._achieved(page, course, lesson)
            yield [
                LearnerRecord(LearnerId(learner), enrolled, achieved[learner])
                for learner, enrolled in page.items()
            ]

    def of_pathway(
        self, pathway: str, courses: Sequence[str], learner_id: LearnerId | None
    ) -> Iterator[Sequence[LearnerRecord]]:
        """Yield the learners of a pathway with what they achieved in these courses."""
        for page in self._pages(pathway, learner_id):
            steps: dict[str, dict[str, Achievement]] = {learner: {} for learner in page}
            for course in courses:
                achieved = self._achieved(page, course)
                for learner in self._active(page, course):
                    steps[learner][course] = achieved[learner]
            yield [
                LearnerRecord(LearnerId(learner), enrolled, steps=steps[learner])
                for learner, enrolled in page.items()
            ]

    def _pages(self, context: str, learner_id: LearnerId | None) -> Iterator[_Page]:
        code = self._contexts.code(context)
        if learner_id is not None:
            if one := self._page("learner_id = ?", code, learner_id):
                yield one
            return
        last = ""  # sorts before every learner's id
        while page := self._page("learner_id > ?", code, last):
            yield page
            last = next(reversed(page))

    def _page(self, which: str, code: str | int, learner_id: str) -> _Page:
        rows = self._enrolments.execute(
            f"SELECT learner_id, active FROM rows WHERE context_key = ? AND {which}"
            " ORDER BY learner_id LIMIT ?",
            (code, learner_id, self._page_size),
        )
        return {learner: bool(active) for learner, active in rows}

    def _active(self, page: _Page, course: str) -> Iterator[str]:
        rows = self._enrolments.execute(
            "SELECT learner_id FROM rows WHERE context_key = ? AND learner_id BETWEEN ? AND ?"
            " AND active",
            (self._contexts.code(course), *_ends(page)),
        )
        return (learner for (learner,) in rows if learner in page)

    def _achieved(
        self, page: _Page, course: str, lesson: str | None = None
    ) -> Mapping[str, Achievement]:
        completions = self._completions.of(page, lesson or course) if self._completions else {}
        grades = self._grades.of(page, course, lesson) if self._grades else {}
        achieved = dict.fromkeys(page, NOTHING_ACHIEVED)
        for learner in completions.keys() | grades.keys():
            completion, completed_at = completions.get(learner, (None, None))
            achieved[learner] = Achievement(
                completion, tuple(grades.get(learner, ())), completed_at
            )
        return achieved


class _Completions:
    def __init__(self, connection: sqlite3.Connection, *, dates: bool) -> None:
        self._connection = connection
        self._achieved_at = _ACHIEVED_AT[dates]
        self._contexts = Words(connection, "context_key")

    def of(self, page: _Page, context: str) -> Mapping[str, tuple[Decimal, datetime | None]]:
        rows = self._connection.execute(
            f"SELECT learner_id, completion, {self._achieved_at} FROM rows"
            " WHERE context_key = ? AND learner_id BETWEEN ? AND ?",
            (self._contexts.code(context), *_ends(page)),
        )
        return {
            learner: (Decimal(completion), _moment(achieved_at))
            for learner, completion, achieved_at in rows
            if learner in page
        }


class _Grades:
    def __init__(self, connection: sqlite3.Connection, *, dates: bool) -> None:
        self._connection = connection
        self._achieved_at = _ACHIEVED_AT[dates]
        self._courses = Words(connection, "course_key")
        self._works = Words(connection, "work")
        self._categories = Words(connection, "category")

    def of(
        self, page: _Page, course: str, lesson: str | None
    ) -> Mapping[str, list[GradedSubsection]]:
        query = (
            f"SELECT learner_id, work, category, earned, possible, {self._achieved_at} FROM rows"
            " WHERE course_key = ? AND learner_id BETWEEN ? AND ?"
        )
        values = [self._courses.code(course), *_ends(page)]
        if lesson is not None:
            query += " AND work = ?"
            values.append(self._works.code(lesson))
        grades: dict[str, list[GradedSubsection]] = defaultdict(list)
        for row in self._connection.execute(query, values):
            learner, work, category, earned, possible, achieved_at = row
            if learner in page:
                grades[learner].append(
                    GradedSubsection(
                        self._subsection_id(work),
                        self._categories.word(category),
                        Decimal(earned),
                        Decimal(possible),
                        _moment(achieved_at),
                    )
                )
        return grades

    def _subsection_id(self, work: int | str) -> str:
        word = self._works.word(work)
        return "" if word.startswith(Work.CATEGORY_MARK) else word


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _ends(page: _Page) -> tuple[str, str]:
    return next(iter(page)), next(reversed(page))
