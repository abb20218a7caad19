"""From an empty or an older database to the tables of this release, and the check that it is ours.

Everything lies in one schema of the PostgreSQL database, and beside the tables one more that says
which migrations it went through. All of it happens under an advisory lock, so that many processes
may start at once.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from eventsourcing.persistence import PersistenceError
from psycopg import sql

from testamur.adapters.event_store.failures import as_event_store_errors
from testamur.adapters.event_store.migrations import (
    Migration,
    Survey,
    Told,
    failed,
    migrations_of,
    refuse_other_schema,
)
from testamur.adapters.event_store.postgres.audit_tables import AUDIT_TABLES
from testamur.adapters.event_store.postgres.connections import Cursor, Datastore
from testamur.adapters.event_store.postgres.tables import TABLES
from testamur.adapters.event_store.postgres.tree_tables import TREE_TABLES
from testamur.application.errors import EventStoreError

MIGRATIONS: Final = migrations_of(TABLES, AUDIT_TABLES, TREE_TABLES)

#: Of the advisory lock, see `Datastore.lock_key`.
_PURPOSE: Final = "migrations"

_MIGRATIONS_TABLE: Final = """
    CREATE TABLE schema_migrations (
        version integer PRIMARY KEY,
        name text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    )
"""
_SCHEMA_EXISTS: Final = "SELECT count(*) FROM pg_namespace WHERE nspname = %s"
_MAY_MAKE_SCHEMAS: Final = """
    SELECT current_user, has_database_privilege(current_database(), 'CREATE')
"""
#: Tables, views, sequences and the like; not the indexes and the types that belong to them.
_RELATIONS: Final = """
    SELECT count(*)
    FROM pg_class
    WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %s)
        AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
"""
_COLUMNS: Final = """
    SELECT attname::text
    FROM pg_attribute
    WHERE attnum > 0 AND NOT attisdropped AND attrelid = (
        SELECT oid
        FROM pg_class
        WHERE relname = 'schema_migrations'
            AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %s)
    )
"""
_APPLIED: Final = "SELECT version, applied_at FROM schema_migrations ORDER BY version"
_ADD: Final = "INSERT INTO schema_migrations (version, name) VALUES (%s, %s)"
_EVENTS: Final = "SELECT count(*), coalesce(max(position), 0) FROM stored_events"
#: In a transaction that is rolled back.
_PROBE: Final = """
    INSERT INTO catalogue (stream_id, kind, label, active)
    VALUES (gen_random_uuid(), 'probe', 'probe', false)
"""
_DURABLE: Final = """
    SELECT current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on'
"""
_SIZE: Final = """
    SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint
    FROM pg_class
    WHERE relkind = 'r' AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %s)
"""


def prepare(datastore: Datastore, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Create the tables in an empty schema, or check those that are there.

    Args:
        datastore: The database; its schema is made where there is none.
        migrations: All that this release knows.

    Raises:
        EventStoreError: The schema holds something else, is that of another release, or may not be
            made; or the server fails.
    """
    with as_event_store_errors(datastore.shown_url):
        with datastore.transaction(commit=False) as cursor:
            applied = _applied(cursor, datastore)
        if not applied:
            with datastore.transaction(commit=True) as cursor:
                _lock(cursor, datastore)
                applied = _applied(cursor, datastore)
                if not applied:  # nobody was first while this process waited
                    for migration in migrations:
                        _run(cursor, datastore, migration)
                        applied[migration.version] = None
    refuse_other_schema(datastore.shown_url, max(applied), migrations[-1].version)


