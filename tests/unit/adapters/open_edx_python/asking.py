"""What tests ask the source, and how the learners that it tells of are judged."""

from collections.abc import Mapping, Sequence
from typing import Final

from testamur.adapters.open_edx_python.source import OpenEdxPythonSource
from testamur.application.ports.retrieval import EVERYTHING, Needs
from testamur.domain.contexts import parse_context_key
from testamur.domain.eligibility import AnyCriteria, Inquiry, judge
from testamur.domain.identifiers import LearnerId
from testamur.domain.learning import ContextFacts, LearnerRecord
from tests.support.records import COURSE, RETRIEVED_AT

LESSONS: Final = COURSE.replace("course-v1", "block-v1") + "+type@sequential+block@"
HOMEWORK_1: Final = LESSONS + "homework1"
HOMEWORK_2: Final = LESSONS + "homework2"
EXAM: Final = LESSONS + "exam3"


def facts(source: OpenEdxPythonSource, context: str, needs: Needs = EVERYTHING) -> ContextFacts:
    """Return the facts of a context by its key."""
    return source.facts(parse_context_key(context), needs)


def pages(
    source: OpenEdxPythonSource,
    context: str,
    needs: Needs = EVERYTHING,
    learner_id: str | None = None,
) -> Sequence[Sequence[LearnerRecord]]:
    """Return all pages of records."""
    wanted = None if learner_id is None else LearnerId(learner_id)
    return list(source.records(parse_context_key(context), needs, wanted))


def records(
    source: OpenEdxPythonSource,
    context: str,
    needs: Needs = EVERYTHING,
    learner_id: str | None = None,
) -> Mapping[str, LearnerRecord]:
    """Return all records by learner id."""
    return {
        record.learner_id: record
        for page in pages(source, context, needs, learner_id)
        for record in page
    }


def eligible(source: OpenEdxPythonSource, context: str, criteria: AnyCriteria) -> set[str]:
    """Return the ids of the learners who meet the criteria."""
    inquiry = Inquiry(criteria, facts(source, context), source.name, RETRIEVED_AT)
    return {
        record.learner_id
        for record in records(source, context).values()
        if judge(record, inquiry).eligible
    }
