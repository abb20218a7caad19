"""The tree as it is kept: the hashes of leaves, and those of every eighth level above them.

All other nodes are worked out from at most 256 of these.
"""

from collections.abc import Sequence
from typing import Final

from testamur.application.errors import TamperedLog
from testamur.application.ports.transparency import TreeNodes, TreeStore
from testamur.domain.merkle import (
    CompactRange,
    Extension,
    Range,
    complete_subtrees,
    root_over,
)

#: Every so many levels one is kept, from the leaves on; a tile has 2 to this power nodes.
LEVELS: Final = 8


def kept_range(tree: TreeStore, size: int) -> CompactRange:
    """Return the tree of a size from what is kept of it.

    Raises:
        TamperedLog: Something of it is missing.
    """
    peaks: dict[int, bytes] = {}
    wanted = []
    for level in range(0, size.bit_length(), LEVELS):
        nodes = size >> level
        if in_last_tile := nodes % (1 << LEVELS):
            wanted.append((level, nodes - in_last_tile, in_last_tile))
    rows = tree.rows_of_nodes(wanted) if wanted else ()
    for (level, first, count), hashes in zip(wanted, rows, strict=True):
        _require(hashes, level, first, count)
        for above, peak in CompactRange.of(hashes).peaks.items():
            peaks[level + above] = peak
    return CompactRange(size, peaks)


def range_hash(tree: TreeStore, leaves: Range) -> bytes:
    """Return the hash of a range of a proof.

    Raises:
        TamperedLog: Something of the tree is missing.
    """
    return root_over([_node(tree, level, index) for level, index in complete_subtrees(leaves)])


def nodes_to_keep(extension: Extension) -> list[TreeNodes]:
    """Return those of the new nodes that are kept."""
    return [
        TreeNodes(level, first, hashes)
        for level, (first, hashes) in extension.nodes.items()
        if level % LEVELS == 0
    ]


def _node(tree: TreeStore, level: int, index: int) -> bytes:
    above = level % LEVELS
    return CompactRange.of(_nodes(tree, level - above, index << above, 1 << above)).root


def _nodes(tree: TreeStore, level: int, first: int, count: int) -> Sequence[bytes]:
    hashes = tree.nodes(level, first, count) if count else ()
    _require(hashes, level, first, count)
    return hashes


def _require(hashes: Sequence[bytes], level: int, first: int, count: int) -> None:
    if len(hashes) != count:
        raise TamperedLog(
            f"the Merkle tree over the log lacks hashes of level {level} from number {first} on"
        )
