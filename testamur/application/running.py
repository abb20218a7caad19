"""Running: one pass over the learners of a configuration's context, awarding as it goes."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from testamur.application.aggregates import append, load
from testamur.application.awarding import AwardBasis, Awarding
from testamur.application.configurations import Configurations, PreparedConfiguration
from testamur.application.digests import request_digest
from testamur.application.division import DivisionBeingMade
from testamur.application.errors import AlreadyRunning, ConcurrencyConflict
from testamur.application.expiring import require_not_over
from testamur.application.guarding import Guard, GuardLimit
from testamur.application.needs import needs_of
from testamur.application.passes import Counted, Pass, with_awarded_before
from testamur.application.ports.event_store import Attribution, EventStore
from testamur.application.ports.register import CredentialFilter, Register
from testamur.application.ports.retrieval import Needs, RetrievalSource
from testamur.application.ports.run_pages import RunPages
from testamur.application.ports.system import Clock, IdSource, WorkLocks
from testamur.application.progress import Progress, Step
from testamur.application.proposing import ProposalBeingMade, Proposals
from testamur.application.prospects import Prospect, prospects_of
from testamur.application.recertifying import require_dates
from testamur.application.requests import Request
from testamur.application.run_journal import RunJournal
from testamur.domain import runs
from testamur.domain.eligibility import Inquiry
from testamur.domain.errors import NotFound, TestamurError
from testamur.domain.identifiers import Actor, ConfigurationId, LearnerId, RunId, run_id
from testamur.domain.run_results import RunCounts
from testamur.domain.runs import IssuanceRun, RunDivided, RunNeedsApproval, RunStarted


@dataclass(frozen=True, slots=True)
class Runs:
    """Starts runs and carries them out."""

    events: EventStore
    register: Register
    configurations: Configurations
    source: RetrievalSource
    awarding: Awarding
    locks: WorkLocks
    clock: Clock
    guard: Guard
    proposals: Proposals
    pages: RunPages
    ids: IdSource

    def start(
        self,
        configuration: ConfigurationId,
        request: Request,
        *,
        learner_id: LearnerId | None = None,
        limit: int | None = None,
    ) -> RunId:
        """Start a run by hand, whether the configuration is enabled or not.

        Args:
            configuration: Whose learners to go over.
            request: Who asks; the same request starts the same run.
            learner_id: Only this learner.
            limit: The most credentials to award, at least 1.

        Raises:
            NotFound, InvalidInput, InvalidOptions, RenderingError: The configuration cannot be
                used as it is, or the source does not know the learner; nothing was written.
            DecisionRefused: It is retired, or its type is.
            AlreadyRunning: Another process carries out a run of it, or pages of one are left to
                award; nothing was written.
        """
        slot = runs.manual_slot(str(request.correlation_id))
        started = RunStarted(
            configuration_id=configuration,
            slot=slot,
            trigger="manual",
            learner_id=learner_id,
            limit=limit,
        )
        # Under the lock: whoever is told to try again later must not find two runs afterwards.
        with self.only_run(configuration):
            self.refuse_beside_others(started)
            now = self.clock.now()
            prepared = self.prepare(configuration)
            if learner_id is not None:
                self._require_known(learner_id, prepared, _needs(prepared, now))
            return self._start(started, request.actor, now)

    def start_scheduled(
        self, configuration: ConfigurationId, due: datetime, request: Request
    ) -> RunId:
        """Start the run of a slot that the schedule made due; harmless where it was started."""
        started = RunStarted(
            configuration_id=configuration,
            slot=runs.scheduled_slot(due),
            trigger="schedule",
            scheduled_for=due,
        )
        return self._start(started, request.actor, self.clock.now())

    def get(self, id_: RunId) -> IssuanceRun:
        """Return a run.

        Raises:
            NotFound: There is no such run.
        """
        state = load(self.events, id_, runs.evolve).state
        if state is None:
            raise NotFound("run", str(id_))
        return state

    def carry_out(self, id_: RunId, progress: Progress) -> RunCounts:
        """Go over the learners of a run and award those who are eligible.

        A run that was interrupted goes over all learners again; those whom it awarded before
        are counted as awarded, and never awarded twice. A completed run is left alone, and so is
        one that waits for approval or was rejected.

        Where a guard looks at the run, all learners are gone over before anybody is awarded. If it
        would award more than the guard lets pass, it needs approval, and awards nobody until then.
        Once it is approved, it awards those on its list who are eligible still.

        Returns:
            What it found and did; of a run that needs approval, what it found.

        Raises:
            AlreadyRunning: Another process carries out a run of this configuration, or pages of
                one are left to award.
            TestamurError: The run failed; that is recorded, and a scheduled run tried again.
        """
        with self.only_run(self.get(id_).started.configuration_id):
            # Looked at only now: until the lock was free, another process may have carried it out.
            journal = RunJournal.open(self.events, self.clock, id_)
            if not journal.run.can_go_on:
                return told_before(journal.run)
            self.refuse_beside_others(journal.run.started)
            found = self.attempt(id_, journal, progress)
            return found.counts if isinstance(found, RunDivided) else found

    def attempt(
        self, id_: RunId, journal: RunJournal, progress: Progress, *, by_pages: bool = False
    ) -> RunCounts | RunDivided:
        """Go over the learners of a run that is open; whoever calls it holds the run's lock.

        Args:
            id_: The run.
            journal: Of the run.
            progress: Is told how far it is.
            by_pages: Whether those who have earned the credential may be put on pages, where
                neither a limit nor a guard looks at the run and they are not few.

        Returns:
            What it found and did; or what it put on pages, and found of all others.

        Raises:
            TestamurError: As :meth:`carry_out`.
        """
        try:
            found = self._go_over(id_, journal, progress, by_pages=by_pages)
            if isinstance(found, RunDivided):
                journal.record(partial(runs.decide_divide, divided=found))
                return found
            if isinstance(found, RunNeedsApproval):
                journal.record(partial(runs.decide_need_approval, asked=found))
                return found.counts
            return self.complete(id_, journal, found)
        except Exception as error:
            told, now = for_the_record(error), self.clock.now()
            journal.record(partial(runs.decide_fail, error=told, now=now))
            raise

    def complete(self, id_: RunId, journal: RunJournal, found: RunCounts) -> RunCounts:
        """Complete a run that has gone over all learners; whoever calls it holds the run's lock.

        Args:
            id_: The run.
            journal: Of the run.
            found: What it found and did since it was last interrupted.

        Returns:
            What it found and did in all.
        """
        tally = self.register.tally(CredentialFilter(run_id=id_))
        counts = with_awarded_before(found, sum(tally.by_status.values()) - found.awarded)
        self._tell_staff(id_, journal, counts)
        journal.record(partial(runs.decide_complete, counts=counts))
        if journal.run.divided is not None:
            self.pages.drop(id_)
        return counts

    def only_run(
        self, configuration: ConfigurationId, wait_seconds: float = 0
    ) -> AbstractContextManager[None]:
        """Hold the lock of a configuration's runs while the context lasts.

        Raises:
            AlreadyRunning: Another process holds it still, after waiting for so long.
        """
        return self.locks.hold(_work_of_runs(configuration), wait_seconds)

    def refuse_beside_others(self, started: RunStarted) -> None:
        """Refuse to go over all learners while pages of another run are left to award.

        They would be found once more, and all the work would be done twice. A run for one learner
        is let pass: whoever has to have it now need not wait for thousands.

        Args:
            started: The run that is to begin; the lock of its configuration's runs is held.

        Raises:
            AlreadyRunning: There are such pages.
        """
        if started.learner_id is not None:
            return
        configuration = started.configuration_id
        this = run_id(configuration, started.slot)
        for row in self.register.runs(configuration, open_only=True):
            divided = None if row.run_id == this else self.get(row.run_id).divided
            if divided is not None and self.pages.has_left(divided.division):
                raise AlreadyRunning(_work_of_runs(configuration))

    def prepare(self, configuration: ConfigurationId) -> PreparedConfiguration:
        """Return a configuration that may be run, ready to award by.

        Raises:
            TestamurError: As :meth:`start`.
        """
        prepared = self.configurations.prepare(configuration)
        prepared.type.require_in_use()
        prepared.configuration.require_in_use()
        require_not_over(prepared, self.awarding.installation, self.clock.now())
        require_dates(prepared, self.source)
        return prepared

    def _tell_staff(self, id_: RunId, journal: RunJournal, counts: RunCounts) -> None:
        """Have the staff told what the run came to, if they want to be and there is something."""
        configuration = journal.run.started.configuration_id
        if not (counts.awarded or counts.refused or counts.left_out):
            return
        if self.configurations.notification(configuration).digest_to:
            request_digest(self.events, id_, configuration, journal.attribution())

    def limits(self, configuration: ConfigurationId) -> list[GuardLimit]:
        """Return how much a run over everybody may award by itself, the tightest limit first.

        Raises:
            TestamurError: As :meth:`start`.
        """
        prepared = self.prepare(configuration)
        return self.guard.limits(configuration, prepared.options.guard, None)

    def dry_run(
        self,
        configuration: ConfigurationId,
        progress: Progress,
        *,
        learner_id: LearnerId | None = None,
    ) -> Iterator[Prospect]:
        """Yield what a run would do for each learner, writing nothing.

        Raises:
            TestamurError: As :meth:`start` and :meth:`carry_out`.
        """
        asked_at = self.clock.now()
        prepared = self.prepare(configuration)
        needs = _needs(prepared, asked_at)
        if learner_id is not None:
            self._require_known(learner_id, prepared, needs)
        inquiry = self._inquire(prepared, needs)
        for records in self.source.records(prepared.context, needs, learner_id):
            page = self.awarding.judge_page(records, prepared, inquiry)
            yield from prospects_of(page)
            progress.advance(Step.EVALUATE, len(records))

    def _go_over(
        self, id_: RunId, journal: RunJournal, progress: Progress, *, by_pages: bool
    ) -> RunCounts | RunNeedsApproval | RunDivided:
        run = journal.run
        configuration = run.started.configuration_id
        prepared = self.prepare(configuration)
        needs = _needs(prepared, journal.fresh_from)
        inquiry = self._inquire(prepared, needs)
        once = Pass(self.source, self.awarding, prepared, needs, inquiry, journal, progress)
        tally = self.register.tally(CredentialFilter(run_id=id_))
        before = sum(tally.by_status.values())
        limits = self.guard.limits(configuration, prepared.options.guard, run.started)
        if run.approval == "approved" and run.asked is not None:
            return once.award(None, only=self.proposals.all_of(id_, run.asked))
        if not limits:
            most = run.started.limit
            if most is None and by_pages:
                return self._divide(id_, once)
            return once.award(None if most is None else most - before)
        if before:
            # The guard let it pass when it began to award.
            return once.award(limits[0].most - before)
        proposal = ProposalBeingMade(self.events, journal, id_, configuration)
        counted = once.count(limits[0].most, run.started.limit, proposal)
        if counted.new > limits[0].most:
            return _asked(limits[0], counted, proposal)
        if counted.kept is not None:
            return once.award_kept(counted)
        return once.award(limits[0].most, is_second=True)

    def _divide(self, id_: RunId, once: Pass) -> RunCounts | RunDivided:
        """Put those who have earned the credential on pages, or award them where they are few."""
        division = DivisionBeingMade(self.pages, id_, self.ids.request_id())
        others = once.divide(division)
        basis = AwardBasis.of(once.prepared, once.inquiry)
        few = division.few()
        if few is not None:
            return others + once.award_earned(few, basis)
        division.finish()
        return RunDivided(
            division=division.id,
            pages=len(division.places),
            earned=division.learners,
            counts=others,
            context_name=basis.context_name,
            retrieved_at=basis.retrieved_at,
        )

    def _require_known(
        self, learner_id: LearnerId, prepared: PreparedConfiguration, needs: Needs
    ) -> None:
        if not any(self.source.records(prepared.context, needs, learner_id)):
            raise NotFound(f"learner of {prepared.context}", learner_id)

    def _inquire(self, prepared: PreparedConfiguration, needs: Needs) -> Inquiry:
        return Inquiry(
            criteria=prepared.options.criteria,
            facts=self.source.facts(prepared.context, needs),
            source=self.source.name,
            retrieved_at=self.clock.now(),
        )

    def _start(self, started: RunStarted, actor: Actor, now: datetime) -> RunId:
        id_ = run_id(started.configuration_id, started.slot)
        loaded = load(self.events, id_, runs.evolve)
        decided = runs.decide_start(loaded.state, started)
        try:
            append(self.events, loaded, decided, Attribution(actor, now, id_))
        except ConcurrencyConflict:
            # Another process claimed the slot in this very moment: it is the same run.
            self.get(id_)
        return id_


def _work_of_runs(configuration: ConfigurationId) -> str:
    return f"run {configuration}"


def _needs(prepared: PreparedConfiguration, not_before: datetime | None) -> Needs:
    rule = prepared.options.expiry
    dates = rule is not None and rule.recertify is not None
    return needs_of(prepared.options.criteria, not_before, dates=dates)


def for_the_record(error: Exception) -> str:
    """Return what the record of a run says of an error."""
    return error.for_the_record() if isinstance(error, TestamurError) else type(error).__name__


def told_before(run: IssuanceRun) -> RunCounts:
    """Return what a run that does not go on has found and done."""
    if run.counts is not None:
        return run.counts
    return run.asked.counts if run.asked is not None else RunCounts()


def _asked(limit: GuardLimit, counted: Counted, proposal: ProposalBeingMade) -> RunNeedsApproval:
    sha256 = proposal.finish()
    return RunNeedsApproval(
        reason=limit.reason,
        limit=limit.most,
        usual=limit.usual,
        proposed=proposal.learners,
        pages=proposal.pages,
        sha256=sha256,
        counts=counted.counts + RunCounts(eligible=proposal.learners),
    )
