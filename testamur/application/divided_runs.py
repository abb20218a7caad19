"""Divided runs: one worker goes over the learners, and several award those who have earned it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from testamur.application.awarding import AwardBasis
from testamur.application.dividing import PATIENCE_OF_A_BATCH_SECONDS, work_on_share
from testamur.application.errors import AlreadyRunning, EventStoreError
from testamur.application.passes import EarnedPass
from testamur.application.ports.run_pages import PagePlace
from testamur.application.progress import Progress
from testamur.application.run_journal import RunJournal
from testamur.application.running import Runs, for_the_record, told_before
from testamur.domain import runs
from testamur.domain.identifiers import CredentialId, RunId
from testamur.domain.run_results import RunCounts
from testamur.domain.runs import IssuanceRun, RunDivided, RunEvent

#: How long whoever awards the last page waits for another that looks at the run. A tick completes
#: the run otherwise.
PATIENCE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class DividedRun:
    """How far a run is that workers carry out together.

    Args:
        counts: What it found and did; where pages are left, what it found of all others.
        left: Pages that are to be awarded.
        by_pages: Whether those who had earned the credential were put on pages.
    """

    counts: RunCounts
    left: Sequence[PagePlace] = ()
    by_pages: bool = False


@dataclass(frozen=True, slots=True)
class DividedRuns:
    """Carries out runs together with other workers.

    A page is done once or more often, to the same effect: whoever holds the credential is dropped
    first, and the event store refuses what is double.
    """

    runs: Runs

    def divide(self, id_: RunId, progress: Progress) -> DividedRun:
        """Go over the learners of a run, and put those who have earned the credential on pages.

        Where they are few, or a limit or a guard looks at the run, it is carried out here as a
        whole. Of a run that has its pages it is told which are left; one whose pages are all
        awarded is completed.

        Raises:
            AlreadyRunning: Another process is at a run of this configuration, or pages of one are
                left to award.
            TestamurError: The run failed; that is recorded, and a scheduled run tried again.
        """
        of = self.runs
        with of.only_run(of.get(id_).started.configuration_id):
            journal = RunJournal.open(of.events, of.clock, id_)
            divided = journal.run.divided
            if divided is not None:
                standing = of.pages.standing(divided.division)
                if standing.kept == divided.pages and standing.left:
                    return DividedRun(divided.counts, standing.left, by_pages=True)
                if completed := self._complete_if_done(id_, journal, divided):
                    return DividedRun(completed, by_pages=True)
            if not journal.run.can_go_on:
                return DividedRun(told_before(journal.run))
            of.refuse_beside_others(journal.run.started)
            # What an attempt left that was killed is of no use: nobody can tell what it lacks.
            of.pages.drop(id_)
            try:
                found = of.attempt(id_, journal, progress, by_pages=True)
            except Exception:
                of.pages.drop(id_)
                raise
            if not isinstance(found, RunDivided):
                return DividedRun(found)
            left = of.pages.standing(found.division).left
            return DividedRun(found.counts, left, by_pages=True)

    def award_page(
        self, id_: RunId, place: PagePlace, progress: Progress
    ) -> tuple[RunCounts, tuple[CredentialId, ...]]:
        """Award the learners on a page; whoever awards the last one completes the run.

        Returns:
            What became of the learners, and the credentials that are to be issued. Nothing where
            the page is awarded already, or the run goes over all learners anew.

        Raises:
            AlreadyRunning: Another worker is at a page of the same share, or gives out numbers;
                the page is left.
            EventStoreError: The store cannot be used; the page is left.
            TestamurError: The run failed; that is recorded, and a scheduled run tried again.
        """
        of = self.runs
        with of.locks.hold(work_on_share("award", place.share), PATIENCE_OF_A_BATCH_SECONDS):
            journal = RunJournal.open(of.events, of.clock, id_)
            divided = journal.run.divided
            if divided is None or not journal.run.can_go_on:
                return RunCounts(), ()
            done = self._award(id_, journal, divided, place, progress)
        if not of.pages.has_left(divided.division):
            self._complete(id_)
        return done

    def _award(
        self,
        id_: RunId,
        journal: RunJournal,
        divided: RunDivided,
        place: PagePlace,
        progress: Progress,
    ) -> tuple[RunCounts, tuple[CredentialId, ...]]:
        of = self.runs
        verdicts = of.pages.verdicts(divided.division, place.number)
        if verdicts is None:
            return RunCounts(), ()
        try:
            prepared = of.prepare(journal.run.started.configuration_id)
            basis = AwardBasis(divided.context_name, divided.retrieved_at)
            once = EarnedPass(of.awarding, prepared, basis, journal, progress)
            counts, awarded = once.award(verdicts)
        except (EventStoreError, AlreadyRunning):
            raise  # nothing is wrong with the page; the queue gives it out again
        except Exception as error:
            self._fail(id_, journal, divided, error)
            raise
        of.pages.finish(divided.division, place.number, counts)
        return counts, awarded

    def _complete(self, id_: RunId) -> None:
        of = self.runs
        try:
            with of.only_run(of.get(id_).started.configuration_id, PATIENCE_SECONDS):
                journal = RunJournal.open(of.events, of.clock, id_)
                if journal.run.divided is not None:
                    self._complete_if_done(id_, journal, journal.run.divided)
        except AlreadyRunning:
            return  # whoever it is, or a tick, completes it

    def _complete_if_done(
        self, id_: RunId, journal: RunJournal, divided: RunDivided
    ) -> RunCounts | None:
        standing = self.runs.pages.standing(divided.division)
        if standing.left or standing.kept < divided.pages or not journal.run.can_go_on:
            return None
        return self.runs.complete(id_, journal, divided.counts + standing.counts)

    def _fail(self, id_: RunId, journal: RunJournal, divided: RunDivided, error: Exception) -> None:
        """Record that the run failed, once for all its pages; the others are awarded no more."""
        told, now = for_the_record(error), self.runs.clock.now()

        def decide(run: IssuanceRun | None) -> list[RunEvent]:
            is_this = run is not None and run.divided == divided
            return runs.decide_fail(run, told, now) if is_this else []

        self.runs.pages.drop(id_, divided.division)
        journal.record(decide)
