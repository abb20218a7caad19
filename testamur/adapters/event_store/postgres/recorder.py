"""The recorder: writes events and what they change in the register in one transaction.

Writers go one after the other, under an advisory lock that ends with the transaction. So positions
have no gaps, and whoever reads the log never sees one before another that is smaller. (A sequence
would give them out before the commit, and to transactions that are rolled back.)
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    Notification,
    StoredEvent,
    Subscription,
)

from testamur.adapters.event_store.postgres.changes import add_rows, write_changes
from testamur.adapters.event_store.postgres.connections import Cursor, Datastore
from testamur.adapters.event_store.postgres.lending import ConnectionLost
from testamur.adapters.event_store.reading import StoredRow, StoredStream
from testamur.adapters.event_store.recording import Predecessors
from testamur.application.ports.register import CredentialRow
from testamur.application.row_changes import RegisterChanges

#: Held while events are written; whoever else gives out positions must hold it too.
WRITING: Final = "write events"

_EVENT_TYPES: Final = {
    "position": "int8",
    "originator_id": "uuid",
    "originator_version": "int4",
    "topic": "text",
    "state": "bytea",
}
_LOCK: Final = "SELECT pg_advisory_xact_lock(%s)"
_LAST_POSITION: Final = "SELECT coalesce(max(position), 0) FROM stored_events"
_COUNT_EVENTS: Final = """
    SELECT count(*)
    FROM unnest(%b::uuid[], %b::int4[]) AS wanted (stream_id, version)
    JOIN stored_events ON originator_id = stream_id AND originator_version = version
"""
_SELECT_EXACT: Final = """
    SELECT position, originator_id, originator_version, topic, state
    FROM unnest(%b::uuid[], %b::int4[]) AS wanted (stream_id, version)
    JOIN stored_events ON originator_id = stream_id AND originator_version = version
    ORDER BY position
"""
_SELECT_STREAM: Final = """
    SELECT originator_version, topic, state, learner, (
        SELECT secret FROM learner_keys WHERE learner_id = learner AND NOT destroyed
    )
    FROM (
        SELECT originator_version, topic, state, (
            SELECT learner_id FROM credentials WHERE position = stored_events.position
        ) AS learner
        FROM stored_events
        WHERE originator_id = %s
    ) AS stream
    ORDER BY originator_version
"""
_SELECT_PART: Final = """
    SELECT originator_id, originator_version, topic, state
    FROM stored_events
    WHERE originator_id = %s
        AND originator_version > coalesce(%s::int4, 0)
        AND originator_version <= coalesce(%s::int4, 2147483647)
    ORDER BY originator_version {direction}
    LIMIT %s
"""
_SELECT_STREAMS: Final = """
    SELECT originator_id, originator_version, topic, state
    FROM stored_events
    WHERE originator_id = ANY (%b)
    ORDER BY originator_id, originator_version
"""
_SELECT_VERSIONS: Final = """
    SELECT originator_id, max(originator_version)
    FROM stored_events
    WHERE originator_id = ANY (%b)
    GROUP BY originator_id
"""
_SELECT_LOG: Final = """
    SELECT originator_id, originator_version, topic, state, position
    FROM stored_events
    WHERE position >= %s {further}
    ORDER BY position
    LIMIT %s
"""
_SELECT_RIVALS: Final = """
    SELECT wanted.credential_id
    FROM unnest(%b::uuid[], %b::text[], %b::uuid[])
        AS wanted (credential_id, learner_id, configuration_id)
    JOIN credentials USING (learner_id, configuration_id)
    WHERE status IN ('awarded', 'issued')
