"""The recorder in memory: keeps events, and the rows of the register that they change."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from uuid import UUID

from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.popo import POPOApplicationRecorder

from testamur.adapters.event_store.reading import StoredRow, StoredStream
from testamur.adapters.event_store.recording import ONE_LIVING_CREDENTIAL, Predecessors
from testamur.application.ports.register import CatalogueRow, CredentialRow, MessageRow, RunRow
from testamur.application.registration import is_living
from testamur.application.row_changes import RegisterChanges, TableChanges
from testamur.domain.identifiers import ConfigurationId, LearnerId, VerificationId

Row = TypeVar("Row", CredentialRow, RunRow, CatalogueRow, MessageRow)


@dataclass
class Tables:
    """Rows of the register, each by its id, in the order in which they came."""

    credentials: dict[UUID, CredentialRow] = field(default_factory=dict)
    runs: dict[UUID, RunRow] = field(default_factory=dict)
    catalogue: dict[UUID, CatalogueRow] = field(default_factory=dict)
    messages: dict[UUID, MessageRow] = field(default_factory=dict)

    def after(self, changes: RegisterChanges) -> "Tables":
        """Return the rows that a batch leaves, of those that it touches.

        Raises:
            IntegrityError: The register refuses one of them.
        """
        return Tables(
            _after(self.credentials, changes.credentials),
            _after(self.runs, changes.runs),
            _after(self.catalogue, changes.catalogue),
            _after(self.messages, changes.messages),
        )

    def update(self, touched: "Tables") -> None:
        """Take over rows."""
        self.credentials.update(touched.credentials)
        self.runs.update(touched.runs)
        self.catalogue.update(touched.catalogue)
        self.messages.update(touched.messages)


class MemoryRecorder(POPOApplicationRecorder):
    """The library's recorder in memory, with the register."""

    def __init__(self) -> None:
        super().__init__()
        self._tables = Tables()
        self._living: dict[tuple[ConfigurationId, LearnerId], UUID] = {}
        self._by_verification_id: dict[VerificationId, UUID] = {}

    @contextmanager
    def reading(self) -> Iterator[Tables]:
        """Give the register while nobody writes."""
        with self._database_lock:
            yield self._tables

    def _insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        predecessors: Predecessors = (),
        changes: RegisterChanges | None = None,
        **_: Any,
    ) -> Sequence[int] | None:
        with self._database_lock:
            self._assert_predecessors(predecessors)
            self._assert_uniqueness(stored_events)
            touched = self._tables.after(changes or RegisterChanges())
            self._assert_awards_come_first(touched, stored_events)
            self._assert_places_are_free(touched.credentials)
            positions = self._update_table(stored_events)
            self._take_places(touched.credentials)
            self._tables.update(touched)
            return positions

    def select_stream(self, stream_id: UUID) -> StoredStream:
        """Return a stream's events in order."""
        return StoredStream(list(map(_row, self.select_events(stream_id))))

    def select_streams(self, stream_ids: Sequence[UUID]) -> list[StoredRow]:
        """Return the events of several streams, those of each in order."""
        with self._database_lock:
            return [
                each for stream_id in set(stream_ids) for each in self.select_stream(stream_id).rows
            ]

    def select_log(self, after_position: int, limit: int) -> list[StoredRow]:
        """Return the events of all streams after a position, in the order of the log."""
        found = self.select_notifications(after_position, limit, inclusive_of_start=False)
        return [_row(each, each.id) for each in found]

    def select_versions(self, stream_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        """Return the versions of those streams that exist."""
        counts = Counter(each.originator_id for each in self.select_streams(stream_ids))
        return {stream_id: counts[stream_id] for stream_id in stream_ids if stream_id in counts}

    def position_of(self, stream_id: UUID, version: int) -> int | None:
        """Return the position in the log of one event, if there is such."""
        with self._database_lock:
            # The index counts from 0; looked up so that asking adds no empty stream to it.
            index = self._stored_events_index.get(str(stream_id), {}).get(version)
            return None if index is None else index + 1

    def select_rivals(self, rows: Iterable[CredentialRow]) -> set[UUID]:
        """Return which of these new credentials have another in their place, a living one."""
        with self._database_lock:
            return {row.credential_id for row in rows if _place(row) in self._living}

    def _assert_predecessors(self, predecessors: Predecessors) -> None:
        for stream_id, version in predecessors:
            if version not in self._stored_events_index[str(stream_id)]:
                raise IntegrityError(f"stream {stream_id} ends before the batch")

    def _assert_awards_come_first(
        self, touched: Tables, stored_events: Sequence[StoredEvent]
    ) -> None:
        begun = {each.originator_id for each in stored_events if each.originator_version == 1}
        for stream_id in touched.credentials:
            if stream_id not in self._tables.credentials and stream_id not in begun:
                raise IntegrityError(f"stream {stream_id} has events already")

    def _assert_places_are_free(self, touched: Mapping[UUID, CredentialRow]) -> None:
        taken: set[tuple[ConfigurationId, LearnerId]] = set()
        for stream_id, row in touched.items():
            if self._by_verification_id.get(row.verification_id, stream_id) != stream_id:
                raise IntegrityError("a verification id is taken")
            if not is_living(row.status):
                continue
            holder = self._living.get(_place(row), stream_id)
            moves_out = holder in touched and not is_living(touched[holder].status)
            if _place(row) in taken or (holder != stream_id and not moves_out):
                raise IntegrityError(ONE_LIVING_CREDENTIAL)
            taken.add(_place(row))

    def _take_places(self, touched: Mapping[UUID, CredentialRow]) -> None:
        for stream_id, row in touched.items():
            self._by_verification_id[row.verification_id] = stream_id
            if self._living.get(_place(row)) == stream_id:
                del self._living[_place(row)]
        for stream_id, row in touched.items():
            if is_living(row.status):
                self._living[_place(row)] = stream_id


def _row(stored: StoredEvent, position: int = 0) -> StoredRow:
    stream_id = stored.originator_id
    return StoredRow(
        stream_id if isinstance(stream_id, UUID) else UUID(stream_id),
        stored.originator_version,
        stored.topic,
        stored.state,
        position,
    )


def _after(rows: Mapping[UUID, Row], changes: TableChanges[Row]) -> dict[UUID, Row]:
    for stream_id in changes.changed:
        if stream_id not in rows:
            raise IntegrityError(f"stream {stream_id} does not begin with what puts it there")
    for stream_id in changes.added:
        if stream_id in rows:
            raise IntegrityError(f"stream {stream_id} is in the register already")
    changed = {id_: replace(rows[id_], **values) for id_, values in changes.changed.items()}
    return changed | changes.added


def _place(row: CredentialRow) -> tuple[ConfigurationId, LearnerId]:
    return row.configuration_id, row.learner_id
