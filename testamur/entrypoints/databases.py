"""The database as a whole: opened, migrated, described and tried; of either kind.

What PostgreSQL needs is imported where one of its databases was chosen, and only there.
"""

from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Protocol

from testamur.adapters.event_store.migrations import (
    Migration,
    Survey,
    Told,
    refuse_other_schema,
)
from testamur.adapters.event_store.sqlite import SqliteDatabase
from testamur.adapters.event_store.sqlite import migrations as sqlite_migrations
from testamur.adapters.system import FileLocks
from testamur.application.errors import EventStoreError, StorageError
from testamur.application.ports.agenda import Agenda
from testamur.application.ports.audit import AuditRows, AuditTrail
from testamur.application.ports.deliveries import DeliveryLedger
from testamur.application.ports.event_store import EventStore
from testamur.application.ports.log import StoredLog
from testamur.application.ports.register import Register
from testamur.application.ports.run_pages import RunPages
from testamur.application.ports.secret_keys import SecretKeys
from testamur.application.ports.system import WorkLocks
from testamur.application.ports.transparency import TreeStore
from testamur.entrypoints.master_keys import key_wrapping_of
from testamur.entrypoints.setting_values import PostgresUrl
from testamur.entrypoints.settings import Settings

if TYPE_CHECKING:
    from testamur.adapters.event_store.postgres.connections import Datastore

#: What goes over a whole database may take as long as it likes.
_AS_LONG_AS_IT_TAKES: Final = 0


class OpenDatabase(Protocol):
    """All ports that one database fills."""

    @property
    def events(self) -> EventStore:
        """The event store."""
        ...

    @property
    def register(self) -> Register:
        """The register."""
        ...

    @property
    def agenda(self) -> Agenda:
        """What ticks look at."""
        ...

    @property
    def deliveries(self) -> DeliveryLedger:
        """What was sent to learners, and what waits."""
        ...

    @property
    def pages(self) -> RunPages:
        """The pages of runs."""
        ...

    @property
    def keys(self) -> SecretKeys:
        """The learners' keys."""
        ...

    @property
    def log(self) -> StoredLog:
        """The log as it is stored."""
        ...

    @property
    def trail(self) -> AuditTrail:
        """The audit trail."""
        ...

    @property
    def audit_rows(self) -> AuditRows:
        """The rows of the audit trail."""
        ...

    @property
    def tree(self) -> TreeStore:
        """The Merkle tree."""
        ...


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """A migration, and whether a database went through it.

    Args:
        version: Of the schema that it leads to.
        name: What it is about.
        applied: Whether the database went through it.
        applied_at: When (aware), where the database keeps that.
    """

    version: int
    name: str
    applied: bool
    applied_at: datetime | None


@dataclass(frozen=True, slots=True)
class DatabaseStatus:
    """What is in a database, and whether this release can use it.

    Args:
        kind: What keeps it.
        address: Where it is, without a password.
        database_schema: The PostgreSQL schema that its tables are in; None for a file.
        software: Name and version of what keeps it.
        schema_version: Of its tables; 0: there are none yet.
        needed_version: Of the tables that this release needs.
        migrations: All that this release knows, in order.
        events: How many.
        last_position: Position of the last one; 0 where there is none.
        size: In bytes.
    """

    kind: Literal["sqlite", "postgresql"]
    address: str
    database_schema: str | None
    software: str
    schema_version: int
    needed_version: int
    migrations: tuple[MigrationStatus, ...]
    events: int
    last_position: int
    size: int


@dataclass(frozen=True, slots=True)
class DatabaseTrial:
    """What a database said when it was tried.

    Args:
        status: What is in it.
        durable: Whether it survives a power failure.
    """

    status: DatabaseStatus
    durable: bool


def open_database(settings: Settings, resources: ExitStack) -> tuple[OpenDatabase, WorkLocks]:
    """Open the database that the settings choose; its tables are made where there are none.

    Args:
        settings: The settings.
        resources: Closes what was opened.

    Returns:
        The database; and locks that keep apart all who use it: those of one machine where it is a
        file, those of all machines where it is in PostgreSQL.

    Raises:
        EventStoreError: It cannot be used, or has the schema of another release.
        StorageError: The folder of the file, or that of the locks, cannot be made.
    """
    location = settings.database_location
    if isinstance(location, PostgresUrl):
        datastore = datastore_of(settings, location)
        resources.callback(datastore.close)
        from testamur.adapters.event_store.postgres.database import PostgresDatabase
        from testamur.adapters.event_store.postgres.locks import PostgresLocks

        in_postgres = PostgresDatabase.open(
            location.reveal(),
            schema=settings.database_schema,
            pool_size=settings.database_pool_size,
            lock_timeout_seconds=settings.database_lock_timeout_seconds,
            connect_timeout_seconds=settings.database_connect_timeout_seconds,
            reconnect_seconds=settings.database_reconnect_seconds,
            wrapping=key_wrapping_of(settings),
        )
        return resources.enter_context(in_postgres), PostgresLocks(datastore)
    make_folder(location.parent)
    in_file = SqliteDatabase.open(
        location,
        busy_timeout_seconds=settings.database_lock_timeout_seconds,
        wrapping=key_wrapping_of(settings),
    )
    return resources.enter_context(in_file), FileLocks(settings.data_folder / "locks")


