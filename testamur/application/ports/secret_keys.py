"""Port: the data key of each learner, kept outside the log so that it can be destroyed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class KeyCounts:
    """How many learners' keys are wrapped, and under which master key.

    Args:
        under: Keys by the id of the master key that they are wrapped under.
        unwrapped: Keys that are stored as they are.
        destroyed: Keys that were destroyed.
        current: Id of the master key of the setting ``master_key``; None: it is not set.
        upcoming: Id of that of ``master_key_next``; None: it is not set.
    """

    under: Mapping[str, int]
    unwrapped: int
    destroyed: int
    current: str | None
    upcoming: str | None

    @property
    def target(self) -> str | None:
        """Id of the master key that all are to be under."""
        return self.upcoming or self.current

    @property
    def to_wrap(self) -> int:
        """How many are not under it."""
        others = sum(count for key_id, count in self.under.items() if key_id != self.target)
        return others + self.unwrapped


class WrappedKeys(Protocol):
    """Learners' keys as they are stored, to be wrapped under another master key."""

    def counts(self) -> KeyCounts:
        """Count the keys by how they are stored.

        Raises:
            EventStoreError: The store cannot be read.
        """
        ...

    def rewrap(self, after: int, limit: int) -> tuple[int, int]:
        """Wrap keys under the master key that they are to be under, in one transaction.

        Those that are under it already, and destroyed ones, are left as they are.

        Args:
            after: Where the batch before ended; 0 for the first.
            limit: The most keys to wrap.

        Returns:
            How many were wrapped, and where the batch ended; none where there are no more.

        Raises:
            EventStoreError: There is no master key, or not that of a stored key; nothing was
                wrapped.
        """
        ...

    def settle(self) -> None:
        """Leave no copy behind of keys as they were stored before, as far as the database can.

        Raises:
            EventStoreError: Others keep the database from it for now; try again.
        """
        ...
