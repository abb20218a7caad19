"""Port: which learners are there, what have they achieved, and who are they?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from testamur.domain.contexts import LearningContextKey
from testamur.domain.identifiers import LearnerId
from testamur.domain.learning import ContextFacts, LearnerRecord
from testamur.domain.personal_data import Person


@dataclass(frozen=True, slots=True)
class Needs:
    """Which parts of a learner's achievement the criteria look at; a source may skip the rest."""

    completion: bool = True
    grades: bool = True


class RetrievalSource(Protocol):
    """A system that knows learners: an LMS, a registry's export, an in-process API.

    Every method raises `RetrievalError` where the answer cannot be had in full. A source never
    leaves out a learner because a part of the answer was missing.
    """

    @property
    def name(self) -> str:
        """Name that the evidence gives as its source, e.g. ``files:exports/2026-06``."""
        ...

    def facts(self, context: LearningContextKey) -> ContextFacts:
        """Return what is the same for all learners of the context.

        Raises:
            RetrievalError: The source does not know the context, or cannot be asked.
        """
        ...

    def records(
        self, context: LearningContextKey, needs: Needs, learner_id: LearnerId | None = None
    ) -> Iterator[Sequence[LearnerRecord]]:
        """Yield all learners of the context in pages, each learner exactly once.

        Pages come as they are needed, so that memory does not grow with the number of learners.
        Learners who left are reported too where the source knows them, as not enrolled.

        Args:
            context: Course, lesson, pathway, or a plugin's own kind.
            needs: Which parts of the achievement to fetch.
            learner_id: Only this learner; no record at all where the source does not know them.

        Raises:
            RetrievalError: A page cannot be had; pages yielded before it stay valid.
        """
        ...

    def people(self, learner_ids: Sequence[LearnerId]) -> Mapping[LearnerId, Person]:
        """Return name, e-mail, locale and account status of learners; unknown ones are left out."""
        ...
