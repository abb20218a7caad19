"""Erasing: everything personal about a learner goes, and the record of what was issued stays.

The order is safe against a crash at any point. What was asked for is recorded first; each step
after it may be done again; that it is done is recorded last. What a crash left undone is found in
the catalogue, and finished by the next tick.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from testamur.application.aggregates import append, fold, load
from testamur.application.dividing import share_of, work_on_share
from testamur.application.errors import ConcurrencyConflict
from testamur.application.installation import Installation
from testamur.application.issuing import storage_stem
from testamur.application.mentions import Mentions
from testamur.application.ports.event_store import Attribution, EventStore, RecordedEvent
from testamur.application.ports.notification import ForgettingNotifier, Notifier
from testamur.application.ports.register import CredentialFilter, CredentialRow, Register
from testamur.application.ports.run_pages import RunPages
from testamur.application.ports.secret_keys import SecretKeys
from testamur.application.ports.storage import ArtifactStorage, SweepingStorage
from testamur.application.ports.system import Clock, WorkLocks
from testamur.application.reconcile_locks import RECORD_FINDINGS
from testamur.application.requests import Request
from testamur.application.withdrawing import WITHDRAW
from testamur.domain import credentials, erasures
from testamur.domain.credentials import (
    Credential,
    CredentialAwarded,
    CredentialIssued,
    CredentialStatus,
    NotificationRequested,
    NotificationSent,
    key_of,
    next_edition_id,
)
from testamur.domain.erasures import ErasureCompleted, ErasureRequested, LearnerErasure
from testamur.domain.errors import NotFound
from testamur.domain.identifiers import CredentialId, LearnerId, erasure_id

#: How long an erasure waits for passes of issuing and of notifying that go on. It stays asked for
#: where that is not enough, and the next tick goes on with it.
PATIENCE_SECONDS: Final = 600.0

#: A tick has other things to do, and comes again.
PATIENCE_OF_A_TICK_SECONDS: Final = 5.0

#: A decision that loses against another writer this often in a row means that something is wrong.
MOST_CONFLICTS: Final = 20

#: Tried where a storage cannot find files by how their keys begin, besides what events recorded.
_USUAL_ENDING: Final = ".pdf"

_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Erasable:
    """What an erasure of a learner would take away.

    Args:
        learner_id: Whose it is.
        names: What the learner is called on their credentials.
        credentials: How many there are of them, by status.
        files: Keys in storage that events recorded.
        told: Messages that were delivered.
        has_key: Whether there is anything encrypted that can still be read.
        under_way: Whether an erasure was asked for and is not completed.
    """

    learner_id: LearnerId
    names: tuple[str, ...] = ()
    credentials: Mapping[CredentialStatus, int] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    told: int = 0
    has_key: bool = False
    under_way: bool = False


@dataclass(frozen=True, slots=True)
class _Traces:
    """What the events of a learner's credentials say of files and messages.

    ``next_ids`` are of editions that a reissue may have been about to begin when it was killed.
    """

    credential_ids: tuple[CredentialId, ...]
    files: tuple[str, ...]
    message_ids: tuple[str, ...]
    next_ids: tuple[CredentialId, ...] = ()
    asked_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Erasing:
    """Erases learners, and finishes what was interrupted."""

    events: EventStore
    register: Register
    keys: SecretKeys
    mentions: Mentions
    storage: ArtifactStorage
    notifier: Notifier
    locks: WorkLocks
    clock: Clock
    installation: Installation
    pages: RunPages

    def erasable(self, learner_id: LearnerId) -> Erasable:
        """Return what an erasure would take away.

        Raises:
            NotFound: Nothing is known of the learner.
        """
        streams = self._streams(learner_id)
        erasure = load(self.events, erasure_id(learner_id), erasures.evolve).state
        has_key = bool(self.keys.find([learner_id]))
        if not (streams or erasure or has_key or self.mentions.is_known(learner_id)):
            raise NotFound("known learner", learner_id)
        states = [state for _, state in self._states(streams)]
        persons = [state.awarded.person for state in states if state.awarded.person is not None]
        traces = self._traces(streams)
        return Erasable(
            learner_id,
            names=tuple(dict.fromkeys(person.full_name for person in persons)),
            credentials=dict(Counter(state.status for state in states)),
            files=traces.files,
            told=len(traces.message_ids),
            has_key=has_key,
            under_way=erasure is not None and erasure.completed is None,
        )

    def erase(self, learner_id: LearnerId, reason: str, request: Request) -> ErasureCompleted:
        """Erase a learner, and return what went.

        Who was erased before is erased again: whatever has come back since goes too.

        Raises:
            NotFound, InvalidInput: As :meth:`ask`.
            AlreadyRunning: Documents or messages are being made for so long that the erasure has
                to wait. It is asked for, and the next tick goes on with it.
            TestamurError: A part could not be erased yet; likewise.
        """
        self.ask(learner_id, reason, request)
        return self.finish(learner_id, PATIENCE_SECONDS)

    def ask(self, learner_id: LearnerId, reason: str, request: Request) -> None:
        """Record that a learner is to be erased, by the next tick at the latest.

        Args:
            learner_id: Whom.
            reason: Why; it stays in the history, so it must not name anybody.
            request: Who asks for it.

        Raises:
            NotFound: Nothing is known of the learner; nothing was written.
            InvalidInput: The reason holds an e-mail address or the learner's name; nothing was
                written.
        """
        known = self.erasable(learner_id)
        checked = erasures.parse_reason(reason, names=known.names)
        self._decide(
            learner_id,
            lambda state: erasures.decide_request(state, learner_id, checked),
            request.attribution(self.clock),
        )

    def unfinished(self) -> list[LearnerId]:
        """Return whose erasure was asked for and is not completed."""
        return [
            LearnerId(row.label) for row in self.register.catalogue("erasure", active_only=True)
        ]

    def finish(
        self, learner_id: LearnerId, wait_seconds: float = PATIENCE_OF_A_TICK_SECONDS
    ) -> ErasureCompleted:
        """Carry out an erasure that was asked for; what was done of it before is done again.

        Args:
            learner_id: Whose.
            wait_seconds: How long to wait for passes of issuing and of notifying that go on.

        Raises:
            AlreadyRunning: They went on for longer.
            TestamurError: A part could not be erased yet.
        """
        asked, attribution = self._asked(learner_id)
        reason = asked.reason
        # Nothing is issued or told from here on; and what is being made right now will find, when
        # it is to be recorded, that it is too late.
        self._mark(learner_id, reason, attribution)
        with self._nothing_under_way(learner_id, wait_seconds):
            # A run may have awarded something in the meantime, or be about to.
            self.pages.forget(learner_id)
            self._mark(learner_id, reason, attribution)
            traces = self._traces(self._streams(learner_id))
            files = self._delete_files(traces)
            messages = self._forget_messages(traces)
            self.keys.destroy(learner_id)
            # Whatever was encrypted under the key in this very moment cannot be read by anybody.
            self._mark(learner_id, reason, attribution, only_unreadable=True)
        erased = self._decide(
            learner_id,
            lambda state: erasures.decide_complete(
                state, credentials=len(traces.credential_ids), files=files, messages=messages
            ),
            attribution,
        )
        if erased.completed is None:
            # decide_complete has just said so, so this is a mistake of the program.
            raise AssertionError("an erasure was completed and is not")
        return erased.completed

    @contextmanager
    def _nothing_under_way(self, learner_id: LearnerId, wait_seconds: float) -> Iterator[None]:
        """Keep documents and messages of a learner from being made, in passes and in batches.

        And pages that they may be on from being awarded; documents from being put away, which might
        leave one in the archive; and names from being recorded that a reconciliation has found.
        """
        share = share_of(learner_id)
        with ExitStack() as held:
            held.enter_context(self.locks.hold(WITHDRAW, wait_seconds))
            held.enter_context(self.locks.hold(RECORD_FINDINGS, wait_seconds))
            held.enter_context(self.locks.hold(work_on_share("award", share), wait_seconds))
            for work in ("issue", "notify"):
                held.enter_context(self.locks.hold(work, wait_seconds))
                held.enter_context(self.locks.hold(work_on_share(work, share), wait_seconds))
            yield

    def _asked(self, learner_id: LearnerId) -> tuple[ErasureRequested, Attribution]:
        """Return what was asked for last, and the attribution of what is done because of it."""
        recorded = self.events.load(erasure_id(learner_id))
        for each in reversed(recorded):
            if isinstance(each.event, ErasureRequested):
                by = each.attribution
                return each.event, Attribution(by.actor, self.clock.now(), by.correlation_id)
        raise NotFound("erasure of learner", learner_id)

    def _decide(
        self,
        learner_id: LearnerId,
        decide: Callable[[LearnerErasure | None], list[erasures.ErasureEvent]],
        attribution: Attribution,
    ) -> LearnerErasure:
        id_ = erasure_id(learner_id)
        for _ in range(MOST_CONFLICTS):
            known = load(self.events, id_, erasures.evolve)
            decided = decide(known.state)
            try:
                append(self.events, known, decided, attribution)
            except ConcurrencyConflict:
                continue
            state = known.state
            for event in decided:
                state = erasures.evolve(state, event)
            if state is not None:
                return state
        raise ConcurrencyConflict([id_])

    # Credentials

    def _mark(
        self,
        learner_id: LearnerId,
        reason: str,
        attribution: Attribution,
        *,
        only_unreadable: bool = False,
    ) -> None:
        """Record on every credential of the learner that it is erased."""
        for row in self._rows(learner_id):
            if row.status is not CredentialStatus.ERASED:
                self._mark_one(row.credential_id, reason, attribution, only_unreadable)

    def _mark_one(
        self, id_: CredentialId, reason: str, attribution: Attribution, only_unreadable: bool
    ) -> None:
        for _ in range(MOST_CONFLICTS):
            known = load(self.events, id_, credentials.evolve)
            if only_unreadable and known.state and known.state.awarded.person is not None:
                return
            try:
                append(
                    self.events, known, credentials.decide_erase(known.state, reason), attribution
                )
            except ConcurrencyConflict:
                continue  # it was issued, or its learner told, in this moment
            return
        raise ConcurrencyConflict([id_])

    def _rows(self, learner_id: LearnerId) -> Iterator[CredentialRow]:
        after: CredentialId | None = None
        where = CredentialFilter(learner_id=learner_id)
        while page := self.register.credentials(where, _PAGE, after):
            yield from page
            after = page[-1].credential_id

    def _streams(self, learner_id: LearnerId) -> dict[CredentialId, list[RecordedEvent]]:
        ids = [row.credential_id for row in self._rows(learner_id)]
        streams = self.events.load_many(ids) if ids else {}
        return {id_: streams[id_] for id_ in ids}

    def _states(
        self, streams: Mapping[CredentialId, Sequence[RecordedEvent]]
    ) -> Iterator[tuple[CredentialId, Credential]]:
        for id_, recorded in streams.items():
            state = fold(id_, recorded, credentials.evolve).state
            if state is not None:
                yield id_, state

    def _traces(self, streams: Mapping[CredentialId, Sequence[RecordedEvent]]) -> _Traces:
        happened = [each.event for recorded in streams.values() for each in recorded]
        issues = [event for event in happened if isinstance(event, CredentialIssued)]
        told = [event.message_id for event in happened if isinstance(event, NotificationSent)]
        return _Traces(
            tuple(streams),
            tuple(
                dict.fromkeys(
                    artifact.storage_key for issue in issues for artifact in issue.artifacts
                )
            ),
            tuple(dict.fromkeys(told)),
            tuple(
                next_edition_id(event) for event in happened if isinstance(event, CredentialAwarded)
            ),
            tuple(self._asked_for(streams)),
        )

    def _asked_for(self, streams: Mapping[CredentialId, Sequence[RecordedEvent]]) -> Iterator[str]:
        """Yield the Message-IDs of all that was to be sent: a crash may hide that it was."""
        for id_, recorded in streams.items():
            yield self.installation.message_id(id_)
            for each in recorded:
                if isinstance(each.event, NotificationRequested):
                    yield self.installation.message_id(id_, key_of(each.event))

    # Files and messages

    def _delete_files(self, traces: _Traces) -> int:
        """Delete what events recorded, and what a crash left that no event knows of."""
        stems = [storage_stem(id_) for id_ in traces.credential_ids]
        if isinstance(self.storage, SweepingStorage):
            begun = [storage_stem(id_) for id_ in traces.next_ids]
            found = sum(self.storage.sweep(stem) for stem in dict.fromkeys([*stems, *begun]))
            elsewhere = [key for key in traces.files if _stem_of(key) not in stems]
            self.storage.delete(elsewhere)
            return found + len(elsewhere)
        endings = {_USUAL_ENDING, *(PurePosixPath(key).suffix for key in traces.files)}
        derived = [f"{stem}{ending}" for stem in stems for ending in sorted(endings)]
        self.storage.delete(list(dict.fromkeys([*traces.files, *derived])))
        return len(traces.files)

    def _forget_messages(self, traces: _Traces) -> int:
        """Let the notifier delete what it keeps: of messages recorded, and of any not recorded."""
        if not isinstance(self.notifier, ForgettingNotifier):
            return 0
        return self.notifier.forget(list(dict.fromkeys([*traces.message_ids, *traces.asked_for])))


def _stem_of(key: str) -> str:
    folder, slash, name = key.rpartition("/")
    return f"{folder}{slash}{name.partition('.')[0]}"
