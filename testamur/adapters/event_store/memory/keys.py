"""The learners' data keys in memory."""

import os
from collections import Counter
from collections.abc import Iterable
from threading import Lock

from testamur.adapters.event_store.key_wrapping import HEAD_BYTES, KeyWrapping
from testamur.application.ports.secret_keys import KEY_BYTES, KeyCounts
from testamur.domain.identifiers import LearnerId


class MemoryKeys:
    """Fills the ports `SecretKeys` and `WrappedKeys`.

    Args:
        wrapping: Wraps them, if they are to be wrapped.
    """

    def __init__(self, wrapping: KeyWrapping | None = None) -> None:
        self._wrapping = wrapping or KeyWrapping()
        self._lock = Lock()
        self._keys: dict[LearnerId, bytes] = {}
        self._destroyed: set[LearnerId] = set()

    def obtain(self, learner_ids: Iterable[LearnerId]) -> dict[LearnerId, bytes]:
        """Return the keys of these learners, making them for those who have none yet."""
        with self._lock:
            wanted = list(learner_ids)
            for each in wanted:
                if each not in self._keys:
                    self._keys[each] = self._wrapping.wrap(each, os.urandom(KEY_BYTES))
            return self._unwrapped(wanted)

    def find(self, learner_ids: Iterable[LearnerId]) -> dict[LearnerId, bytes]:
        """Return the keys that there are; an erased one is left out."""
        with self._lock:
            return self._unwrapped(each for each in learner_ids if each in self._keys)

    def destroy(self, learner_id: LearnerId) -> None:
        """Destroy a learner's key for good."""
        with self._lock:
            if self._keys.pop(learner_id, None) is not None:
                self._destroyed.add(learner_id)

    def destroyed(self, learner_ids: Iterable[LearnerId]) -> set[LearnerId]:
        """Return whose key was ever destroyed, whether they have a new one or not."""
        with self._lock:
            return self._destroyed.intersection(learner_ids)

    def counts(self) -> KeyCounts:
        """Count the keys by how they are stored."""
        with self._lock:
            heads = Counter(
                b"" if len(stored) == KEY_BYTES else stored[:HEAD_BYTES]
                for stored in self._keys.values()
            )
            return self._wrapping.counts(heads.items(), len(self._destroyed))

    def rewrap(self, after: int, limit: int) -> tuple[int, int]:
        """Wrap keys under the master key that they are to be under.

        Raises:
            EventStoreError: There is no master key, or not that of a stored key.
        """
        head = self._wrapping.head
        with self._lock:
            others = [each for each in self._keys if not self._keys[each].startswith(head)]
            batch = self._unwrapped(others[:limit])
            self._keys |= {each: self._wrapping.wrap(each, key) for each, key in batch.items()}
            return len(batch), after + len(batch)

    def settle(self) -> None:
        """Do nothing: there are no copies."""

    def _unwrapped(self, learner_ids: Iterable[LearnerId]) -> dict[LearnerId, bytes]:
        return {each: self._wrapping.unwrap(each, self._keys[each]) for each in learner_ids}
