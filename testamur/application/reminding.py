"""Reminding: learners are told in time that their credentials expire.

Only that they are to be told is recorded here, in one transaction with when they are next; the pass
that sends messages does the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from testamur.application.aggregates import fold
from testamur.application.errors import ConcurrencyConflict
from testamur.application.ports.event_store import Attribution, EventStore, NewEvents
from testamur.application.ports.register import CredentialRow, Register
from testamur.application.ports.system import Clock
from testamur.application.requests import SCHEDULER
from testamur.domain.credentials import decide_remind, evolve

#: Credentials that are looked at together.
BATCH_SIZE: Final = 500

#: The rest is left to the next tick, so that none takes long.
MOST_OF_A_TICK: Final = 5_000

#: A batch that loses against another writer this often in a row means that something is wrong.
MOST_CONFLICTS: Final = 20


@dataclass(frozen=True, slots=True)
class Reminding:
    """Has learners reminded."""

    events: EventStore
    register: Register
    clock: Clock

    def remind(self) -> int:
        """Ask for every reminder that is due, and return how many those were.

        Two who do so at once ask for each only once: the second one's batch is refused by the event
        store, and then finds nothing left to do.

        Raises:
            ConcurrencyConflict: Others kept being first.
            EventStoreError: The store cannot be read or written.
        """
        reminded = conflicts = 0
        now = self.clock.now()
        while reminded < MOST_OF_A_TICK and (
            rows := self.register.awaiting_reminder(now, BATCH_SIZE)
        ):
            done = self._remind(rows)
            conflicts = 0 if done else conflicts + 1
            if conflicts == MOST_CONFLICTS:
                raise ConcurrencyConflict([row.credential_id for row in rows])
            reminded += done
        return reminded

    def _remind(self, rows: Sequence[CredentialRow]) -> int:
        """Record the requests, those of a run together, and return how many were recorded."""
        now = self.clock.now()
        runs: dict[UUID, UUID] = {row.credential_id: row.run_id for row in rows}
        by_run: dict[UUID, list[NewEvents]] = {}
        for id_, recorded in self.events.load_many([row.credential_id for row in rows]).items():
            credential = fold(id_, recorded, evolve)
            if decided := decide_remind(credential.state, now):
                of_run = by_run.setdefault(runs[credential.stream_id], [])
                of_run.append(credential.followed_by(decided))
        done = 0
        for run_id, batch in by_run.items():
            try:
                self.events.append(batch, Attribution(SCHEDULER, now, run_id))
            except ConcurrencyConflict:
                continue  # somebody revoked one, or another tick was here: who is left is asked
            done += len(batch)
        return done
