"""The tables of the database file, and the check that a file is one of ours."""

import sqlite3
from contextlib import closing
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from testamur.adapters.event_store.recording import ONE_LIVING_CREDENTIAL
from testamur.application.errors import EventStoreError

#: "TSMR" in the file's header says whose file it is (https://sqlite.org/fileformat2.html, 1.3.15).
APPLICATION_ID: Final = 0x54534D52
SCHEMA_VERSION: Final = 1

_PAUSE_SECONDS: Final = 0.01

TABLES: Final = (
    # The table of `eventsourcing`. The row id is named, so that VACUUM keeps it: it is the position
    # in the log.
    """
    CREATE TABLE stored_events (
        rowid INTEGER PRIMARY KEY,
        originator_id TEXT NOT NULL,
        originator_version INTEGER NOT NULL,
        topic TEXT NOT NULL,
        state BLOB NOT NULL,
        UNIQUE (originator_id, originator_version)
    )
    """,
    # The position is that of the award in the log, so that no second index by id is needed.
    """
    CREATE TABLE credentials (
        position INTEGER PRIMARY KEY,
        credential_id TEXT NOT NULL,
        configuration_id TEXT NOT NULL,
        learner_id TEXT NOT NULL,
        edition INTEGER NOT NULL,
        context_key TEXT NOT NULL,
        type_slug TEXT NOT NULL,
        verification_id TEXT NOT NULL UNIQUE,
        run_id TEXT NOT NULL,
        awarded_at TEXT NOT NULL,
        status TEXT NOT NULL,
        issue_failures INTEGER NOT NULL,
        issue_retry_at TEXT,
        notification TEXT NOT NULL,
        notification_failures INTEGER NOT NULL,
        notification_retry_at TEXT
    )
    """,
    # Also finds a learner's credentials, whatever became of them.
    f"""
    CREATE UNIQUE INDEX {ONE_LIVING_CREDENTIAL} ON credentials (
        learner_id,
        configuration_id,
        CASE WHEN status IN ('awarded', 'issued') THEN 0 ELSE position END
    )
    """,
    "CREATE INDEX credentials_of_configuration ON credentials (configuration_id)",
    "CREATE INDEX credentials_of_context ON credentials (context_key)",
    "CREATE INDEX credentials_of_run ON credentials (run_id)",
    # What waits is found without going over what is done, however much that is.
    """
    CREATE INDEX awaiting_issue ON credentials (issue_retry_at)
    WHERE status = 'awarded'
    """,
    """
    CREATE INDEX awaiting_issue_of_run ON credentials (run_id, issue_retry_at)
    WHERE status = 'awarded'
    """,
    """
    CREATE INDEX awaiting_notification ON credentials (notification_retry_at)
    WHERE status = 'issued' AND notification = 'pending'
    """,
    """
    CREATE INDEX awaiting_notification_of_run ON credentials (run_id, notification_retry_at)
    WHERE status = 'issued' AND notification = 'pending'
    """,
    """
    CREATE TABLE runs (
        number INTEGER PRIMARY KEY,
        run_id TEXT NOT NULL UNIQUE,
        configuration_id TEXT NOT NULL,
        slot TEXT NOT NULL,
        scheduled_for TEXT,
        started_at TEXT NOT NULL,
        completed INTEGER NOT NULL,
        failures INTEGER NOT NULL,
        retry_at TEXT
    )
    """,
    "CREATE INDEX runs_of_configuration ON runs (configuration_id, started_at)",
    "CREATE INDEX slots_of_configuration ON runs (configuration_id, scheduled_for)",
    "CREATE INDEX open_runs ON runs (started_at) WHERE completed = 0",
    """
    CREATE TABLE catalogue (
        stream_id TEXT NOT NULL PRIMARY KEY,
        kind TEXT NOT NULL,
        label TEXT NOT NULL,
        active INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE INDEX catalogue_by_label ON catalogue (kind, label)",
    # Rows are only ever added at the end, and a key is destroyed by overwriting it where it is.
    # So SQLite never moves a key, and no copy of one is left behind in a page.
    """
    CREATE TABLE learner_keys (
        number INTEGER PRIMARY KEY,
        learner_id TEXT NOT NULL,
        secret BLOB NOT NULL,
        destroyed INTEGER NOT NULL
    )
    """,
    """
    CREATE UNIQUE INDEX one_key_for_each_learner ON learner_keys (
        learner_id, CASE WHEN destroyed THEN number ELSE 0 END
    )
    """,
)


def prepare(path: Path, busy_timeout_seconds: float) -> None:
    """Create the tables in a fresh file, or check those of a file that was there.

    Several processes may do so at once: one creates, the others wait for it.

    Args:
        path: The file; its folder must exist.
        busy_timeout_seconds: How long to wait for other processes.

    Raises:
        EventStoreError: The file cannot be opened, is not a database of Testamur, or is one of
            another release.
    """
    deadline = monotonic() + busy_timeout_seconds
    while True:
        try:
            with closing(
                sqlite3.connect(path, timeout=busy_timeout_seconds, isolation_level=None)
            ) as connection:
                _prepare(connection, path)
            return
        except sqlite3.OperationalError as error:
            # Changing to write-ahead logging does not wait for others by itself.
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                raise EventStoreError(f"the database {path} cannot be opened: {error}") from error
            sleep(_PAUSE_SECONDS)
        except sqlite3.DatabaseError as error:
            raise _foreign(path, str(error)) from error


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    if _is_fresh(connection):
        _create(connection)
    if _number(connection, "PRAGMA application_id") != APPLICATION_ID:
        raise _foreign(path, "it has tables of something else")
    version = _number(connection, "PRAGMA user_version")
    if version != SCHEMA_VERSION:
        newer = version > SCHEMA_VERSION
        raise EventStoreError(
            f"the database {path} has schema {version}, and this release of Testamur knows schema "
            f"{SCHEMA_VERSION} only; "
            + ("upgrade Testamur" if newer else "upgrade it with the release that knows both")
        )
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise EventStoreError(
            f"the database {path} lies where SQLite cannot keep a write-ahead log; "
            "put it on a local disk"
        )


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _is_fresh(connection):  # nobody was first while this process waited
            for statement in TABLES:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except sqlite3.Error:
        connection.rollback()
        raise


def _is_fresh(connection: sqlite3.Connection) -> bool:
    tables = _number(connection, "SELECT count(*) FROM sqlite_master")
    return tables == 0 and _number(connection, "PRAGMA application_id") == 0


def _number(connection: sqlite3.Connection, query: str) -> int:
    (number,) = connection.execute(query).fetchone()
    return int(number)


def _foreign(path: Path, why: str) -> EventStoreError:
    return EventStoreError(
        f"the file {path} is not a database of Testamur ({why}); "
        "name another file, or one that does not exist yet"
    )
