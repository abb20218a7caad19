"""The recorder: writes events and what they change in the register in one transaction."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteCursor

from testamur.adapters.event_store.reading import StoredRow, StoredStream, stream_id_of
from testamur.adapters.event_store.recording import Predecessors
from testamur.adapters.event_store.sqlite.changes import write_changes
from testamur.adapters.event_store.sqlite.connections import Datastore
from testamur.application.ports.register import CredentialRow
from testamur.application.row_changes import RegisterChanges

_INSERT = """
    INSERT INTO stored_events (rowid, originator_id, originator_version, topic, state)
    VALUES (?, ?, ?, ?, ?)
"""
_LAST_POSITION = "SELECT coalesce(max(rowid), 0) FROM stored_events"
_COUNT_EVENTS = """
    SELECT count(*)
    FROM json_each(?) AS wanted
    JOIN stored_events
        ON originator_id = json_extract(wanted.value, '$[0]')
        AND originator_version = json_extract(wanted.value, '$[1]')
"""
_SELECT_STREAM = """
    SELECT originator_version, topic, state, learner_keys.learner_id, secret
    FROM stored_events
    LEFT JOIN credentials ON originator_version = 1 AND position = stored_events.rowid
    LEFT JOIN learner_keys ON learner_keys.learner_id = credentials.learner_id AND NOT destroyed
    WHERE originator_id = ?
    ORDER BY originator_version
"""
_SELECT_LOG = """
    SELECT originator_id, originator_version, topic, state, rowid
    FROM stored_events
    WHERE rowid > ?
    ORDER BY rowid
    LIMIT ?
"""
_SELECT_STREAMS = """
    SELECT originator_id, originator_version, topic, state
    FROM stored_events
    WHERE originator_id IN (SELECT value FROM json_each(?))
    ORDER BY originator_id, originator_version
"""
_SELECT_VERSIONS = """
    SELECT originator_id, max(originator_version)
    FROM stored_events
    WHERE originator_id IN (SELECT value FROM json_each(?))
    GROUP BY originator_id
"""
_SELECT_RIVALS = """
    SELECT json_extract(wanted.value, '$[0]')
    FROM json_each(?) AS wanted
    JOIN credentials
        ON learner_id = json_extract(wanted.value, '$[1]')
        AND configuration_id = json_extract(wanted.value, '$[2]')
    WHERE status IN ('awarded', 'issued')
"""


class SqliteRecorder(SQLiteApplicationRecorder):
    """The library's recorder for a batch of many streams, with the register.

    Args:
        datastore: The database, prepared.
    """

    datastore: Datastore

    def __init__(self, datastore: Datastore) -> None:
        super().__init__(datastore)

    def _insert_events(
        self,
        c: SQLiteCursor,
        stored_events: Sequence[StoredEvent],
        *,
        predecessors: Predecessors = (),
        changes: RegisterChanges | None = None,
        **_: Any,
    ) -> Sequence[int]:
        cursor = c.sqlite_cursor
        if predecessors:
            wanted = json.dumps([(stream_id.hex, version) for stream_id, version in predecessors])
            (found,) = cursor.execute(_COUNT_EVENTS, (wanted,)).fetchone()
            if found != len(predecessors):
                raise IntegrityError(f"{len(predecessors) - found} streams end before the batch")
        (last,) = cursor.execute(_LAST_POSITION).fetchone()
        positions = range(last + 1, last + 1 + len(stored_events))
        cursor.executemany(
            _INSERT,
            (
                (position, _hex(each), each.originator_version, each.topic, each.state)
                for position, each in zip(positions, stored_events, strict=True)
            ),
        )
        if changes is not None:
            firsts = {
                each.originator_id: position
                for position, each in zip(positions, stored_events, strict=True)
                if each.originator_version == 1
            }
            write_changes(cursor, changes, firsts)
        return positions

    def select_stream(self, stream_id: UUID) -> StoredStream:
        """Return a stream's events in order, with the key that they are read with."""
        # A credential is in the register at the position of its award, the first of its events.
        rows = self.datastore.select(_SELECT_STREAM, (stream_id.hex,))
        return StoredStream(
            [StoredRow(stream_id, version, topic, state) for version, topic, state, *_ in rows],
            [(learner_id, secret) for *_, learner_id, secret in rows[:1] if secret is not None],
        )

    def select_log(self, after_position: int, limit: int) -> list[StoredRow]:
        """Return the events of all streams after a position, in order."""
        rows = self.datastore.select(_SELECT_LOG, (after_position, limit))
        return [StoredRow(stream_id_of(text), *row) for text, *row in rows]

    def select_streams(self, stream_ids: Sequence[UUID]) -> list[StoredRow]:
        """Return the events of several streams, those of each in order."""
        rows = self._select(_SELECT_STREAMS, stream_ids)
        return [StoredRow(stream_id_of(text), *row) for text, *row in rows]

    def select_versions(self, stream_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        """Return the versions of those streams that exist."""
        return {
            UUID(originator_id): version
            for originator_id, version in self._select(_SELECT_VERSIONS, stream_ids)
        }

    def select_rivals(self, rows: Iterable[CredentialRow]) -> set[UUID]:
        """Return which of these new credentials have another in their place, a living one."""
        wanted = [(row.credential_id.hex, row.learner_id, row.configuration_id.hex) for row in rows]
        found = self.datastore.select(_SELECT_RIVALS, (json.dumps(wanted),))
        return {UUID(credential_id) for (credential_id,) in found}

    def _select(self, query: str, stream_ids: Sequence[UUID]) -> list[tuple[Any, ...]]:
        wanted = json.dumps([stream_id.hex for stream_id in stream_ids])
        return self.datastore.select(query, (wanted,))


def _hex(stored: StoredEvent) -> str:
    id_ = stored.originator_id
    return id_.hex if isinstance(id_, UUID) else id_
