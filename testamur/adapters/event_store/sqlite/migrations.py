"""From an empty or an older file to the tables of this release, and the check that it is ours."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from time import monotonic, sleep
from typing import Final, TypeVar

from testamur.adapters.event_store.migrations import (
    Migration,
    Survey,
    Told,
    failed,
    migrations_of,
    refuse_other_schema,
)
from testamur.adapters.event_store.sqlite.audit_tables import AUDIT_TABLES
from testamur.adapters.event_store.sqlite.schema import APPLICATION_ID, TABLES
from testamur.adapters.event_store.sqlite.tree_tables import TREE_TABLES
from testamur.application.errors import EventStoreError

MIGRATIONS: Final = migrations_of(TABLES, AUDIT_TABLES, TREE_TABLES)

Result = TypeVar("Result")

_PAUSE_SECONDS: Final = 0.01


def prepare(
    path: Path, busy_timeout_seconds: float, migrations: Sequence[Migration] = MIGRATIONS
) -> None:
    """Create the tables in a fresh file, or check those of a file that was there.

    Several processes may do so at once: one creates, the others wait for it.

    Args:
        path: The file; its folder must exist.
        busy_timeout_seconds: How long to wait for other processes.
        migrations: All that this release knows.

    Raises:
        EventStoreError: The file cannot be opened, is not a database of Testamur, or has the
            schema of another release.
    """

    def prepared(connection: sqlite3.Connection) -> None:
        if _is_fresh(connection):
            _create(connection, migrations)
        version = _version(connection, path)
        refuse_other_schema(str(path), version, migrations[-1].version)
        _log_ahead(connection, path)

    _patiently(prepared, path, busy_timeout_seconds)


def migrate(
    path: Path,
    busy_timeout_seconds: float,
    told: Told,
    migrations: Sequence[Migration] = MIGRATIONS,
) -> None:
    """Bring a file to the schema of this release; a fresh one gets all tables.

    Each migration is one transaction. Several processes may do so at once: each migration is run
    by one of them, and the others wait for it.

    Args:
        path: The file; its folder must exist.
        busy_timeout_seconds: How long to wait for other processes.
        told: Is told of each migration before it is run.
        migrations: All that this release knows.

    Raises:
        EventStoreError: The file cannot be opened, is not a database of Testamur, is one of a
            newer release, or a migration failed.
    """

    def migrated(connection: sqlite3.Connection) -> None:
        for migration in migrations:
            if _applied(connection, path) < migration.version:
                _migrate(connection, path, migration, told)
        refuse_other_schema(str(path), _version(connection, path), migrations[-1].version)
        _log_ahead(connection, path)

    _patiently(migrated, path, busy_timeout_seconds)


def survey(path: Path, busy_timeout_seconds: float) -> Survey:
    """Say what is in a file that is there, whatever its schema.

    Raises:
        EventStoreError: The file cannot be opened, or is not a database of Testamur.
    """

    def surveyed(connection: sqlite3.Connection) -> Survey:
        version = _applied(connection, path)
        events = last = 0
        if version:
            events, last = connection.execute(
                "SELECT count(*), coalesce(max(rowid), 0) FROM stored_events"
            ).fetchone()
        files = (path, path.with_name(f"{path.name}-wal"))
        return Survey(
            version=version,
            applied=dict.fromkeys(range(1, version + 1)),
            events=events,
            last_position=last,
            size=sum(each.stat().st_size for each in files if each.exists()),
            software=f"SQLite {sqlite3.sqlite_version}",
        )

    return _patiently(surveyed, path, busy_timeout_seconds)


def try_to_write(path: Path, busy_timeout_seconds: float) -> None:
    """Take the lock to write, and write; nothing of it stays.

    Raises:
        EventStoreError: The file cannot be written.
    """

    def written(connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE probe (number INTEGER)")
        connection.execute("ROLLBACK")

    _patiently(written, path, busy_timeout_seconds)


def _patiently(
    work: Callable[[sqlite3.Connection], Result], path: Path, busy_timeout_seconds: float
) -> Result:
    deadline = monotonic() + busy_timeout_seconds
    while True:
        try:
            with closing(
                sqlite3.connect(path, timeout=busy_timeout_seconds, isolation_level=None)
            ) as connection:
                return work(connection)
        except sqlite3.OperationalError as error:
            # Changing to write-ahead logging does not wait for others by itself.
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                raise EventStoreError(f"the database {path} cannot be opened: {error}") from error
            sleep(_PAUSE_SECONDS)
        except sqlite3.DatabaseError as error:
            raise _foreign(path, str(error)) from error


def _create(connection: sqlite3.Connection, migrations: Sequence[Migration]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _is_fresh(connection):  # nobody was first while this process waited
            for migration in migrations:
                _run(connection, migration)
        connection.execute("COMMIT")
    except sqlite3.Error:
        connection.rollback()
        raise


def _migrate(connection: sqlite3.Connection, path: Path, migration: Migration, told: Told) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _applied(connection, path) < migration.version:  # nobody was first, see above
            told(migration)
            try:
                _run(connection, migration)
            except sqlite3.Error as error:
                raise failed(str(path), migration, error) from error
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.rollback()


def _run(connection: sqlite3.Connection, migration: Migration) -> None:
    for statement in migration.statements:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {migration.version}")


def _applied(connection: sqlite3.Connection, path: Path) -> int:
    return 0 if _is_fresh(connection) else _version(connection, path)


def _version(connection: sqlite3.Connection, path: Path) -> int:
    if _number(connection, "PRAGMA application_id") != APPLICATION_ID:
        raise _foreign(path, "it has tables of something else")
    return _number(connection, "PRAGMA user_version")


def _log_ahead(connection: sqlite3.Connection, path: Path) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise EventStoreError(
            f"the database {path} lies where SQLite cannot keep a write-ahead log; "
            "put it on a local disk"
        )


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
