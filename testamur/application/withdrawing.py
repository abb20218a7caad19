"""Withdrawing: the files of credentials that have ended leave their public places.

That a credential was revoked or superseded is recorded first, then its files are put away, and that
they are is recorded last. What a crash left in between is found in the register, and finished by
the next tick. Each step may be done again.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Final
from uuid import UUID

from testamur.application.aggregates import Loaded, append, fold, load
from testamur.application.dividing import share_of, work_on_share
from testamur.application.errors import AlreadyRunning, ConcurrencyConflict, StorageError
from testamur.application.issuing import storage_stem
from testamur.application.ports.event_store import Attribution, EventStore, RecordedEvent
from testamur.application.ports.register import CredentialFilter, Register
from testamur.application.ports.storage import ArchivingStorage, ArtifactStorage, SweepingStorage
from testamur.application.ports.system import Clock, WorkLocks
from testamur.application.requests import ARCHIVIST
from testamur.domain.credentials import (
    Credential,
    CredentialRevoked,
    CredentialSuperseded,
    decide_withdraw,
    evolve,
)
from testamur.domain.errors import NotFound
from testamur.domain.identifiers import CredentialId

#: The lock of this work; an erasure holds it too, so that nothing is put away while it deletes.
WITHDRAW: Final = "withdraw"

#: Credentials whose files are put away together.
BATCH_SIZE: Final = 500

#: The most that one tick puts away; it has other things to do, and comes again.
MOST_OF_A_TICK: Final = 5000

#: How long whoever has just ended credentials waits for others who put files away, or issue.
PATIENCE_SECONDS: Final = 5.0

#: A storage that fails so often in a row does not work at all; to go on would take hours.
MOST_FAILURES_IN_A_ROW: Final = 3

#: A decision that loses against another writer this often in a row means that something is wrong.
MOST_CONFLICTS: Final = 20

#: So many failures and missing files are told one by one.
_TOLD: Final = 10

#: Tried where a storage cannot find files by how their keys begin.
_USUAL_ENDING: Final = ".pdf"


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What became of the files of credentials that have ended.

    Args:
        withdrawn: Credentials none of whose files is in its public place any more.
        waiting: Credentials whose files the next tick puts away.
        left_public: Credentials whose files stay where they are, because the storage cannot put
            files away.
        missing: Keys of files that were issued and found nowhere, the first ten.
        failures: Why files could not be put away, the first ten; the next tick tries again.
    """

    withdrawn: int = 0
    waiting: int = 0
    left_public: int = 0
    missing: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()

    def __add__(self, other: "Withdrawal") -> "Withdrawal":
        return Withdrawal(
            self.withdrawn + other.withdrawn,
            self.waiting + other.waiting,
            self.left_public + other.left_public,
            (*self.missing, *other.missing)[:_TOLD],
            (*self.failures, *other.failures)[:_TOLD],
        )


@dataclass(frozen=True, slots=True)
class _Ended:
    """A credential that has ended, whose files are to be put away."""

    credential: Loaded[Credential]
    state: Credential
    correlation_id: UUID

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(artifact.storage_key for artifact in self.state.artifacts)


@dataclass(frozen=True, slots=True)
class _PutAway:
    """A credential whose files were put away."""

    ended: _Ended
    missing: tuple[str, ...] = ()

    @property
    def archived(self) -> tuple[str, ...]:
        return tuple(key for key in self.ended.keys if key not in self.missing)


