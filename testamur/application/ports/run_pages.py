"""Port: the pages of a run, on which those wait who have earned a credential, until they have it.

Workers share them out. A page is kept in the database, and not in the queue, because it says what
learners have achieved; messages only name it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from testamur.domain.eligibility import Verdict
from testamur.domain.identifiers import LearnerId, RunId
from testamur.domain.run_results import RunCounts


@dataclass(frozen=True, slots=True)
class PagePlace:
    """Which page it is.

    Args:
        share: The share that all its learners are in, see `testamur.application.dividing`.
        number: From 1, in its division.
    """

    share: int
    number: int


@dataclass(frozen=True, slots=True)
class DivisionStanding:
    """How far the pages of a division are.

    Args:
        kept: Pages that there are, awarded or not.
        left: Those that are not awarded yet.
        counts: What became of the learners on the others.
    """

    kept: int
    left: Sequence[PagePlace]
    counts: RunCounts


class RunPages(Protocol):
    """Keeps pages. Of a page that is awarded only the counts stay, and of a run that is over none.

    A division is one attempt at a run, so that whoever is late with a page of an earlier one
    changes nothing about those of this one. Every method raises `EventStoreError` where the
    database cannot be used.
    """

    def keep(
        self, run_id: RunId, division: UUID, place: PagePlace, verdicts: Sequence[Verdict]
    ) -> None:
        """Keep a page durably.

        Args:
            run_id: Whose page.
            division: Of the run's attempt.
            place: Which page.
            verdicts: On those who have earned the credential.
        """
        ...

    def verdicts(self, division: UUID, number: int) -> list[Verdict] | None:
        """Return what is on a page; None where it is awarded, or was dropped."""
        ...

    def finish(self, division: UUID, number: int, counts: RunCounts) -> None:
        """Note that a page is awarded; nothing happens where it was dropped.

        Args:
            division: Of the run's attempt.
            number: Of the page.
            counts: What became of its learners.
        """
        ...

    def has_left(self, division: UUID) -> bool:
        """Tell whether pages of a division are left to award."""
        ...

    def standing(self, division: UUID) -> DivisionStanding:
        """Return how far the pages of a division are, those left by number."""
        ...

    def drop(self, run_id: RunId, division: UUID | None = None) -> None:
        """Drop the pages of one division of a run, or of all."""
        ...

    def forget(self, learner_id: LearnerId) -> int:
        """Take a learner off all pages, and return off how many."""
        ...
