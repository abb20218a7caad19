"""Tiles: how the nodes of the Merkle tree are kept, 256 hashes of one level in a row.

A row for each node would take three times the room of its hash, and as many writes.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from testamur.application.errors import EventStoreError
from testamur.application.ports.transparency import TreeNodes
from testamur.domain.checkpoints import event_leaf_hashes
from testamur.domain.merkle import HASH_BYTES

TILE_WIDTH: Final = 256


@dataclass(frozen=True, slots=True)
class Tile:
    """Nodes of one level, side by side.

    Args:
        level: Of the nodes.
        number: Which of its level, from 0.
        filled: How many nodes are in it already, before those below.
        hashes: Of the new nodes, one after the other.
    """

    level: int
    number: int
    filled: int
    hashes: bytes

    def after(self, kept: bytes) -> bytes:
        """Return the tile as a whole.

        Args:
            kept: What is kept of it so far.

        Raises:
            EventStoreError: It does not end where the new nodes begin.
        """
        if len(kept) != self.filled * HASH_BYTES:
            raise EventStoreError(
                f"tile {self.number} of level {self.level} of the Merkle tree has "
                f"{len(kept) / HASH_BYTES:g} hashes instead of {self.filled}; nothing was written: "
                "run `testamur audit verify`"
            )
        return kept + self.hashes


def tiles_of(nodes: Iterable[TreeNodes]) -> Iterator[Tile]:
    """Yield the tiles that nodes go into."""
    for row in nodes:
        end = row.first + len(row.hashes)
        at = row.first
        while at < end:
            number, filled = divmod(at, TILE_WIDTH)
            after = min((number + 1) * TILE_WIDTH, end)
            of_tile = row.hashes[at - row.first : after - row.first]
            yield Tile(row.level, number, filled, b"".join(of_tile))
            at = after


def read_nodes(
    first: int, count: int, tiles: Callable[[int, int], Sequence[tuple[int, bytes]]]
) -> list[bytes]:
    """Return the hashes of nodes, as far as they are there without gaps.

    Args:
        first: Index of the first.
        count: How many.
        tiles: Returns the tiles from one number to another, each with its number, in order.
    """
    if count < 1:
        return []
    number = first // TILE_WIDTH
    found = bytearray()
    for each, hashes in tiles(number, (first + count - 1) // TILE_WIDTH):
        if each * TILE_WIDTH != number * TILE_WIDTH + len(found) // HASH_BYTES:
            break
        found += hashes[: TILE_WIDTH * HASH_BYTES]
    offset = first % TILE_WIDTH * HASH_BYTES
    end = min(offset + count * HASH_BYTES, len(found) - len(found) % HASH_BYTES)
    return [bytes(found[at : at + HASH_BYTES]) for at in range(offset, end, HASH_BYTES)]


def hashes_of(
    after_position: int, rows: Sequence[tuple[int, bytes, int, str, bytes]]
) -> list[bytes]:
    """Return the hashes of events' leaves, up to the first that is not there or cannot be.

    Args:
        after_position: Of the event before the first.
        rows: Of each: position, stream id (16 bytes), version, name and state, by position.
    """
    if rows and rows[-1][0] != after_position + len(rows):
        dense = takewhile(lambda at: at[1][0] == at[0], enumerate(rows, start=after_position + 1))
        rows = [row for _, row in dense]
    try:
        return event_leaf_hashes(rows)
    except ValueError:
        hashes: list[bytes] = []
        for row in rows:
            try:
                hashes += event_leaf_hashes([row])
            except ValueError:
                break
        return hashes


def new_origin(random: bytes) -> str:
    """Return a name for a log that no other has.

    Args:
        random: 16 random bytes.
    """
    return f"testamur/log/{random.hex()}"
