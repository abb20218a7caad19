"""Passes: going over the learners of a run, to award those who are eligible, or to count them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Final

from testamur.application.awarding import AwardBasis, Awarding, JudgedPage
from testamur.application.configurations import PreparedConfiguration
from testamur.application.division import DivisionBeingMade
from testamur.application.ports.retrieval import Needs, RetrievalSource
from testamur.application.progress import Progress, Step
from testamur.application.proposing import ProposalBeingMade
from testamur.application.run_journal import RunJournal
from testamur.domain import runs
from testamur.domain.credentials import CredentialAwarded
from testamur.domain.eligibility import Inquiry, Verdict
from testamur.domain.identifiers import CredentialId, LearnerId
from testamur.domain.learning import LearnerRecord
from testamur.domain.run_results import RunCounts
from testamur.domain.runs import IssuanceRun, RunEvent

#: So many awards are kept while they are counted, about five megabytes. Where there are no more, as
#: in most runs, the learners need not be gone over a second time to award them.
MOST_KEPT: Final = 1000

Awards = Mapping[CredentialId, CredentialAwarded]


@dataclass(frozen=True, slots=True)
class Counted:
    """What a pass that awards nobody has found.

    Args:
        counts: What became of learners; those who are to be awarded are left out.
        new: How many are to be awarded.
        kept: Their awards, page by page; None where there are too many to keep.
    """

    counts: RunCounts
    new: int
    kept: Sequence[Awards] | None


@dataclass(frozen=True, slots=True)
class Pass:
    """Goes over the learners of one run; whoever is refused or left out is recorded on the way.

    Args:
        source: Where the learners come from.
        awarding: Judges and awards them.
        prepared: The configuration.
        needs: What is asked for.
        inquiry: What they are judged by.
        journal: Of the run.
        progress: Is told how far it is.
    """

    source: RetrievalSource
    awarding: Awarding
    prepared: PreparedConfiguration
    needs: Needs
    inquiry: Inquiry
    journal: RunJournal
    progress: Progress

    def award(
        self,
        most: int | None,
        only: frozenset[LearnerId] | None = None,
        *,
        is_second: bool = False,
    ) -> RunCounts:
        """Award those who are eligible, page by page.

        Args:
            most: How many at most; None: any number.
            only: Only these; None: all.
            is_second: Whether all learners were looked at before, so that they are not counted
                again for whoever watches.
        """
        counts = RunCounts()
        for found, page in self._pages(is_second=is_second):
            chosen = dict(page.awards)
            if only is not None:
                chosen = {id_: each for id_, each in chosen.items() if each.learner_id in only}
            if most is not None:
                chosen = dict(islice(chosen.items(), max(most - counts.awarded, 0)))
            over_limit = len(page.awards) - len(chosen)
            counts += found + _left_for_later(over_limit) + self._awarded(chosen)
        return counts

    def award_kept(self, counted: Counted) -> RunCounts:
        """Award those whose awards were kept while they were counted."""
        counts = counted.counts
        for awards in counted.kept or ():
            counts += self._awarded(awards)
        return counts

    def divide(self, division: DivisionBeingMade) -> RunCounts:
        """Deal out those who have earned the credential, and count all others.

        Args:
            division: Puts them on pages.
        """
        counts = RunCounts()
        for records in self._records():
            page = self.awarding.sift(records, self.prepared, self.inquiry)
            self.journal.record(partial(runs.decide_leave_out, learners=page.left_out))
            division.add(page.earned)
            counts += RunCounts(
                evaluated=len(records) - len(page.earned),
                already_held=len(page.held),
                not_eligible=len(page.not_eligible),
                left_out=len(page.left_out),
            )
            self.progress.advance(Step.EVALUATE, len(records))
        return counts

    def award_earned(self, verdicts: Sequence[Verdict], basis: AwardBasis) -> RunCounts:
        """Award those who have earned the credential, in one transaction.

        Args:
            verdicts: On them.
            basis: What their awards share.
        """
        earned = EarnedPass(self.awarding, self.prepared, basis, self.journal, self.progress)
        counts, _ = earned.award(verdicts)
        return counts

    def count(self, limit: int, most: int | None, proposal: ProposalBeingMade) -> Counted:
        """Count whom the run would award, and award nobody.

        Once there are more than the limit, they are put on a list; until then, their ids are kept.

        Args:
            limit: The most that need no approval.
            most: The most that the run may award at all; None: any number.
            proposal: The list.
        """
        counts = RunCounts()
        new = 0
        kept: list[Awards] | None = []
        learner_ids: list[LearnerId] = []
        for found, page in self._pages():
            within = len(page.awards) if most is None else max(most - new, 0)
            awards = dict(islice(page.awards.items(), within))
            new += len(awards)
            counts += found + _left_for_later(len(page.awards) - len(awards))
            if kept is not None and new <= min(limit, MOST_KEPT):
                kept.append(awards)
            else:
                kept = None
            learner_ids += [award.learner_id for award in awards.values()]
            if new > limit:
                proposal.add(learner_ids)
                learner_ids = []
        return Counted(counts, new, kept)

    def _pages(self, *, is_second: bool = False) -> Iterator[tuple[RunCounts, JudgedPage]]:
        """Yield pages, each with what became of those on it who are not to be awarded."""
        for records in self._records():
            page = self.awarding.judge_page(records, self.prepared, self.inquiry)
            self.journal.record(partial(_decide_not_awarded, page=page))
            yield _not_awarded(records, page), page
            self.progress.advance(Step.EVALUATE, 0 if is_second else len(records))

    def _records(self) -> Iterator[Sequence[LearnerRecord]]:
        learner_id = self.journal.run.started.learner_id
        return self.source.records(self.prepared.context, self.needs, learner_id)

    def _awarded(self, awards: Awards) -> RunCounts:
        """Award, and count; who was awarded by another in the meantime holds one already."""
        awarded = self.awarding.award(
            awards, self.journal.attribution(), self.prepared.options.serial
        )
        self.progress.advance(Step.AWARD, awarded)
        return RunCounts(already_held=len(awards) - awarded, eligible=awarded, awarded=awarded)


@dataclass(frozen=True, slots=True)
class EarnedPass:
    """Awards learners who had earned the credential when the run went over them.

    Args:
        awarding: Awards them.
        prepared: The configuration.
        basis: What their awards share.
        journal: Of the run; those who are refused are recorded there.
        progress: Is told how far it is.
    """

    awarding: Awarding
    prepared: PreparedConfiguration
    basis: AwardBasis
    journal: RunJournal
    progress: Progress

    def award(self, verdicts: Sequence[Verdict]) -> tuple[RunCounts, tuple[CredentialId, ...]]:
        """Award them in one transaction; return what became of them, and the credentials.

        A credential that another writer awarded at the same moment is among those returned.
        """
        page = self.awarding.judge_earned(verdicts, self.prepared, self.basis)
        self.journal.record(partial(runs.decide_refuse, refusals=page.refused))
        awarded = self.awarding.award(
            page.awards, self.journal.attribution(), self.prepared.options.serial
        )
        self.progress.advance(Step.AWARD, awarded)
        counts = RunCounts(
            evaluated=len(verdicts),
            already_held=len(page.held) + len(page.awards) - awarded,
            eligible=awarded + len(page.refused),
            awarded=awarded,
            refused=len(page.refused),
        )
        return counts, tuple(page.awards)


def with_awarded_before(counts: RunCounts, before: int) -> RunCounts:
    """Count those whom the run awarded before it was interrupted as awarded, not as held."""
    again = min(before, counts.already_held)
    return counts.model_copy(
        update={
            "already_held": counts.already_held - again,
            "eligible": counts.eligible + again,
            "awarded": counts.awarded + again,
        }
    )


def _decide_not_awarded(run: IssuanceRun | None, page: JudgedPage) -> list[RunEvent]:
    return [
        *runs.decide_refuse(run, page.refused),
        *runs.decide_leave_out(run, page.left_out),
    ]


def _not_awarded(records: Sequence[LearnerRecord], page: JudgedPage) -> RunCounts:
    return RunCounts(
        evaluated=len(records),
        already_held=len(page.held),
        not_eligible=len(page.not_eligible),
        left_out=len(page.left_out),
        eligible=len(page.refused),
        refused=len(page.refused),
    )


def _left_for_later(learners: int) -> RunCounts:
    return RunCounts(eligible=learners, over_limit=learners)
