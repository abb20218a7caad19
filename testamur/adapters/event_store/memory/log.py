"""The log in memory, as it is stored."""

from collections.abc import Sequence
from uuid import UUID

from testamur.adapters.event_store.memory.recorder import MemoryRecorder
from testamur.adapters.event_store.outlines import OutlineReader, Stored
from testamur.application.ports.log import Outline, StoredRecord


class MemoryLog:
    """Fills the port `StoredLog`.

    Args:
        recorder: Keeps the events.
        outlines: Reads their outlines.
    """

    def __init__(self, recorder: MemoryRecorder, outlines: OutlineReader) -> None:
        self._recorder = recorder
        self._outlines = outlines

    def records(self, after_position: int, limit: int) -> list[StoredRecord]:
        """Return stored events after a position, in order, at most ``limit``."""
        return [StoredRecord(*stored) for stored in self._stored(after_position, limit)]

    def outlines(self, after_position: int, limit: int) -> Sequence[Outline]:
        """Return the outlines of events after a position, in order, at most ``limit``."""
        return self._outlines.read(self._stored(after_position, limit))

    def record(self, stream_id: UUID, version: int) -> StoredRecord | None:
        """Return one stored event, if there is such."""
        position = self._recorder.position_of(stream_id, version)
        return next(iter(self.records(position - 1, 1))) if position else None

    def last_position(self) -> int:
        """Return the position of the last event, 0 where there is none."""
        return self._recorder.max_notification_id() or 0

    def _stored(self, after_position: int, limit: int) -> list[Stored]:
        notifications = self._recorder.select_notifications(
            after_position, limit, inclusive_of_start=False
        )
        return [
            (int(each.id), _id(each.originator_id), each.originator_version, each.topic, each.state)
            for each in notifications
        ]


def _id(stored: UUID | str) -> UUID:
    return stored if isinstance(stored, UUID) else UUID(stored)
