"""Port: the log as it is stored, read without decrypting; for those who follow or prove it."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from testamur.application.ports.event_store import Attribution
from testamur.domain.identifiers import ConfigurationId, LearnerId


class StoredRecord(NamedTuple):
    """One event, byte by byte as the database holds it.

    A named tuple, because verifying makes one of every event, and it takes a third of the time.

    Args:
        position: Its place in the log; the first is 1, and there are no gaps.
        stream_id: Id of the aggregate.
        version: 1 for the first event of the stream.
        name: Stable versioned name, e.g. ``credential.awarded.1``.
        state: The envelope (decision 2), JSON in UTF-8; personal fields are ciphertexts in it.
    """

    position: int
    stream_id: UUID
    version: int
    name: str
    state: bytes


class Outline(NamedTuple):
    """What can be told of an event without decrypting it.

    A named tuple, because a rebuild makes one of every event, and it takes a third of the time.

    Args:
        position: Its place in the log.
        stream_id: Id of the aggregate.
        version: Its place in the aggregate's stream.
        name: Stable versioned name, as it was written.
        attribution: Who, when, and what it belongs to.
        configuration_id: The configuration that it names, if it names one.
        context_key: The learning context that it names, if it names one.
        learner_ids: Every learner whom it names; a run's refusals name many.
    """

    position: int
    stream_id: UUID
    version: int
    name: str
    attribution: Attribution
    configuration_id: ConfigurationId | None
    context_key: str | None
    learner_ids: tuple[LearnerId, ...]


class StoredLog(Protocol):
    """The log in order. Whoever reads it up to its last position has skipped nothing.

    Positions are given out in the order in which transactions commit: an event that appears later
    never has a position before one that could be read already.
    """

    def records(self, after_position: int, limit: int) -> Sequence[StoredRecord]:
        """Return stored events after a position, in order, at most ``limit``.

        Raises:
            EventStoreError: The store cannot be read.
        """
        ...

    def outlines(self, after_position: int, limit: int) -> Sequence[Outline]:
        """Return the outlines of events after a position, in order, at most ``limit``.

        Raises:
            EventStoreError: The store cannot be read; or, when it is come to, an event is damaged.
        """
        ...

    def record(self, stream_id: UUID, version: int) -> StoredRecord | None:
        """Return one stored event, if there is such."""
        ...

    def last_position(self) -> int:
        """Return the position of the last event, 0 where there is none."""
        ...
