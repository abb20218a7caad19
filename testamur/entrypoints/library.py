"""The library facade: issue credentials from any Python program in a few lines.

For example::

    with Testamur.open(Settings(source_folder="exports")) as testamur:
        testamur.add_asset("diploma", Path("diploma.pdf"))
        ...
        outcome = testamur.run(configuration)
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from uuid import UUID

from pydantic import JsonValue

from testamur.adapters.log_key import parse_log_key
from testamur.application.assets import Assets
from testamur.application.auditing import Audit
from testamur.application.configurations import Configurations
from testamur.application.credential_types import CredentialTypes
from testamur.application.credentials import Credentials, History
from testamur.application.erasing import Erasable, Erasing
from testamur.application.errors import Unforeseen
from testamur.application.exporting import Exporting, LearnerExport
from testamur.application.following import AUDIT_TRAIL, Following, FollowingStatus
from testamur.application.key_rotation import KeyRotation
from testamur.application.notifying import NotifyCounts
from testamur.application.outlook import NextRun, Outlook
from testamur.application.ports.event_store import RecordedEvent
from testamur.application.ports.register import (
    CredentialFilter,
    CredentialRow,
    CredentialTally,
    Register,
    RunRow,
)
from testamur.application.ports.retrieval import RetrievalSource
from testamur.application.ports.secret_keys import KeyCounts
from testamur.application.ports.system import IdSource
from testamur.application.ports.tasks import AwardRun
from testamur.application.ports.transparency import LogKey, TreeHead
from testamur.application.previewing import Look, Preview, Previews
from testamur.application.progress import Progress, Unwatched
from testamur.application.requests import Request
from testamur.application.retention import InactiveLearner, Retention
from testamur.application.run_status import RunStatus, RunStatuses
from testamur.application.running import Prospect, Runs
from testamur.application.standing import LearnerStanding, Standings
from testamur.application.ticking import Problem, Ticking, TickReport
from testamur.application.transparency.checking import Checking
from testamur.application.transparency.findings import LogReport
from testamur.application.transparency.log_keys import LogKeys
from testamur.application.transparency.notes import (
    ConsistencyProof,
    CredentialProof,
    KeptHead,
    SignedHead,
    read_kept_head,
)
from testamur.application.transparency.proving import Proving
from testamur.application.transparency.sealing import Sealing
from testamur.application.verifying import Verification, Verifying
from testamur.application.work import Done
from testamur.domain.assets import CredentialAsset
from testamur.domain.configurations import CredentialConfiguration
from testamur.domain.contexts import ContextKinds
from testamur.domain.credential_types import CredentialType, TypeDefinition
from testamur.domain.credentials import Credential
from testamur.domain.erasures import ErasureCompleted
from testamur.domain.errors import InvalidInput, TestamurError
from testamur.domain.identifiers import (
    Actor,
    ConfigurationId,
    CredentialId,
    LearnerId,
    RunId,
    VerificationId,
    parse_actor,
    parse_learner_id,
)
from testamur.domain.runs import IssuanceRun, RunCounts
from testamur.domain.schedules import Schedule
from testamur.entrypoints.container import Wiring
from testamur.entrypoints.learner_archive import write_archive
from testamur.entrypoints.settings import Settings, settings_of_environment

#: Events by which the audit trail is brought on after work: that takes some seconds. What is left
#: over is for the next time.
MOST_FOLLOWED: Final = 200_000


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What a run did.

    Args:
        run_id: The run.
        counts: What it found and awarded, in learners.
        credentials: Where the credentials that it awarded stand now.
        untold_because: Why telling learners stopped, if the mail server took nothing at all; the
            next tick tries again.
        unsealed_because: Why the log could not be sealed, if it could not; the next tick tries
            again.
        unfollowed_because: Why the audit trail could not be brought on, if it could not; the next
            tick tries again.
    """

    run_id: RunId
    counts: RunCounts
    credentials: CredentialTally
    untold_because: str | None = None
    unsealed_because: str | None = None
    unfollowed_because: str | None = None


