"""Port: the event store, the one source of truth."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from testamur.domain.events import DomainEvent
from testamur.domain.identifiers import Actor


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who did it, when, and what it belongs to; stored with every event.

    Args:
        actor: Who.
        at: When (aware, UTC).
        correlation_id: The run or request that it belongs to.
    """

    actor: Actor
    at: datetime
    correlation_id: UUID


@dataclass(frozen=True, slots=True)
class NewEvents:
    """Events to append to one stream.

    Args:
        stream_id: Id of the aggregate.
        after_version: Version of the stream that the decision was made on; 0: it does not exist.
        events: In order; at least one.
    """

    stream_id: UUID
    after_version: int
    events: Sequence[DomainEvent]


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event as it was recorded.

    Args:
        stream_id: Id of the aggregate.
        version: 1 for the first event of the stream.
        name: Stable versioned name, e.g. ``credential.awarded.1``, as it was written.
        event: The event, upcast to the present version.
        attribution: Who, when, and what it belongs to.
    """

    stream_id: UUID
    version: int
    name: str
    event: DomainEvent
    attribution: Attribution


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event with its place in the log of all streams.

    Args:
        position: Grows with every event; there may be gaps.
        recorded: The event.
    """

    position: int
    recorded: RecordedEvent


class EventStore(Protocol):
    """Streams of events, one for each aggregate, and the log of them all.

    What is appended is durable once the method has returned. The register (`Register`) changes in
    the same transaction.
    """

    def load(self, stream_id: UUID) -> list[RecordedEvent]:
        """Return a stream's events in order; empty where there is no such stream.

        Raises:
            EventStoreError: The store cannot be read, or holds an event of an unknown name.
        """
        ...

    def load_many(self, stream_ids: Sequence[UUID]) -> dict[UUID, list[RecordedEvent]]:
        """Return several streams at once; those that do not exist are left out."""
        ...

    def append(self, batch: Sequence[NewEvents], attribution: Attribution) -> None:
        """Append to many streams in one transaction: all or nothing.

        Raises:
            ConcurrencyConflict: A stream is not at ``after_version`` any more.
            EventStoreError: The store cannot be written.
        """
        ...

    def log(self, after_position: int = 0, batch_size: int = 1000) -> Iterator[LoggedEvent]:
        """Yield the events of all streams after a position, in order, reading in batches."""
        ...