@dataclass(frozen=True, slots=True)
class Withdrawing:
    """Puts away the files of credentials that were revoked or superseded."""

    events: EventStore
    register: Register
    storage: ArtifactStorage
    locks: WorkLocks
    clock: Clock

    def withdraw(
        self, ids: Sequence[CredentialId], wait_seconds: float = PATIENCE_SECONDS
    ) -> Withdrawal:
        """Put away the files of credentials whose end was recorded; others are left alone.

        It does not fail because files cannot be put away: that is told, and tried again by ticks.

        Args:
            ids: Which; at most some hundreds.
            wait_seconds: How long to wait while others put files away, or issue.

        Raises:
            EventStoreError: The store cannot be read or written; ticks try again.
        """
        try:
            with self.locks.hold(WITHDRAW, wait_seconds):
                return self._withdraw(ids, wait_seconds)
        except AlreadyRunning:
            return Withdrawal(waiting=len(ids))

    def finish(self) -> Withdrawal:
        """Put away what a crash, or a storage that failed, has left; at most what a tick may do.

        Where the storage cannot put files away, they are left as they are; see :meth:`pending`.

        Raises:
            AlreadyRunning: Another process puts files away.
            EventStoreError: The store cannot be read or written.
        """
        done = Withdrawal()
        where = CredentialFilter(withdrawal_pending=True)
        if not (isinstance(self.storage, ArchivingStorage) and self.register.credentials(where, 1)):
            return done
        seen, after = 0, None
        with self.locks.hold(WITHDRAW):
            while seen < MOST_OF_A_TICK and (
                rows := self.register.credentials(where, BATCH_SIZE, after)
            ):
                of_batch = self._withdraw([row.credential_id for row in rows], wait_seconds=0)
                done += of_batch
                if of_batch.failures and not of_batch.withdrawn:
                    break  # the storage does not work
                seen, after = seen + len(rows), rows[-1].credential_id
        return done

    def pending(self) -> int:
        """Return how many credentials have ended whose files are not known to be put away."""
        tally = self.register.tally(CredentialFilter(withdrawal_pending=True))
        return sum(tally.by_status.values())

    def _withdraw(self, ids: Sequence[CredentialId], wait_seconds: float) -> Withdrawal:
        streams = self.events.load_many(ids) if ids else {}
        ended = [each for id_, recorded in streams.items() for each in _to_withdraw(id_, recorded)]
        issued = [each for each in ended if each.keys]
        never_issued = [each for each in ended if not each.keys]
        return self._withdraw_issued(issued) + self._withdraw_never_issued(
            never_issued, wait_seconds
        )

    # Those that were issued: their documents are evidence, and are kept in the archive

    def _withdraw_issued(self, ended: Sequence[_Ended]) -> Withdrawal:
        if not isinstance(self.storage, ArchivingStorage):
            return Withdrawal(left_public=len(ended))
        try:
            self.storage.archive([key for each in ended for key in each.keys])
        except (NotFound, StorageError):
            return self._archive_one_by_one(self.storage, ended)
        return self._record([_PutAway(each) for each in ended])

    def _archive_one_by_one(self, storage: ArchivingStorage, ended: Sequence[_Ended]) -> Withdrawal:
        """Put away as much as can be, to find what is missing or fails."""
        put_away: list[_PutAway] = []
        failures: list[str] = []
        in_a_row = 0
        for each in ended:
            try:
                put_away.append(_PutAway(each, _archive(storage, each.keys)))
            except StorageError as error:
                failures.append(f"credential {each.credential.stream_id}: {error}")
                in_a_row += 1
                if in_a_row == MOST_FAILURES_IN_A_ROW:
                    break
            else:
                in_a_row = 0
        return self._record(put_away) + Withdrawal(
            waiting=len(ended) - len(put_away), failures=tuple(failures[:_TOLD])
        )

    # Those that never were: what a pass of issuing was about to store is nobody's document

    def _withdraw_never_issued(self, ended: Sequence[_Ended], wait_seconds: float) -> Withdrawal:
        if not ended:
            return Withdrawal()
        try:
            with self._nothing_being_issued(ended, wait_seconds):
                self._delete_unrecorded([_id_of(each) for each in ended])
        except AlreadyRunning:
            return Withdrawal(waiting=len(ended))
        except StorageError as error:
            return Withdrawal(waiting=len(ended), failures=(str(error),))
        return self._record([_PutAway(each) for each in ended])

    @contextmanager
    def _nothing_being_issued(self, ended: Sequence[_Ended], wait_seconds: float) -> Iterator[None]:
        """Wait for passes that loaded these before they ended; later ones know that they have."""
        shares = {share_of(each.state.awarded.learner_id) for each in ended}
        with ExitStack() as held:
            held.enter_context(self.locks.hold("issue", wait_seconds))
            for share in sorted(shares):
                held.enter_context(self.locks.hold(work_on_share("issue", share), wait_seconds))
            yield

    def _delete_unrecorded(self, ids: Sequence[CredentialId]) -> None:
        stems = [storage_stem(id_) for id_ in ids]
        if isinstance(self.storage, SweepingStorage):
            for stem in stems:
                self.storage.sweep(stem)
        else:
            self.storage.delete([f"{stem}{_USUAL_ENDING}" for stem in stems])

    # The record

    def _record(self, put_away: Sequence[_PutAway]) -> Withdrawal:
        """Record it; together with what ended them: a revocation of many, or a reissue."""
        by_cause = sorted(put_away, key=lambda each: each.ended.correlation_id)
        for correlation_id, together in groupby(by_cause, lambda each: each.ended.correlation_id):
            of_cause = list(together)
            attribution = Attribution(ARCHIVIST, self.clock.now(), correlation_id)
            batch = [
                each.ended.credential.followed_by(
                    decide_withdraw(each.ended.state, each.archived, each.missing)
                )
                for each in of_cause
            ]
            try:
                self.events.append(batch, attribution)
            except ConcurrencyConflict:
                for each in of_cause:
                    self._record_one(each, attribution)
        missing = [key for each in put_away for key in each.missing]
        return Withdrawal(withdrawn=len(put_away), missing=tuple(missing[:_TOLD]))

    def _record_one(self, put_away: _PutAway, attribution: Attribution) -> None:
        """Record it after what another has recorded of the credential: a message, an erasure."""
        id_ = put_away.ended.credential.stream_id
        for _ in range(MOST_CONFLICTS):
            known = load(self.events, id_, evolve)
            decided = decide_withdraw(known.state, put_away.archived, put_away.missing)
            try:
                append(self.events, known, decided, attribution)
            except ConcurrencyConflict:
                continue
            return
        raise ConcurrencyConflict([id_])


def _to_withdraw(id_: UUID, recorded: Sequence[RecordedEvent]) -> Iterator[_Ended]:
    """Yield the credential if its files are to be put away."""
    credential = fold(id_, recorded, evolve)
    state = credential.state
    if state is None or not state.withdrawal_pending:
        return
    causes = [
        each.attribution.correlation_id
        for each in recorded
        if isinstance(each.event, CredentialRevoked | CredentialSuperseded)
    ]
    yield _Ended(credential, state, causes[-1])


def _id_of(ended: _Ended) -> CredentialId:
    return CredentialId(ended.credential.stream_id)


def _archive(storage: ArchivingStorage, keys: Sequence[str]) -> tuple[str, ...]:
    """Put files away, and return the keys of those that are nowhere."""
    missing = []
    for key in keys:
        try:
            storage.archive([key])
        except NotFound:
            missing.append(key)
    return tuple(missing)
