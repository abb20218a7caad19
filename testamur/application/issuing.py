"""Issuing: from awarded credentials to documents that are durably stored."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final
from uuid import UUID

from testamur.application.aggregates import Loaded, fold, load
from testamur.application.configurations import Configurations, PreparedConfiguration
from testamur.application.dividing import PATIENCE_OF_A_BATCH_SECONDS, work_on_share
from testamur.application.documents import document_of
from testamur.application.errors import ConcurrencyConflict, RenderingError, StorageError
from testamur.application.installation import Installation
from testamur.application.ports.event_store import (
    Attribution,
    EventStore,
    NewEvents,
    RecordedEvent,
)
from testamur.application.ports.register import CredentialFilter, CredentialRow, Register
from testamur.application.ports.rendering import RenderedFile
from testamur.application.ports.storage import ArchivingStorage, ArtifactStorage, StorableFile
from testamur.application.ports.system import Clock, WorkLocks
from testamur.application.progress import Progress, Step
from testamur.application.requests import ISSUER
from testamur.domain import erasures
from testamur.domain.credentials import (
    Artifact,
    Credential,
    CredentialStatus,
    decide_erase,
    decide_fail_issuance,
    decide_issue,
    evolve,
)
from testamur.domain.errors import TestamurError
from testamur.domain.identifiers import ConfigurationId, CredentialId, RunId, erasure_id
from testamur.domain.personal_data import Person

#: Documents in one batch: enough to share the cost of making them durable, few enough that a
#: crash repeats little work.
BATCH_SIZE: Final = 100

#: A pass for one run waits its turn this long; a pass for all is left to who is at it already.
PATIENCE_SECONDS: Final = 600.0

#: A batch that loses against another writer this often in a row means that something is wrong.
MOST_CONFLICTS: Final = 20

_LIVING: Final = frozenset({CredentialStatus.AWARDED, CredentialStatus.ISSUED})


@dataclass(frozen=True, slots=True)
class IssueCounts:
    """What a pass of issuing did, in credentials."""

    issued: int = 0
    failed: int = 0

    def __add__(self, other: "IssueCounts") -> "IssueCounts":
        return IssueCounts(self.issued + other.issued, self.failed + other.failed)


@dataclass(frozen=True, slots=True)
class _Made:
    """A document that was made and is to be stored."""

    credential: Loaded[Credential]
    file: StorableFile
    artifact: Artifact
    rendering: str


@dataclass(frozen=True, slots=True)
class _Failed:
    """A credential whose document could not be made or stored."""

    credential: Loaded[Credential]
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class _Erased:
    """A credential whose learner was erased while it was being awarded."""

    credential: Loaded[Credential]
    reason: str


_Outcome = _Made | _Failed | _Erased


@dataclass(frozen=True, slots=True)
class Issuing:
    """Makes the documents of awarded credentials, stores them, and records that.

    Work is found by asking the register what is awarded and not issued, so that whatever a crash
    left behind is found the same way. A document is recorded only after storage made it durable.
    """

    events: EventStore
    register: Register
    configurations: Configurations
    storage: ArtifactStorage
    locks: WorkLocks
    clock: Clock
    installation: Installation

    def issue_awaiting(self, progress: Progress, run_id: RunId | None = None) -> IssueCounts:
        """Issue every credential that waits for it now.

        Args:
            progress: Is told how far it is.
            run_id: Only what this run awarded.

        Raises:
            AlreadyRunning: Another process is at it, or stays at it longer than a pass for one
                run waits.
            EventStoreError: The store cannot be read or written.
        """
        with self.locks.hold("issue", wait_seconds=PATIENCE_SECONDS if run_id else 0):
            now = self.clock.now()
            if run_id is not None:
                tally = self.register.tally(CredentialFilter(run_id=run_id))
                progress.expect(Step.ISSUE, tally.by_status.get(CredentialStatus.AWARDED, 0))
            counts = IssueCounts()
            conflicts = 0
            prepared: dict[ConfigurationId, PreparedConfiguration] = {}
            while rows := self.register.awaiting_issue(now, BATCH_SIZE, run_id):
                try:
                    done = self._issue_batch(rows, prepared)
                except ConcurrencyConflict:
                    # Somebody revoked or issued one of them in this moment: ask again what waits.
                    conflicts += 1
                    if conflicts == MOST_CONFLICTS:
                        raise
                    continue
                conflicts = 0
                counts += done
                progress.advance(Step.ISSUE, done.issued + done.failed)
            return counts

    def issue_batch(
        self, share: int, ids: Sequence[CredentialId], progress: Progress
    ) -> IssueCounts:
        """Issue those of some credentials that wait for it now; several may do so at once.

        Args:
            share: The share that all their learners are in.
            ids: Which.
            progress: Is told how far it is.

        Raises:
            AlreadyRunning: Another process stays at credentials of the share.
            EventStoreError: The store cannot be read or written.
        """
        with self.locks.hold(work_on_share("issue", share), PATIENCE_OF_A_BATCH_SECONDS):
            prepared: dict[ConfigurationId, PreparedConfiguration] = {}
            for _ in range(MOST_CONFLICTS):
                streams = self._waiting(ids)
                # The award is the first event; what it belongs to is the run.
                runs = {id_: each[0].attribution.correlation_id for id_, each in streams.items()}
                try:
                    counts = self._issue_loaded(streams, runs, prepared)
                except ConcurrencyConflict:
                    continue
                progress.advance(Step.ISSUE, counts.issued + counts.failed)
                return counts
            raise ConcurrencyConflict(list(ids))

    def _waiting(self, ids: Sequence[CredentialId]) -> dict[UUID, Sequence[RecordedEvent]]:
        """Return the streams of those that are awarded and whose retry time has come."""
        now = self.clock.now()
        waiting: dict[UUID, Sequence[RecordedEvent]] = {}
        for id_, recorded in self.events.load_many(ids).items():
            state = fold(id_, recorded, evolve).state
            if (
                state is not None
                and state.status is CredentialStatus.AWARDED
                and (state.issue_retry_at is None or state.issue_retry_at <= now)
            ):
                waiting[id_] = recorded
        return waiting

    def _issue_batch(
        self,
        rows: Sequence[CredentialRow],
        prepared: dict[ConfigurationId, PreparedConfiguration],
    ) -> IssueCounts:
        found = self.events.load_many([row.credential_id for row in rows])
        streams: dict[UUID, Sequence[RecordedEvent]] = {
            row.credential_id: found.get(row.credential_id, ()) for row in rows
        }
        runs: dict[UUID, UUID] = {row.credential_id: row.run_id for row in rows}
        return self._issue_loaded(streams, runs, prepared)

    def _issue_loaded(
        self,
        streams: Mapping[UUID, Sequence[RecordedEvent]],
        runs: Mapping[UUID, UUID],
        prepared: dict[ConfigurationId, PreparedConfiguration],
    ) -> IssueCounts:
        drawn = [
            self._draw(fold(id_, recorded, evolve), prepared) for id_, recorded in streams.items()
        ]
        outcomes = self._store(drawn)
        by_run = sorted(outcomes, key=lambda outcome: runs[_credential_id(outcome)])
        try:
            for run, of_run in groupby(by_run, key=lambda outcome: runs[_credential_id(outcome)]):
                self._record(list(of_run), run)
        except ConcurrencyConflict:
            self._take_back(outcomes)
            raise
        return IssueCounts(
            issued=sum(isinstance(outcome, _Made) for outcome in outcomes),
            failed=sum(isinstance(outcome, _Failed) for outcome in outcomes),
        )

    def _draw(
        self,
        credential: Loaded[Credential],
        prepared: dict[ConfigurationId, PreparedConfiguration],
    ) -> _Outcome:
        state = credential.state
        if state is None or state.status is not CredentialStatus.AWARDED:
            # The register is changed with the events, so the stream moved on after it was asked.
            raise ConcurrencyConflict([credential.stream_id])
        person = state.awarded.person
        if person is None:
            return self._without_person(credential, state)
        try:
            ready = self._prepared(state.awarded.configuration_id, prepared)
            rendered = self._render(credential, state, person, ready)
        except RenderingError as error:
            return _Failed(credential, error.reason, error.detail)
        except TestamurError as error:
            return _Failed(credential, "not-ready", str(error))
        except Exception as error:  # noqa: BLE001 - recorded; else it held up all others for ever
            return _Failed(credential, "renderer", f"{type(error).__name__}: {error}")
        key = storage_key(CredentialId(credential.stream_id), rendered.suffix)
        media_type = rendered.media_type
        return _Made(
            credential,
            StorableFile(key, rendered.content, rendered.sha256, media_type),
            Artifact(
                format=ready.type.definition.renderer,
                storage_key=key,
                media_type=media_type,
                size=len(rendered.content),
                sha256=rendered.sha256,
            ),
            ready.renderer.digest,
        )

    def _without_person(self, credential: Loaded[Credential], state: Credential) -> _Outcome:
        """Tell an award that was recorded while its learner was erased from a key that is lost."""
        erasure = load(self.events, erasure_id(state.awarded.learner_id), erasures.evolve).state
        if erasure is None:
            return _Failed(credential, "no-key", "the learner's data key is not in the database")
        return _Erased(credential, erasure.requested.reason)

    def _prepared(
        self, id_: ConfigurationId, prepared: dict[ConfigurationId, PreparedConfiguration]
    ) -> PreparedConfiguration:
        if id_ not in prepared:
            prepared[id_] = self.configurations.prepare(id_)
        return prepared[id_]

    def _render(
        self,
        credential: Loaded[Credential],
        state: Credential,
        person: Person,
        ready: PreparedConfiguration,
    ) -> RenderedFile:
        return ready.renderer.render(
            document_of(
                CredentialId(credential.stream_id), state.awarded, person, self.installation
            )
        )

    def _store(self, drawn: Iterable[_Outcome]) -> list[_Outcome]:
        """Store the documents, one by one if the batch as a whole fails, to find the culprit."""
        outcomes = list(drawn)
        made = [outcome for outcome in outcomes if isinstance(outcome, _Made)]
        try:
            if made:
                self.storage.put([each.file for each in made])
        except StorageError:
            return [self._store_alone(outcome) for outcome in outcomes]
        return outcomes

    def _store_alone(self, outcome: _Outcome) -> _Outcome:
        if not isinstance(outcome, _Made):
            return outcome
        try:
            self.storage.put([outcome.file])
        except StorageError as error:
            return _Failed(outcome.credential, "storage", str(error))
        return outcome

    def _take_back(self, outcomes: Iterable[_Outcome]) -> None:
        """Take away the documents of those that have ended while these were made and stored.

        What was issued by another, and has ended since, is put back into the archive.
        """
        keys = {
            each.credential.stream_id: each.file.key for each in outcomes if isinstance(each, _Made)
        }
        streams = self.events.load_many(list(keys))
        to_delete: list[str] = []
        to_archive: list[str] = []
        for id_, recorded in streams.items():
            state = fold(id_, recorded, evolve).state
            if state is None or state.status in _LIVING:
                continue
            was_issued = any(each.storage_key == keys[id_] for each in state.artifacts)
            (to_archive if was_issued else to_delete).append(keys[id_])
        if to_delete:
            self.storage.delete(to_delete)
        if to_archive and isinstance(self.storage, ArchivingStorage):
            self.storage.archive(to_archive)

    def _record(self, outcomes: Sequence[_Outcome], run_id: UUID) -> None:
        now = self.clock.now()
        batch = [_decided(outcome, now) for outcome in outcomes]
        self.events.append(batch, Attribution(ISSUER, now, run_id))


def storage_key(credential: CredentialId, suffix: str) -> str:
    """Return where a credential's document lies: derived from its id, so that it is repeatable.

    Two letters of the random-looking id spread the files over 256 folders.
    """
    return f"{storage_stem(credential)}{suffix}"


def storage_stem(credential: CredentialId) -> str:
    """Return what the keys of all files of a credential begin with, up to the ending."""
    return f"credentials/{credential.hex[:2]}/{credential}"


def _credential_id(outcome: _Outcome) -> UUID:
    return outcome.credential.stream_id


def _decided(outcome: _Outcome, now: datetime) -> NewEvents:
    credential = outcome.credential
    if isinstance(outcome, _Made):
        return credential.followed_by(
            decide_issue(credential.state, (outcome.artifact,), outcome.rendering)
        )
    if isinstance(outcome, _Erased):
        return credential.followed_by(decide_erase(credential.state, outcome.reason))
    return credential.followed_by(
        decide_fail_issuance(credential.state, outcome.reason, outcome.detail, now)
    )
