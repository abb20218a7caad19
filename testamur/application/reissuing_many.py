"""Reissuing many: new editions of the credentials of a choice whose documents would be others now.

What was reissued does not differ any more, so it is left alone when the same is asked for again:
that is how an interrupted reissue of many goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from testamur.application.choosing import Choice, chosen
from testamur.application.considering import Considering, Failure, Living, Wish
from testamur.application.dividing import PATIENCE_OF_A_BATCH_SECONDS, divided, work_on_share
from testamur.application.editions import DrawnEdition, Editions, NextEdition
from testamur.application.errors import ConcurrencyConflict, StorageError
from testamur.application.ports.event_store import EventStore, NewEvents
from testamur.application.ports.register import CredentialRow, Register
from testamur.application.ports.retrieval import RetrievalSource
from testamur.application.ports.storage import ArtifactStorage
from testamur.application.ports.system import Clock, WorkLocks
from testamur.application.progress import Progress, Step, Unwatched
from testamur.application.registration import is_living
from testamur.application.reissuing import MOST_CONFLICTS, replacement, take_back, tells
from testamur.application.requests import Request
from testamur.application.withdrawing import Withdrawal, Withdrawing
from testamur.domain.erasures import parse_reason
from testamur.domain.errors import InvalidInput, TestamurError
from testamur.domain.identifiers import CredentialId

#: So many credentials, and failures, are told one by one.
SHOWN: Final = 20

#: A storage that fails so often in a row does not work at all; to go on would take hours.
MOST_FAILURES_IN_A_ROW: Final = 3


@dataclass(frozen=True, slots=True)
class Reissuable:
    """What would be reissued.

    Args:
        count: Credentials that would get a new edition.
        unchanged: Credentials on which nothing would change; they are left alone.
        ended: Credentials that were revoked, superseded or erased; they are left alone.
        failing: Credentials whose new edition cannot be made…
        failures: …and the first of them.
        first: The first of those that would be reissued.
    """

    count: int = 0
    unchanged: int = 0
    ended: int = 0
    failing: int = 0
    failures: tuple[Failure, ...] = ()
    first: tuple[CredentialRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Reissues:
    """What was reissued.

    Args:
        reissued: Credentials that got a new edition.
        to_tell: Learners who will be told.
        failing: Credentials whose new edition could not be made or stored; they stay as they are…
        failures: …and the first of them.
        withdrawal: What became of the superseded documents.
    """

    reissued: int = 0
    to_tell: int = 0
    failing: int = 0
    failures: tuple[Failure, ...] = ()
    withdrawal: Withdrawal = field(default_factory=Withdrawal)

    def __add__(self, other: "Reissues") -> "Reissues":
        return Reissues(
            self.reissued + other.reissued,
            self.to_tell + other.to_tell,
            self.failing + other.failing,
            (*self.failures, *other.failures)[:SHOWN],
            self.withdrawal + other.withdrawal,
        )


@dataclass(frozen=True, slots=True)
class ReissuingMany:
    """Reissues many credentials."""

    events: EventStore
    register: Register
    storage: ArtifactStorage
    source: RetrievalSource
    locks: WorkLocks
    clock: Clock
    editions: Editions
    withdrawing: Withdrawing

    def reissuable(self, choice: Choice, wish: Wish) -> Reissuable:
        """Tell what :meth:`reissue_many` would reissue, writing nothing.

        Raises:
            InvalidInput: The choice has no condition, or the moment is to come.
            RetrievalError: The data source cannot be asked.
        """
        choice.require_condition()
        self._require_past(wish.issued_before)
        considering = self._considering(wish)
        count = unchanged = ended = 0
        failures: list[Failure] = []
        first: list[CredentialRow] = []
        failing = 0
        for page in chosen(self.register, choice):
            rows = {row.credential_id: row for row in page if is_living(row.status)}
            living = considering.living(list(rows))
            ended += len(page) - len(living)
            for each, considered in considering.consider(living):
                outcome = self._checked(each, considered)
                if outcome is None:
                    unchanged += 1
                elif isinstance(outcome, Failure):
                    failing += 1
                    failures += [outcome] if len(failures) < SHOWN else []
                else:
                    count += 1
                    first += [rows[each.id]] if len(first) < SHOWN else []
        return Reissuable(count, unchanged, ended, failing, tuple(failures), tuple(first))

    def reissue_many(
        self,
        choice: Choice,
        wish: Wish,
        reason: str,
        request: Request,
        *,
        expect: int,
        tell: bool = True,
        progress: Progress | None = None,
    ) -> Reissues:
        """Reissue those of a choice that hold, or will, and on which something changes.

        That is: the name, what the credential, its issuer or its context is called, or how the
        document looks. It goes batch by batch, each in one transaction. Where it is interrupted,
        those that were reissued stay so; calling it again reissues the others. What cannot be made
        is told, and stays as it is.

        Args:
            choice: Which.
            wish: What is wanted of the new editions.
            reason: As for `Reissuing.reissue`.
            request: Who asks.
            expect: How many it is to be, as :meth:`reissuable` told; never more are reissued.
            tell: Whether the learners are to be told.
            progress: Is told how far it is.

        Raises:
            InvalidInput: The reason is not allowed, the choice has no condition, the moment is to
                come, or by now it is another number; nothing was written.
            RetrievalError: The data source cannot be asked.
            StorageError: Documents cannot be stored.
            AlreadyRunning: Documents of learners in the same share are being made for too long.
            EventStoreError: The store cannot be read or written.
        """
        checked = parse_reason(reason)
        count = self.reissuable(choice, wish).count
        if count != expect:
            raise InvalidInput(
                "expect",
                expect,
                f"{count}: so many would be reissued now; look at them, and confirm that number",
            )
        watching = progress or Unwatched()
        watching.expect(Step.REISSUE, count)
        considering = self._considering(wish)
        rows = (row for page in chosen(self.register, choice) for row in page)
        # What this very request has made comes along too, as the last of the choice.
        earlier = (
            row for row in rows if is_living(row.status) and row.run_id != request.correlation_id
        )
        done = Reissues()
        for share, ids in divided(earlier):
            batch = _Batch(self, considering, checked, request, tell)
            of_batch = batch.reissue(share, ids, expect - done.reissued)
            done += of_batch
            watching.advance(Step.REISSUE, of_batch.reissued)
        return done

    def _considering(self, wish: Wish) -> Considering:
        return Considering(self.events, self.source, self.editions, wish)

    def _require_past(self, moment: datetime | None) -> None:
        # Of a moment to come, what is reissued now would be reissued again.
        if moment is not None and (moment.tzinfo is None or moment > self.clock.now()):
            allowed = "a moment until now, with an offset"
            raise InvalidInput("issued_before", moment.isoformat(), allowed)

    def _checked(
        self, living: Living, outcome: NextEdition | Failure | None
    ) -> NextEdition | Failure | None:
        if isinstance(outcome, NextEdition):
            try:
                self.editions.check(outcome)
            except TestamurError as error:
                return living.failed(str(error))
        return outcome


class _Batch:
    """Credentials of one share that are reissued together.

    Args:
        many: Where it happens.
        considering: Says what is to become of each.
        reason: Why.
        request: Who asks.
        tell: Whether the learners are to be told.
    """

    def __init__(
        self,
        many: ReissuingMany,
        considering: Considering,
        reason: str,
        request: Request,
        tell: bool,
    ) -> None:
        self._many = many
        self._considering = considering
        self._reason = reason
        self._request = request
        self._tell = tell
        self._drawn: dict[CredentialId, DrawnEdition] = {}
        self._failures: dict[CredentialId, Failure] = {}

    def reissue(self, share: int, ids: Sequence[CredentialId], most: int) -> Reissues:
        """Reissue what is to be, at most so many."""
        with self._many.locks.hold(work_on_share("issue", share), PATIENCE_OF_A_BATCH_SECONDS):
            replaced = self._replace(ids, most)
        left = [each for id_, each in self._drawn.items() if id_ not in replaced]
        take_back(self._many.events, self._many.storage, left)
        withdrawal = self._many.withdrawing.withdraw(list(replaced)) if replaced else Withdrawal()
        failures = tuple(self._failures.values())
        return Reissues(
            len(replaced), sum(replaced.values()), len(failures), failures[:SHOWN], withdrawal
        )

    def _replace(self, ids: Sequence[CredentialId], most: int) -> dict[CredentialId, bool]:
        """Return which were reissued, and whether the learner is to be told of it."""
        for _ in range(MOST_CONFLICTS):
            living = [
                each for each in self._considering.living(ids) if each.id not in self._failures
            ]
            fresh = [each for each in living if each.id not in self._drawn]
            self._draw_and_store(fresh, most - len(self._drawn))
            pairs = {
                each.id: replacement(
                    each.known, self._drawn[each.id], self._reason, tell=self._tell
                )
                for each in living
                if each.id in self._drawn
            }
            batch: list[NewEvents] = [new for pair in pairs.values() for new in pair]
            try:
                self._many.events.append(batch, self._request.attribution(self._many.clock))
            except ConcurrencyConflict:
                continue  # one was issued, revoked, reissued, or its learner told, in this moment
            return {id_: tells(begun.events) for id_, (begun, _) in pairs.items()}
        raise ConcurrencyConflict(ids)

    def _draw_and_store(self, living: Sequence[Living], most: int) -> None:
        """Make the documents of the first so many; of the others tell whether they could be."""
        drawn: list[tuple[Living, DrawnEdition]] = []
        for each, outcome in self._considering.consider(living):
            if isinstance(outcome, Failure):
                self._failures[each.id] = outcome
            elif outcome is not None:
                try:
                    if len(drawn) < most:
                        drawn.append((each, self._many.editions.draw(outcome)))
                    else:
                        self._many.editions.check(outcome)
                except TestamurError as error:
                    self._failures[each.id] = each.failed(str(error))
        for each, edition in self._stored(drawn):
            self._drawn[each.id] = edition

    def _stored(
        self, drawn: Sequence[tuple[Living, DrawnEdition]]
    ) -> Sequence[tuple[Living, DrawnEdition]]:
        """Store documents, one by one if all together fails, and return those that were."""
        try:
            if drawn:
                self._many.storage.put([edition.file for _, edition in drawn])
        except StorageError:
            return self._stored_one_by_one(drawn)
        return drawn

    def _stored_one_by_one(
        self, drawn: Sequence[tuple[Living, DrawnEdition]]
    ) -> Sequence[tuple[Living, DrawnEdition]]:
        stored = []
        in_a_row = 0
        for each, edition in drawn:
            try:
                self._many.storage.put([edition.file])
            except StorageError as error:
                in_a_row += 1
                if in_a_row == MOST_FAILURES_IN_A_ROW:
                    raise
                self._failures[each.id] = each.failed(str(error))
            else:
                in_a_row = 0
                stored.append((each, edition))
        return stored
