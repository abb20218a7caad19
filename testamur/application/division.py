"""Division: those who have earned a credential, dealt out to pages that workers award."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from testamur.application.dividing import share_of
from testamur.application.ports.run_pages import PagePlace, RunPages
from testamur.domain.eligibility import Verdict
from testamur.domain.identifiers import RunId

#: Learners on one page: one transaction of awards, and a few batches to issue.
PAGE_SIZE: Final = 400

#: Up to so many are awarded by the run itself: handing them on would take longer.
FEW: Final = 100


class DivisionBeingMade:
    """Deals learners out to pages, and keeps a page as soon as it is full; few are held in memory.

    Args:
        pages: Keeps them.
        run_id: Whose learners they are.
        id_: Of the division.
    """

    def __init__(self, pages: RunPages, run_id: RunId, id_: UUID) -> None:
        self._pages = pages
        self._run_id = run_id
        self._begun: dict[int, list[Verdict]] = {}
        self.id = id_
        self.learners = 0
        self.places: list[PagePlace] = []

    def add(self, verdicts: Sequence[Verdict]) -> None:
        """Deal out learners who have earned the credential.

        Raises:
            EventStoreError: A page cannot be kept.
        """
        self.learners += len(verdicts)
        for verdict in verdicts:
            share = share_of(verdict.learner_id)
            page = self._begun.setdefault(share, [])
            page.append(verdict)
            if len(page) == PAGE_SIZE:
                self._keep(share)

    def few(self) -> list[Verdict] | None:
        """Return all learners where they are few, and make no page; None where they are not."""
        if self.places or self.learners > FEW:
            return None
        return [verdict for page in self._begun.values() for verdict in page]

    def finish(self) -> None:
        """Keep the pages that are not full.

        Raises:
            EventStoreError: A page cannot be kept.
        """
        for share in list(self._begun):
            self._keep(share)

    def _keep(self, share: int) -> None:
        place = PagePlace(share, len(self.places) + 1)
        self._pages.keep(self._run_id, self.id, place, self._begun.pop(share))
        self.places.append(place)