"""


class PostgresRecorder(ApplicationRecorder):
    """A recorder of the library for a batch of many streams, with the register.

    Args:
        datastore: The database, prepared.
    """

    def __init__(self, datastore: Datastore) -> None:
        self._datastore = datastore
        self._writing = datastore.lock_key(WRITING)

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        predecessors: Predecessors = (),
        changes: RegisterChanges | None = None,
        **_: Any,
    ) -> Sequence[int]:
        """Write events and what they change in the register in one transaction.

        Where the connection is lost, nobody knows whether the transaction was committed. Then the
        events are looked for, and written again if they are not there.

        Raises:
            eventsourcing.persistence.IntegrityError: As `StreamRecorder` says.
        """
        lost = False

        def attempt() -> Sequence[int]:
            nonlocal lost
            if lost and (positions := self._positions(stored_events)):
                return positions
            try:
                return self._insert(stored_events, predecessors, changes)
            except ConnectionLost:
                lost = True
                raise
            except IntegrityError:
                # The lost transaction may have been committed only after it was looked for.
                if lost and (positions := self._positions(stored_events)):
                    return positions
                raise

        return self._datastore.persist(attempt)

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> list[StoredEvent]:
        """Return a stream's events in order, or a part of them."""
        query = _SELECT_PART.format(direction="DESC" if desc else "ASC")
        rows = self._datastore.select(query, (originator_id, gt, lte, limit))
        return [StoredEvent(*row) for row in rows]

    def select_stream(self, stream_id: UUID) -> StoredStream:
        """Return a stream's events in order, with the key that they are read with."""
        # A credential is in the register at the position of its award, the first of its events.
        rows = self._datastore.select(_SELECT_STREAM, (stream_id,))
        return StoredStream(
            [StoredRow(stream_id, version, topic, state) for version, topic, state, *_ in rows],
            [(learner_id, secret) for *_, learner_id, secret in rows[:1] if secret is not None],
        )

    def select_streams(self, stream_ids: Sequence[UUID]) -> list[StoredRow]:
        """Return the events of several streams, those of each in order."""
        return [StoredRow(*row) for row in self._select(_SELECT_STREAMS, stream_ids)]

    def select_log(self, after_position: int, limit: int) -> list[StoredRow]:
        """Return the events of all streams after a position, in the order of the log."""
        query = _SELECT_LOG.format(further="")
        rows = self._datastore.select(query, (after_position + 1, limit))
        return [StoredRow(*row) for row in rows]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> list[Notification]:
        """Return events in the order of the log."""
        first = (start or 0) + (0 if inclusive_of_start else 1)
        further, values = "", list[object]()
        if stop is not None:
            further += " AND position <= %s"
            values.append(stop)
        if topics:
            further += " AND topic = ANY (%s)"
            values.append(list(topics))
        found = self._datastore.select(_SELECT_LOG.format(further=further), (first, *values, limit))
        return [Notification(*row) for row in found]

    def max_notification_id(self) -> int | None:
        """Return the position of the last event, or None where there is none."""
        ((last,),) = self._datastore.select(_LAST_POSITION)
        return last or None

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """Followers read in batches instead; they need nobody to tell them."""
        raise NotImplementedError

    def select_versions(self, stream_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        """Return the versions of those streams that exist."""
        return dict(self._select(_SELECT_VERSIONS, stream_ids))

    def select_rivals(self, rows: Iterable[CredentialRow]) -> set[UUID]:
        """Return which of these new credentials have another in their place, a living one."""
        wanted = [(row.credential_id, row.learner_id, row.configuration_id) for row in rows]
        if not wanted:
            return set()
        columns = [list(column) for column in zip(*wanted, strict=True)]
        return {rival for (rival,) in self._datastore.select(_SELECT_RIVALS, columns)}

    def _insert(
        self,
        stored_events: Sequence[StoredEvent],
        predecessors: Predecessors,
        changes: RegisterChanges | None,
    ) -> Sequence[int]:
        with self._datastore.transaction(commit=True) as cursor:
            # Statements of their own: what each of them sees is settled when it begins, and it
            # must see what was committed while the lock was waited for.
            cursor.execute(_LOCK, (self._writing,))
            if predecessors:
                _assert_predecessors(cursor, predecessors)
            ((last,),) = cursor.execute(_LAST_POSITION).fetchall()
            positions = range(last + 1, last + 1 + len(stored_events))
            add_rows(
                cursor,
                "stored_events",
                _EVENT_TYPES,
                [
                    (position, _id(each), each.originator_version, each.topic, each.state)
                    for position, each in zip(positions, stored_events, strict=True)
                ],
            )
            if changes is not None:
                firsts = {
                    each.originator_id: position
                    for position, each in zip(positions, stored_events, strict=True)
                    if each.originator_version == 1
                }
                write_changes(cursor, changes, firsts)
            return positions

    def _positions(self, stored_events: Sequence[StoredEvent]) -> list[int] | None:
        """Return where exactly these events stand in the log, or None where they do not."""
        if not stored_events:
            return None
        found = self._datastore.select(
            _SELECT_EXACT,
            (
                [_id(each) for each in stored_events],
                [each.originator_version for each in stored_events],
            ),
        )
        positions, there = [row[0] for row in found], [StoredEvent(*row[1:]) for row in found]
        return positions if there == list(stored_events) else None

    def _select(self, query: str, stream_ids: Sequence[UUID]) -> list[tuple[Any, ...]]:
        # An empty list would not know what it is a list of.
        return self._datastore.select(query, (list(stream_ids),)) if stream_ids else []


def _assert_predecessors(cursor: Cursor, predecessors: Predecessors) -> None:
    wanted = [list(column) for column in zip(*predecessors, strict=True)]
    ((found,),) = cursor.execute(_COUNT_EVENTS, wanted).fetchall()
    if found != len(predecessors):
        raise IntegrityError(f"{len(predecessors) - found} streams end before the batch")


def _id(stored: StoredEvent) -> UUID:
    id_ = stored.originator_id
    return id_ if isinstance(id_, UUID) else UUID(id_)
