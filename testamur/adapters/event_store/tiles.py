"""Tiles: how the nodes of the Merkle tree are kept, 256 hashes of one level in a row.

A row for each node would take three times the room of its hash, and as many writes.
"""

from collections.abc import Iterable, Mapping, Sequence
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

    @property
    def place(self) -> tuple[int, int]:
        """Level and number."""
        return self.level, self.number

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


TileRange = tuple[int, int, int]
"""Tiles of a level from one number to another: level, first and last number."""


def tiles_of(nodes: Iterable[TreeNodes]) -> list[Tile]:
    """Return the tiles that nodes go into."""
    tiles = []
    for row in nodes:
        end = row.first + len(row.hashes)
        at = row.first
        while at < end:
            number, filled = divmod(at, TILE_WIDTH)
            after = min((number + 1) * TILE_WIDTH, end)
            of_tile = row.hashes[at - row.first : after - row.first]
            tiles.append(Tile(row.level, number, filled, b"".join(of_tile)))
            at = after
    return tiles


def ranges_of(tiles: Iterable[Tile]) -> list[TileRange]:
    """Return where tiles are, a range for each level."""
    ranges: dict[int, TileRange] = {}
    for tile in tiles:
        first = ranges[tile.level][1] if tile.level in ranges else tile.number
        ranges[tile.level] = (tile.level, first, tile.number)
    return list(ranges.values())


def range_of(level: int, first: int, count: int) -> TileRange:
    """Return the tiles that a row of nodes lies in."""
    return (level, first // TILE_WIDTH, (first + count - 1) // TILE_WIDTH)


def select_tiles(ranges: Sequence[TileRange], mark: str) -> tuple[str, list[int]]:
    """Return a query for level, number and hashes of tiles, and its values.

    Args:
        ranges: Which tiles, at least one range.
        mark: What stands for a value in a query of this database.
    """
    condition = f"level = {mark} AND number BETWEEN {mark} AND {mark}"
    where = " OR ".join(f"({condition})" for _ in ranges)
    query = f"SELECT level, number, hashes FROM tree_tiles WHERE {where}"  # noqa: S608
    return query, [value for each in ranges for value in each]


def nodes_in(
    tiles: Mapping[tuple[int, int], bytes], level: int, first: int, count: int
) -> list[bytes]:
    """Return the hashes of nodes, as far as they are there without gaps.

    Args:
        tiles: The tiles that there are, by level and number.
        level: Of the nodes.
        first: Index of the first.
        count: How many.
    """
    found = bytearray()
    number, last = range_of(level, first, count)[1:]
    for each in range(number, last + 1):
        if len(found) != (each - number) * TILE_WIDTH * HASH_BYTES:
            break
        found += tiles.get((level, each), b"")[: TILE_WIDTH * HASH_BYTES]
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
