"""Moments: what a credential looked like then, whether it held, and who had done what last."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from testamur.application.aggregates import fold
from testamur.application.ports.event_store import EventStore, RecordedEvent
from testamur.application.ports.system import Clock
from testamur.domain.credentials import Credential, evolve
from testamur.domain.errors import InvalidInput, NotFound
from testamur.domain.identifiers import CredentialId
from testamur.domain.validity import Validity, validity_at


@dataclass(frozen=True, slots=True)
class CredentialMoment:
    """A credential as it was at a moment.

    Args:
        credential_id: Which.
        at: The moment (aware).
        validity: Whether it held, and if not, why not.
        credential: What it looked like; None where it had not been awarded yet. Name and address
            are gone from it once the learner is erased, whatever the moment.
        history: What had happened to it until then, oldest first.
    """

    credential_id: CredentialId
    at: datetime
    validity: Validity
    credential: Credential | None
    history: tuple[RecordedEvent, ...]

    @property
    def last(self) -> RecordedEvent | None:
        """What had happened to it last: who did what, and when."""
        return self.history[-1] if self.history else None


@dataclass(frozen=True, slots=True)
class Moments:
    """Looks back at credentials."""

    events: EventStore
    clock: Clock

    def of(self, credential_id: CredentialId, at: datetime | None = None) -> CredentialMoment:
        """Return a credential as it was at a moment; see `Audit.as_of`.

        Raises:
            NotFound, InvalidInput: As `Audit.as_of`.
        """
        now = self.clock.now()
        moment = at or now
        if moment.tzinfo is None or moment > now:
            raise InvalidInput(
                "at", moment.isoformat(), "a moment until now, with an offset: later ones are open"
            )
        recorded = self.events.load(credential_id)
        if not recorded:
            raise NotFound("credential", str(credential_id))
        until_then = tuple(until(moment, recorded))
        credential = fold(credential_id, until_then, evolve).state
        validity = validity_at(credential, moment)
        return CredentialMoment(credential_id, moment, validity, credential, until_then)


def until(moment: datetime, recorded: Iterable[RecordedEvent]) -> Iterator[RecordedEvent]:
    """Yield a stream's events until a moment (aware).

    As far as the first one that came later: where a clock was set back, what follows that one
    would not make sense without it.
    """
    return takewhile(lambda each: each.attribution.at <= moment, recorded)
