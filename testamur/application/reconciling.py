"""Reconciling: credentials that hold are compared with today's verdicts, page by page.

What differs is proposed to people, see `testamur.application.correcting`; no credential changes.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from testamur.application.aggregates import append, fold, load
from testamur.application.choosing import PAGE
from testamur.application.comparing import Compared, Comparing, Occasion
from testamur.application.configurations import Configurations, PreparedConfiguration
from testamur.application.errors import ConcurrencyConflict
from testamur.application.known_learners import KnownLearners
from testamur.application.needs import needs_of
from testamur.application.ports.event_store import Attribution, EventStore, NewEvents
from testamur.application.ports.register import CredentialFilter, Register
from testamur.application.ports.retrieval import Needs, RetrievalSource
from testamur.application.ports.system import Clock, WorkLocks
from testamur.application.progress import Progress, Step
from testamur.application.reconcile_locks import RECORD_FINDINGS
from testamur.application.reconcile_schedules import reconcile_options
from testamur.application.registration import is_living
from testamur.application.requests import Request
from testamur.domain import corrections, reconciliations, runs
from testamur.domain.corrections import Correction, CorrectionEvent, CorrectionProposed
from testamur.domain.eligibility import Inquiry
from testamur.domain.errors import NotFound, TestamurError
from testamur.domain.identifiers import (
    ConfigurationId,
    CorrectionId,
    LearnerId,
    ReconciliationId,
    correction_id,
    reconciliation_id,
)
from testamur.domain.learning import LearnerRecord
from testamur.domain.reconciliations import (
    Reconciliation,
    ReconciliationCounts,
    ReconciliationStarted,
)

#: A decision that loses against another writer this often in a row means that something is wrong.
MOST_CONFLICTS: Final = 20

#: How long a page waits for an erasure that goes on.
PATIENCE_SECONDS: Final = 600.0

#: Runs that are looked at for whom they refused: each tries again whom the one before refused.
RUNS_LOOKED_BACK: Final = 5

_KINDS: Final = ("no-longer-eligible", "data-changed", "now-eligible")

_NOT_ANY_MORE: Final = "a later reconciliation did not find it any more"
_NOT_KNOWN: Final = "the data source does not know the learner any more"


@dataclass(frozen=True, slots=True)
class Reconciling:
    """Compares credentials with today's verdicts, and proposes corrections."""

    events: EventStore
    register: Register
    configurations: Configurations
    source: RetrievalSource
    comparing: Comparing
    locks: WorkLocks
    clock: Clock

    def start(self, configuration: ConfigurationId, request: Request) -> ReconciliationId:
        """Start a reconciliation by hand.

        Args:
            configuration: Whose credentials to compare; it may be disabled or retired.
            request: Who asks; the same request starts the same reconciliation.

        Raises:
            NotFound, InvalidInput, InvalidOptions, RenderingError: The configuration cannot be
                used as it is; nothing was written.
            AlreadyRunning: Another process is at it; nothing was written.
        """
        # Under the lock: whoever is told to try again later must not find two of them afterwards.
        with self._only_one(configuration):
            self.configurations.prepare(configuration)
            slot = reconciliations.manual_slot(str(request.correlation_id))
            started = ReconciliationStarted(
                configuration_id=configuration, slot=slot, trigger="manual"
            )
            return self._start(started, request)

    def start_due(
        self, configuration: ConfigurationId, due: datetime, request: Request
    ) -> ReconciliationId:
        """Start the one that the option ``reconcile`` made due; harmless where it was started."""
        slot = reconciliations.scheduled_slot(due)
        return self._start(
            ReconciliationStarted(configuration_id=configuration, slot=slot, trigger="schedule"),
            request,
        )

    def get(self, id_: ReconciliationId) -> Reconciliation:
        """Return a reconciliation.

        Raises:
            NotFound: There is no such reconciliation.
        """
        state = load(self.events, id_, reconciliations.evolve).state
        if state is None:
            raise NotFound("reconciliation", str(id_))
        return state

    def carry_out(self, id_: ReconciliationId, progress: Progress) -> ReconciliationCounts:
        """Compare the credentials of a configuration, and propose what is to be corrected.

        One that was interrupted begins anew; what it proposed before is not proposed twice. A
        completed one is left alone.

        Args:
            id_: Which reconciliation.
            progress: Is told how far it is.

        Returns:
            What was found and done.

        Raises:
            NotFound: There is no such reconciliation.
            AlreadyRunning: Another process is at it.
            TestamurError: It failed; that is recorded, and a scheduled one tried again.
        """
        configuration = self.get(id_).started.configuration_id
        with self._only_one(configuration):
            # Looked at only now: until the lock was free, another process may have carried it out.
            recorded = self.events.load(id_)
            known = fold(id_, recorded, reconciliations.evolve)
            if known.state is not None and known.state.counts is not None:
                return known.state.counts
            actor = recorded[0].attribution.actor
            try:
                counts = self._go_over(id_, configuration, Request(actor, id_), progress)
                own = self.configurations.get(configuration).options
                schedule = reconcile_options(own)
                next_at = schedule.following(self.clock.now()) if schedule else None
                decided = reconciliations.decide_complete(known.state, counts, next_at)
            except Exception as error:
                now = self.clock.now()
                failed = reconciliations.decide_fail(known.state, _for_the_record(error), now)
                append(self.events, known, failed, Attribution(actor, now, id_))
                raise
            append(self.events, known, decided, Attribution(actor, self.clock.now(), id_))
            return counts

    def dry_run(self, configuration: ConfigurationId, progress: Progress) -> Iterator[Compared]:
        """Yield what a reconciliation would find, writing nothing; whoever is as before is not.

        What was rejected before is found all the same.

        Raises:
            TestamurError: As :meth:`start` and :meth:`carry_out`.
        """
        prepared = self.configurations.prepare(configuration)
        occasion, needs = self._occasion(_NO_RECONCILIATION, prepared)
        seen = KnownLearners()
        for records in self._pages(prepared, needs, progress):
            page = self.comparing.page(records, occasion)
            seen.add([record.learner_id for record in records])
            yield from (each for each in page.learners if each.findings or each.apart)
        yield from (Compared(each, (), "unknown") for each in self._unknown(configuration, seen))

    def _go_over(
        self,
        id_: ReconciliationId,
        configuration: ConfigurationId,
        request: Request,
        progress: Progress,
    ) -> ReconciliationCounts:
        prepared = self.configurations.prepare(configuration)
        occasion, needs = self._occasion(id_, prepared)
        counts = ReconciliationCounts()
        seen = KnownLearners()
        for records in self._pages(prepared, needs, progress):
            counts += self._record(records, occasion, request)
            seen.add([record.learner_id for record in records])
        unknown = sum(1 for _ in self._unknown(configuration, seen))
        withdrawn = self._withdraw_unknown(configuration, seen, request)
        return counts + ReconciliationCounts(unknown=unknown, withdrawn=withdrawn)

    def _pages(
        self, prepared: PreparedConfiguration, needs: Needs, progress: Progress
    ) -> Iterator[Sequence[LearnerRecord]]:
        for records in self.source.records(prepared.context, needs):
            for first in range(0, len(records), PAGE):
                yield records[first : first + PAGE]
            progress.advance(Step.EVALUATE, len(records))

    def _occasion(
        self, id_: ReconciliationId, prepared: PreparedConfiguration
    ) -> tuple[Occasion, Needs]:
        now = self.clock.now()
        needs = needs_of(prepared.options.criteria, not_before=now)
        inquiry = Inquiry(
            criteria=prepared.options.criteria,
            facts=self.source.facts(prepared.context, needs),
            source=self.source.name,
            retrieved_at=now,
        )
        may_award = not (prepared.configuration.retired or prepared.type.retired)
        completed, refused = self._earlier_runs(prepared.id)
        occasion = Occasion(
            id_,
            prepared,
            inquiry,
            now,
            may_award,
            awards_by_itself=prepared.configuration.enabled or not completed,
            refused=refused,
        )
        return occasion, needs

    def _earlier_runs(self, configuration: ConfigurationId) -> tuple[bool, frozenset[LearnerId]]:
        """Tell whether a run has gone over everybody, and whom the last runs refused."""
        rows = self.register.runs(configuration)
        streams = self.events.load_many([row.run_id for row in rows[:RUNS_LOOKED_BACK]])
        refused: set[LearnerId] = set()
        for stream_id, recorded in streams.items():
            run = fold(stream_id, recorded, runs.evolve).state
            refused |= run.refused if run else set()
        return any(row.completed and not row.narrowed for row in rows), frozenset(refused)

    # What was found

    def _record(
        self, records: Sequence[LearnerRecord], occasion: Occasion, request: Request
    ) -> ReconciliationCounts:
        """Propose what was found about a page of learners, and withdraw what was not any more."""
        for _ in range(MOST_CONFLICTS):
            with self.locks.hold(RECORD_FINDINGS, PATIENCE_SECONDS):
                page = self.comparing.page(records, occasion)
                batch, counts = self._decided(page.learners, occasion)
                try:
                    if batch:
                        self.events.append(batch, request.attribution(self.clock))
                except ConcurrencyConflict:
                    continue  # somebody decided on one in this moment
            return page.counts + counts
        raise ConcurrencyConflict([occasion.id])

    def _decided(
        self, learners: Sequence[Compared], occasion: Occasion
    ) -> tuple[list[NewEvents], ReconciliationCounts]:
        ids = {
            (each.learner_id, kind): correction_id(occasion.prepared.id, each.learner_id, kind)
            for each in learners
            for kind in _KINDS
        }
        streams = self.events.load_many(list(ids.values()))
        known = {id_: fold(id_, streams.get(id_, []), corrections.evolve) for id_ in ids.values()}
        batch: list[NewEvents] = []
        counts = ReconciliationCounts()
        for each in learners:
            decided: dict[CorrectionId, list[CorrectionEvent]] = {}
            finding, passed_over = _to_propose(
                each, {kind: known[ids[each.learner_id, kind]].state for kind in _KINDS}
            )
            counts += ReconciliationCounts(rejected_before=passed_over)
            for kind in _KINDS:
                id_ = ids[each.learner_id, kind]
                state = known[id_].state
                if finding is not None and finding.kind == kind:
                    decided[id_] = corrections.decide_propose(state, finding)
                    counts += ReconciliationCounts(proposed=len(decided[id_]))
                elif each.apart is None or finding is not None:
                    decided[id_] = corrections.decide_withdraw(state, _NOT_ANY_MORE)
                    counts += ReconciliationCounts(withdrawn=len(decided[id_]))
            batch += [known[id_].followed_by(new) for id_, new in decided.items() if new]
        return batch, counts

    # Whom the data source does not know

    def _unknown(self, configuration: ConfigurationId, seen: KnownLearners) -> Iterator[LearnerId]:
        after = None
        where = CredentialFilter(configuration_id=configuration)
        while page := self.register.credentials(where, PAGE, after):
            for row in page:
                if is_living(row.status) and row.learner_id not in seen:
                    yield row.learner_id
            after = page[-1].credential_id

    def _withdraw_unknown(
        self, configuration: ConfigurationId, seen: KnownLearners, request: Request
    ) -> int:
        """Withdraw what is proposed about learners whom the data source does not know any more."""
        withdrawn = 0
        for row in self.register.catalogue("correction", active_only=True):
            of_configuration, _, learner_id = row.label.partition(" ")
            if of_configuration != str(configuration) or LearnerId(learner_id) in seen:
                continue
            known = load(self.events, row.stream_id, corrections.evolve)
            decided = corrections.decide_withdraw(known.state, _NOT_KNOWN)
            try:
                append(self.events, known, decided, request.attribution(self.clock))
            except ConcurrencyConflict:
                continue  # somebody decided on it in this moment
            withdrawn += len(decided)
        return withdrawn

    def _only_one(self, configuration: ConfigurationId) -> AbstractContextManager[None]:
        return self.locks.hold(f"reconcile {configuration}")

    def _start(self, started: ReconciliationStarted, request: Request) -> ReconciliationId:
        id_ = reconciliation_id(started.configuration_id, started.slot)
        known = load(self.events, id_, reconciliations.evolve)
        decided = reconciliations.decide_start(known.state, started)
        by = replace(request, correlation_id=id_).attribution(self.clock)
        try:
            append(self.events, known, decided, by)
        except ConcurrencyConflict:
            self.get(id_)  # another process claimed the slot in this very moment
        return id_


#: Findings of a dry run name this one, which there never is.
_NO_RECONCILIATION: Final = ReconciliationId(UUID(int=0))


def _to_propose(
    compared: Compared, known: Mapping[str, Correction | None]
) -> tuple[CorrectionProposed | None, int]:
    """Return the first finding that was not rejected, and how many before it were.

    Who is not eligible any more needs no new edition, so one is proposed at a time.
    """
    for place, finding in enumerate(compared.findings):
        if not corrections.was_rejected(known[finding.kind], finding):
            return finding, place
    return None, len(compared.findings)


def _for_the_record(error: Exception) -> str:
    return error.for_the_record() if isinstance(error, TestamurError) else type(error).__name__