def migrate(datastore: Datastore, told: Told, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring a database to the schema of this release; an empty one gets all tables.

    Each migration is one transaction. Several processes may do so at once: each migration is run
    by one of them, and the others wait for it.

    Args:
        datastore: The database; its schema is made where there is none.
        told: Is told of each migration before it is run.
        migrations: All that this release knows.

    Raises:
        EventStoreError: As `prepare`, but for an older release; or a migration failed.
    """
    with as_event_store_errors(datastore.shown_url):
        for migration in migrations:
            with datastore.transaction(commit=True) as cursor:
                _lock(cursor, datastore)
                if migration.version not in _applied(cursor, datastore):
                    told(migration)
                    try:
                        with datastore.errors():
                            _run(cursor, datastore, migration)
                    except PersistenceError as error:
                        raise failed(datastore.shown_url, migration, error) from error
        with datastore.transaction(commit=False) as cursor:
            version = max(_applied(cursor, datastore))
    refuse_other_schema(datastore.shown_url, version, migrations[-1].version)


def survey(datastore: Datastore) -> Survey:
    """Say what is in a database, whatever its schema.

    Raises:
        EventStoreError: The schema holds something else, or the server fails.
    """
    with (
        as_event_store_errors(datastore.shown_url),
        datastore.transaction(commit=False) as cursor,
    ):
        applied = _applied(cursor, datastore)
        events, last = _one(cursor, _EVENTS) if applied else (0, 0)
        (size,) = _one(cursor, _SIZE, datastore.schema)
        (version,) = _one(cursor, "SELECT current_setting('server_version')")
        return Survey(
            version=max(applied, default=0),
            applied=applied,
            events=events,
            last_position=last,
            size=size,
            software=f"PostgreSQL {version.partition(' ')[0]}",
        )


def try_to_write(datastore: Datastore) -> None:
    """Write something, and take it back; nothing of it stays.

    Raises:
        EventStoreError: The database cannot be written.
    """
    with (
        as_event_store_errors(datastore.shown_url),
        suppress(_TakenBack),
        datastore.transaction(commit=True) as cursor,
    ):
        cursor.execute(_PROBE)
        raise _TakenBack


def is_durable(datastore: Datastore) -> bool:
    """Tell whether what the server has written survives a power failure.

    Raises:
        EventStoreError: The server fails.
    """
    with as_event_store_errors(datastore.shown_url):
        ((durable,),) = datastore.select(_DURABLE)
    return bool(durable)


class _TakenBack(Exception):
    """Rolls a transaction back."""


def _lock(cursor: Cursor, datastore: Datastore) -> None:
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (datastore.lock_key(_PURPOSE),))


def _run(cursor: Cursor, datastore: Datastore, migration: Migration) -> None:
    """Run a migration in the transaction that is open."""
    if migration.version == 1:
        _make_schema(cursor, datastore)
        cursor.execute(_MIGRATIONS_TABLE)
    for statement in migration.statements:
        cursor.execute(statement)
    cursor.execute(_ADD, (migration.version, migration.name))


def _make_schema(cursor: Cursor, datastore: Datastore) -> None:
    (exists,) = _one(cursor, _SCHEMA_EXISTS, datastore.schema)
    if exists:
        return
    make = sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(datastore.schema))
    role, allowed = _one(cursor, _MAY_MAKE_SCHEMAS)
    if not allowed:
        raise EventStoreError(
            f"the database {datastore.shown_url} has no schema {datastore.schema}, and {role} may "
            f'not make one; let its owner run: {make.as_string(None)} AUTHORIZATION "{role}"'
        )
    cursor.execute(make)


def _applied(cursor: Cursor, datastore: Datastore) -> dict[int, datetime | None]:
    """Return the migrations that a database went through; none: the schema is empty."""
    columns = {name for (name,) in cursor.execute(_COLUMNS, (datastore.schema,))}
    if columns == {"version", "name", "applied_at"}:
        return dict(cursor.execute(_APPLIED).fetchall())
    (relations,) = _one(cursor, _RELATIONS, datastore.schema)
    if columns or relations:
        raise EventStoreError(
            f"the schema {datastore.schema} of the database {datastore.shown_url} has tables of "
            "something else; name another one in the setting database_schema, or one that does "
            "not exist yet"
        )
    return {}


def _one(cursor: Cursor, query: str, *values: object) -> tuple[Any, ...]:
    (row,) = cursor.execute(query, values or None).fetchall()
    return row
