"""The log on SQLite, as it is stored."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from testamur.adapters.event_store.failures import as_event_store_errors
from testamur.adapters.event_store.outlines import OutlineReader
from testamur.adapters.event_store.reading import stream_id_of
from testamur.adapters.event_store.sqlite.connections import Datastore
from testamur.application.ports.log import Outline, StoredRecord

_RECORDS: Final = """
    SELECT rowid, originator_id, originator_version, topic, state
    FROM stored_events
    WHERE rowid > ?
    ORDER BY rowid
    LIMIT ?
"""
_RECORD: Final = """
    SELECT rowid, originator_id, originator_version, topic, state
    FROM stored_events
    WHERE originator_id = ? AND originator_version = ?
"""
_LAST_POSITION: Final = "SELECT coalesce(max(rowid), 0) FROM stored_events"


class SqliteLog:
    """Fills the port `StoredLog`.

    Args:
        datastore: The database, prepared.
        outlines: Reads outlines of events.
        database: Its name for people.
    """

    def __init__(self, datastore: Datastore, outlines: OutlineReader, database: str) -> None:
        self._datastore = datastore
        self._outlines = outlines
        self._database = database

    def records(self, after_position: int, limit: int) -> list[StoredRecord]:
        """Return stored events after a position, in order, at most ``limit``."""
        return [_record(row) for row in self._select(_RECORDS, after_position, limit)]

    def outlines(self, after_position: int, limit: int) -> Sequence[Outline]:
        """Return the outlines of events after a position, in order, at most ``limit``."""
        return self._outlines.read(
            self._select(_RECORDS, after_position, limit), id_of=stream_id_of
        )

    def record(self, stream_id: UUID, version: int) -> StoredRecord | None:
        """Return one stored event, if there is such."""
        rows = self._select(_RECORD, stream_id.hex, version)
        return _record(rows[0]) if rows else None

    def last_position(self) -> int:
        """Return the position of the last event, 0 where there is none."""
        ((position,),) = self._select(_LAST_POSITION)
        return int(position)

    def _select(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with as_event_store_errors(self._database):
            return self._datastore.select(query, values)


def _record(row: tuple[Any, ...]) -> StoredRecord:
    position, stream_id, version, name, state = row
    return StoredRecord(position, stream_id_of(stream_id), version, name, state)
