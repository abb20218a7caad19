"""The learners' data keys in memory."""

import os
from collections.abc import Iterable
from threading import Lock

from testamur.application.ports.secret_keys import KEY_BYTES
from testamur.domain.identifiers import LearnerId


class MemoryKeys:
    """Fills the port `SecretKeys`."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._keys: dict[LearnerId, bytes] = {}
        self._destroyed: set[LearnerId] = set()

    def obtain(self, learner_ids: Iterable[LearnerId]) -> dict[LearnerId, bytes]:
        """Return the keys of these learners, making them for those who have none yet."""
        with self._lock:
            return {
                learner_id: self._keys.setdefault(learner_id, os.urandom(KEY_BYTES))
                for learner_id in learner_ids
            }

    def find(self, learner_ids: Iterable[LearnerId]) -> dict[LearnerId, bytes]:
        """Return the keys that there are; an erased one is left out."""
        with self._lock:
            return {each: self._keys[each] for each in learner_ids if each in self._keys}

    def destroy(self, learner_id: LearnerId) -> None:
        """Destroy a learner's key for good."""
        with self._lock:
            if self._keys.pop(learner_id, None) is not None:
                self._destroyed.add(learner_id)

    def destroyed(self, learner_ids: Iterable[LearnerId]) -> set[LearnerId]:
        """Return whose key was ever destroyed, whether they have a new one or not."""
        with self._lock:
            return self._destroyed.intersection(learner_ids)
