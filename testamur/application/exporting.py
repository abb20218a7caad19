"""Exporting: everything that is held about one learner, decrypted, to be handed to them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from uuid import UUID

from testamur.application.aggregates import fold
from testamur.application.archive import content_wherever, location_of
from testamur.application.mentions import Mentions
from testamur.application.ports.event_store import EventStore, RecordedEvent
from testamur.application.ports.register import CredentialFilter, CredentialRow, Register
from testamur.application.ports.secret_keys import SecretKeys
from testamur.application.ports.storage import ArtifactStorage
from testamur.application.ports.system import Clock
from testamur.domain.corrections import CorrectionProposed
from testamur.domain.credentials import (
    Artifact,
    Credential,
    CredentialAwarded,
    CredentialIssued,
    CredentialStatus,
    NotificationBounced,
    NotificationFailed,
    NotificationRequested,
    NotificationSent,
    NotificationSkipped,
    NotificationSuppressed,
    evolve,
)
from testamur.domain.errors import NotFound
from testamur.domain.identifiers import Actor, CredentialId, LearnerId, erasure_id
from testamur.domain.proposals import LearnersProposed
from testamur.domain.runs import LearnersLeftOut, LearnersRefused, RunStarted

_PAGE = 500


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A document of the learner's in storage.

    Args:
        artifact: What was recorded of it.
        filename: What it is called in an archive of all that is held.
        location: Where an operator finds it.
    """

    artifact: Artifact
    filename: str
    location: str


@dataclass(frozen=True, slots=True)
class HeldDelivery:
    """What became of telling the learner.

    Args:
        at: When.
        outcome: ``asked for``, ``sent``, ``failed``, ``skipped``, ``suppressed`` or ``bounced``.
        detail: What is told, the Message-ID, or why not.
    """

    at: datetime
    outcome: str
    detail: str


@dataclass(frozen=True, slots=True)
class ExportedCredential:
    """One credential of the learner's.

    Args:
        credential_id: Its id.
        status: Where it stands.
        awarded: What was frozen at the award: name, e-mail, evidence and all.
        files: Its documents.
        deliveries: What became of telling the learner.
        history: All that happened to it, with who and when.
    """

    credential_id: CredentialId
    status: CredentialStatus
    awarded: CredentialAwarded
    files: tuple[HeldFile, ...]
    deliveries: tuple[HeldDelivery, ...]
    history: tuple[RecordedEvent, ...]


@dataclass(frozen=True, slots=True)
class RunMention:
    """What a run recorded about the learner, and nothing of what it recorded about others.

    Args:
        run_id: The run.
        at: When.
        actor: Who had started it.
        event: Stable versioned name.
        reason: Why the learner was refused, left out or proposed; None where the run was for them
            alone.
    """

    run_id: UUID
    at: datetime
    actor: Actor
    event: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class LearnerExport:
    """Everything that is held about one learner.

    Args:
        learner_id: The data source's id of them.
        exported_at: When (aware).
        credentials: Their credentials, whatever became of them.
        runs: Where runs name them.
        erasures: When they were erased, if they were.
    """

    learner_id: LearnerId
    exported_at: datetime
    credentials: tuple[ExportedCredential, ...]
    runs: tuple[RunMention, ...]
    erasures: tuple[RecordedEvent, ...]


