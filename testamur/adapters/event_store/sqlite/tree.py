"""The Merkle tree's nodes, heads and keys on SQLite."""

import os
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from testamur.adapters.event_store.failures import as_event_store_errors
from testamur.adapters.event_store.sqlite.connections import Datastore
from testamur.adapters.event_store.sqlite.rows import text_of
from testamur.adapters.event_store.tiles import (
    hashes_of,
    new_origin,
    nodes_in,
    range_of,
    ranges_of,
    select_tiles,
    tiles_of,
)
from testamur.application.ports.transparency import LogKey, TreeHead, TreeNodes

_HEAD: Final = "size, root, signed_at, key_id, signature"
_KEY: Final = "key_id, public_key, since, introduced_by, signature"
_LEAVES: Final = """
    SELECT rowid, originator_id, originator_version, topic, state
    FROM stored_events
    WHERE rowid > ?
    ORDER BY rowid
    LIMIT ?
"""
_SET_TILE: Final = """
    INSERT INTO tree_tiles (level, number, hashes) VALUES (?, ?, ?)
    ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes
"""
_ADD_KEY: Final = f"""
    INSERT INTO log_keys (number, {_KEY})
    SELECT coalesce(max(number), 0) + 1, ?, ?, ?, ?, ? FROM log_keys WHERE true
    ON CONFLICT DO NOTHING
"""  # noqa: S608


class SqliteTree:
    """Fills the port `TreeStore`.

    Args:
        datastore: The database, prepared.
        database: Its name for people.
    """

    def __init__(self, datastore: Datastore, database: str) -> None:
        self._datastore = datastore
        self._database = database

    def origin(self) -> str:
        """Return the log's name; made once, at random, and kept."""
        found = self._select("SELECT origin FROM log_origin")
        if not found:
            with (
                as_event_store_errors(self._database),
                self._datastore.transaction(commit=True) as c,
            ):
                c.sqlite_cursor.execute(
                    "INSERT OR IGNORE INTO log_origin (number, origin) VALUES (1, ?)",
                    (new_origin(os.urandom(16)),),
                )
            found = self._select("SELECT origin FROM log_origin")
        return str(found[0][0])

    def leaf_hashes(self, after_position: int, limit: int) -> Sequence[bytes]:
        """Return the hashes of the leaves of events after a position."""
        rows = self._select(_LEAVES, (after_position, limit))
        of_hex = bytes.fromhex
        try:
            found = [
                (at, of_hex(of), version, name, state) for at, of, version, name, state in rows
            ]
        except (ValueError, TypeError):
            found = [(at, _bytes_of(of), *event) for at, of, *event in rows]
        return hashes_of(after_position, found)

    def nodes(self, level: int, first: int, count: int) -> Sequence[bytes]:
        """Return the hashes of nodes of a level, as far as they are there."""
        (hashes,) = self.rows_of_nodes([(level, first, count)])
        return hashes

    def rows_of_nodes(self, wanted: Sequence[tuple[int, int, int]]) -> Sequence[Sequence[bytes]]:
        """Return several rows of nodes at once."""
        query, values = select_tiles([range_of(*each) for each in wanted], "?")
        tiles = {(level, number): hashes for level, number, hashes in self._select(query, values)}
        return [nodes_in(tiles, *each) for each in wanted]

    def add(self, nodes: Sequence[TreeNodes], head: TreeHead, after_size: int) -> bool:
        """Add nodes and their head, unless there is another latest head by now."""
        with (
            as_event_store_errors(self._database),
            self._datastore.transaction(commit=True) as c,
        ):
            cursor = c.sqlite_cursor
            (latest,) = cursor.execute("SELECT coalesce(max(size), 0) FROM tree_heads").fetchone()
            if latest != after_size:
                return False
            if tiles := tiles_of(nodes):
                found = cursor.execute(*select_tiles(ranges_of(tiles), "?"))
                kept = {(level, number): hashes for level, number, hashes in found}
                cursor.executemany(
                    _SET_TILE,
                    [
                        (each.level, each.number, each.after(kept.get(each.place, b"")))
                        for each in tiles
                    ],
                )
            cursor.execute(
                f"INSERT INTO tree_heads ({_HEAD}) VALUES (?, ?, ?, ?, ?)",  # noqa: S608
                (head.size, head.root, text_of(head.at), head.key_id, head.signature),
            )
            return True

    def latest_head(self) -> TreeHead | None:
        """Return the head of the largest tree."""
        found = self._select(
            f"SELECT {_HEAD} FROM tree_heads ORDER BY size DESC LIMIT 1"  # noqa: S608
        )
        return _head(*found[0]) if found else None

    def heads(self, after_size: int, limit: int) -> Sequence[TreeHead]:
        """Return heads of larger trees, by size."""
        found = self._select(
            f"SELECT {_HEAD} FROM tree_heads WHERE size > ? ORDER BY size LIMIT ?",  # noqa: S608
            (after_size, limit),
        )
        return [_head(*row) for row in found]

    def keys(self) -> Sequence[LogKey]:
        """Return all keys, in the order in which they came."""
        found = self._select(f"SELECT {_KEY} FROM log_keys ORDER BY number")  # noqa: S608
        return [_key(*row) for row in found]

    def add_key(self, key: LogKey) -> None:
        """Add a key; nothing happens where it, or another that follows the same, is there."""
        values = (
            key.key_id,
            key.public_key,
            text_of(key.since),
            key.introduced_by,
            key.signature,
        )
        with (
            as_event_store_errors(self._database),
            self._datastore.transaction(commit=True) as c,
        ):
            c.sqlite_cursor.execute(_ADD_KEY, values)

    def _select(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with as_event_store_errors(self._database):
            return self._datastore.select(query, values)


def _bytes_of(stream_id: str) -> bytes:
    try:
        return bytes.fromhex(stream_id)
    except (ValueError, TypeError):
        return b""  # no stream has such an id, so its event has no hash


def _head(size: int, root: bytes, signed_at: str, key_id: str, signature: bytes) -> TreeHead:
    return TreeHead(size, root, datetime.fromisoformat(signed_at), key_id, signature)


def _key(
    key_id: str, public_key: bytes, since: str, introduced_by: str | None, signature: bytes
) -> LogKey:
    return LogKey(key_id, public_key, datetime.fromisoformat(since), introduced_by, signature)
