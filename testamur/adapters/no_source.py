"""Stands in for the data source where none is set, and says so when it is asked."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NoReturn

from testamur.application.errors import RetrievalError
from testamur.application.ports.retrieval import EVERYTHING, Needs
from testamur.domain.contexts import LearningContextKey
from testamur.domain.identifiers import LearnerId
from testamur.domain.learning import ContextFacts, LearnerRecord
from testamur.domain.personal_data import Person


class NoRetrievalSource:
    """A data source that is not there.

    Args:
        remedy: What to set so that there is one.
    """

    name = "none"

    def __init__(self, remedy: str) -> None:
        self._remedy = remedy

    def facts(self, context: LearningContextKey, needs: Needs = EVERYTHING) -> ContextFacts:
        """Refuse: there is nobody to ask."""
        self._refuse()

    def records(
        self, context: LearningContextKey, needs: Needs, learner_id: LearnerId | None = None
    ) -> Iterator[Sequence[LearnerRecord]]:
        """Refuse: there is nobody to ask."""
        self._refuse()

    def people(self, learner_ids: Sequence[LearnerId]) -> Mapping[LearnerId, Person]:
        """Refuse: there is nobody to ask."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise RetrievalError(f"no data source is set; {self._remedy}")