def migrate_database(settings: Settings, told: Told = lambda _: None) -> DatabaseStatus:
    """Bring the database that the settings choose to the schema of this release.

    It is made where there is none. Several processes may do so at once, and again.

    Args:
        settings: The settings.
        told: Is told of each migration before it is run.

    Raises:
        EventStoreError: It cannot be used, is one of a newer release, or a migration failed; that
            one was rolled back.
        StorageError: The folder of the file cannot be made.
    """
    location = settings.database_location
    if isinstance(location, PostgresUrl):
        with closing(datastore_of(settings, location)) as datastore:
            from testamur.adapters.event_store.postgres import migrations

            migrations.migrate(datastore, told)
    else:
        make_folder(location.parent)
        sqlite_migrations.migrate(location.absolute(), settings.database_lock_timeout_seconds, told)
    return database_status(settings)


def database_status(settings: Settings) -> DatabaseStatus:
    """Say what is in the database that the settings choose, whatever its schema.

    Raises:
        EventStoreError: There is none, it is not Testamur's, or it cannot be used.
    """
    location = settings.database_location
    if isinstance(location, PostgresUrl):
        with closing(datastore_of(settings, location)) as datastore:
            from testamur.adapters.event_store.postgres import migrations

            surveyed = migrations.survey(datastore)
            return _status("postgresql", datastore.shown_url, migrations.MIGRATIONS, surveyed,
                           settings.database_schema)  # fmt: skip
    see_that_it_is_there(location)
    surveyed = sqlite_migrations.survey(location.absolute(), settings.database_lock_timeout_seconds)
    return _status("sqlite", str(location), sqlite_migrations.MIGRATIONS, surveyed)


def try_database(settings: Settings) -> DatabaseTrial:
    """Write to the database that the settings choose, and take it back.

    Raises:
        EventStoreError: There is none, it has the schema of another release, or it cannot be
            written.
    """
    status = database_status(settings)
    location = settings.database_location
    if status.schema_version:
        refuse_other_schema(status.address, status.schema_version, status.needed_version)
    if not isinstance(location, PostgresUrl):
        sqlite_migrations.try_to_write(location, settings.database_lock_timeout_seconds)
        return DatabaseTrial(status, durable=True)
    with closing(datastore_of(settings, location)) as datastore:
        from testamur.adapters.event_store.postgres import migrations

        if status.schema_version:
            migrations.try_to_write(datastore)
        return DatabaseTrial(status, migrations.is_durable(datastore))


def is_set_up(settings: Settings) -> bool:
    """Tell whether the database that the settings choose has its tables, as far as can be told."""
    location = settings.database_location
    if isinstance(location, Path):
        return location.exists()
    try:
        return database_status(settings).schema_version > 0
    except EventStoreError:
        return True  # there is something, and whoever uses it is told what is wrong


def datastore_of(settings: Settings, url: PostgresUrl) -> "Datastore":
    """Return connections to PostgreSQL for work that may take long.

    Raises:
        EventStoreError: What PostgreSQL needs is not installed, or the address is malformed.
    """
    need_postgres()
    from testamur.adapters.event_store.postgres.connections import Datastore

    return Datastore(
        url.reveal(),
        schema=settings.database_schema,
        pool_size=2,
        connect_timeout_seconds=settings.database_connect_timeout_seconds,
        lock_timeout_seconds=settings.database_lock_timeout_seconds,
        statement_timeout_seconds=_AS_LONG_AS_IT_TAKES,
        idle_timeout_seconds=_AS_LONG_AS_IT_TAKES,
        reconnect_seconds=settings.database_reconnect_seconds,
    )


def need_postgres() -> None:
    """See that what PostgreSQL needs is installed.

    Raises:
        EventStoreError: It is not; the message says what to install.
    """
    try:
        import testamur.adapters.event_store.postgres  # noqa: F401
    except ImportError as error:
        raise EventStoreError(str(error)) from error


def make_folder(folder: Path) -> None:
    """Make a folder where there is none.

    Raises:
        StorageError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"the folder {folder} cannot be made: {error.strerror}") from error


def _status(
    kind: Literal["sqlite", "postgresql"],
    address: str,
    migrations: tuple[Migration, ...],
    surveyed: Survey,
    schema: str | None = None,
) -> DatabaseStatus:
    return DatabaseStatus(
        kind=kind,
        address=address,
        database_schema=schema,
        software=surveyed.software,
        schema_version=surveyed.version,
        needed_version=migrations[-1].version,
        migrations=tuple(
            MigrationStatus(
                each.version,
                each.name,
                each.version in surveyed.applied,
                surveyed.applied.get(each.version),
            )
            for each in migrations
        ),
        events=surveyed.events,
        last_position=surveyed.last_position,
        size=surveyed.size,
    )


def see_that_it_is_there(file: Path) -> None:
    """See that a database file is there.

    Raises:
        EventStoreError: It is not.
    """
    if not file.exists():
        raise EventStoreError(f"there is no database {file} yet")
