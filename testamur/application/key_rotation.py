"""Key rotation: all learners' keys come under another master key, batch by batch."""

from dataclasses import dataclass
from typing import Final

from testamur.application.ports.secret_keys import KeyCounts, WrappedKeys

#: Keys in one transaction: a fraction of a second, for which others who write wait.
BATCH_SIZE: Final = 5000


@dataclass(frozen=True, slots=True)
class KeyRotation:
    """Wraps learners' keys under the newest master key."""

    keys: WrappedKeys

    def status(self) -> KeyCounts:
        """Return how many keys are under which master key."""
        return self.keys.counts()

    def rotate(self) -> int:
        """Bring all keys under the newest master key, and return how many were not.

        It may be interrupted anywhere and started again: what is done stays done, and both master
        keys are read meanwhile. Keys that others store while it goes on are wrapped too.

        Raises:
            EventStoreError: There is no master key, or not that of a stored key, or the database
                cannot be left without copies of the keys as they were; start it again then.
        """
        wrapped, after = 0, 0
        while True:
            count, after_batch = self.keys.rewrap(after, BATCH_SIZE)
            wrapped += count
            if count:
                after = after_batch
            elif after:
                # Once more from the start: somebody may have stored one meanwhile.
                after = 0
            else:
                break
        self.keys.settle()
        return wrapped
