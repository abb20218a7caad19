"""A whole installation in memory, for tests of the use cases: nothing outside it is touched."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import get_ident
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, JsonValue

from testamur.adapters.event_store.memory import MemoryDatabase
from testamur.adapters.inline_queue import InlineQueue
from testamur.adapters.storage.memory import MemoryStorage
from testamur.adapters.system import MemoryLocks
from testamur.application.aggregates import append, load
from testamur.application.approving import Approvals
from testamur.application.assets import Assets
from testamur.application.awarding import Awarding
from testamur.application.carrying_out import CarryingOut
from testamur.application.comparing import Comparing
from testamur.application.configurations import Configurations
from testamur.application.correcting import Correcting
from testamur.application.credential_types import CredentialTypes
from testamur.application.credentials import Credentials
from testamur.application.delivering import Deliveries
from testamur.application.digests import Digests
from testamur.application.divided_runs import DividedRuns
from testamur.application.editions import Editions
from testamur.application.erasing import Erasing
from testamur.application.errors import RenderingError, RetrievalError, StorageError
from testamur.application.exporting import Exporting
from testamur.application.following import Following
from testamur.application.guarding import Guard, GuardOptions
from testamur.application.importing import Importing
from testamur.application.installation import Installation
from testamur.application.issuing import Issuing
from testamur.application.looking import Looking, LookIntervals
from testamur.application.mail_templates import MailTemplateSets
from testamur.application.manual_awards import ManualAwards
from testamur.application.mentions import Mentions
from testamur.application.notifying import Notifying
from testamur.application.options import Renderers
from testamur.application.ports.notification import (
    Delivered,
    Delivery,
    NotDelivered,
    Notification,
)
from testamur.application.ports.register import CredentialFilter, CredentialTally
from testamur.application.ports.rendering import AssetLibrary, Document, RenderedFile
from testamur.application.ports.retrieval import EVERYTHING, Needs
from testamur.application.ports.storage import AnyFile
from testamur.application.ports.tasks import AwardRun, Task, TaskQueue
from testamur.application.preparing import PreparedRenderers
from testamur.application.progress import Unwatched
from testamur.application.proposing import Proposals
from testamur.application.reconciling import Reconciling
from testamur.application.reissuing import Reissuing
from testamur.application.reissuing_many import ReissuingMany
from testamur.application.reminding import Reminding
from testamur.application.requests import Request
from testamur.application.retention import Retention
from testamur.application.revoking import Revoking
from testamur.application.running import Runs
from testamur.application.serials import Serials
from testamur.application.silences import Silences
from testamur.application.tick_reports import TickReport
from testamur.application.ticking import Ticking
from testamur.application.verifying import Verifying
from testamur.application.withdrawing import Withdrawing
from testamur.application.work import Work
from testamur.domain.contexts import ContextKinds, LearningContextKey
from testamur.domain.credential_types import Issuer, TypeDefinition
from testamur.domain.credentials import decide_revoke, evolve
from testamur.domain.identifiers import (
    Actor,
    ConfigurationId,
    CredentialId,
    LearnerId,
    RunId,
    VerificationId,
)
from testamur.domain.learning import ContextFacts, LearnerRecord
from testamur.domain.personal_data import Person
from testamur.domain.schedules import Schedule
from tests.support.databases import Database
from tests.support.records import COURSE, course, learner

MONDAY = datetime(2026, 6, 1, 12, tzinfo=UTC)


@dataclass
class SettableClock:
    """A clock that stands still until it is moved."""

    moment: datetime = MONDAY

    def now(self) -> datetime:
        """Return the moment that it was set to."""
        return self.moment

    def advance(self, by: timedelta) -> None:
        """Move it."""
        self.moment += by


class CountedIds:
    """Ids that tell in which order they were made."""

    def __init__(self) -> None:
        self._made = 0

    def request_id(self) -> UUID:
        """Return the next one."""
        self._made += 1
        return UUID(int=self._made)

    def verification_id(self) -> VerificationId:
        """Return the next one."""
        self._made += 1
        return VerificationId(f"v{self._made}")


class InterruptedLocks(MemoryLocks):
    """Locks; what another does before the next one is taken, the test states.

    A thread that holds a lock does not wait for it: it would do so in vain.
    """

    def __init__(self) -> None:
        super().__init__()
        self.before_next: Callable[[], object] | None = None
        self._held: set[tuple[int, str]] = set()

    @contextmanager
    def hold(self, work: str, wait_seconds: float = 0) -> Iterator[None]:
        """Let the other do what it does, then hold the lock."""
        if self.before_next is not None:
            meanwhile, self.before_next = self.before_next, None
            meanwhile()
        mine = (get_ident(), work)
        with super().hold(work, 0 if mine in self._held else wait_seconds):
            self._held.add(mine)
            try:
                yield
            finally:
                self._held.remove(mine)


@dataclass
class LearnersInMemory:
    """A data source whose learners the test states."""

    name: str = "tests"
    facts_by_key: dict[str, ContextFacts] = field(default_factory=lambda: {COURSE: course()})
    learners: dict[str, LearnerRecord] = field(default_factory=dict)
    known_people: dict[str, Person] = field(default_factory=dict)
    page_size: int = 2
    fails_after_pages: int | None = None
    breaks_on: str | None = None
    dates_achievements: bool = True
    asked: list[Needs] = field(default_factory=list)

    def facts(self, context: LearningContextKey, needs: Needs = EVERYTHING) -> ContextFacts:
        """Return the facts that the test states, or break as a faulty plugin does."""
        self.asked.append(needs)
        if str(context) == self.breaks_on:
            raise KeyError("start")
        if str(context) not in self.facts_by_key:
            raise RetrievalError(f"no {context}")
        return self.facts_by_key[str(context)]

    def records(
        self, context: LearningContextKey, needs: Needs, learner_id: LearnerId | None = None
    ) -> Iterator[Sequence[LearnerRecord]]:
        """Yield the learners in pages, and fail where the test wants it."""
        self.asked.append(needs)
        of_all = [
            record for id_, record in self.learners.items() if learner_id in (None, LearnerId(id_))
        ]
        for page, start in enumerate(range(0, len(of_all), self.page_size)):
            if page == self.fails_after_pages:
                raise RetrievalError("the LMS went away")
            yield of_all[start : start + self.page_size]

    def people(self, learner_ids: Sequence[LearnerId]) -> Mapping[LearnerId, Person]:
        """Return the people that the test states."""
        return {each: self.known_people[each] for each in learner_ids if each in self.known_people}


class PlainOptions(BaseModel):
    """Options of the plain renderer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    heading: str = "Certificate"
    fails: bool = False
    check_crashes_on: str | None = None
    crashes_on: str | None = None


