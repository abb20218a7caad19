"""Loading aggregates from their events and appending what was decided."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

from testamur.application.ports.event_store import (
    Attribution,
    EventStore,
    NewEvents,
    RecordedEvent,
)
from testamur.domain.events import DomainEvent

State = TypeVar("State")


@dataclass(frozen=True, slots=True)
class Loaded(Generic[State]):
    """An aggregate's state, and the version of its stream that the state stands for."""

    stream_id: UUID
    state: State | None
    version: int

    def followed_by(self, events: Sequence[DomainEvent]) -> NewEvents:
        """Return events decided on this state, ready to append."""
        return NewEvents(self.stream_id, self.version, events)


def fold(
    stream_id: UUID,
    recorded: Iterable[RecordedEvent],
    evolve: Callable[[State | None, Any], State],
) -> Loaded[State]:
    """Fold recorded events into a state."""
    state: State | None = None
    version = 0
    for each in recorded:
        state = evolve(state, each.event)
        version = each.version
    return Loaded(stream_id, state, version)


def load(
    events: EventStore, stream_id: UUID, evolve: Callable[[State | None, Any], State]
) -> Loaded[State]:
    """Load one aggregate; its state is None where it does not exist."""
    return fold(stream_id, events.load(stream_id), evolve)


def append(
    events: EventStore,
    loaded: Loaded[Any],
    decided: Sequence[Any],
    attribution: Attribution,
) -> None:
    """Append what was decided on a loaded state, if anything was.

    Raises:
        ConcurrencyConflict: Somebody else appended to the stream since it was loaded.
    """
    if decided:
        events.append([loaded.followed_by(cast(Sequence[DomainEvent], decided))], attribution)


def append_and_evolve(
    events: EventStore,
    loaded: Loaded[State],
    decided: Sequence[Any],
    attribution: Attribution,
    evolve: Callable[[State | None, Any], State],
) -> Loaded[State]:
    """Append what was decided on a loaded state, and return what it has become, unread.

    Raises:
        ConcurrencyConflict: Somebody else appended to the stream since it was loaded.
    """
    append(events, loaded, decided, attribution)
    state = loaded.state
    for event in decided:
        state = evolve(state, event)
    return Loaded(loaded.stream_id, state, loaded.version + len(decided))
