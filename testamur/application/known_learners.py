"""Whom a data source has told of, in eight bytes for each, so that a million fit in memory."""

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable

from testamur.domain.identifiers import LearnerId


class KnownLearners:
    """Learners that were added, to be asked for afterwards.

    They are told apart by 64 bits of a hash. That two of a million have the same is a matter of one
    in thirty million, and then one who is gone counts as known.
    """

    def __init__(self) -> None:
        self._hashes = array("Q")
        self._is_sorted = True

    def add(self, learner_ids: Iterable[LearnerId]) -> None:
        """Add some."""
        self._hashes.extend(map(_hash, learner_ids))
        self._is_sorted = False

    def __contains__(self, learner_id: LearnerId) -> bool:
        """Tell whether one was added."""
        if not self._is_sorted:
            self._hashes = array("Q", sorted(self._hashes))
            self._is_sorted = True
        wanted = _hash(learner_id)
        at = bisect_left(self._hashes, wanted)
        return at < len(self._hashes) and self._hashes[at] == wanted


def _hash(learner_id: LearnerId) -> int:
    digest = hashlib.blake2b(learner_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")
