"""Copies of the database: into another one of either kind, or into a backup."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeAlias

from testamur.adapters.event_store import copying
from testamur.adapters.event_store.copying import CopyReport
from testamur.adapters.event_store.migrations import refuse_other_schema
from testamur.adapters.event_store.sqlite import copying as sqlite_copying
from testamur.adapters.event_store.sqlite import migrations as sqlite_migrations
from testamur.domain.errors import InvalidInput
from testamur.entrypoints.databases import datastore_of, make_folder, see_that_it_is_there
from testamur.entrypoints.setting_values import PostgresUrl, database_location, without_password
from testamur.entrypoints.settings import Settings

Location: TypeAlias = Path | PostgresUrl


def location_of(given: str, name: str) -> Location:
    """Return where a database is, from what a user gave.

    Args:
        given: Path of a file, or the address of PostgreSQL.
        name: What the user gave it as.

    Raises:
        InvalidInput: It is neither.
    """
    try:
        location = database_location(given)
    except ValueError as error:
        raise InvalidInput(name, without_password(given), str(error)) from None
    return location if isinstance(location, PostgresUrl) else Path(given)


def copy_database(
    settings: Settings,
    target: Location,
    source: Location | None = None,
    progress: copying.Progress = lambda *_: None,
) -> CopyReport:
    """Copy a whole database into an empty one; row by row the same, or not at all.

    Log, register, keys and Merkle tree go over; the audit trail is made anew by whoever uses the
    copy. The source may be read meanwhile. If it is written to, the copy is refused.

    Args:
        settings: Say how to connect, and which PostgreSQL schema to use on either side.
        target: Where to copy to; it is made where there is none.
        source: By default the database of the settings.
        progress: Is told how far it is.

    Raises:
        InvalidInput: Source and target are the same.
        EventStoreError: The target is not empty; either has the schema of another release or
            cannot be used; or the source changed meanwhile. The target is left empty.
        StorageError: The folder of the target cannot be made.
    """
    source = source or settings.database_location
    if _resolved(source) == _resolved(target):
        raise InvalidInput("to", str(target), "another database than the one that is copied")
    with _source(settings, source) as reading, _target(settings, target) as writing:
        return copying.copy_database(reading, writing, sqlite_copying.tables(), progress)


def back_up_database(
    settings: Settings, file: Path, progress: Callable[[int, int], None] = lambda *_: None
) -> None:
    """Write a copy of the database file as it is now, while others go on using it.

    Args:
        settings: The settings.
        file: Where the copy goes; there must be nothing yet.
        progress: Is told how many pages are done, and how many there are.

    Raises:
        InvalidInput: The database is in PostgreSQL, which has programs of its own for that.
        EventStoreError: There is no database, or there is a file already.
    """
    location = settings.database_location
    if isinstance(location, PostgresUrl):
        raise InvalidInput(
            "database", str(location), "an SQLite file; back PostgreSQL up with its own pg_dump"
        )
    see_that_it_is_there(location)
    timeout = settings.database_lock_timeout_seconds
    sqlite_migrations.survey(location.absolute(), timeout)  # is it one of ours?
    sqlite_copying.back_up(location.absolute(), file.absolute(), timeout, progress)


@contextmanager
def _source(settings: Settings, location: Location) -> Iterator[copying.Source]:
    if isinstance(location, PostgresUrl):
        with closing(datastore_of(settings, location)) as datastore:
            from testamur.adapters.event_store.postgres.copying import PostgresEnd
            from testamur.adapters.event_store.postgres.migrations import MIGRATIONS, survey

            version = survey(datastore).version
            refuse_other_schema(datastore.shown_url, version, MIGRATIONS[-1].version)
            yield PostgresEnd(datastore)
        return
    see_that_it_is_there(location)
    timeout = settings.database_lock_timeout_seconds
    version = sqlite_migrations.survey(location.absolute(), timeout).version
    refuse_other_schema(str(location), version, sqlite_migrations.MIGRATIONS[-1].version)
    yield sqlite_copying.SqliteEnd(location.absolute(), timeout)


@contextmanager
def _target(settings: Settings, location: Location) -> Iterator[copying.Target]:
    if isinstance(location, PostgresUrl):
        with closing(datastore_of(settings, location)) as datastore:
            from testamur.adapters.event_store.postgres.copying import PostgresEnd
            from testamur.adapters.event_store.postgres.migrations import prepare

            prepare(datastore)
            yield PostgresEnd(datastore)
        return
    make_folder(location.parent)
    timeout = settings.database_lock_timeout_seconds
    sqlite_migrations.prepare(location.absolute(), timeout)
    yield sqlite_copying.SqliteEnd(location.absolute(), timeout)


def _resolved(location: Location) -> Location:
    return location.resolve() if isinstance(location, Path) else location
