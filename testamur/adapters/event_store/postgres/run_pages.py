"""The pages of runs on PostgreSQL."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final
from uuid import UUID

from testamur.adapters.event_store.failures import as_event_store_errors
from testamur.adapters.event_store.postgres.connections import Datastore
from testamur.adapters.event_store.verdict_pages import packed, standing_of, unpacked, without
from testamur.application.ports.run_pages import DivisionStanding, PagePlace
from testamur.domain.eligibility import Verdict
from testamur.domain.identifiers import LearnerId, RunId
from testamur.domain.run_results import RunCounts

_KEEP: Final = """
    INSERT INTO run_pages (division, number, run_id, share, verdicts)
    VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (division, number) DO UPDATE
    SET share = excluded.share, verdicts = excluded.verdicts, counts = NULL
"""
_VERDICTS: Final = "SELECT verdicts FROM run_pages WHERE division = %s AND number = %s"
_FINISH: Final = """
    UPDATE run_pages SET verdicts = NULL, counts = %s WHERE division = %s AND number = %s
"""
_HAS_LEFT: Final = """
    SELECT EXISTS (SELECT 1 FROM run_pages WHERE division = %s AND verdicts IS NOT NULL)
"""
_STANDING: Final = """
    SELECT share, number, counts FROM run_pages WHERE division = %s ORDER BY number
"""
_DROP: Final = "DELETE FROM run_pages WHERE run_id = %s"
_DROP_DIVISION: Final = "DELETE FROM run_pages WHERE run_id = %s AND division = %s"
_WAITING: Final = "SELECT division, number FROM run_pages WHERE verdicts IS NOT NULL"
_REPLACE: Final = "UPDATE run_pages SET verdicts = %s WHERE division = %s AND number = %s"


class PostgresRunPages:
    """Fills the port `RunPages`. Each statement may be run twice, so a lost answer does no harm.

    Args:
        datastore: The database, prepared.
    """

    def __init__(self, datastore: Datastore) -> None:
        self._datastore = datastore

    def keep(
        self, run_id: RunId, division: UUID, place: PagePlace, verdicts: Sequence[Verdict]
    ) -> None:
        """Keep a page durably."""
        self._run(_KEEP, (division, place.number, run_id, place.share, packed(verdicts)))

    def verdicts(self, division: UUID, number: int) -> list[Verdict] | None:
        """Return what is on a page; None where it is awarded, or was dropped."""
        found = self._run(_VERDICTS, (division, number))
        return unpacked(found[0][0]) if found and found[0][0] is not None else None

    def finish(self, division: UUID, number: int, counts: RunCounts) -> None:
        """Note that a page is awarded; nothing happens where it was dropped."""
        self._run(_FINISH, (counts.model_dump_json(), division, number))

    def has_left(self, division: UUID) -> bool:
        """Tell whether pages of a division are left to award."""
        ((has,),) = self._run(_HAS_LEFT, (division,))
        return bool(has)

    def standing(self, division: UUID) -> DivisionStanding:
        """Return how far the pages of a division are, those left by number."""
        rows = self._run(_STANDING, (division,))
        return standing_of(rows)

    def drop(self, run_id: RunId, division: UUID | None = None) -> None:
        """Drop the pages of one division of a run, or of all."""
        if division is None:
            self._run(_DROP, (run_id,))
        else:
            self._run(_DROP_DIVISION, (run_id, division))

    def forget(self, learner_id: LearnerId) -> int:
        """Take a learner off all pages, and return off how many."""
        found = 0
        for division, number in self._run(_WAITING, ()):
            with as_event_store_errors(self._datastore.shown_url):
                found += self._datastore.persist(
                    partial(self._taken_off, learner_id, division, number)
                )
        return found

    def _taken_off(self, learner_id: LearnerId, division: UUID, number: int) -> bool:
        place = (division, number)
        with self._datastore.transaction(commit=True) as cursor:
            row = cursor.execute(f"{_VERDICTS} FOR UPDATE", place).fetchone()
            others = without(learner_id, row[0]) if row is not None and row[0] is not None else None
            if others is not None:
                cursor.execute(_REPLACE, (others, *place))
            return others is not None

    def _run(self, statement: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        with as_event_store_errors(self._datastore.shown_url):
            return self._datastore.select(statement, values)
