"""The one place that wires ports to adapters, and use cases to ports."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar
from zoneinfo import ZoneInfo

import punq

from testamur.adapters.event_store.names import EVENTS, UPCASTS
from testamur.adapters.inline_queue import InlineQueue
from testamur.adapters.log_key import log_key_of
from testamur.adapters.no_source import NoRetrievalSource
from testamur.adapters.system import RandomIds, SystemClock
from testamur.application.approving import Approvals
from testamur.application.assets import Assets
from testamur.application.audit_questions import AuditQuestions, KnownEvents
from testamur.application.auditing import Audit
from testamur.application.awarding import Awarding
from testamur.application.carrying_out import CarryingOut
from testamur.application.comparing import Comparing
from testamur.application.configurations import Configurations
from testamur.application.correcting import Correcting
from testamur.application.credential_types import CredentialTypes
from testamur.application.credentials import Credentials, History
from testamur.application.delivering import Deliveries
from testamur.application.digests import Digests
from testamur.application.divided_runs import DividedRuns
from testamur.application.divided_work import DividedWork
from testamur.application.downloading import Downloading
from testamur.application.editions import Editions
from testamur.application.erasing import Erasing
from testamur.application.exporting import Exporting
from testamur.application.following import Following
from testamur.application.guarding import Guard, GuardOptions
from testamur.application.importing import Importing
from testamur.application.installation import Installation
from testamur.application.issuing import Issuing
from testamur.application.key_rotation import KeyRotation
from testamur.application.looking import Looking, LookIntervals
from testamur.application.mail_templates import MailTemplateSets
from testamur.application.manual_awards import ManualAwards
from testamur.application.mentions import Mentions
from testamur.application.moments import Moments
from testamur.application.notifying import Notifying
from testamur.application.options import Renderers
from testamur.application.outlook import Outlook
from testamur.application.ports.agenda import Agenda
from testamur.application.ports.audit import AuditRows, AuditTrail
from testamur.application.ports.deliveries import DeliveryLedger
from testamur.application.ports.event_store import EventStore
from testamur.application.ports.log import StoredLog
from testamur.application.ports.notification import Notifier
from testamur.application.ports.register import Register
from testamur.application.ports.rendering import AssetLibrary
from testamur.application.ports.retrieval import RetrievalSource
from testamur.application.ports.run_pages import RunPages
from testamur.application.ports.samples import SampleMarks
from testamur.application.ports.secret_keys import SecretKeys, WrappedKeys
from testamur.application.ports.storage import ArtifactStorage
from testamur.application.ports.system import Clock, IdSource, WorkLocks
from testamur.application.ports.tasks import AwardRun, Task, TaskQueue
from testamur.application.ports.transparency import HeadSigner, TreeStore
from testamur.application.preparing import PreparedRenderers
from testamur.application.previewing import Previews
from testamur.application.progress import Progress
from testamur.application.proposing import Proposals
from testamur.application.reasons import Reasoning
from testamur.application.reconciling import Reconciling
from testamur.application.reissuing import Reissuing
from testamur.application.reissuing_many import ReissuingMany
from testamur.application.reminding import Reminding
from testamur.application.retention import Retention
from testamur.application.revoking import Revoking
from testamur.application.run_status import RunStatuses
from testamur.application.running import Runs
from testamur.application.serials import Serials
from testamur.application.silences import Silences
from testamur.application.standing import Standings
from testamur.application.ticking import Ticking
from testamur.application.transparency.checking import Checking
from testamur.application.transparency.log_keys import LogKeys
from testamur.application.transparency.proving import Proving
from testamur.application.transparency.sealing import Sealing
from testamur.application.verifying import Verifying
from testamur.application.withdrawing import Withdrawing
from testamur.application.work import Done, Work
from testamur.domain.contexts import ContextKinds
from testamur.entrypoints.choices import Choices, context_kinds_of
from testamur.entrypoints.databases import open_database
from testamur.entrypoints.plugins import Plugins
from testamur.entrypoints.renderers import InstalledRenderers
from testamur.entrypoints.setting_values import RedisUrl
from testamur.entrypoints.settings import Settings

if TYPE_CHECKING:
    from testamur.adapters.dramatiq_queue import DramatiqQueue

Service = TypeVar("Service")

InFront = Callable[[object, Any], object]
"""Given a port and what fills it, returns what is to fill it."""

USE_CASES = (
    Assets,
    PreparedRenderers,
    CredentialTypes,
    Configurations,
    Serials,
    Awarding,
    ManualAwards,
    Importing,
    Guard,
    Proposals,
    Runs,
    DividedRuns,
    Approvals,
    RunStatuses,
    Issuing,
    MailTemplateSets,
    Silences,
    Notifying,
    Deliveries,
    Digests,
    Work,
    DividedWork,
    Mentions,
    Erasing,
    Exporting,
    Retention,
    Withdrawing,
    Revoking,
    Editions,
    Reissuing,
    ReissuingMany,
    Comparing,
    Reconciling,
    CarryingOut,
    Correcting,
    Verifying,
    KeyRotation,
    Looking,
    Reminding,
    Ticking,
    Credentials,
    Downloading,
    History,
    Following,
    AuditQuestions,
    Moments,
    Reasoning,
    Audit,
    Outlook,
    Standings,
    Previews,
    LogKeys,
    Sealing,
    Checking,
    Proving,
)


class Wiring:
    """Ports, adapters and use cases of one installation, wired by a punq container.

    Args:
        container: With everything registered.
        resources: What is to be closed in the end.
        workers: Takes tasks for workers; None where there are none.
    """

    def __init__(
        self,
        container: punq.Container,
        resources: ExitStack,
        workers: "DramatiqQueue | None" = None,
    ) -> None:
        self._container = container
        self._resources = resources
        self.workers: Final = workers

    @classmethod
    def of(
        cls,
        settings: Settings,
        source: RetrievalSource | None = None,
        in_front: InFront | None = None,
    ) -> Self:
        """Wire the installation that the settings describe.

        Args:
            settings: The settings.
            source: Goes before the source that they choose; whoever made it closes it.
            in_front: Is given each port and what fills it, and returns what takes its place.

        Raises:
            InvalidOptions: A plugin or one of its options is not allowed; nothing was written.
            BrokenPlugin: A plugin that is chosen cannot be used; nothing was written.
            EventStoreError: The database cannot be used.
            StorageError: The storage cannot be used.
            RetrievalError: The data source cannot be used.
        """
        with ExitStack() as resources:
            container = punq.Container()
            _register_adapters(container, settings, source, resources, in_front)
            for use_case in USE_CASES:
                container.register(use_case, scope=punq.Scope.singleton)
            workers = _workers(settings, resources)
            return cls(container, resources.pop_all(), workers)
        raise AssertionError("unreachable: an exit stack does not swallow errors")

    def resolve(self, service: type[Service]) -> Service:
        """Return what fills a port, or a use case."""
        return self._container.resolve(service)

    def queue(self, progress: Progress, done: list[Done]) -> TaskQueue:
        """Return a queue that does its tasks inline.

        Where there are workers, it goes batch by batch as they do, and so keeps out of their way;
        only a run is carried out here as a whole.

        Args:
            progress: Is told how far they are.
            done: Gets what each of them did.
        """
        work = self.resolve(Work)
        others = work if self.workers is None else self.resolve(DividedWork)

        def do(task: Task) -> None:
            by = work if isinstance(task, AwardRun) else others
            done.append(by.do(task, queue, progress))

        queue = InlineQueue(do)
        return queue

    def close(self) -> None:
        """Close whatever is open. Closing again is harmless."""
        self._resources.close()


def _register_adapters(
    container: punq.Container,
    settings: Settings,
    source: RetrievalSource | None,
    resources: ExitStack,
    in_front: InFront | None,
) -> None:
    def fill(port: Any, adapter: object) -> None:
        container.register(port, instance=in_front(port, adapter) if in_front else adapter)

    plugins = Plugins()
    chosen = Choices.of(settings, plugins, with_source=source is None)
    source, context_kinds = _source(chosen, source, resources)
    notifier = chosen.notifier.made(resources)
    database, locks = open_database(settings, resources)
    fill(EventStore, database.events)
    fill(Register, database.register)
    fill(Agenda, database.agenda)
    fill(DeliveryLedger, database.deliveries)
    fill(RunPages, database.pages)
    fill(SecretKeys, database.keys)
    fill(WrappedKeys, database.keys)
    fill(StoredLog, database.log)
    fill(TreeStore, database.tree)
    fill(HeadSigner, log_key_of(settings.log_key_setting, settings.log_key_file))
    fill(AuditTrail, database.trail)
    fill(AuditRows, database.audit_rows)
    fill(KnownEvents, KnownEvents((*EVENTS, *UPCASTS)))
    fill(ArtifactStorage, chosen.storage.made(resources))
    fill(RetrievalSource, source)
    fill(Notifier, notifier)
    fill(WorkLocks, locks)
    fill(Clock, SystemClock())
    fill(IdSource, RandomIds())
    cache_folder = settings.data_folder / "cache"
    fill(Renderers, Renderers(InstalledRenderers(plugins, settings.signing_keys, cache_folder)))
    container.register(AssetLibrary, factory=Assets, scope=punq.Scope.singleton)
    container.register(SampleMarks, factory=_sample_marks, scope=punq.Scope.singleton)
    fill(ContextKinds, ContextKinds(context_kinds))
    fill(LookIntervals, LookIntervals(timedelta(seconds=settings.course_dates_every_seconds)))
    fill(Installation, _installation(settings))
    fill(GuardOptions, _guard(settings))


def _workers(settings: Settings, resources: ExitStack) -> "DramatiqQueue | None":
    """Return the queue of the workers, where the settings choose one."""
    if not isinstance(settings.queue, RedisUrl):
        return None
    # Loaded where it was chosen: for all others it is a tenth of a second for nothing.
    from testamur.adapters.dramatiq_queue import DramatiqQueue, RedisLimit, redis_client
    from testamur.adapters.open_edx.rate_limit import share_limit

    client = redis_client(settings.queue.reveal())
    queue = DramatiqQueue(client, settings.queue_namespace)
    resources.callback(queue.close)
    share_limit(RedisLimit(client, settings.queue_namespace))
    resources.callback(share_limit, None)
    return queue


def _sample_marks() -> SampleMarks:
    # Loaded where previews are made: what reads PDFs takes longer than all the rest.
    from testamur.adapters.pdf.guides import PdfSampleMarks

    return PdfSampleMarks()


def _source(
    chosen: Choices, given: RetrievalSource | None, resources: ExitStack
) -> tuple[RetrievalSource, Mapping[str, str]]:
    """Return the data source, and the schemes of context keys that it brings along."""
    if given is not None:
        return given, context_kinds_of(given)
    if chosen.source is None:
        remedy = "set source to a plugin's name, or source_folder to a folder with data files"
        return NoRetrievalSource(remedy), {}
    source = chosen.source.made(resources)
    return source, chosen.source.context_kinds(source)


def _guard(settings: Settings) -> GuardOptions:
    return GuardOptions(
        max_new_per_run=settings.guard_max_new_per_run,
        change_of_scale=settings.guard_change_of_scale,
    )


def _installation(settings: Settings) -> Installation:
    return Installation(
        time_zone=ZoneInfo(settings.time_zone),
        default_language=settings.default_language,
        public_url=settings.public_url,
        mail_domain=settings.mail_sender.rpartition("@")[2],
        attach_documents=settings.documents_attached,
        mail_cap_per_hour=settings.mail_cap_per_hour,
    )
