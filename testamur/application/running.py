"""Running: one pass over the learners of a configuration's context, awarding as it goes."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Literal

from testamur.application.aggregates import append, load
from testamur.application.awarding import Awarding, JudgedPage
from testamur.application.configurations import Configurations, PreparedConfiguration
from testamur.application.errors import ConcurrencyConflict
from testamur.application.needs import needs_of
from testamur.application.ports.event_store import Attribution, EventStore
from testamur.application.ports.register import CredentialFilter, Register
from testamur.application.ports.retrieval import Needs, RetrievalSource
from testamur.application.ports.system import Clock, WorkLocks
from testamur.application.progress import Progress, Step
from testamur.application.requests import Request
from testamur.application.run_journal import RunJournal
from testamur.domain import runs
from testamur.domain.eligibility import Inquiry, Verdict
from testamur.domain.errors import NotFound, TestamurError
from testamur.domain.identifiers import Actor, ConfigurationId, LearnerId, RunId, run_id
from testamur.domain.learning import LearnerRecord
from testamur.domain.runs import IssuanceRun, RunCounts, RunEvent, RunStarted

Outcome = Literal["award", "already-held", "not-eligible", "left-out", "refused"]


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a run would do for one learner, as a dry run found out.

    Args:
        learner_id: Who.
        outcome: What would become of them.
        full_name: Their name, for those who would be awarded the credential.
        verdict: What they have reached; None for those who hold the credential, or would be left
            out or refused.
        detail: Why they would be left out or refused.
    """

    learner_id: LearnerId
    outcome: Outcome
    full_name: str | None = None
    verdict: Verdict | None = None
    detail: str | None = None


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
            AlreadyRunning: Another process carries out a run of it; nothing was written.
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
        with self._only_run(configuration):
            now = self.clock.now()
            prepared = self._prepare(configuration)
            if learner_id is not None:
                self._require_known(learner_id, prepared, needs_of(prepared.options.criteria, now))
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
        are counted as awarded, and never awarded twice. A completed run is left alone.

        Raises:
            AlreadyRunning: Another process carries out a run of this configuration.
            TestamurError: The run failed; that is recorded, and a scheduled run tried again.
        """
        configuration = self.get(id_).started.configuration_id
        with self._only_run(configuration):
            # Looked at only now: until the lock was free, another process may have carried it out.
            journal = RunJournal.open(self.events, self.clock, id_)
            if journal.run.counts is not None:
                return journal.run.counts
            try:
                counts = self._go_over(id_, journal, progress)
                journal.record(partial(runs.decide_complete, counts=counts))
            except Exception as error:
                told, now = _for_the_record(error), self.clock.now()
                journal.record(partial(runs.decide_fail, error=told, now=now))
                raise
            return counts

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
        prepared = self._prepare(configuration)
        needs = needs_of(prepared.options.criteria, not_before=asked_at)
        if learner_id is not None:
            self._require_known(learner_id, prepared, needs)
        inquiry = self._inquire(prepared, needs)
        for records in self.source.records(prepared.context, needs, learner_id):
            page = self.awarding.judge_page(records, prepared, inquiry)
            yield from _prospects(page)
            progress.advance(Step.EVALUATE, len(records))

    def _go_over(self, id_: RunId, journal: RunJournal, progress: Progress) -> RunCounts:
        started = journal.run.started
        prepared = self._prepare(started.configuration_id)
        needs = needs_of(prepared.options.criteria, journal.fresh_from)
        inquiry = self._inquire(prepared, needs)
        tally = self.register.tally(CredentialFilter(run_id=id_))
        before = sum(tally.by_status.values())
        counts = RunCounts()
        for records in self.source.records(prepared.context, needs, started.learner_id):
            page = self.awarding.judge_page(records, prepared, inquiry)
            within_limit = (
                len(page.awards)
                if started.limit is None
                else max(started.limit - before - counts.awarded, 0)
            )
            awards = dict(islice(page.awards.items(), within_limit))
            awarded = self.awarding.award(awards, journal.attribution())
            journal.record(partial(_decide_not_awarded, page=page))
            counts += _counted(records, page, tried=len(awards), awarded=awarded)
            progress.advance(Step.EVALUATE, len(records))
            progress.advance(Step.AWARD, awarded)
        return _with_awarded_before(counts, before)

    def _only_run(self, configuration: ConfigurationId) -> AbstractContextManager[None]:
        return self.locks.hold(f"run {configuration}")

    def _prepare(self, configuration: ConfigurationId) -> PreparedConfiguration:
        prepared = self.configurations.prepare(configuration)
        prepared.type.require_in_use()
        prepared.configuration.require_in_use()
        return prepared

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


def _for_the_record(error: Exception) -> str:
    return error.for_the_record() if isinstance(error, TestamurError) else type(error).__name__


def _decide_not_awarded(run: IssuanceRun | None, page: JudgedPage) -> list[RunEvent]:
    return [
        *runs.decide_refuse(run, page.refused),
        *runs.decide_leave_out(run, page.left_out),
    ]


def _prospects(page: JudgedPage) -> Iterator[Prospect]:
    for awarded in page.awards.values():
        name = awarded.person.full_name if awarded.person else None
        verdict = Verdict(awarded.learner_id, eligible=True, evidence=awarded.evidence)
        yield Prospect(awarded.learner_id, "award", full_name=name, verdict=verdict)
    for refusal in page.refused:
        yield Prospect(refusal.learner_id, "refused", detail=refusal.detail)
    for left_out in page.left_out:
        yield Prospect(left_out.learner_id, "left-out", detail=left_out.reason)
    for verdict in page.not_eligible:
        yield Prospect(verdict.learner_id, "not-eligible", verdict=verdict)
    for learner_id in sorted(page.held):
        yield Prospect(learner_id, "already-held")


def _counted(
    records: Sequence[LearnerRecord], page: JudgedPage, *, tried: int, awarded: int
) -> RunCounts:
    awarded_by_others = tried - awarded
    over_limit = len(page.awards) - tried
    return RunCounts(
        evaluated=len(records),
        already_held=len(page.held) + awarded_by_others,
        not_eligible=len(page.not_eligible),
        left_out=len(page.left_out),
        eligible=awarded + len(page.refused) + over_limit,
        awarded=awarded,
        refused=len(page.refused),
        over_limit=over_limit,
    )


def _with_awarded_before(counts: RunCounts, before: int) -> RunCounts:
    """Count those whom the run awarded before it was interrupted as awarded, not as held."""
    again = min(before, counts.already_held)
    return counts.model_copy(
        update={
            "already_held": counts.already_held - again,
            "eligible": counts.eligible + again,
            "awarded": counts.awarded + again,
        }
    )