class Testamur:
    """Everything that Testamur does, in the name of one actor.

    Open it with :meth:`open`, and close it (or use it as a context manager). It may be used by
    several threads.
    """

    def __init__(self, wiring: Wiring, actor: Actor) -> None:
        self._wiring = wiring
        self._actor = actor

    @classmethod
    def open(
        cls,
        settings: Settings | None = None,
        *,
        actor: str = "library:embedded",
        source: RetrievalSource | None = None,
    ) -> Self:
        """Open the installation that the settings describe; it is made where there is none.

        Args:
            settings: By default those of the environment (``TESTAMUR_*``).
            actor: In whose name things are done, as ``kind:name``.
            source: Says who has earned what, instead of the source that the settings choose. It
                may have ``context_kinds``, as a plugin may. Whoever made it closes it.

        Raises:
            InvalidInput: The actor is malformed.
            InvalidOptions: A setting, or an option of a plugin, is not allowed.
            BrokenPlugin: A plugin that the settings choose cannot be used.
            EventStoreError: The database cannot be used.
            StorageError: The storage cannot be used.
        """
        checked = parse_actor(actor)
        return cls(Wiring.of(settings or settings_of_environment(), source), checked)

    def acting_as(self, actor: str) -> "Testamur":
        """Return the same installation in another actor's name; closing either closes both."""
        return Testamur(self._wiring, parse_actor(actor))

    def close(self) -> None:
        """Let go of the database and whatever else is open. Closing again is harmless."""
        self._wiring.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # Assets

    def add_asset(
        self, slug: str, file: Path | bytes, filename: str | None = None
    ) -> CredentialAsset:
        """Add a template, font or image. See `Assets.add`."""
        content, name = _content(file, filename or slug)
        return self._wiring.resolve(Assets).add(slug, content, name, self._request())

    def replace_asset(
        self, slug: str, file: Path | bytes, filename: str | None = None
    ) -> CredentialAsset:
        """Give an asset other content. See `Assets.replace`."""
        content, name = _content(file, filename or slug)
        return self._wiring.resolve(Assets).replace(slug, content, name, self._request())

    def remove_asset(self, slug: str, reason: str) -> None:
        """Remove an asset from use. See `Assets.remove`."""
        self._wiring.resolve(Assets).remove(slug, reason, self._request())

    def asset(self, slug: str) -> CredentialAsset:
        """Return an asset. See `Assets.get`."""
        return self._wiring.resolve(Assets).get(slug)

    def assets(self) -> Iterator[CredentialAsset]:
        """Yield all assets, by slug."""
        return self._wiring.resolve(Assets).all()

    # Credential types

    def define_type(self, slug: str, definition: TypeDefinition) -> CredentialType:
        """Define a credential type. See `CredentialTypes.define`."""
        return self._wiring.resolve(CredentialTypes).define(slug, definition, self._request())

    def revise_type(self, slug: str, definition: TypeDefinition) -> CredentialType:
        """Change what a type says. See `CredentialTypes.revise`."""
        return self._wiring.resolve(CredentialTypes).revise(slug, definition, self._request())

    def retire_type(self, slug: str, reason: str) -> None:
        """Retire a type. See `CredentialTypes.retire`."""
        self._wiring.resolve(CredentialTypes).retire(slug, reason, self._request())

    def type(self, slug: str) -> CredentialType:
        """Return a credential type. See `CredentialTypes.get`."""
        return self._wiring.resolve(CredentialTypes).get(slug)

    def types(self) -> Iterator[CredentialType]:
        """Yield all credential types, by slug."""
        return self._wiring.resolve(CredentialTypes).all()

    # Configurations

    def create_configuration(
        self,
        type_slug: str,
        context_key: str,
        *,
        options: Mapping[str, JsonValue] | None = None,
        schedule: Schedule | None = None,
    ) -> ConfigurationId:
        """Put a type to use in a learning context; disabled. See `Configurations.create`."""
        return self._wiring.resolve(Configurations).create(
            type_slug, context_key, self._request(), options=options, schedule=schedule
        )

    def change_options(
        self, configuration: ConfigurationId, options: Mapping[str, JsonValue]
    ) -> None:
        """Change a configuration's own options. See `Configurations.change_options`."""
        self._wiring.resolve(Configurations).change_options(configuration, options, self._request())

    def change_schedule(self, configuration: ConfigurationId, schedule: Schedule) -> None:
        """Change when a configuration runs. See `Configurations.change_schedule`."""
        self._wiring.resolve(Configurations).change_schedule(
            configuration, schedule, self._request()
        )

    def enable(self, configuration: ConfigurationId) -> None:
        """Let the schedule start runs. See `Configurations.enable`."""
        self._wiring.resolve(Configurations).enable(configuration, self._request())

    def disable(self, configuration: ConfigurationId, reason: str) -> None:
        """Stop the schedule from starting runs. See `Configurations.disable`."""
        self._wiring.resolve(Configurations).disable(configuration, reason, self._request())

    def retire_configuration(self, configuration: ConfigurationId, reason: str) -> None:
        """End a configuration for good. See `Configurations.retire`."""
        self._wiring.resolve(Configurations).retire(configuration, reason, self._request())

    def configuration(self, configuration: ConfigurationId) -> CredentialConfiguration:
        """Return a configuration. See `Configurations.get`."""
        return self._wiring.resolve(Configurations).get(configuration)

    def find_configuration(self, type_slug: str, context_key: str) -> ConfigurationId:
        """Return the id of a type's configuration for a context. See `Configurations.find`."""
        return self._wiring.resolve(Configurations).find(type_slug, context_key)

    def configurations(self) -> Iterator[tuple[ConfigurationId, CredentialConfiguration]]:
        """Yield all configurations with their ids, by type and context."""
        return self._wiring.resolve(Configurations).all()

    def configurations_of(
        self, context_key: str
    ) -> Iterator[tuple[ConfigurationId, CredentialConfiguration]]:
        """Yield those of one context, retired ones too. See `Configurations.of_context`."""
        return self._wiring.resolve(Configurations).of_context(context_key)

    def context_kinds(self) -> ContextKinds:
        """Return the kinds of learning contexts that the data source adds to Testamur's own."""
        return self._wiring.resolve(ContextKinds)

    def next_run(self, configuration: ConfigurationId) -> NextRun:
        """Tell when a configuration will run next, or why it will not. See `Outlook.next_run`."""
        return self._wiring.resolve(Outlook).next_run(configuration)

    # Learners

    def eligibility(self, context_key: str, learner_id: str) -> LearnerStanding:
        """Tell what a learner has reached of each credential of a context, and holds already.

        It is asked of the data source now, to be shown to the learner; nothing is written. See
        `Standings.of`.

        Raises:
            InvalidInput: The key or the learner id is not allowed.
            NotFound: Neither the data source nor any credential of the context knows the learner.
            RetrievalError: The data source does not know the context, or cannot be asked.
        """
        return self._wiring.resolve(Standings).of(context_key, parse_learner_id(learner_id))

    # Issuing

    def preview(
        self,
        subject: ConfigurationId | str,
        *,
        name: str | None = None,
        language: str | None = None,
        context_name: str | None = None,
        options: Mapping[str, JsonValue] | None = None,
        guides: bool = False,
        dpi: int | None = None,
    ) -> Iterator[Preview]:
        """Yield what certificates will look like, marked as samples; nothing is written.

        Args:
            subject: A configuration, or the slug of a type to look at by itself.
            name: Only a learner of this name; None: invented ones, in many scripts.
            language: Language tag (BCP 47) of the learner; without a name, only samples in it.
            context_name: What the course, lesson or pathway is called; None: as the data source
                says, or an invented name where it cannot be asked.
            options: Tried in place of the configuration's own, which stay as they are.
            guides: Whether the place of each element is drawn over the page.
            dpi: Makes pictures of the pages too (PNG), with so many pixels to the inch. They need
                the extra ``preview``.

        Raises:
            TestamurError: As `Previews.of_configuration` and `Previews.of_type`.
        """
        look = Look(name, language, context_name, options, guides, dpi)
        previews = self._wiring.resolve(Previews)
        if isinstance(subject, UUID):
            return previews.of_configuration(subject, look)
        return previews.of_type(subject, look)

    def dry_run(
        self,
        configuration: ConfigurationId,
        *,
        learner_id: str | None = None,
        progress: Progress | None = None,
    ) -> Iterator[Prospect]:
        """Yield what a run would do for each learner, writing nothing. See `Runs.dry_run`."""
        learner = parse_learner_id(learner_id) if learner_id is not None else None
        return self._wiring.resolve(Runs).dry_run(
            configuration, progress or Unwatched(), learner_id=learner
        )

    def run(
        self,
        configuration: ConfigurationId,
        *,
        learner_id: str | None = None,
        limit: int | None = None,
        progress: Progress | None = None,
    ) -> RunOutcome:
        """Award, issue and tell whoever is eligible now, and return what was done.

        Args:
            configuration: Whose learners to go over; it need not be enabled.
            learner_id: Only this learner.
            limit: The most credentials to award, at least 1.
            progress: Is told how far it is.

        Raises:
            InvalidInput: The limit or the learner id is not allowed.
            AlreadyRunning: Another process carries out a run of this configuration.
            TestamurError: The configuration cannot be used, or the data source not be asked in
                full. What a document's making or a message's sending runs into is recorded with
                the credential, and counted in the outcome.
        """
        learner, limit = _checked(learner_id, limit)
        runs = self._wiring.resolve(Runs)
        id_ = runs.start(configuration, self._request(), learner_id=learner, limit=limit)
        done: list[Done] = []
        self._wiring.queue(progress or Unwatched(), done).send(AwardRun(id_))
        stops = [each.stopped_because for each in done if isinstance(each, NotifyCounts)]
        counts = runs.get(id_).counts
        tally = self.tally(CredentialFilter(run_id=id_))
        unsealed = self._after_work(self.seal)
        unfollowed = self._after_work(self._follow_log)
        return RunOutcome(
            id_,
            counts or RunCounts(),
            tally,
            next(iter(stops), None),
            unsealed_because=str(unsealed) if unsealed else None,
            unfollowed_because=str(unfollowed) if unfollowed else None,
        )

    def start_run(
        self,
        configuration: ConfigurationId,
        *,
        learner_id: str | None = None,
        limit: int | None = None,
    ) -> RunId:
        """Start a run and leave it to the workers. See :meth:`run_status` for what becomes of it.

        Args:
            configuration: Whose learners to go over; it need not be enabled.
            learner_id: Only this learner.
            limit: The most credentials to award, at least 1.

        Raises:
            InvalidInput: There are no workers, or the limit or the learner id is not allowed.
            QueueError: The queue cannot be used; a tick hands the run over later.
            TestamurError: As `Runs.start`.
        """
        workers = self._wiring.workers
        if workers is None:
            raise InvalidInput("queue", "inline", "redis://… where a run is left to workers")
        learner, checked = _checked(learner_id, limit)
        id_ = self._wiring.resolve(Runs).start(
            configuration, self._request(), learner_id=learner, limit=checked
        )
        workers.send(AwardRun(id_))
        return id_

    def tick(self, *, progress: Progress | None = None) -> TickReport:
        """Do whatever is due now: scheduled runs, and what was interrupted. See `Ticking.tick`.

        Where there are workers, it is handed over to them, and the report tells nothing of what
        they do.
        """
        done: list[Done] = []
        report = self._wiring.resolve(Ticking).tick(
            self._wiring.workers or self._wiring.queue(progress or Unwatched(), done)
        )
        report.add(done)
        if unsealed := self._after_work(self.seal):
            report.problems.append(Problem("sealing the log", unsealed))
        if unfollowed := self._after_work(self._follow_log):
            report.problems.append(Problem("bringing the audit trail on", unfollowed))
        return report

    def runs(self, configuration: ConfigurationId | None = None) -> list[RunRow]:
        """Return the runs of a configuration, or of all, latest first."""
        return self._wiring.resolve(Register).runs(configuration)

    def run_state(self, id_: RunId) -> IssuanceRun:
        """Return a run. See `Runs.get`."""
        return self._wiring.resolve(Runs).get(id_)

    def run_status(self, id_: RunId) -> RunStatus:
        """Tell how far a run is, while it goes on and afterwards. See `RunStatuses.of`.

        Raises:
            NotFound: There is no such run.
            QueueError: The queue cannot be asked how many learners were looked at.
        """
        workers = self._wiring.workers
        evaluated = None if workers is None else workers.evaluated(id_)
        return self._wiring.resolve(RunStatuses).of(id_, evaluated)

    # Learners' personal data

    def erasable(self, learner_id: str) -> Erasable:
        """Tell what an erasure of a learner would take away. See `Erasing.erasable`."""
        return self._wiring.resolve(Erasing).erasable(parse_learner_id(learner_id))

    def erase_learner(self, learner_id: str, reason: str) -> ErasureCompleted:
        """Erase everything personal about a learner; what was issued stays on record.

        Erase them in the data source first: else the next run may award them something anew.

        Args:
            learner_id: The data source's id of them.
            reason: Why; it stays in the history, so it must not name anybody.

        Raises:
            TestamurError: As `Erasing.erase`.
        """
        learner = parse_learner_id(learner_id)
        return self._wiring.resolve(Erasing).erase(learner, reason, self._request())

    def inactive_learners(self, since: datetime) -> Iterator[InactiveLearner]:
        """Yield learners whom nothing has happened to since a moment. See `Retention.inactive`."""
        return self._wiring.resolve(Retention).inactive(since)

    def export_learner(self, learner_id: str, to: Path | None = None) -> LearnerExport:
        """Return everything that is held about a learner, decrypted. See `Exporting.of`.

        Args:
            learner_id: The data source's id of them.
            to: Is written: a ZIP archive with ``learner.json`` and the documents, which only its
                owner can read.

        Raises:
            NotFound: Nothing is known of the learner, or a document is not in storage.
            InvalidInput: The file is there already, or cannot be written.
            StorageError: A document cannot be read.
        """
        exporting = self._wiring.resolve(Exporting)
        export = exporting.of(parse_learner_id(learner_id))
        if to is not None:
            write_archive(to, export, exporting.documents(export))
        return export

    def key_status(self) -> KeyCounts:
        """Tell how many learners' keys are under which master key. See `KeyRotation.status`."""
        return self._wiring.resolve(KeyRotation).status()

    def rotate_keys(self) -> int:
        """Bring all learners' keys under the newest master key. See `KeyRotation.rotate`."""
        return self._wiring.resolve(KeyRotation).rotate()

    # Looking up

    @property
    def audit(self) -> Audit:
        """The audit trail: who did what, when and why. See `Audit`."""
        return self._wiring.resolve(Audit)

    def verify(self, reference: str | CredentialId, at: datetime | None = None) -> Verification:
        """Tell the public whether a credential holds, now or at a moment. See `Verifying.verify`.

        Args:
            reference: Its verification id, as text. Its own id (a UUID) does too, but can be
                worked out from a learner's id: do not take it from the public.
            at: Aware, not to come.
        """
        if isinstance(reference, str):
            reference = VerificationId(reference)
        return self._wiring.resolve(Verifying).verify(reference, at)

    def find_credential(self, reference: str) -> CredentialId:
        """Return the id of the credential that a reference means. See `Credentials.find`."""
        return self._wiring.resolve(Credentials).find(reference)

    def credential(self, id_: CredentialId) -> Credential:
        """Return a credential. See `Credentials.get`."""
        return self._wiring.resolve(Credentials).get(id_)

    def credentials(self, where: CredentialFilter | None = None) -> Iterator[CredentialRow]:
        """Yield the credentials that a filter lets through. See `Credentials.all`."""
        return self._wiring.resolve(Credentials).all(where or CredentialFilter())

    def tally(self, where: CredentialFilter | None = None) -> CredentialTally:
        """Count the credentials that a filter lets through."""
        return self._wiring.resolve(Credentials).tally(where or CredentialFilter())

    def document(self, id_: CredentialId) -> bytes:
        """Return the document of an issued credential. See `Credentials.document`."""
        return self._wiring.resolve(Credentials).document(id_)

    def document_location(self, id_: CredentialId) -> str:
        """Return where the document of an issued credential lies."""
        return self._wiring.resolve(Credentials).location(id_)

    def download_url(
        self, reference: str, *, filename: str | None = None, seconds: int | None = None
    ) -> str:
        """Return an address at which anybody can fetch a document now. See `Credentials.link`.

        Ask for it each time that somebody wants the document: it holds for some minutes.

        Args:
            reference: Id of the credential, or its verification id.
            filename: Name under which it is saved.
            seconds: How long it holds; by default as the storage is set.
        """
        credentials = self._wiring.resolve(Credentials)
        return credentials.link(credentials.find(reference), filename, seconds)

    def history(self, stream_id: UUID) -> list[RecordedEvent]:
        """Return what happened to anything that has an id, oldest first.

        Raises:
            NotFound: There is no such thing.
        """
        return self._wiring.resolve(History).of(stream_id)

    # Tamper evidence

    def seal(self) -> TreeHead | None:
        """Seal what the log has gained since the last time; None: nothing. See `Sealing.seal`."""
        return self._wiring.resolve(Sealing).seal()

    def verify_log(
        self, trusted_head: str | Path | None = None, *, progress: Progress | None = None
    ) -> LogReport:
        """Find what was altered, dropped, inserted or re-ordered. See `Checking.check`.

        Args:
            trusted_head: A head that was kept elsewhere: what `log_head` gave, as JSON or as a
                note, or a file with it.
            progress: Is told how far it is.

        Raises:
            InvalidInput: The head is none, or cannot be read.
            EventStoreError: The database cannot be read.
        """
        kept = None if trusted_head is None else _kept_head(trusted_head)
        return self._wiring.resolve(Checking).check(progress or Unwatched(), kept)

    def log_head(self) -> SignedHead:
        """Return the latest signed head, to be kept elsewhere. See `Proving.head`."""
        return self._wiring.resolve(Proving).head()

    def proof(self, credential: CredentialId) -> CredentialProof:
        """Prove to an outsider what happened to a credential. See `Proving.credential`."""
        return self._wiring.resolve(Proving).credential(credential)

    def consistency_proof(self, earlier_head: str | Path) -> ConsistencyProof:
        """Prove that the log only grew since a head. See `Proving.consistency`.

        Args:
            earlier_head: As for `verify_log`.
        """
        return self._wiring.resolve(Proving).consistency(_kept_head(earlier_head))

    def rotate_log_key(self, following: Path | None = None, *, lost: bool = False) -> LogKey:
        """Replace the key that seals the log. See `LogKeys.rotate`.

        Args:
            following: File with the key that is to follow; None: one is made.
            lost: Whether the present key is lost.
        """
        given = None
        if following is not None:
            given = parse_log_key(_content(following, "")[0], str(following))
        return self._wiring.resolve(LogKeys).rotate(given, lost=lost)

    # Read models

    def projections(self) -> list[FollowingStatus]:
        """Tell how far the read models that follow the log are. See `Following.status`."""
        return [self._wiring.resolve(Following).status()]

    def rebuild_projection(
        self, name: str = AUDIT_TRAIL, *, progress: Progress | None = None
    ) -> FollowingStatus:
        """Make a read model anew from the log, while others go on using the old one.

        Args:
            name: Which; there is ``audit-trail``.
            progress: Is told how far it is.

        Raises:
            InvalidInput: There is no such read model.
            EventStoreError: The log cannot be read, or the read model not be written; the old one
                stays. It can be begun anew.
        """
        if name != AUDIT_TRAIL:
            raise InvalidInput("projection", name, AUDIT_TRAIL)
        following = self._wiring.resolve(Following)
        following.rebuild(progress)
        return following.status()

    def _follow_log(self) -> int:
        return self._wiring.resolve(Following).catch_up(MOST_FOLLOWED)

    def _after_work(self, also: Callable[[], object]) -> TestamurError | None:
        """Do something else as far as can be; the work is done, whatever becomes of this."""
        try:
            also()
        except TestamurError as error:
            return error
        except Exception as error:  # noqa: BLE001 - reported
            return Unforeseen(error)
        return None

    def _request(self) -> Request:
        return Request(self._actor, self._wiring.resolve(IdSource).request_id())


def _checked(learner_id: str | None, limit: int | None) -> tuple[LearnerId | None, int | None]:
    if limit is not None and limit < 1:
        raise InvalidInput("limit", limit, "a number from 1")
    return (None if learner_id is None else parse_learner_id(learner_id)), limit


def _content(file: Path | bytes, filename: str) -> tuple[bytes, str]:
    if isinstance(file, bytes):
        return file, filename
    try:
        return file.read_bytes(), file.name
    except OSError as error:
        raise InvalidInput("file", str(file), f"a readable file ({error.strerror})") from None


def _kept_head(given: str | Path) -> KeptHead:
    if isinstance(given, str):
        return read_kept_head(given)
    content, _ = _content(given, "")
    try:
        return read_kept_head(content.decode(), str(given))
    except UnicodeDecodeError:
        raise InvalidInput("head", str(given), "a file that holds text") from None
