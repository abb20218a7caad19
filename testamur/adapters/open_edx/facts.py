"""Facts of courses, lessons and pathways, kept for those who are content with them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from threading import Lock
from typing import Any, Final, TypeVar

from testamur.adapters.open_edx.catalogue import (
    CourseDetails,
    Pathway,
    course_details,
    pathway,
    weights,
)
from testamur.adapters.open_edx.concurrency import each
from testamur.adapters.open_edx.connection import Connection
from testamur.adapters.open_edx.grades import subsections
from testamur.application.ports.retrieval import Needs
from testamur.domain.contexts import CourseKey, LessonKey, PathwayKey
from testamur.domain.learning import ContextFacts

Fact = TypeVar("Fact")

#: Facts that are kept at the same time.
_MOST_KEPT: Final = 2000


class Facts:
    """Asks for what is the same for all learners of a context. Several threads may use it.

    Args:
        connection: The LMS.
        now: Tells the present moment (aware).
    """

    def __init__(self, connection: Connection, now: Callable[[], datetime]) -> None:
        self._connection = connection
        self._now = now
        self._lock = Lock()
        self._kept: dict[tuple[str, str], tuple[datetime, Any]] = {}

    def course(self, key: CourseKey, needs: Needs) -> ContextFacts:
        """Return the facts of a course, with weights if grades are needed."""
        details = self._details(key, needs)
        of_categories: Mapping[str, Decimal] = {}
        if needs.grades:
            of_categories = self._fresh(
                "weights", str(key), needs, lambda: weights(self._connection, str(key))
            )
        return ContextFacts(
            str(key),
            name=details.name,
            start=details.start,
            end=details.end,
            weights=of_categories,
        )

    def lesson(self, key: LessonKey, needs: Needs) -> ContextFacts:
        """Return the facts of a lesson: its course's dates, and its own score as the total.

        Its name is left out where nothing but the dates is needed.
        """
        details = self._details(key.course, needs)
        facts = ContextFacts(str(key), start=details.start, end=details.end)
        if not (needs.completion or needs.grades):
            return facts
        course = str(key.course)
        found = self._fresh(
            "subsections", course, needs, lambda: subsections(self._connection, course)
        )
        for subsection in found:
            if subsection.module_id == str(key):
                category = subsection.category
                of_category = {} if category is None else {category: Decimal(1)}
                return replace(facts, name=subsection.name, weights=of_category)
        return facts

    def pathway(self, key: PathwayKey, needs: Needs) -> ContextFacts:
        """Return the facts of a pathway, with those of its courses in order."""
        found = self.steps(key, needs)
        asked = each(
            self._connection,
            lambda step: self.course(step, needs),
            found.steps,
            self._connection.concurrency,
        )
        return ContextFacts(str(key), name=found.name, steps=tuple(facts for _, facts in asked))

    def steps(self, key: PathwayKey, needs: Needs) -> Pathway:
        """Return name and courses of a pathway."""
        return self._fresh("pathway", str(key), needs, lambda: pathway(self._connection, key))

    def _details(self, key: CourseKey, needs: Needs) -> CourseDetails:
        return self._fresh(
            "details", str(key), needs, lambda: course_details(self._connection, str(key))
        )

    def _fresh(self, kind: str, key: str, needs: Needs, ask: Callable[[], Fact]) -> Fact:
        """Return what was asked for late enough, or ask for it now."""
        with self._lock:
            kept = self._kept.get((kind, key))
        if kept is not None and needs.not_before is not None and kept[0] >= needs.not_before:
            fact: Fact = kept[1]
            return fact
        asked_at = self._now()
        fact = ask()
        with self._lock:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[kind, key] = asked_at, fact
        return fact