@dataclass(frozen=True, slots=True)
class Exporting:
    """Gathers what is held about one learner."""

    events: EventStore
    register: Register
    keys: SecretKeys
    mentions: Mentions
    storage: ArtifactStorage
    clock: Clock

    def of(self, learner_id: LearnerId) -> LearnerExport:
        """Return everything that is held about a learner.

        Raises:
            NotFound: Nothing is known of the learner.
            EventStoreError: The store cannot be read.
        """
        credentials = tuple(map(self._credential, self._rows(learner_id)))
        runs = tuple(self._runs(learner_id))
        erasures = tuple(self.events.load(erasure_id(learner_id)))
        if not (credentials or runs or erasures or self.keys.find([learner_id])):
            raise NotFound("known learner", learner_id)
        return LearnerExport(learner_id, self.clock.now(), credentials, runs, erasures)

    def documents(self, export: LearnerExport) -> Iterator[tuple[HeldFile, bytes]]:
        """Yield the documents of an export with their content, one at a time.

        Raises:
            NotFound: A document is not in storage.
            StorageError: It cannot be read.
        """
        for credential in export.credentials:
            for file in credential.files:
                yield file, content_wherever(self.storage, file.artifact.storage_key)

    def _rows(self, learner_id: LearnerId) -> Iterator[CredentialRow]:
        after: CredentialId | None = None
        where = CredentialFilter(learner_id=learner_id)
        while page := self.register.credentials(where, _PAGE, after):
            yield from page
            after = page[-1].credential_id

    def _credential(self, row: CredentialRow) -> ExportedCredential:
        recorded = self.events.load(row.credential_id)
        state = fold(row.credential_id, recorded, evolve).state
        if state is None:
            raise NotFound("credential", str(row.credential_id))
        return ExportedCredential(
            row.credential_id,
            state.status,
            state.awarded,
            tuple(self._files(row.credential_id, recorded, state)),
            tuple(_deliveries(recorded)),
            tuple(recorded),
        )

    def _files(
        self, id_: CredentialId, recorded: Sequence[RecordedEvent], state: Credential
    ) -> Iterator[HeldFile]:
        if state.status is CredentialStatus.ERASED:
            return
        issues = [each.event for each in recorded if isinstance(each.event, CredentialIssued)]
        by_key = {artifact.storage_key: artifact for each in issues for artifact in each.artifacts}
        for number, (key, artifact) in enumerate(by_key.items(), start=1):
            ending = PurePosixPath(key).suffix
            name = f"documents/{id_}{'' if number == 1 else f'-{number}'}{ending}"
            yield HeldFile(artifact, name, location_of(self.storage, key, state))

    def _runs(self, learner_id: LearnerId) -> Iterator[RunMention]:
        streams: dict[UUID, set[int]] = {}
        for mention in self.mentions.of(learner_id):
            streams.setdefault(mention.stream_id, set()).add(mention.version)
        for stream_id, versions in streams.items():
            for recorded in self.events.load(stream_id):
                if recorded.version in versions:
                    yield from _of_run(recorded, learner_id)


def _deliveries(recorded: Sequence[RecordedEvent]) -> Iterator[HeldDelivery]:
    for each in recorded:
        at = each.attribution.at
        match each.event:
            case NotificationSent(message_id=message_id):
                yield HeldDelivery(at, "sent", message_id)
            case NotificationFailed(reason=reason, detail=detail):
                told = reason if detail is None else f"{reason}: {detail}"
                yield HeldDelivery(at, "failed", told)
            case NotificationSkipped(reason=reason):
                yield HeldDelivery(at, "skipped", reason)
            case NotificationRequested(notice=notice):
                yield HeldDelivery(at, "asked for", notice)
            case NotificationSuppressed(reason=reason):
                yield HeldDelivery(at, "suppressed", reason)
            case NotificationBounced(reason=reason):
                yield HeldDelivery(at, "bounced", reason)


def _of_run(recorded: RecordedEvent, learner_id: LearnerId) -> Iterator[RunMention]:
    reasons: list[str | None] = []
    match recorded.event:
        case RunStarted(learner_id=only) if only == learner_id:
            reasons = [None]
        case LearnersRefused(refusals=refusals):
            reasons = [
                f"{each.reason}: {each.detail}"
                for each in refusals
                if each.learner_id == learner_id
            ]
        case LearnersLeftOut(learners=learners):
            reasons = [each.reason for each in learners if each.learner_id == learner_id]
        case LearnersProposed(learner_ids=learner_ids) if learner_id in learner_ids:
            reasons = ["the run would award them, and needed approval"]
        case CorrectionProposed(learner_id=about) if about == learner_id:
            reasons = [_found(recorded.event)]
    by, event = recorded.attribution, recorded.event
    run_id: UUID = recorded.stream_id
    if isinstance(event, LearnersProposed):
        run_id = event.run_id
    elif isinstance(event, CorrectionProposed):
        run_id = event.reconciliation_id
    for reason in reasons:
        yield RunMention(run_id, by.at, by.actor, recorded.name, reason)


def _found(proposed: CorrectionProposed) -> str:
    """Return what a reconciliation found, with the name that the data source had."""
    named = f": the name is {proposed.full_name}" if proposed.full_name else ""
    return f"a reconciliation proposed a correction, {proposed.kind}{named}"
