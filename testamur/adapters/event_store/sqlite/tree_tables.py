"""The tables of the Merkle tree in the database file."""

from typing import Final

TREE_TABLES: Final[tuple[str, ...]] = (
    # Up to 256 hashes of 32 bytes each, of complete subtrees side by side.
    """
    CREATE TABLE tree_tiles (
        level INTEGER NOT NULL,
        number INTEGER NOT NULL,
        hashes BLOB NOT NULL,
        PRIMARY KEY (level, number)
    )
    """,
    """
    CREATE TABLE tree_heads (
        size INTEGER PRIMARY KEY,
        root BLOB NOT NULL,
        signed_at TEXT NOT NULL,
        key_id TEXT NOT NULL,
        signature BLOB NOT NULL
    )
    """,
    """
    CREATE TABLE log_keys (
        number INTEGER PRIMARY KEY,
        key_id TEXT NOT NULL UNIQUE,
        public_key BLOB NOT NULL,
        since TEXT NOT NULL,
        introduced_by TEXT,
        signature BLOB NOT NULL
    )
    """,
    # Only one key follows another, and only one is the first.
    "CREATE UNIQUE INDEX one_key_after_each ON log_keys (coalesce(introduced_by, ''))",
    # One row.
    """
    CREATE TABLE log_origin (
        number INTEGER PRIMARY KEY CHECK (number = 1),
        origin TEXT NOT NULL
    )
    """,
)
