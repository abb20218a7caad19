"""Sealing: what the log has gained goes into the tree, and the new head is signed."""

from dataclasses import dataclass
from typing import Final

from testamur.application.errors import TamperedLog
from testamur.application.ports.log import StoredLog
from testamur.application.ports.system import Clock
from testamur.application.ports.transparency import TreeHead, TreeStore
from testamur.application.transparency.kept_tree import kept_range, nodes_to_keep
from testamur.application.transparency.log_keys import LogKeys
from testamur.domain.checkpoints import Checkpoint, key_id_of

#: Events read at once.
BATCH_SIZE: Final = 2_000

#: One head covers so many new events at most: their hashes are written in one transaction.
MOST_EVENTS: Final = 65_536

#: Other sealers that were faster so often in a row have sealed what there was.
MOST_CONFLICTS: Final = 5


@dataclass(frozen=True, slots=True)
class Sealing:
    """Seals the log. Several may do so at once: one of them is first, the others go on from it."""

    log: StoredLog
    tree: TreeStore
    keys: LogKeys
    clock: Clock

    def seal(self) -> TreeHead | None:
        """Seal whatever the log has beyond the latest head.

        Returns:
            The new head; None where there was nothing new.

        Raises:
            TamperedLog: What was sealed is not there any more.
            DecisionRefused: The installation has another key than the log's latest.
            InvalidInput, StorageError: The key cannot be read or made.
            EventStoreError: The database cannot be read or written.
        """
        made: TreeHead | None = None
        conflicts = 0
        before, last = self._ends()
        while conflicts < MOST_CONFLICTS:
            size = before.size if before else 0
            if last < size:
                raise TamperedLog(
                    f"the log ends with event {last}, and {size} were sealed: some were dropped"
                )
            if last == size:
                return made
            if (head := self._extend(before, min(last, size + MOST_EVENTS))) is not None:
                made = before = head
                conflicts = 0
            else:
                before, last = self._ends()
                conflicts += 1
        return made

    def _ends(self) -> tuple[TreeHead | None, int]:
        """Return the latest head and the last position; the head first, so it is not ahead."""
        return self.tree.latest_head(), self.log.last_position()

    def _extend(self, before: TreeHead | None, size: int) -> TreeHead | None:
        """Add a head of a size and return it, unless another sealer was first."""
        grown_from = before.size if before else 0
        kept = kept_range(self.tree, grown_from)
        if before and kept.root != before.root:
            raise TamperedLog(f"the kept hashes are not those of the head of {before.size} events")
        extension = kept.extended(self._leaf_hashes(grown_from, size))
        key = self.keys.signing()
        origin = self.tree.origin()
        checkpoint = Checkpoint(origin, size, extension.range.root, self.clock.now())
        head = TreeHead(
            size=size,
            root=checkpoint.root,
            at=checkpoint.at,
            key_id=key_id_of(origin, key.public_key),
            signature=key.sign(checkpoint.text.encode()),
        )
        return head if self.tree.add(nodes_to_keep(extension), head, grown_from) else None

    def _leaf_hashes(self, after: int, last: int) -> list[bytes]:
        hashes: list[bytes] = []
        while (position := after + len(hashes)) < last:
            new = self.tree.leaf_hashes(position, min(BATCH_SIZE, last - position))
            if not new:
                raise TamperedLog(
                    f"event {position + 1} is not in the log, or cannot have been recorded so"
                )
            hashes += new
        return hashes
