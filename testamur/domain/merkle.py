"""The Merkle tree of RFC 6962, section 2.1: hashes, roots, proofs, and their verification.

Leaves are counted from 0. The hash of a leaf and that of a node begin differently, so that none can
stand for the other. A proof is a list of hashes of ranges of leaves; which ranges, is told apart
from their hashes, so that whoever keeps some of the nodes can make a proof of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

HASH_BYTES: Final = 32

EMPTY_ROOT: Final = sha256(b"").digest()
"""Root of a tree without leaves."""

Range = tuple[int, int]
"""Leaves from the first index to before the second."""

#: Beginnings of all hashes of nodes; a copy is made in half the time of a new one.
_NODE: Final = sha256(b"\x01")


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of a leaf."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node above two others."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class CompactRange:
    """A tree of which only as much is kept as it takes to let it grow and to tell its root.

    Args:
        size: Number of leaves.
        peaks: Roots of the largest complete subtrees, by level: one for each bit of the size.
    """

    size: int = 0
    peaks: Mapping[int, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, leaf_hashes: Iterable[bytes]) -> "CompactRange":
        """Return the tree with these leaves."""
        return cls().extended(list(leaf_hashes)).range

    @property
    def root(self) -> bytes:
        """The Merkle tree hash."""
        root = b""
        for level in sorted(self.peaks):
            root = node_hash(self.peaks[level], root) if root else self.peaks[level]
        return root or EMPTY_ROOT

    def extended(self, leaf_hashes: Sequence[bytes]) -> "Extension":
        """Return the tree with more leaves at its end, and the nodes that came with them."""
        peaks: dict[int, bytes] = {}
        nodes: dict[int, tuple[int, Sequence[bytes]]] = {}
        new, level = list(leaf_hashes), 0
        while new or self.size >> level:
            if new:
                nodes[level] = (self.size >> level, new)
            row = [self.peaks[level], *new] if self.size >> level & 1 else list(new)
            if len(row) % 2:
                peaks[level] = row.pop()
            new = _hashes_above(row)
            level += 1
        return Extension(CompactRange(self.size + len(leaf_hashes), peaks), nodes)


@dataclass(frozen=True, slots=True)
class Extension:
    """What a tree has become.

    Args:
        range: The tree.
        nodes: Roots of the complete subtrees that it has now and had not before: by level, the
            index of the first, and the hashes from there on. Level 0 are the leaves.
    """

    range: CompactRange
    nodes: Mapping[int, tuple[int, Sequence[bytes]]]


def peaks_of(size: int) -> list[tuple[int, int]]:
    """Return level and index of the largest complete subtrees of a tree, from left to right."""
    return complete_subtrees((0, size))


def complete_subtrees(leaves: Range) -> list[tuple[int, int]]:
    """Return level and index of the complete subtrees that a range of a proof is made of.

    Args:
        leaves: A range that begins where a subtree of its length begins, as all ranges of proofs
            do.
    """
    first, end = leaves
    subtrees = []
    while first < end:
        level = (end - first).bit_length() - 1
        subtrees.append((level, first >> level))
        first += 1 << level
    return subtrees


def root_over(subtrees: Sequence[bytes]) -> bytes:
    """Return the hash of a range from those of its complete subtrees, from left to right."""
    if not subtrees:
        return EMPTY_ROOT
    root = subtrees[-1]
    for each in reversed(subtrees[:-1]):
        root = node_hash(each, root)
    return root


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """Return the ranges whose hashes prove that a leaf is in a tree (PATH, section 2.1.1).

    Args:
        index: Of the leaf, from 0.
        size: Number of leaves of the tree, more than the index.
    """
    ranges: list[Range] = []
    first, end = 0, size
    while end - first > 1:
        middle = first + _split(end - first)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((first, middle))
            first = middle
    return ranges[::-1]


def consistency_ranges(size: int, larger_size: int) -> list[Range]:
    """Return the ranges whose hashes prove that a tree goes on with another (PROOF, 2.1.2).

    Args:
        size: Number of leaves of the earlier tree, at least 1.
        larger_size: Number of leaves of the later tree, not less.
    """
    ranges: list[Range] = []
    first, end, known = 0, larger_size, True
    while size != end:
        middle = first + _split(end - first)
        if size <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((first, middle))
            first, known = middle, False
    if not known:
        ranges.append((first, end))
    return ranges[::-1]


def includes(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Tell whether a path proves that a leaf is in a tree (RFC 9162, section 2.1.3.2).

    Args:
        leaf: Hash of the leaf.
        index: Its index, from 0.
        size: Number of leaves of the tree.
        path: The proof.
        root: Root of the tree.
    """
    if not 0 <= index < size:
        return False
    place, last, reached = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            reached = node_hash(step, reached)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            reached = node_hash(reached, step)
        place, last = place >> 1, last >> 1
    return last == 0 and reached == root


def is_consistent(
    size: int, root: bytes, larger_size: int, larger_root: bytes, path: Sequence[bytes]
) -> bool:
    """Tell whether a path proves that one tree goes on with another (RFC 9162, 2.1.4.2).

    Args:
        size: Number of leaves of the earlier tree.
        root: Its root.
        larger_size: Number of leaves of the later tree.
        larger_root: Its root.
        path: The proof.
    """
    if not 0 < size <= larger_size:
        return False
    if size == larger_size:
        return not path and root == larger_root
    steps = list(path)
    if size & (size - 1) == 0:
        steps.insert(0, root)  # the earlier tree is a complete subtree of the later one
    if not steps:
        return False
    place, last = size - 1, larger_size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    earlier = later = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            earlier, later = node_hash(step, earlier), node_hash(step, later)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            later = node_hash(later, step)
        place, last = place >> 1, last >> 1
    return last == 0 and earlier == root and later == larger_root


def _hashes_above(row: Sequence[bytes]) -> list[bytes]:
    """Return the hashes of the nodes above pairs of others; written out, as it is done for all."""
    begun = _NODE.copy
    above = []
    pairs = iter(row)
    for left, right in zip(pairs, pairs, strict=True):
        node = begun()
        node.update(left + right)
        above.append(node.digest())
    return above


def _split(size: int) -> int:
    """Return the largest power of two less than a size of at least two."""
    return 1 << ((size - 1).bit_length() - 1)
