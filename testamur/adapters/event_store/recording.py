"""The event store: streams and the log, on any recorder that changes the register as well."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol
from uuid import UUID

from eventsourcing.persistence import IntegrityError, StoredEvent

from testamur.adapters.event_store.failures import as_event_store_errors
from testamur.adapters.event_store.mapper import EventMapper
from testamur.adapters.event_store.reading import StoredRow, StoredStream
from testamur.application.errors import ConcurrencyConflict, EventStoreError
from testamur.application.ports.event_store import (
    Attribution,
    LoggedEvent,
    NewEvents,
    RecordedEvent,
)
from testamur.application.ports.register import CredentialRow
from testamur.application.registration import register_changes
from testamur.application.row_changes import RegisterChanges

ONE_LIVING_CREDENTIAL: Final = "one_living_credential"
"""Name of the rule that a learner holds at most one living credential of a configuration."""

#: Events of the log that are mapped at once. 1,000 take half as long again: so many objects alive
#: are more than the processor's cache holds, and Python looks for garbage among them.
MAPPED_TOGETHER: Final = 100

Predecessors = Sequence[tuple[UUID, int]]
"""Events, by stream and version, that must be there already: those that the batch goes after."""


class StreamRecorder(Protocol):
    """What an application recorder of `eventsourcing` must do in addition."""

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Write events and what they change in the register in one transaction.

        Args:
            stored_events: In the order of the log.
            kwargs: ``predecessors``, of type `Predecessors`, and ``changes``, of type
                `RegisterChanges`.

        Raises:
            eventsourcing.persistence.IntegrityError: A version is taken, a predecessor is missing,
                or the register refuses a change; where it is the second living credential of a
                learner, the message holds `ONE_LIVING_CREDENTIAL`.
        """
        ...

    def select_stream(self, stream_id: UUID) -> StoredStream:
        """Return a stream's events in order, with the key that they are read with."""
        ...

    def select_streams(self, stream_ids: Sequence[UUID]) -> Sequence[StoredRow]:
        """Return the events of several streams, those of each in order."""
        ...

    def select_log(self, after_position: int, limit: int) -> Sequence[StoredRow]:
        """Return the events of all streams after a position, in the order of the log."""
        ...

    def select_versions(self, stream_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        """Return the versions of those streams that exist."""
        ...

    def select_rivals(self, rows: Iterable[CredentialRow]) -> set[UUID]:
        """Return which of these new credentials have another in their place, a living one."""
        ...


class RecordingEventStore:
    """Fills the port `EventStore`.

    Args:
        recorder: Where events are written and read.
        mapper: Makes of events what is stored, and events of it.
        database: Name of the database for people, e.g. its path.
    """

    def __init__(self, recorder: StreamRecorder, mapper: EventMapper, database: str) -> None:
        self._recorder = recorder
        self._mapper = mapper
        self._database = database

    def load(self, stream_id: UUID) -> list[RecordedEvent]:
        """Return a stream's events in order; empty where there is no such stream."""
        with as_event_store_errors(self._database):
            stored = self._recorder.select_stream(stream_id)
        return [*self._mapper.to_domain_events(stored.rows, stored.keys)]

    def load_many(self, stream_ids: Sequence[UUID]) -> dict[UUID, list[RecordedEvent]]:
        """Return several streams at once; those that do not exist are left out."""
        with as_event_store_errors(self._database):
            stored = self._recorder.select_streams(stream_ids)
        streams: dict[UUID, list[RecordedEvent]] = {}
        for recorded in self._mapper.to_domain_events(stored):
            streams.setdefault(recorded.stream_id, []).append(recorded)
        return streams

    def append(self, batch: Sequence[NewEvents], attribution: Attribution) -> None:
        """Append to many streams in one transaction: all or nothing.

        Raises:
            ConcurrencyConflict: A stream is not at ``after_version`` any more, or a learner holds
                a living credential of the configuration already.
            EventStoreError: The store cannot be written, or a part of the batch has no events.
        """
        if not batch:
            return
        expected = _expected_versions(batch)
        stored = self._mapper.to_stored_events(batch, attribution)
        changes = register_changes(batch, attribution)
        with as_event_store_errors(self._database):
            try:
                self._recorder.insert_events(
                    stored,
                    predecessors=[each for each in expected.items() if each[1]],
                    changes=changes,
                )
            except IntegrityError as error:
                self._raise_conflict(expected, changes, error)
                raise

    def log(self, after_position: int = 0, batch_size: int = 1000) -> Iterator[LoggedEvent]:
        """Yield the events of all streams after a position, in order, reading in batches."""
        while True:
            with as_event_store_errors(self._database):
                stored = self._recorder.select_log(after_position, batch_size)
            for start in range(0, len(stored), MAPPED_TOGETHER):
                rows = stored[start : start + MAPPED_TOGETHER]
                for row, recorded in zip(rows, self._mapper.to_domain_events(rows), strict=True):
                    yield LoggedEvent(row.position, recorded)
            if len(stored) < batch_size:
                return
            after_position = stored[-1].position

    def _raise_conflict(
        self, expected: Mapping[UUID, int], changes: RegisterChanges, refusal: IntegrityError
    ) -> None:
        """Read again what the batch rested on, and raise where another writer was first."""
        versions = self._recorder.select_versions(list(expected))
        moved = {id_ for id_, version in expected.items() if versions.get(id_, 0) != version}
        rivals = self._recorder.select_rivals(changes.credentials.added.values())
        if moved or rivals or ONE_LIVING_CREDENTIAL in str(refusal):
            raise ConcurrencyConflict(sorted(moved | rivals)) from refusal


def _expected_versions(batch: Sequence[NewEvents]) -> dict[UUID, int]:
    """Return at which version each stream must be; a batch may go on with a stream of its own."""
    expected: dict[UUID, int] = {}
    reached: dict[UUID, int] = {}
    for new in batch:
        if not new.events:
            raise EventStoreError(f"there is nothing to append to stream {new.stream_id}")
        expected.setdefault(new.stream_id, new.after_version)
        if reached.setdefault(new.stream_id, new.after_version) != new.after_version:
            raise ConcurrencyConflict([new.stream_id])
        reached[new.stream_id] += len(new.events)
    return expected
