"""Requests: who asks for something, and what the answer belongs to."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from testamur.application.ports.event_store import Attribution
from testamur.application.ports.system import Clock
from testamur.domain.identifiers import Actor

SCHEDULER: Final = Actor("system:scheduler")
ISSUER: Final = Actor("system:issuer")
NOTIFIER: Final = Actor("system:notifier")
ARCHIVIST: Final = Actor("system:archivist")


@dataclass(frozen=True, slots=True)
class Request:
    """Something that was asked for.

    Args:
        actor: Who asks.
        correlation_id: Recorded with every event that comes of it.
    """

    actor: Actor
    correlation_id: UUID

    def attribution(self, clock: Clock) -> Attribution:
        """Return the attribution of events that are recorded now."""
        return Attribution(self.actor, clock.now(), self.correlation_id)
