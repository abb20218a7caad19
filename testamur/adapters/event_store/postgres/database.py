"""The database on a PostgreSQL server as a whole: opens it, and gives the ports that it fills."""

from types import TracebackType
from typing import Self

from testamur.adapters.event_store.audit.trail import SearchedAuditTrail
from testamur.adapters.event_store.audit.writing import WrittenAuditRows
from testamur.adapters.event_store.key_wrapping import KeyWrapping
from testamur.adapters.event_store.mapper import EventMapper
from testamur.adapters.event_store.names import EventNames
from testamur.adapters.event_store.outlines import OutlineReader
from testamur.adapters.event_store.postgres.agenda import PostgresAgenda
from testamur.adapters.event_store.postgres.audit import PostgresAudit
from testamur.adapters.event_store.postgres.connections import (
    DEFAULT_CONNECT_TIMEOUT_SECONDS,
    DEFAULT_LOCK_TIMEOUT_SECONDS,
    DEFAULT_POOL_SIZE,
    DEFAULT_RECONNECT_SECONDS,
    DEFAULT_SCHEMA,
    Datastore,
)
from testamur.adapters.event_store.postgres.deliveries import PostgresDeliveries
from testamur.adapters.event_store.postgres.keys import PostgresKeys
from testamur.adapters.event_store.postgres.log import PostgresLog
from testamur.adapters.event_store.postgres.migrations import prepare
from testamur.adapters.event_store.postgres.recorder import PostgresRecorder
from testamur.adapters.event_store.postgres.register import PostgresRegister
from testamur.adapters.event_store.postgres.run_pages import PostgresRunPages
from testamur.adapters.event_store.postgres.tree import PostgresTree
from testamur.adapters.event_store.recording import RecordingEventStore


class PostgresDatabase:
    """Event store, register and keys in one schema of PostgreSQL; see :meth:`open`.

    It may be used by many threads, processes and machines at once, and after a fork by the child
    as well.

    Attributes:
        events: Fills the port `EventStore`.
        register: Fills the port `Register`.
        agenda: Fills the port `Agenda`.
        deliveries: Fills the port `DeliveryLedger`.
        pages: Fills the port `RunPages`.
        keys: Fills the ports `SecretKeys` and `WrappedKeys`.
        log: Fills the port `StoredLog`.
        trail: Fills the port `AuditTrail`.
        audit_rows: Fills the port `AuditRows`.
        tree: Fills the port `TreeStore`.
    """

    def __init__(
        self, datastore: Datastore, names: EventNames, wrapping: KeyWrapping | None = None
    ) -> None:
        self._datastore = datastore
        self.keys = PostgresKeys(datastore, wrapping)
        self.register = PostgresRegister(datastore)
        self.agenda = PostgresAgenda(datastore)
        self.deliveries = PostgresDeliveries(datastore)
        self.pages = PostgresRunPages(datastore)
        self.events = RecordingEventStore(
            PostgresRecorder(datastore),
            EventMapper(names, self.keys, wrapping),
            datastore.shown_url,
        )
        self.log = PostgresLog(datastore, OutlineReader(names))
        self.trail = SearchedAuditTrail(PostgresAudit(datastore))
        self.audit_rows = WrittenAuditRows(PostgresAudit(datastore))
        self.tree = PostgresTree(datastore, datastore.shown_url)

    @classmethod
    def open(
        cls,
        url: str,
        *,
        schema: str = DEFAULT_SCHEMA,
        pool_size: int = DEFAULT_POOL_SIZE,
        lock_timeout_seconds: float = DEFAULT_LOCK_TIMEOUT_SECONDS,
        connect_timeout_seconds: int = DEFAULT_CONNECT_TIMEOUT_SECONDS,
        reconnect_seconds: float = DEFAULT_RECONNECT_SECONDS,
        names: EventNames | None = None,
        wrapping: KeyWrapping | None = None,
    ) -> Self:
        """Open a database, and make the tables where there are none.

        Args:
            url: ``postgresql://USER:PASSWORD@HOST:PORT/DATABASE``, with any parameter of libpq.
            schema: The PostgreSQL schema that the tables are in.
            pool_size: The most connections that are open at once.
            lock_timeout_seconds: How long to wait while others write.
            connect_timeout_seconds: How long opening a connection may take; at least 2.
            reconnect_seconds: How long to go on trying while the server restarts.
            names: The names of events, if they are not to be the usual ones.
            wrapping: Wraps the learners' keys, if they are to be wrapped.

        Raises:
            EventStoreError: The server cannot be reached, lets nobody in or is too old; or the
                schema is not one of Testamur, or one of another release; or its learners' keys are
                under another master key.
        """
        datastore = Datastore(
            url,
            schema=schema,
            pool_size=pool_size,
            lock_timeout_seconds=lock_timeout_seconds,
            connect_timeout_seconds=connect_timeout_seconds,
            reconnect_seconds=reconnect_seconds,
        )
        database = cls(datastore, names or EventNames(), wrapping)
        try:
            prepare(datastore)
            database.keys.check_master_key()
        except BaseException:
            database.close()
            raise
        return database

    def close(self) -> None:
        """Close all connections. Closing again is harmless."""
        self._datastore.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        self.close()
