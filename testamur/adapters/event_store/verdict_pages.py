"""Pages of runs as the databases keep them: verdicts as JSON, compressed, as criteria repeat."""

import zlib
from collections.abc import Sequence
from typing import Final

from pydantic import TypeAdapter

from testamur.application.ports.run_pages import DivisionStanding, PagePlace
from testamur.domain.eligibility import Verdict
from testamur.domain.evidence import Evidence
from testamur.domain.identifiers import LearnerId
from testamur.domain.run_results import RunCounts

_PAGE: Final = TypeAdapter(list[tuple[LearnerId, Evidence]])

#: The quickest: what repeats is found all the same.
_LEVEL: Final = 1


def packed(verdicts: Sequence[Verdict]) -> bytes:
    """Return verdicts on learners who are eligible as the databases keep them."""
    page = [(verdict.learner_id, verdict.evidence) for verdict in verdicts]
    return zlib.compress(_PAGE.dump_json(page), _LEVEL)


def unpacked(page: bytes) -> list[Verdict]:
    """Return the verdicts of a page."""
    return [
        Verdict(learner_id, eligible=True, evidence=evidence)
        for learner_id, evidence in _PAGE.validate_json(zlib.decompress(page))
    ]


def without(learner_id: LearnerId, page: bytes) -> bytes | None:
    """Return a page without a learner; None where they are not on it."""
    verdicts = unpacked(page)
    others = [verdict for verdict in verdicts if verdict.learner_id != learner_id]
    return None if len(others) == len(verdicts) else packed(others)


def standing_of(pages: Sequence[tuple[int, int, str | None]]) -> DivisionStanding:
    """Return how far the pages of a division are.

    Args:
        pages: Share, number, and the counts where the page is awarded; by number.
    """
    left = [PagePlace(share, number) for share, number, counts in pages if counts is None]
    counted = (RunCounts.model_validate_json(counts) for _, _, counts in pages if counts)
    return DivisionStanding(len(pages), left, sum(counted, RunCounts()))
