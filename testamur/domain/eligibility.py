"""Eligibility: has this learner met the criteria? Pure, exact, and with evidence either way.

Points and required fractions are Decimal, added without rounding; shares and the total are compared
as exact rational numbers, so that nothing is ever lost or gained (docs/decisions/0005).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from fractions import Fraction
from functools import cached_property, reduce
from typing import Final

from pydantic import JsonValue

from testamur.domain.criteria import (
    MOST_DECIMALS,
    TOTAL,
    AnyCourseCriteria,
    CompletionCriteria,
    GradeCriteria,
    PathwayCriteria,
    category_key,
)
from testamur.domain.evidence import CriterionResult, Evidence
from testamur.domain.identifiers import LearnerId
from testamur.domain.learning import (
    NOTHING_ACHIEVED,
    Achievement,
    ContextFacts,
    GradedSubsection,
    LearnerRecord,
)

AnyCriteria = AnyCourseCriteria | PathwayCriteria

_ZERO: Final = Decimal(0)
# Decimal's operators round to the precision that the thread's own context happens to have.
_EXACT: Final = Context(prec=MAX_PREC, Emin=MIN_EMIN, Emax=MAX_EMAX)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a learner has earned the credential, and on what evidence."""

    learner_id: LearnerId
    eligible: bool
    evidence: Evidence


@dataclass(frozen=True)
class Inquiry:
    """What all verdicts of one run share.

    Args:
        criteria: The criteria to apply; pathway criteria if and only if the context is a pathway.
        facts: Facts of the context, with the weights of the grading policy.
        source: Name of the data source that was asked.
        retrieved_at: When it was asked (aware); a record that says when it was read goes before.
    """

    criteria: AnyCriteria
    facts: ContextFacts
    source: str
    retrieved_at: datetime

    @cached_property
    def criteria_applied(self) -> dict[str, JsonValue]:
        """The criteria as the evidence shows them; the same for every learner."""
        return self.criteria.model_dump(mode="json")


def judge(record: LearnerRecord, inquiry: Inquiry) -> Verdict:
    """Judge one learner's record.

    A learner without an active enrolment is not eligible whatever they achieved. In a pathway the
    criteria must hold in every step; a pathway without steps is met by nobody.
    """
    criteria, facts = inquiry.criteria, inquiry.facts
    results = [CriterionResult(criterion="enrolment", met=record.enrolled)]
    unweighted: set[str] = set()
    if isinstance(criteria, PathwayCriteria):
        for step in facts.steps:
            found = record.steps.get(step.key)
            results.append(
                CriterionResult(criterion="enrolment", step=step.key, met=found is not None)
            )
            work = _work_of(found or NOTHING_ACHIEVED, step, step=step.key)
            results += _results(criteria.of_step(step.key), work)
            unweighted |= _unweighted(criteria.of_step(step.key), work)
    else:
        work = _work_of(record.achievement, facts)
        results += _results(criteria, work)
        unweighted |= _unweighted(criteria, work)
    has_criteria = len(results) > 1
    return Verdict(
        learner_id=record.learner_id,
        eligible=has_criteria and all(result.met for result in results),
        evidence=Evidence(
            criteria=inquiry.criteria_applied,
            results=tuple(results),
            unweighted_categories=tuple(sorted(unweighted)),
            source=inquiry.source,
            retrieved_at=record.retrieved_at or inquiry.retrieved_at,
        ),
    )


@dataclass(frozen=True, slots=True)
class _Category:
    """A learner's points in one assignment category."""

    name: str
    earned: Decimal
    possible: Decimal
    weight: Decimal | None

    @property
    def share(self) -> Fraction:
        return Fraction(self.earned) / Fraction(self.possible)


@dataclass(frozen=True, slots=True)
class _Work:
    """A learner's work in one course or lesson, with the points summed up."""

    completion: Decimal
    categories: Mapping[str, _Category]
    step: str | None


def _work_of(achievement: Achievement, facts: ContextFacts, step: str | None = None) -> _Work:
    weights = {category_key(name): weight for name, weight in facts.weights.items()}
    subsections: dict[str, list[GradedSubsection]] = {}
    for subsection in achievement.subsections:
        if subsection.possible > 0:
            subsections.setdefault(category_key(subsection.category), []).append(subsection)
    categories = {
        key: _Category(
            name=graded[0].category,
            earned=reduce(_EXACT.add, (each.earned for each in graded)),
            possible=reduce(_EXACT.add, (each.possible for each in graded)),
            weight=weights.get(key),
        )
        for key, graded in subsections.items()
    }
    return _Work(achievement.completion or _ZERO, categories, step)


def _results(criteria: AnyCourseCriteria, work: _Work) -> Iterable[CriterionResult]:
    if not isinstance(criteria, GradeCriteria):
        yield _completion(criteria.required_completion, work)
    if not isinstance(criteria, CompletionCriteria):
        for name, required in criteria.required_grades.items():
            if category_key(name) == TOTAL:
                yield _total(required, work)
            else:
                yield _grade(name, required, work)


def _completion(required: Decimal, work: _Work) -> CriterionResult:
    return CriterionResult(
        criterion="completion",
        step=work.step,
        required=required,
        achieved=_shown(Fraction(work.completion)),
        met=work.completion >= required,
    )


def _total(required: Decimal, work: _Work) -> CriterionResult:
    total = sum(
        (
            category.share * Fraction(category.weight)
            for category in work.categories.values()
            if category.weight is not None
        ),
        start=Fraction(0),
    )
    return CriterionResult(
        criterion="total",
        step=work.step,
        required=required,
        achieved=_shown(total),
        met=total >= Fraction(required),
    )


def _grade(name: str, required: Decimal, work: _Work) -> CriterionResult:
    category = work.categories.get(category_key(name))
    if category is None:
        return CriterionResult(
            criterion="grade", category=name, step=work.step, required=required, met=False
        )
    return CriterionResult(
        criterion="grade",
        category=category.name,
        step=work.step,
        required=required,
        achieved=_shown(category.share),
        earned=category.earned,
        possible=category.possible,
        met=category.share >= Fraction(required),
    )


def _unweighted(criteria: AnyCourseCriteria, work: _Work) -> set[str]:
    if isinstance(criteria, CompletionCriteria):
        return set()
    return {category.name for category in work.categories.values() if category.weight is None}


def _shown(exact: Fraction) -> Decimal:
    """Round down, so that a fraction short of what is required never reads as if it were met."""
    floor = exact.numerator * 10**MOST_DECIMALS // exact.denominator
    shown = _EXACT.normalize(_EXACT.scaleb(Decimal(floor), -MOST_DECIMALS))
    return Decimal(f"{shown:f}")
