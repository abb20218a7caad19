"""Prospects: what a run would do for each learner, as a dry run finds out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from testamur.application.awarding import JudgedPage
from testamur.domain.eligibility import Verdict
from testamur.domain.identifiers import LearnerId

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


def prospects_of(page: JudgedPage) -> Iterator[Prospect]:
    """Yield what would become of the learners on a page."""
    for awarded in page.awards.values():
        name = awarded.person.full_name if awarded.person else None
        verdict = Verdict(awarded.learner_id, eligible=True, evidence=awarded.evidence)
        again = None if awarded.replaces is None else f"edition {awarded.edition}, in its place"
        yield Prospect(awarded.learner_id, "award", name, verdict, again)
    for refusal in page.refused:
        yield Prospect(refusal.learner_id, "refused", detail=refusal.detail)
    for left_out in page.left_out:
        yield Prospect(left_out.learner_id, "left-out", detail=left_out.reason)
    for verdict in page.not_eligible:
        yield Prospect(verdict.learner_id, "not-eligible", verdict=verdict)
    for learner_id in sorted(page.held):
        yield Prospect(learner_id, "already-held")
