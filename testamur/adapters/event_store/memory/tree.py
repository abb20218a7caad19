"""The Merkle tree's nodes, heads and keys in memory."""

import os
from collections.abc import Sequence
from threading import Lock

from testamur.adapters.event_store.memory.log import MemoryLog
from testamur.adapters.event_store.tiles import hashes_of, new_origin, nodes_in, tiles_of
from testamur.application.ports.transparency import LogKey, TreeHead, TreeNodes


class MemoryTree:
    """Fills the port `TreeStore`.

    Args:
        log: The log.
    """

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self._lock = Lock()
        self._origin = new_origin(os.urandom(16))
        self._tiles: dict[tuple[int, int], bytes] = {}
        self._heads: dict[int, TreeHead] = {}
        self._keys: dict[str, LogKey] = {}

    def origin(self) -> str:
        """Return the log's name."""
        return self._origin

    def leaf_hashes(self, after_position: int, limit: int) -> Sequence[bytes]:
        """Return the hashes of the leaves of events after a position."""
        return hashes_of(
            after_position,
            [
                (each.position, each.stream_id.bytes, each.version, each.name, each.state)
                for each in self._log.records(after_position, limit)
            ],
        )

    def nodes(self, level: int, first: int, count: int) -> Sequence[bytes]:
        """Return the hashes of nodes of a level, as far as they are there."""
        (hashes,) = self.rows_of_nodes([(level, first, count)])
        return hashes

    def rows_of_nodes(self, wanted: Sequence[tuple[int, int, int]]) -> Sequence[Sequence[bytes]]:
        """Return several rows of nodes at once."""
        with self._lock:
            return [nodes_in(self._tiles, *each) for each in wanted]

    def add(self, nodes: Sequence[TreeNodes], head: TreeHead, after_size: int) -> bool:
        """Add nodes and their head, unless there is another latest head by now."""
        with self._lock:
            if max(self._heads, default=0) != after_size:
                return False
            changed = {
                tile.place: tile.after(self._tiles.get(tile.place, b"")) for tile in tiles_of(nodes)
            }
            self._tiles |= changed
            self._heads[head.size] = head
            return True

    def latest_head(self) -> TreeHead | None:
        """Return the head of the largest tree."""
        with self._lock:
            return self._heads[max(self._heads)] if self._heads else None

    def heads(self, after_size: int, limit: int) -> Sequence[TreeHead]:
        """Return heads of larger trees, by size."""
        with self._lock:
            return [self._heads[size] for size in sorted(self._heads) if size > after_size][:limit]

    def keys(self) -> Sequence[LogKey]:
        """Return all keys, in the order in which they came."""
        with self._lock:
            return list(self._keys.values())

    def add_key(self, key: LogKey) -> None:
        """Add a key; nothing happens where it, or another that follows the same, is there."""
        with self._lock:
            followed = {each.introduced_by for each in self._keys.values()}
            if key.key_id not in self._keys and key.introduced_by not in followed:
                self._keys[key.key_id] = key
