"""The journal of a run that is being carried out: whatever is decided about it is recorded."""

from collections.abc import Callable
from datetime import datetime
from typing import Final, Self

from testamur.application.aggregates import Loaded, append_and_evolve, fold, load
from testamur.application.errors import ConcurrencyConflict
from testamur.application.ports.event_store import Attribution, EventStore
from testamur.application.ports.system import Clock
from testamur.domain import runs
from testamur.domain.errors import NotFound
from testamur.domain.identifiers import Actor, RunId
from testamur.domain.runs import IssuanceRun, RunEvent

#: A decision is made again when another writer was first. These are the workers that award pages of
#: the run, each of which writes once for a page; a writer that is never first means that something
#: is wrong.
MOST_CONFLICTS: Final = 100


class RunJournal:
    """Records what is decided about one run, in the name of whoever started it.

    The run's state is kept from one decision to the next. Its stream may grow with every page of
    learners; if it were read again for each, a long run would take ever longer.

    Args:
        events: Where it is recorded.
        clock: Tells when.
        known: The run as it is.
        actor: Who started it.
        started_at: When it was started (aware).
    """

    def __init__(
        self,
        events: EventStore,
        clock: Clock,
        known: Loaded[IssuanceRun],
        actor: Actor,
        started_at: datetime,
    ) -> None:
        self._events = events
        self._clock = clock
        self._known = known
        self._actor = actor
        self.started_at = started_at

    @classmethod
    def open(cls, events: EventStore, clock: Clock, id_: RunId) -> Self:
        """Read a run from its beginning.

        Raises:
            NotFound: There is no such run.
        """
        recorded = events.load(id_)
        if not recorded:
            raise NotFound("run", str(id_))
        started = recorded[0].attribution
        known = fold(id_, recorded, runs.evolve)
        return cls(events, clock, known, started.actor, started.at)

    @property
    def run(self) -> IssuanceRun:
        """The run as it is now."""
        if self._known.state is None:
            raise NotFound("run", str(self._known.stream_id))
        return self._known.state

    @property
    def fresh_from(self) -> datetime:
        """What was read at this moment (aware) or later is fresh enough for the run.

        For a run that the schedule started that is its slot, so that all configurations of a course
        that are due at the same time do with the same reading.
        """
        return self.run.started.scheduled_for or self.started_at

    def attribution(self) -> Attribution:
        """Return to whom, when and what something is attributed that the run does now."""
        return Attribution(self._actor, self._clock.now(), self._known.stream_id)

    def record(self, decide: Callable[[IssuanceRun | None], list[RunEvent]]) -> None:
        """Record what is decided on the run as it is now; decide again where another was first.

        Raises:
            DecisionRefused: The decision is not allowed.
            ConcurrencyConflict: Others kept being first.
            EventStoreError: The store cannot be written; nothing was.
        """
        for _ in range(MOST_CONFLICTS):
            try:
                self._known = append_and_evolve(
                    self._events,
                    self._known,
                    decide(self._known.state),
                    self.attribution(),
                    runs.evolve,
                )
            except ConcurrencyConflict:
                self._known = load(self._events, self._known.stream_id, runs.evolve)
            else:
                return
        raise ConcurrencyConflict([self._known.stream_id])
