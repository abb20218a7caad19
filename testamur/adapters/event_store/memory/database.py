"""The database in memory as a whole: gives the ports that it fills."""

from types import TracebackType
from typing import Final, Self

from testamur.adapters.event_store.key_wrapping import KeyWrapping
from testamur.adapters.event_store.mapper import EventMapper
from testamur.adapters.event_store.memory.agenda import MemoryAgenda
from testamur.adapters.event_store.memory.audit import MemoryAuditRows, MemoryAuditTrail
from testamur.adapters.event_store.memory.deliveries import MemoryDeliveries
from testamur.adapters.event_store.memory.keys import MemoryKeys
from testamur.adapters.event_store.memory.log import MemoryLog
from testamur.adapters.event_store.memory.recorder import MemoryRecorder
from testamur.adapters.event_store.memory.register import MemoryRegister
from testamur.adapters.event_store.memory.run_pages import MemoryRunPages
from testamur.adapters.event_store.memory.tree import MemoryTree
from testamur.adapters.event_store.names import EventNames
from testamur.adapters.event_store.outlines import OutlineReader
from testamur.adapters.event_store.recording import RecordingEventStore

_NAME: Final = "in memory"


class MemoryDatabase:
    """Event store, register and keys in memory. It may be used by many threads at once.

    Args:
        names: The names of events, if they are not to be the usual ones.
        wrapping: Wraps the learners' keys, if they are to be wrapped.

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
        self, names: EventNames | None = None, wrapping: KeyWrapping | None = None
    ) -> None:
        names = names or EventNames()
        recorder = MemoryRecorder()
        self.keys = MemoryKeys(wrapping)
        self.register = MemoryRegister(recorder)
        self.agenda = MemoryAgenda(recorder)
        self.deliveries = MemoryDeliveries(recorder)
        self.pages = MemoryRunPages()
        self.events = RecordingEventStore(recorder, EventMapper(names, self.keys), _NAME)
        self.log = MemoryLog(recorder, OutlineReader(names))
        self.audit_rows = MemoryAuditRows()
        self.trail = MemoryAuditTrail(self.audit_rows)
        self.tree = MemoryTree(self.log)

    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        self.close()
