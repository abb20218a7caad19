"""Port: the Merkle tree over the log, its signed heads, and the keys that signed them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TreeNodes:
    """Hashes of complete subtrees side by side.

    Args:
        level: Each subtree has 2 to this power leaves.
        first: Which of its level the first one is, from 0.
        hashes: SHA-256, 32 bytes each.
    """

    level: int
    first: int
    hashes: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class TreeHead:
    """What the tree was at one moment, signed.

    Args:
        size: Number of leaves, which is the position of the last event in it.
        root: Merkle tree hash (RFC 6962, section 2.1), 32 bytes.
        at: When it was signed (aware, UTC).
        key_id: Key that signed it.
        signature: Ed25519 (RFC 8032), 64 bytes, over what `testamur.domain.checkpoints` says.
    """

    size: int
    root: bytes
    at: datetime
    key_id: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class LogKey:
    """A public key that signs heads.

    Args:
        key_id: Tells it from others; derived from the public key.
        public_key: Ed25519, 32 bytes.
        since: When it came into use (aware, UTC).
        introduced_by: The key before, which signed for this one; None for the first.
        signature: Of the key before over this one; of the first key over itself. 64 bytes.
    """

    key_id: str
    public_key: bytes
    since: datetime
    introduced_by: str | None
    signature: bytes


class TreeStore(Protocol):
    """Keeps the tree's nodes, heads and keys beside the log."""

    def origin(self) -> str:
        """Return the log's name, which every head names; made once, at random, and kept."""
        ...

    def leaf_hashes(self, after_position: int, limit: int) -> Sequence[bytes]:
        """Return the hashes of the leaves of events after a position, from the log as it is now.

        They end before an event that is not there, or that cannot have been recorded so.

        Args:
            after_position: Of the event before the first.
            limit: The most to return.

        Raises:
            EventStoreError: The store cannot be read.
        """
        ...

    def nodes(self, level: int, first: int, count: int) -> Sequence[bytes]:
        """Return the hashes of ``count`` nodes of a level from index ``first`` on.

        Only levels that were added are kept; fewer are returned where fewer are there.
        """
        ...

    def rows_of_nodes(self, wanted: Sequence[tuple[int, int, int]]) -> Sequence[Sequence[bytes]]:
        """Return several rows of nodes at once, each as :meth:`nodes` returns one.

        Args:
            wanted: Of each row: level, index of the first, and how many.
        """
        ...

    def add(self, nodes: Sequence[TreeNodes], head: TreeHead, after_size: int) -> bool:
        """Add nodes and the head that they belong to in one transaction.

        Args:
            nodes: Complete subtrees that came with the new leaves, one entry for a level.
            head: The new head.
            after_size: Size of the latest head that it was made from; 0: there was none.

        Returns:
            Whether it was added: not where there is another latest head by now.
        """
        ...

    def latest_head(self) -> TreeHead | None:
        """Return the head of the largest tree, the latest of them if there are several."""
        ...

    def heads(self, after_size: int, limit: int) -> Sequence[TreeHead]:
        """Return heads of larger trees than ``after_size``, by size, at most ``limit``."""
        ...

    def keys(self) -> Sequence[LogKey]:
        """Return all keys, in the order in which they came."""
        ...

    def add_key(self, key: LogKey) -> None:
        """Add a key; nothing happens where it, or another that follows the same, is there."""
        ...


class SigningKey(Protocol):
    """A private key of the log."""

    @property
    def public_key(self) -> bytes:
        """Its public key, Ed25519, 32 bytes."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message, Ed25519, 64 bytes."""
        ...


class HeadSigner(Protocol):
    """Keeps the private key that signs heads, and checks signatures."""

    def key(self) -> SigningKey:
        """Return the key that signs now; it is made where there is none yet.

        Raises:
            InvalidInput: It cannot be read, or is no such key.
            StorageError: It cannot be made.
        """
        ...

    def public_key(self) -> bytes | None:
        """Return the public key of the key that signs now; None where none was made yet.

        Raises:
            InvalidInput: It cannot be read, or is no such key.
        """
        ...

    def prepare_next(self) -> SigningKey:
        """Return the key that is to follow; it is made, and kept until :meth:`use_next`.

        Raises:
            DecisionRefused: The key is kept where Testamur cannot replace it.
            StorageError: It cannot be made.
        """
        ...

    def use_next(self) -> None:
        """Let the key that was prepared sign from now on; the one before is removed.

        Raises:
            StorageError: It cannot be put in its place.
        """
        ...

    def is_signed(self, message: bytes, signature: bytes, public_key: bytes) -> bool:
        """Tell whether a signature is that of a message, by this key."""
        ...
