"""Silences: which learners are to get no messages at all."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from testamur.application.aggregates import append, fold, load
from testamur.application.errors import ConcurrencyConflict
from testamur.application.ports.event_store import EventStore
from testamur.application.ports.register import Register
from testamur.application.ports.system import Clock
from testamur.application.requests import Request
from testamur.domain import deliveries
from testamur.domain.errors import DecisionRefused
from testamur.domain.identifiers import LearnerId, silence_id

#: A decision that loses against another writer this often in a row means that something is wrong.
MOST_CONFLICTS: Final = 20


@dataclass(frozen=True, slots=True)
class Silences:
    """Keeps who gets no messages."""

    events: EventStore
    register: Register
    clock: Clock

    def silence(self, learner_id: LearnerId, reason: str, request: Request) -> None:
        """Send a learner no messages any more; nothing happens where that is so already.

        Raises:
            InvalidInput: The reason is empty or holds an e-mail address.
        """
        for _ in range(MOST_CONFLICTS):
            known = load(self.events, silence_id(learner_id), deliveries.evolve)
            decided = deliveries.decide_silence(known.state, learner_id, reason)
            try:
                append(self.events, known, decided, request.attribution(self.clock))
            except ConcurrencyConflict:
                continue
            return
        raise ConcurrencyConflict([silence_id(learner_id)])

    def lift(self, learner_id: LearnerId, reason: str, request: Request) -> None:
        """Let a learner get messages again; what was not sent meanwhile is not sent by itself.

        Raises:
            InvalidInput: The reason is empty or holds an e-mail address.
            DecisionRefused: The learner's messages are not suppressed.
        """
        known = load(self.events, silence_id(learner_id), deliveries.evolve)
        decided = deliveries.decide_lift(known.state, learner_id, reason)
        append(self.events, known, decided, request.attribution(self.clock))

    def among(self, learner_ids: Iterable[LearnerId]) -> set[LearnerId]:
        """Return which of these learners get no messages."""
        ids = [silence_id(learner_id) for learner_id in set(learner_ids)]
        states = (
            fold(id_, recorded, deliveries.evolve).state
            for id_, recorded in (self.events.load_many(ids) if ids else {}).items()
        )
        return {state.learner_id for state in states if state is not None and state.active}

    def all(self) -> list[LearnerId]:
        """Return all learners who get no messages, by id."""
        rows = self.register.catalogue("silence", active_only=True)
        return [LearnerId(row.label) for row in rows]

    def refuse_silenced(self, learner_id: LearnerId) -> None:
        """Let nobody write to a learner who gets no messages.

        Raises:
            DecisionRefused: The learner gets none.
        """
        if self.among([learner_id]):
            raise DecisionRefused(
                f"learner {learner_id!r}",
                "their messages are suppressed; lift that first (testamur delivery lift)",
            )
