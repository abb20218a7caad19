"""The database file as a whole: opens it, and gives the ports that it fills."""

from pathlib import Path
from types import TracebackType
from typing import Final, Self

from testamur.adapters.event_store.audit.trail import SearchedAuditTrail
from testamur.adapters.event_store.audit.writing import WrittenAuditRows
from testamur.adapters.event_store.key_wrapping import KeyWrapping
from testamur.adapters.event_store.mapper import EventMapper
from testamur.adapters.event_store.names import EventNames
from testamur.adapters.event_store.outlines import OutlineReader
from testamur.adapters.event_store.recording import RecordingEventStore
from testamur.adapters.event_store.sqlite.agenda import SqliteAgenda
from testamur.adapters.event_store.sqlite.audit import SqliteAudit
from testamur.adapters.event_store.sqlite.connections import Datastore
from testamur.adapters.event_store.sqlite.deliveries import SqliteDeliveries
from testamur.adapters.event_store.sqlite.keys import SqliteKeys
from testamur.adapters.event_store.sqlite.log import SqliteLog
from testamur.adapters.event_store.sqlite.migrations import prepare
from testamur.adapters.event_store.sqlite.recorder import SqliteRecorder
from testamur.adapters.event_store.sqlite.register import SqliteRegister
from testamur.adapters.event_store.sqlite.run_pages import SqliteRunPages
from testamur.adapters.event_store.sqlite.tree import SqliteTree

DEFAULT_BUSY_TIMEOUT_SECONDS: Final = 30.0


class SqliteDatabase:
    """Event store, register and keys in one file; see :meth:`open`.

    It may be used by many threads at once, and after a fork by the child as well.

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
        self,
        datastore: Datastore,
        path: Path,
        names: EventNames,
        wrapping: KeyWrapping | None = None,
    ) -> None:
        self._datastore = datastore
        self.keys = SqliteKeys(datastore, str(path), wrapping)
        self.register = SqliteRegister(datastore, str(path))
        self.agenda = SqliteAgenda(datastore, str(path))
        self.deliveries = SqliteDeliveries(datastore, str(path))
        self.pages = SqliteRunPages(datastore, str(path))
        self.events = RecordingEventStore(
            SqliteRecorder(datastore), EventMapper(names, self.keys, wrapping), str(path)
        )
        self.log = SqliteLog(datastore, OutlineReader(names), str(path))
        self.trail = SearchedAuditTrail(SqliteAudit(datastore, str(path)))
        self.audit_rows = WrittenAuditRows(SqliteAudit(datastore, str(path)))
        self.tree = SqliteTree(datastore, str(path))

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        busy_timeout_seconds: float = DEFAULT_BUSY_TIMEOUT_SECONDS,
        names: EventNames | None = None,
        wrapping: KeyWrapping | None = None,
    ) -> Self:
        """Open a database file, or make one where there is none.

        Args:
            path: The file, on a local disk; its folder must exist.
            busy_timeout_seconds: How long to wait while others write.
            names: The names of events, if they are not to be the usual ones.
            wrapping: Wraps the learners' keys, if they are to be wrapped.

        Raises:
            EventStoreError: The file cannot be opened, is not a database of Testamur, or is one of
                another release; or its learners' keys are under another master key.
        """
        # An absolute path cannot be mistaken for a URI or for a database in memory.
        file = Path(path).absolute()
        prepare(file, busy_timeout_seconds)
        database = cls(Datastore(file, busy_timeout_seconds), file, names or EventNames(), wrapping)
        try:
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
