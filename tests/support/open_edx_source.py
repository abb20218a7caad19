"""The Open edX source over a stand-in LMS, and its records and verdicts as plain values."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter

from testamur.adapters.open_edx.source import OpenEdxSource
from testamur.application.ports.retrieval import Needs
from testamur.domain.contexts import LearningContextKey, parse_context_key
from testamur.domain.criteria import (
    AnyCourseCriteria,
    CompletionCriteria,
    CourseCriteria,
    GradeCriteria,
    PathwayCriteria,
)
from testamur.domain.eligibility import AnyCriteria, Inquiry, judge
from testamur.domain.identifiers import LearnerId
from testamur.domain.learning import Achievement, LearnerRecord
from tests.support.lms_connections import options_for
from tests.support.open_edx import StandInLms

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)

COMPLETION_ONLY = Needs(grades=False)
GRADES_ONLY = Needs(completion=False)
BOTH = Needs()

_KINDS = {
    frozenset({"required_completion"}): "completion",
    frozenset({"required_grades"}): "grades",
    frozenset({"required_completion", "required_grades"}): "completion-and-grades",
}


@contextmanager
def source_of(lms: StandInLms, **changes: Any) -> Iterator[OpenEdxSource]:
    """Give a source that asks a stand-in LMS; its clock stands still unless told otherwise."""
    now = changes.pop("now", lambda: NOW)
    options = options_for(
        lms.url, client_id=lms.client_id, client_secret=lms.client_secret, **changes
    )
    with OpenEdxSource(options, now=now) as source:
        yield source


def key(text: str) -> LearningContextKey:
    return parse_context_key(text)


def records(
    source: OpenEdxSource, context: str, needs: Needs = BOTH, learner_id: str | None = None
) -> dict[str, LearnerRecord]:
    """Return all records by learner id, which are there once each."""
    one = None if learner_id is None else LearnerId(learner_id)
    found = [each for page in source.records(key(context), needs, one) for each in page]
    assert len({each.learner_id for each in found}) == len(found)
    return {each.learner_id: each for each in found}


def points(achievement: Achievement) -> list[str]:
    """Return the points of graded subsections, such as ``["5/10"]``."""
    return [f"{each.earned}/{each.possible}" for each in achievement.subsections]


def verdicts(source: OpenEdxSource, context: str, options: Mapping[str, Any]) -> dict[str, bool]:
    """Return who meets the criteria of a course or lesson, by learner id."""
    return _judged(source, context, _criteria(options))


def pathway_verdicts(
    source: OpenEdxSource,
    context: str,
    options: Mapping[str, Any],
    steps: Mapping[str, Mapping[str, Any]],
) -> dict[str, bool]:
    """Return who meets the criteria of a pathway, by learner id."""
    of_steps = {course: _criteria(each) for course, each in steps.items()}
    criteria = PathwayCriteria(every_step=_criteria(options), steps=of_steps)
    return _judged(source, context, criteria)


def _criteria(options: Mapping[str, Any]) -> AnyCourseCriteria:
    adapter: TypeAdapter[AnyCourseCriteria] = TypeAdapter(CourseCriteria)
    return adapter.validate_python({"kind": _KINDS[frozenset(options)], **options})


def _judged(source: OpenEdxSource, context: str, criteria: AnyCriteria) -> dict[str, bool]:
    needs = Needs(
        completion=not isinstance(criteria, GradeCriteria),
        grades=not isinstance(criteria, CompletionCriteria),
    )
    inquiry = Inquiry(criteria, source.facts(key(context), needs), source.name, NOW)
    return {
        learner_id: judge(record, inquiry).eligible
        for learner_id, record in records(source, context, needs).items()
    }
