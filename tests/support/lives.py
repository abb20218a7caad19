"""The life of an aggregate, for property tests: any decision at any time, and what was decided."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from testamur.domain.errors import DecisionRefused

State = TypeVar("State")
Event = TypeVar("Event")


class Life(RuleBasedStateMachine, Generic[State, Event]):
    """Makes decisions as time passes, and keeps what was decided. What is refused changes nothing.

    A test adds a rule for each decision, and what always holds.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime(2026, 6, 1, tzinfo=UTC)
        self.state: State | None = None
        self.history: list[tuple[datetime, Event]] = []

    @property
    def events(self) -> list[Event]:
        """What was decided so far, oldest first."""
        return [event for _, event in self.history]

    @abstractmethod
    def evolve(self, state: State | None, event: Event) -> State:
        """Return the state after an event."""

    def attempt(self, decide: Callable[[State | None], Sequence[Event]]) -> None:
        """Decide on the present state."""
        try:
            decided = decide(self.state)
        except DecisionRefused:
            return
        for event in decided:
            self.state = self.evolve(self.state, event)
            self.history.append((self.now, event))

    @rule(minutes=st.sampled_from([0, 1, 60, 10_000]))
    def time_passes(self, minutes: int) -> None:
        """Let time pass between decisions."""
        self.now += timedelta(minutes=minutes)