@dataclass
class PreparedPlain:
    """Writes documents as lines of text, in ASCII only."""

    options: PlainOptions

    @property
    def digest(self) -> str:
        """Hash of the options."""
        return hashlib.sha256(self.options.model_dump_json().encode()).hexdigest()

    def check(self, document: Document) -> None:
        """Refuse what is not ASCII."""
        if document.full_name == self.options.check_crashes_on:
            raise ZeroDivisionError(document.full_name)
        if not document.full_name.isascii():
            raise RenderingError("missing-glyph", "the font has no glyph for a character")

    def render(self, document: Document) -> RenderedFile:
        """Write the document."""
        self.check(document)
        if document.full_name == self.options.crashes_on:
            raise ZeroDivisionError(document.full_name)
        if self.options.fails:
            raise RenderingError("bad-template", "the template is torn")
        lines = (self.options.heading, document.full_name, document.context_name)
        content = "\n".join((*lines, f"{document.award_date}")).encode()
        sha256 = hashlib.sha256(content).hexdigest()
        return RenderedFile(content, sha256, "text/plain", ".txt")


class PlainRenderer:
    """A renderer of text."""

    name = "plain"
    options_model = PlainOptions

    def prepare(self, options: PlainOptions, assets: AssetLibrary) -> PreparedPlain:
        """Return it ready."""
        return PreparedPlain(options)


@dataclass
class NotifierInMemory:
    """Keeps messages, and fails where the test wants it.

    Args:
        sent: The messages.
        unreachable: Whether it takes nothing.
        after_next: What somebody else does right after the next message is taken.
    """

    sent: list[Notification] = field(default_factory=list)
    unreachable: bool = False
    after_next: Callable[[], object] | None = None

    def deliver(self, notifications: Sequence[Notification]) -> Iterator[Delivery]:
        """Deliver, or fail."""
        for each in notifications:
            if self.unreachable:
                yield NotDelivered(each, "unreachable", "no answer", "temporary")
            elif each.email.startswith("refused"):
                yield NotDelivered(each, "refused", f"550 {each.email}", "permanent")
            else:
                self.sent.append(each)
                if self.after_next is not None:
                    meanwhile, self.after_next = self.after_next, None
                    meanwhile()
                yield Delivered(each)

    def forget(self, message_ids: Sequence[str]) -> int:
        """Let go of messages."""
        kept = [each for each in self.sent if each.message_id not in message_ids]
        forgotten = len(self.sent) - len(kept)
        self.sent[:] = kept
        return forgotten

    def check(self) -> str:
        """Say that it is there."""
        return "in memory"


