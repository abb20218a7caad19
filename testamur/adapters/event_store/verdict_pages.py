"""A page of verdicts as the databases keep it: JSON, compressed, because criteria repeat."""

import zlib
from collections.abc import Sequence
from typing import Final

from pydantic import TypeAdapter

from testamur.domain.eligibility import Verdict
from testamur.domain.evidence import Evidence
from testamur.domain.identifiers import LearnerId

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
