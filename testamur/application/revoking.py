"""Revoking: a credential does not hold any more; one, many that are chosen, or those of a run.

It is recorded first, and holds from then on: whoever verifies the credential is told at once. Then
its files leave their public places, see `testamur.application.withdrawing`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from testamur.application.aggregates import append, fold, load
from testamur.application.choosing import Choice, chosen
from testamur.application.errors import ConcurrencyConflict
from testamur.application.ports.event_store import EventStore, NewEvents
from testamur.application.ports.register import CredentialFilter, CredentialRow, Register
from testamur.application.ports.system import Clock
from testamur.application.progress import Progress, Step, Unwatched
from testamur.application.registration import is_living
from testamur.application.requests import Request
from testamur.application.withdrawing import Withdrawal, Withdrawing
from testamur.domain import runs
from testamur.domain.credentials import (
    CredentialEvent,
    CredentialStatus,
    NotificationRequested,
    decide_revoke,
    evolve,
)
from testamur.domain.errors import InvalidInput, NotFound
from testamur.domain.identifiers import CredentialId, LearnerId, RunId

#: A decision that loses against another writer this often in a row means that something is wrong.
MOST_CONFLICTS: Final = 20

#: So many credentials, and learners without one, are shown of those that would be revoked.
SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Revocable:
    """What would be revoked.

    Args:
        issued: Credentials with a document.
        awarded: Credentials that were not issued yet, and never will be.
        ended: Credentials that were revoked, superseded or erased before; they are left alone.
        first: The first of those that would be revoked.
        without: Learners who were listed and have none that could be revoked…
        first_without: …and the first of them.
    """

    issued: int = 0
    awarded: int = 0
    ended: int = 0
    first: tuple[CredentialRow, ...] = ()
    without: int = 0
    first_without: tuple[LearnerId, ...] = ()

    @property
    def count(self) -> int:
        """How many would be revoked."""
        return self.issued + self.awarded


@dataclass(frozen=True, slots=True)
class Revocation:
    """What was revoked.

    Args:
        revoked: Credentials.
        to_tell: Learners who will be told.
        withdrawal: What became of their files.
    """

    revoked: int = 0
    to_tell: int = 0
    withdrawal: Withdrawal = field(default_factory=Withdrawal)

    def __add__(self, other: "Revocation") -> "Revocation":
        return Revocation(
            self.revoked + other.revoked,
            self.to_tell + other.to_tell,
            self.withdrawal + other.withdrawal,
        )


@dataclass(frozen=True, slots=True)
class Revoking:
    """Revokes credentials. It sticks: only a reissue makes a new one."""

    events: EventStore
    register: Register
    withdrawing: Withdrawing
    clock: Clock

    def revoke(
        self, id_: CredentialId, reason: str, request: Request, *, tell: bool = False
    ) -> Revocation:
        """Revoke a credential, whether its document was made yet or not.

        Args:
            id_: Which.
            reason: Why; it stays in the history, and whoever verifies the credential is told, so it
                must not name anybody.
            request: Who asks.
            tell: Whether the learner is to be told; of one that was never issued they are not.

        Raises:
            NotFound: There is no such credential.
            InvalidInput: The reason is empty.
            DecisionRefused: It is revoked, superseded or erased already.
            EventStoreError: The store cannot be written; or, once it is revoked, not be read.
        """
        checked = _said(reason)
        for _ in range(MOST_CONFLICTS):
            known = load(self.events, id_, evolve)
            if known.state is None:
                raise NotFound("credential", str(id_))
            decided = decide_revoke(known.state, checked, tell=tell)
            try:
                append(self.events, known, decided, request.attribution(self.clock))
            except ConcurrencyConflict:
                continue  # it was issued, or its learner told, in this moment
            return Revocation(1, _to_tell([decided]), self.withdrawing.withdraw([id_]))
        raise ConcurrencyConflict([id_])

    def revocable(self, choice: Choice) -> Revocable:
        """Tell what :meth:`revoke_many` would revoke, writing nothing.

        Raises:
            InvalidInput: The choice has no condition.
        """
        choice.require_condition()
        counts = dict.fromkeys(CredentialStatus, 0)
        first: list[CredentialRow] = []
        lacking = dict.fromkeys(choice.learner_ids or ())
        for page in chosen(self.register, choice):
            for row in page:
                counts[row.status] += 1
                if is_living(row.status):
                    lacking.pop(row.learner_id, None)
                    if len(first) < SHOWN:
                        first.append(row)
        issued, awarded = counts[CredentialStatus.ISSUED], counts[CredentialStatus.AWARDED]
        ended = sum(counts.values()) - issued - awarded
        without = tuple(lacking)
        return Revocable(issued, awarded, ended, tuple(first), len(without), without[:SHOWN])

    def revoke_many(
        self,
        choice: Choice,
        reason: str,
        request: Request,
        *,
        expect: int,
        tell: bool = False,
        progress: Progress | None = None,
    ) -> Revocation:
        """Revoke the credentials of a choice that hold or will, batch by batch.

        A batch is recorded as a whole, then its files are put away. Where it is interrupted,
        those that were revoked stay so; calling it again revokes the others.

        Args:
            choice: Which.
            reason: As for :meth:`revoke`.
            request: Who asks.
            expect: How many it is to be, as :meth:`revocable` told; never more are revoked.
            tell: As for :meth:`revoke`.
            progress: Is told how far it is.

        Raises:
            InvalidInput: The reason is empty, the choice has no condition, or by now it is another
                number; nothing was written.
            EventStoreError: The store cannot be read or written.
        """
        checked = _said(reason)
        count = self.revocable(choice).count
        if count != expect:
            raise InvalidInput(
                "expect",
                expect,
                f"{count}: so many would be revoked now; look at them, and confirm that number",
            )
        watching = progress or Unwatched()
        watching.expect(Step.REVOKE, count)
        done = Revocation()
        for page in chosen(self.register, choice):
            living = [row.credential_id for row in page if is_living(row.status)]
            of_page = self._revoke_together(
                living[: expect - done.revoked], checked, request, tell=tell
            )
            done += of_page
            watching.advance(Step.REVOKE, of_page.revoked)
            if done.revoked == expect:
                break
        return done

    def revocable_of_run(self, id_: RunId) -> Revocable:
        """Tell what :meth:`revoke_run` would revoke, writing nothing.

        Raises:
            NotFound: There is no such run.
        """
        return self.revocable(self._choice_of_run(id_))

    def revoke_run(
        self,
        id_: RunId,
        reason: str,
        request: Request,
        *,
        expect: int,
        tell: bool = False,
        progress: Progress | None = None,
    ) -> Revocation:
        """Revoke whatever a run awarded, such as one that went wrong.

        A run that goes on still may award more meanwhile.

        Args:
            id_: Which run.
            reason: As for :meth:`revoke`.
            request: Who asks.
            expect: How many it is to be, as :meth:`revocable_of_run` told.
            tell: As for :meth:`revoke`.
            progress: Is told how far it is.

        Raises:
            NotFound: There is no such run.
            InvalidInput, EventStoreError: As :meth:`revoke_many`.
        """
        return self.revoke_many(
            self._choice_of_run(id_), reason, request, expect=expect, tell=tell, progress=progress
        )

    def _choice_of_run(self, id_: RunId) -> Choice:
        if load(self.events, id_, runs.evolve).state is None:
            raise NotFound("run", str(id_))
        return Choice(CredentialFilter(run_id=id_))

    def _revoke_together(
        self, ids: Sequence[CredentialId], reason: str, request: Request, *, tell: bool
    ) -> Revocation:
        """Revoke those of some credentials that still hold or will, in one transaction."""
        for _ in range(MOST_CONFLICTS):
            batch: list[NewEvents] = []
            decisions: list[Sequence[CredentialEvent]] = []
            for id_, recorded in (self.events.load_many(ids) if ids else {}).items():
                known = fold(id_, recorded, evolve)
                if known.state is not None and is_living(known.state.status):
                    decided = decide_revoke(known.state, reason, tell=tell)
                    decisions.append(decided)
                    batch.append(known.followed_by(decided))
            if not batch:
                return Revocation()
            try:
                self.events.append(batch, request.attribution(self.clock))
            except ConcurrencyConflict:
                continue  # one was issued, or its learner told, in this moment
            revoked = [CredentialId(new.stream_id) for new in batch]
            withdrawal = self.withdrawing.withdraw(revoked)
            return Revocation(len(revoked), _to_tell(decisions), withdrawal)
        raise ConcurrencyConflict(list(ids))


def _to_tell(decisions: Sequence[Sequence[CredentialEvent]]) -> int:
    return sum(
        isinstance(event, NotificationRequested) for decided in decisions for event in decided
    )


def _said(reason: str) -> str:
    if not reason.strip():
        raise InvalidInput("reason", reason, "a few words; they are kept in the history")
    return reason.strip()
