"""Port: the data key of each learner, kept outside the log so that it can be destroyed."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from testamur.domain.identifiers import LearnerId

KEY_BYTES = 32


class SecretKeys(Protocol):
    """Keeps one 256-bit key for each learner."""

    def obtain(self, learner_ids: Iterable[LearnerId]) -> Mapping[LearnerId, bytes]:
        """Return the keys of these learners, making durable ones for those who have none yet.

        Two callers that ask at once get the same key.
        """
        ...

    def find(self, learner_ids: Iterable[LearnerId]) -> Mapping[LearnerId, bytes]:
        """Return the keys that there are; an erased one is left out."""
        ...

    def destroy(self, learner_id: LearnerId) -> None:
        """Destroy a learner's key for good. What was encrypted under it cannot be read again.

        A learner who comes back gets a new key.
        """
        ...

    def destroyed(self, learner_ids: Iterable[LearnerId]) -> set[LearnerId]:
        """Return whose key was ever destroyed, whether they have a new one or not."""
        ...
