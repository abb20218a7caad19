"""Builders of what a data source reports, and of the inquiry that it is judged in.

Points are written as a teacher writes them: ``grades={"Homework": ["11/20", "0/5"]}``.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from testamur.domain.eligibility import AnyCriteria, Inquiry
from testamur.domain.identifiers import LearnerId
from testamur.domain.learning import Achievement, ContextFacts, GradedSubsection, LearnerRecord

COURSE: Final = "course-v1:Uni+Maths+2026"
OTHER_COURSE: Final = "course-v1:Uni+Physics+2026"
PATHWAY: Final = "path-v1:Uni+Science+2026+A"
RETRIEVED_AT: Final = datetime(2026, 6, 1, 12, tzinfo=UTC)

Grades = Mapping[str, Sequence[str]]


def subsections(grades: Grades) -> tuple[GradedSubsection, ...]:
    """Return graded subsections of points ``"earned/possible"`` by category."""
    return tuple(
        GradedSubsection(f"{category} {number}", category, Decimal(earned), Decimal(possible))
        for category, all_points in grades.items()
        for number, points in enumerate(all_points, start=1)
        for earned, possible in [points.split("/")]
    )


def achievement(completion: str | None = None, grades: Grades | None = None) -> Achievement:
    """Return what a learner has achieved in one course or lesson."""
    return Achievement(
        None if completion is None else Decimal(completion), subsections(grades or {})
    )


def learner(
    learner_id: str = "learner-1",
    *,
    enrolled: bool = True,
    completion: str | None = None,
    grades: Grades | None = None,
    steps: Mapping[str, Achievement] | None = None,
    left_out: str | None = None,
) -> LearnerRecord:
    """Return a learner's record; one who has achieved nothing unless told."""
    return LearnerRecord(
        LearnerId(learner_id), enrolled, achievement(completion, grades), steps or {}, left_out
    )


def course(
    key: str = COURSE,
    *,
    weights: Mapping[str, str] | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    name: str | None = None,
    certificate_name: str | None = None,
) -> ContextFacts:
    """Return facts of a course."""
    return ContextFacts(
        key=key,
        name=name,
        certificate_name=certificate_name,
        start=start,
        end=end,
        weights={category: Decimal(weight) for category, weight in (weights or {}).items()},
    )


def pathway(*steps: ContextFacts, key: str = PATHWAY) -> ContextFacts:
    """Return facts of a pathway with these courses as its steps."""
    return ContextFacts(key=key, steps=steps)


def inquiry(criteria: AnyCriteria, facts: ContextFacts | None = None) -> Inquiry:
    """Return an inquiry of these criteria, in a course without weights unless told."""
    return Inquiry(criteria, facts or course(), "tests", RETRIEVED_AT)
