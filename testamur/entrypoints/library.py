"""The library facade: issue credentials from any Python program in a few lines.

For example::

    with Testamur.open(Settings(source_folder="exports")) as testamur:
        testamur.add_asset("diploma", Path("diploma.pdf"))
        ...
        outcome = testamur.run(configuration)
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID

from pydantic import JsonValue

from testamur.application.assets import Assets
from testamur.application.configurations import Configurations
from testamur.application.credential_types import CredentialTypes
from testamur.application.credentials import Credentials, History
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
from testamur.application.ports.system import IdSource
from testamur.application.ports.tasks import AwardRun
from testamur.application.previewing import Look, Preview, Previews
from testamur.application.progress import Progress, Unwatched
from testamur.application.requests import Request
from testamur.application.running import Prospect, Runs
from testamur.application.standing import LearnerStanding, Standings
from testamur.application.ticking import Ticking, TickReport
from testamur.application.work import Done
from testamur.domain.assets import CredentialAsset
from testamur.domain.configurations import CredentialConfiguration
from testamur.domain.contexts import ContextKinds
from testamur.domain.credential_types import CredentialType, TypeDefinition
from testamur.domain.credentials import Credential
from testamur.domain.errors import InvalidInput
from testamur.domain.identifiers import (
    Actor,
    ConfigurationId,
    CredentialId,
    RunId,
    parse_actor,
    parse_learner_id,
)
from testamur.domain.runs import IssuanceRun, RunCounts
from testamur.domain.schedules import Schedule
from testamur.entrypoints.container import Wiring
from testamur.entrypoints.settings import Settings, settings_of_environment


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What a run did.

    Args:
        run_id: The run.
        counts: What it found and awarded, in learners.
        credentials: Where the credentials that it awarded stand now.
        untold_because: Why telling learners stopped, if the mail server took nothing at all; the
            next tick tries again.
    """

    run_id: RunId
    counts: RunCounts
    credentials: CredentialTally
    untold_because: str | None = None


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
        learner = parse_learner_id(learner_id) if learner_id is not None else None
        if limit is not None and limit < 1:
            raise InvalidInput("limit", limit, "a number from 1")
        runs = self._wiring.resolve(Runs)
        id_ = runs.start(configuration, self._request(), learner_id=learner, limit=limit)
        done: list[Done] = []
        self._wiring.queue(progress or Unwatched(), done).send(AwardRun(id_))
        stops = [each.stopped_because for each in done if isinstance(each, NotifyCounts)]
        counts = runs.get(id_).counts
        tally = self.tally(CredentialFilter(run_id=id_))
        return RunOutcome(id_, counts or RunCounts(), tally, next(iter(stops), None))

    def tick(self, *, progress: Progress | None = None) -> TickReport:
        """Do whatever is due now: scheduled runs, and what was interrupted. See `Ticking.tick`."""
        done: list[Done] = []
        report = self._wiring.resolve(Ticking).tick(
            self._wiring.queue(progress or Unwatched(), done)
        )
        report.add(done)
        return report

    def runs(self, configuration: ConfigurationId | None = None) -> list[RunRow]:
        """Return the runs of a configuration, or of all, latest first."""
        return self._wiring.resolve(Register).runs(configuration)

    def run_state(self, id_: RunId) -> IssuanceRun:
        """Return a run. See `Runs.get`."""
        return self._wiring.resolve(Runs).get(id_)

    # Looking up

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

    def history(self, stream_id: UUID) -> list[RecordedEvent]:
        """Return what happened to anything that has an id, oldest first.

        Raises:
            NotFound: There is no such thing.
        """
        return self._wiring.resolve(History).of(stream_id)

    def _request(self) -> Request:
        return Request(self._actor, self._wiring.resolve(IdSource).request_id())


def _content(file: Path | bytes, filename: str) -> tuple[bytes, str]:
    if isinstance(file, bytes):
        return file, filename
    try:
        return file.read_bytes(), file.name
    except OSError as error:
        raise InvalidInput("file", str(file), f"a readable file ({error.strerror})") from None
