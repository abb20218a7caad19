"""The pages of runs in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from uuid import UUID

from testamur.adapters.event_store.verdict_pages import packed, unpacked, without
from testamur.application.ports.run_pages import DivisionStanding, PagePlace
from testamur.domain.eligibility import Verdict
from testamur.domain.identifiers import LearnerId, RunId
from testamur.domain.run_results import RunCounts


@dataclass
class _Page:
    """A page, with its verdicts until it is awarded, and with its counts from then on."""

    run_id: RunId
    share: int
    verdicts: bytes | None
    counts: RunCounts


class MemoryRunPages:
    """Fills the port `RunPages`."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pages: dict[tuple[UUID, int], _Page] = {}

    def keep(
        self, run_id: RunId, division: UUID, place: PagePlace, verdicts: Sequence[Verdict]
    ) -> None:
        """Keep a page."""
        with self._lock:
            self._pages[division, place.number] = _Page(
                run_id, place.share, packed(verdicts), RunCounts()
            )

    def verdicts(self, division: UUID, number: int) -> list[Verdict] | None:
        """Return what is on a page; None where it is awarded, or was dropped."""
        with self._lock:
            page = self._pages.get((division, number))
        return None if page is None or page.verdicts is None else unpacked(page.verdicts)

    def finish(self, division: UUID, number: int, counts: RunCounts) -> None:
        """Note that a page is awarded; nothing happens where it was dropped."""
        with self._lock:
            page = self._pages.get((division, number))
            if page is not None:
                page.verdicts, page.counts = None, counts

    def has_left(self, division: UUID) -> bool:
        """Tell whether pages of a division are left to award."""
        return bool(self.standing(division).left)

    def standing(self, division: UUID) -> DivisionStanding:
        """Return how far the pages of a division are, those left by number."""
        with self._lock:
            pages = {number: page for (of, number), page in self._pages.items() if of == division}
        left = [
            PagePlace(page.share, number)
            for number, page in sorted(pages.items())
            if page.verdicts is not None
        ]
        counts = sum((page.counts for page in pages.values()), RunCounts())
        return DivisionStanding(len(pages), left, counts)

    def drop(self, run_id: RunId, division: UUID | None = None) -> None:
        """Drop the pages of one division of a run, or of all."""
        with self._lock:
            self._pages = {
                (of, number): page
                for (of, number), page in self._pages.items()
                if page.run_id != run_id or division not in (None, of)
            }

    def forget(self, learner_id: LearnerId) -> int:
        """Take a learner off all pages, and return off how many."""
        found = 0
        with self._lock:
            for page in self._pages.values():
                if page.verdicts is None:
                    continue
                others = without(learner_id, page.verdicts)
                if others is not None:
                    page.verdicts = others
                    found += 1
        return found
