"""The tables of the Merkle tree in PostgreSQL."""

from typing import Final

TREE_TABLES: Final[tuple[str, ...]] = (
    # Up to 256 hashes of 32 bytes each, of complete subtrees side by side.
    """
    CREATE TABLE tree_tiles (
        level integer NOT NULL,
        number bigint NOT NULL,
        hashes bytea NOT NULL,
        PRIMARY KEY (level, number)
    )
    """,
    # Hashes cannot be compressed; trying costs time.
    "ALTER TABLE tree_tiles ALTER COLUMN hashes SET STORAGE EXTERNAL",
    """
    CREATE TABLE tree_heads (
        size bigint PRIMARY KEY,
        root bytea NOT NULL,
        signed_at timestamptz NOT NULL,
        key_id text NOT NULL,
        signature bytea NOT NULL
    )
    """,
    """
    CREATE TABLE log_keys (
        number bigint PRIMARY KEY,
        key_id text NOT NULL UNIQUE,
        public_key bytea NOT NULL,
        since timestamptz NOT NULL,
        introduced_by text,
        signature bytea NOT NULL
    )
    """,
    # Only one key follows another, and only one is the first.
    "CREATE UNIQUE INDEX one_key_after_each ON log_keys (coalesce(introduced_by, ''))",
    # One row.
    """
    CREATE TABLE log_origin (
        number integer PRIMARY KEY CHECK (number = 1),
        origin text NOT NULL
    )
    """,
)