class FragileStorage(MemoryStorage):
    """Storage that refuses keys where the test wants it."""

    def __init__(self) -> None:
        super().__init__()
        self.broken = False
        self.refuses: set[str] = set()
        self.before_next_put: Callable[[], object] | None = None
        self.after_next_put: Callable[[], object] | None = None

    def put(self, files: Sequence[AnyFile]) -> None:
        """Store, or refuse; before or after that let another do what the test states."""
        if self.before_next_put is not None:
            meanwhile, self.before_next_put = self.before_next_put, None
            meanwhile()
        if self.broken or any(file.key in self.refuses for file in files):
            raise StorageError("the disk is full")
        super().put(files)
        if self.after_next_put is not None:
            meanwhile, self.after_next_put = self.after_next_put, None
            meanwhile()

    def archive(self, keys: Sequence[str]) -> None:
        """Put away, or refuse."""
        if self.broken or any(key in self.refuses for key in keys):
            raise StorageError("the file is locked")
        super().archive(keys)


class World:
    """An installation in memory, with one credential type that asks for 90 % completion.

    Args:
        time_zone: In which dates are told.
        context_kinds: Schemes of context keys of plugins.
        database: Fresh; by default one in memory.
        notifier: By default one that writes to no staff.
    """

    def __init__(
        self,
        time_zone: str = "UTC",
        context_kinds: Mapping[str, str] | None = None,
        database: Database | None = None,
        notifier: NotifierInMemory | None = None,
    ) -> None:
        self.clock = SettableClock()
        self.ids = CountedIds()
        self.locks = InterruptedLocks()
        self.source = LearnersInMemory()
        self.notifier = notifier or NotifierInMemory()
        self.storage = FragileStorage()
        self.database: Database = database or MemoryDatabase()
        self.installation = Installation(ZoneInfo(time_zone), mail_domain="example.org")
        events, register = self.database.events, self.database.register
        self.events, self.register = events, register
        self.assets = Assets(events, register, self.storage, self.clock)
        renderers = Renderers({"plain": PlainRenderer()})
        prepared = PreparedRenderers(self.assets)
        kinds = ContextKinds(context_kinds or {})
        self.types = CredentialTypes(events, register, renderers, prepared, kinds, self.clock)
        templates = MailTemplateSets(self.assets, self.notifier)
        self.configurations = Configurations(
            events, register, self.types, prepared, renderers, kinds, self.clock, templates
        )
        self.silences = Silences(events, register, self.clock)
        self.serials = Serials(register, self.locks)
        self.awarding = Awarding(
            events, register, self.source, self.ids, self.installation, self.serials
        )
        self.runs = Runs(
            events,
            register,
            self.configurations,
            self.source,
            self.awarding,
            self.locks,
            self.clock,
            Guard(register, GuardOptions()),
            Proposals(events),
            self.database.pages,
            self.ids,
        )
        self.divided_runs = DividedRuns(self.runs)
        self.approvals = Approvals(events, Proposals(events), self.clock)
        self.issuing = Issuing(
            events,
            register,
            self.configurations,
            self.storage,
            self.locks,
            self.clock,
            self.installation,
        )
        self.notifying = Notifying(
            events,
            register,
            self.configurations,
            self.storage,
            self.notifier,
            self.locks,
            self.clock,
            self.installation,
            self.silences,
            templates,
            self.database.deliveries,
        )
        self.deliveries = Deliveries(
            events, self.database.deliveries, self.configurations, self.silences, self.clock
        )
        self.digests = Digests(
            events,
            register,
            self.configurations,
            self.notifier,
            self.locks,
            self.clock,
            self.installation,
        )
        self.manual_awards = ManualAwards(
            register,
            self.configurations,
            self.source,
            self.awarding,
            self.ids,
            self.clock,
            self.installation,
        )
        self.importing = Importing(
            events,
            register,
            self.configurations,
            self.source,
            self.storage,
            self.ids,
            self.clock,
            self.installation,
        )
        self.following = Following(self.database.log, self.database.audit_rows)
        self.mentions = Mentions(self.database.trail, self.database.audit_rows, self.database.log)
        self.erasing = Erasing(
            events,
            register,
            self.database.keys,
            self.mentions,
            self.storage,
            self.notifier,
            self.locks,
            self.clock,
            self.installation,
            self.database.pages,
        )
        self.exporting = Exporting(
            events,
            register,
            self.database.keys,
            self.mentions,
            self.storage,
            self.clock,
        )
        self.withdrawing = Withdrawing(events, register, self.storage, self.locks, self.clock)
        self.revoking = Revoking(events, register, self.withdrawing, self.clock)
        self.editions = Editions(self.configurations, self.ids, self.installation)
        self.reissuing = Reissuing(
            events,
            self.storage,
            self.source,
            self.locks,
            self.clock,
            self.editions,
            self.withdrawing,
        )
        self.reissuing_many = ReissuingMany(
            events,
            register,
            self.storage,
            self.source,
            self.locks,
            self.clock,
            self.editions,
            self.withdrawing,
        )
        self.comparing = Comparing(events, self.source, self.awarding, self.editions)
        self.reconciling = Reconciling(
            events,
            register,
            self.configurations,
            self.source,
            self.comparing,
            self.locks,
            self.clock,
        )
        self.carrying_out = CarryingOut(
            events,
            self.configurations,
            self.source,
            self.awarding,
            self.revoking,
            self.reissuing,
            self.clock,
        )
        self.correcting = Correcting(events, register, self.carrying_out, self.clock)
        self.work = Work(
            self.runs, self.issuing, self.notifying, self.reconciling, self.divided_runs
        )
        self.retention = Retention(
            self.following, self.mentions, register, self.database.keys, self.clock
        )
        self.verifying = Verifying(events, register, self.clock, self.installation)
        self.reminding = Reminding(events, register, self.clock)
        self.ticking = Ticking(
            register,
            self.database.agenda,
            self.configurations,
            self.runs,
            Looking(kinds, self.source, LookIntervals()),
            self.locks,
            self.clock,
            self.ids,
            self.erasing,
            self.withdrawing,
            self.digests,
            self.reminding,
            self.reconciling,
            self.correcting,
        )
        self.credentials = Credentials(events, register, self.storage)

    @property
    def queue(self) -> TaskQueue:
        """A queue that works inline."""

        def do(task: Task) -> None:
            self.work.do(task, queue, Unwatched())

        queue = InlineQueue(do)
        return queue

    def request(self, actor: str = "user:registrar") -> Request:
        """Return a fresh request."""
        return Request(Actor(actor), uuid4())

    def define_type(self, slug: str = "completion", **options: JsonValue) -> None:
        """Define a credential type with these options."""
        self.types.define(slug, definition(**options), self.request())

    def configure(
        self,
        context_key: str = COURSE,
        *,
        schedule: Schedule | None = None,
        **options: JsonValue,
    ) -> ConfigurationId:
        """Define the type if need be, and put it to use in a context."""
        if not list(self.types.all()):
            self.define_type()
        return self.configurations.create(
            "completion", context_key, self.request(), options=options, schedule=schedule
        )

    def enrol(
        self,
        learner_id: str,
        completion: str = "1",
        *,
        name: str | None = None,
        email: str | None = "",
        mailable: bool = True,
    ) -> None:
        """Let a learner be in the course; one who has completed it unless told."""
        self.source.learners[learner_id] = learner(learner_id, completion=completion)
        self.source.known_people[learner_id] = Person(
            full_name=f"Learner {learner_id}" if name is None else name,
            email=f"{learner_id}@example.org" if email == "" else email,
            mailable=mailable,
        )

    def leave_out(self, learner_id: str, reason: str = "the LMS has no answer") -> None:
        """Let the data source be unable to tell what a learner has achieved."""
        self.source.learners[learner_id] = learner(learner_id, left_out=reason)

    def run(self, configuration: ConfigurationId, *, limit: int | None = None) -> RunId:
        """Run a configuration by hand, with all that follows."""
        run_id = self.runs.start(configuration, self.request(), limit=limit)
        self.queue.send(AwardRun(run_id))
        return run_id

    def revoke(self, id_: CredentialId) -> None:
        """Revoke a credential."""
        known = load(self.events, id_, evolve)
        append(
            self.events,
            known,
            decide_revoke(known.state, "issued by mistake"),
            self.request().attribution(self.clock),
        )

    def tick(self) -> TickReport:
        """Do whatever is due now."""
        return self.ticking.tick(self.queue)

    def tally(self) -> CredentialTally:
        """Count all credentials."""
        return self.register.tally(CredentialFilter())


def definition(**options: JsonValue) -> TypeDefinition:
    """Return what a type says that asks for completion and is written plainly."""
    return TypeDefinition(
        name="Certificate of Completion",
        issuer=Issuer(name="Example University"),
        criteria="completion",
        renderer="plain",
        options=options,
    )
