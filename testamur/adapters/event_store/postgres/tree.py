"""The Merkle tree's nodes, heads and keys on PostgreSQL."""

import os
from collections.abc import Sequence
from typing import Any, Final

from testamur.adapters.event_store.failures import as_event_store_errors
from testamur.adapters.event_store.postgres.connections import Datastore
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
    SELECT position, uuid_send(originator_id), originator_version, topic, state
    FROM stored_events
    WHERE position > %s
    ORDER BY position
    LIMIT %s
"""
_SET_TILES: Final = """
    INSERT INTO tree_tiles (level, number, hashes)
    SELECT * FROM unnest(%s::integer[], %s::bigint[], %b::bytea[])
    ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes
"""
_ADD_KEY: Final = f"""
    INSERT INTO log_keys (number, {_KEY})
    SELECT coalesce(max(number), 0) + 1, %s, %s, %s, %s, %s FROM log_keys
    ON CONFLICT DO NOTHING
"""  # noqa: S608
_LOCK: Final = "SELECT pg_advisory_xact_lock(%s)"


class PostgresTree:
    """Fills the port `TreeStore`. Whoever writes holds a lock, so that sealers go in turn.

    Args:
        datastore: The database, prepared.
        database: Its name for people.
    """

    def __init__(self, datastore: Datastore, database: str) -> None:
        self._datastore = datastore
        self._database = database
        self._lock = (datastore.lock_key("tree"),)

    def origin(self) -> str:
        """Return the log's name; made once, at random, and kept."""
        found = self._select("SELECT origin FROM log_origin")
        if not found:
            with (
                as_event_store_errors(self._database),
                self._datastore.transaction(commit=True) as cursor,
            ):
                cursor.execute(
                    "INSERT INTO log_origin (number, origin) VALUES (1, %s) ON CONFLICT DO NOTHING",
                    (new_origin(os.urandom(16)),),
                )
            found = self._select("SELECT origin FROM log_origin")
        return str(found[0][0])

    def leaf_hashes(self, after_position: int, limit: int) -> Sequence[bytes]:
        """Return the hashes of the leaves of events after a position."""
        rows: list[Any] = self._select(_LEAVES, (after_position, limit))
        return hashes_of(after_position, rows)

    def nodes(self, level: int, first: int, count: int) -> Sequence[bytes]:
        """Return the hashes of nodes of a level, as far as they are there."""
        (hashes,) = self.rows_of_nodes([(level, first, count)])
        return hashes

    def rows_of_nodes(self, wanted: Sequence[tuple[int, int, int]]) -> Sequence[Sequence[bytes]]:
        """Return several rows of nodes at once."""
        query, values = select_tiles([range_of(*each) for each in wanted], "%s")
        tiles = {(level, number): hashes for level, number, hashes in self._select(query, values)}
        return [nodes_in(tiles, *each) for each in wanted]

    def add(self, nodes: Sequence[TreeNodes], head: TreeHead, after_size: int) -> bool:
        """Add nodes and their head, unless there is another latest head by now."""
        with (
            as_event_store_errors(self._database),
            self._datastore.transaction(commit=True) as cursor,
        ):
            cursor.execute(_LOCK, self._lock)
            cursor.execute("SELECT max(size) FROM tree_heads")
            ((latest,),) = cursor.fetchall()
            if (latest or 0) != after_size:
                return False
            if tiles := tiles_of(nodes):
                found = cursor.execute(*select_tiles(ranges_of(tiles), "%s")).fetchall()
                kept = {(level, number): hashes for level, number, hashes in found}
                cursor.execute(
                    _SET_TILES,
                    (
                        [each.level for each in tiles],
                        [each.number for each in tiles],
                        [each.after(kept.get(each.place, b"")) for each in tiles],
                    ),
                )
            cursor.execute(
                f"INSERT INTO tree_heads ({_HEAD}) VALUES (%s, %s, %s, %s, %s)",  # noqa: S608
                (head.size, head.root, head.at, head.key_id, head.signature),
            )
            return True

    def latest_head(self) -> TreeHead | None:
        """Return the head of the largest tree."""
        found = self._select(
            f"SELECT {_HEAD} FROM tree_heads ORDER BY size DESC LIMIT 1"  # noqa: S608
        )
        return TreeHead(*found[0]) if found else None

    def heads(self, after_size: int, limit: int) -> Sequence[TreeHead]:
        """Return heads of larger trees, by size."""
        found = self._select(
            f"SELECT {_HEAD} FROM tree_heads WHERE size > %s ORDER BY size LIMIT %s",  # noqa: S608
            (after_size, limit),
        )
        return [TreeHead(*row) for row in found]

    def keys(self) -> Sequence[LogKey]:
        """Return all keys, in the order in which they came."""
        found = self._select(f"SELECT {_KEY} FROM log_keys ORDER BY number")  # noqa: S608
        return [LogKey(*row) for row in found]

    def add_key(self, key: LogKey) -> None:
        """Add a key; nothing happens where it, or another that follows the same, is there."""
        values = (key.key_id, key.public_key, key.since, key.introduced_by, key.signature)
        with (
            as_event_store_errors(self._database),
            self._datastore.transaction(commit=True) as cursor,
        ):
            cursor.execute(_LOCK, self._lock)
            cursor.execute(_ADD_KEY, values)

    def _select(self, query: str, values: Sequence[object] | None = None) -> list[tuple[Any, ...]]:
        with as_event_store_errors(self._database):
            return self._datastore.select(query, values)
