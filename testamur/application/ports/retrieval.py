"""Port: which learners are there, what have they achieved, and who are they?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol, runtime_checkable

from testamur.domain.contexts import LearningContextKey
from testamur.domain.identifiers import LearnerId
from testamur.domain.learning import ContextFacts, LearnerRecord
from testamur.domain.personal_data import Person


@dataclass(frozen=True, slots=True)
class Needs:
    """What an answer is needed for.

    Args:
        completion: Whether the criteria look at completion; a source may skip it otherwise.
        grades: Whether they look at grades, and so at the weights of the grading policy.
        dates: Whether it matters when something was achieved; a source may leave that out
            otherwise, and some never tell (see `DatingSource`).
        not_before: What the source read at this moment (aware) or later may be given again, so
            that configurations of one course, due at the same time, read it once. None: read
            everything anew.
    """

    completion: bool = True
    grades: bool = True
    dates: bool = False
    not_before: datetime | None = None


EVERYTHING: Final = Needs()
ONLY_DATES: Final = Needs(completion=False, grades=False)


class RetrievalSource(Protocol):
    """A system that knows learners: an LMS, a registry's export, an in-process API.

    Every method raises `RetrievalError` where the answer cannot be had in full. A source never
    leaves out a learner because a part of the answer was missing: the record of one about whom
    the system itself does not answer says so in ``left_out``.
    """

    @property
    def name(self) -> str:
        """Name that the evidence gives as its source, e.g. ``files:exports/2026-06``."""
        ...

    def facts(self, context: LearningContextKey, needs: Needs = EVERYTHING) -> ContextFacts:
        """Return what is the same for all learners of the context.

        Args:
            context: Course, lesson, pathway, or a plugin's own kind.
            needs: Without ``grades`` the weights may be left out.

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
            needs: Which parts of the achievement to fetch, and how fresh they have to be.
            learner_id: Only this learner; no record at all where the source does not know them.

        Raises:
            RetrievalError: A page cannot be had; pages yielded before it stay valid.
        """
        ...

    def people(self, learner_ids: Sequence[LearnerId]) -> Mapping[LearnerId, Person]:
        """Return name, e-mail, locale and account status of learners; unknown ones are left out."""
        ...


@runtime_checkable
class DatingSource(Protocol):
    """A source that tells when learners achieved something, where it is asked for ``dates``."""

    @property
    def dates_achievements(self) -> bool:
        """Whether it does."""
        ...
