"""The pages of runs on SQLite."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from testamur.adapters.event_store.failures import as_event_store_errors
from testamur.adapters.event_store.sqlite.connections import Datastore
from testamur.adapters.event_store.verdict_pages import packed, standing_of, unpacked, without
from testamur.application.ports.run_pages import DivisionStanding, PagePlace
from testamur.domain.eligibility import Verdict
from testamur.domain.identifiers import LearnerId, RunId
from testamur.domain.run_results import RunCounts

_KEEP: Final = """
    INSERT OR REPLACE INTO run_pages (division, number, run_id, share, verdicts)
    VALUES (?, ?, ?, ?, ?)
"""
_VERDICTS: Final = "SELECT verdicts FROM run_pages WHERE division = ? AND number = ?"
_FINISH: Final = """
    UPDATE run_pages SET verdicts = NULL, counts = ? WHERE division = ? AND number = ?
"""
_HAS_LEFT: Final = """
    SELECT EXISTS (SELECT 1 FROM run_pages WHERE division = ? AND verdicts IS NOT NULL)
"""
_STANDING: Final = """
    SELECT share, number, counts FROM run_pages WHERE division = ? ORDER BY number
"""
_DROP: Final = "DELETE FROM run_pages WHERE run_id = ?"
_DROP_DIVISION: Final = "DELETE FROM run_pages WHERE run_id = ? AND division = ?"
_WAITING: Final = "SELECT division, number FROM run_pages WHERE verdicts IS NOT NULL"
_REPLACE: Final = "UPDATE run_pages SET verdicts = ? WHERE division = ? AND number = ?"


class SqliteRunPages:
    """Fills the port `RunPages`.

    Args:
        datastore: The database, prepared.
        database: Its name for people.
    """

    def __init__(self, datastore: Datastore, database: str) -> None:
        self._datastore = datastore
        self._database = database

    def keep(
        self, run_id: RunId, division: UUID, place: PagePlace, verdicts: Sequence[Verdict]
    ) -> None:
        """Keep a page durably."""
        self._write(_KEEP, (division.hex, place.number, run_id.hex, place.share, packed(verdicts)))

    def verdicts(self, division: UUID, number: int) -> list[Verdict] | None:
        """Return what is on a page; None where it is awarded, or was dropped."""
        with as_event_store_errors(self._database):
            found = self._datastore.select(_VERDICTS, (division.hex, number))
        return unpacked(found[0][0]) if found and found[0][0] is not None else None

    def finish(self, division: UUID, number: int, counts: RunCounts) -> None:
        """Note that a page is awarded; nothing happens where it was dropped."""
        self._write(_FINISH, (counts.model_dump_json(), division.hex, number))

    def has_left(self, division: UUID) -> bool:
        """Tell whether pages of a division are left to award."""
        with as_event_store_errors(self._database):
            ((has,),) = self._datastore.select(_HAS_LEFT, (division.hex,))
        return bool(has)

    def standing(self, division: UUID) -> DivisionStanding:
        """Return how far the pages of a division are, those left by number."""
        with as_event_store_errors(self._database):
            rows = self._datastore.select(_STANDING, (division.hex,))
        return standing_of(rows)

    def drop(self, run_id: RunId, division: UUID | None = None) -> None:
        """Drop the pages of one division of a run, or of all."""
        if division is None:
            self._write(_DROP, (run_id.hex,))
        else:
            self._write(_DROP_DIVISION, (run_id.hex, division.hex))

    def forget(self, learner_id: LearnerId) -> int:
        """Take a learner off all pages, and return off how many."""
        found = 0
        with as_event_store_errors(self._database):
            for place in self._datastore.select(_WAITING, ()):
                with self._datastore.transaction(commit=True) as c:
                    row = c.sqlite_cursor.execute(_VERDICTS, place).fetchone()
                    if row is None or row[0] is None:
                        continue  # it was awarded meanwhile
                    others = without(learner_id, row[0])
                    if others is not None:
                        c.sqlite_cursor.execute(_REPLACE, (others, *place))
                        found += 1
        return found

    def _write(self, statement: str, values: Sequence[object]) -> None:
        with as_event_store_errors(self._database), self._datastore.transaction(commit=True) as c:
            c.sqlite_cursor.execute(statement, values)
