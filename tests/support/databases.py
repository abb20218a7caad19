"""What every database of events gives, for tests that are run on each of them."""

from typing import Protocol

from testamur.application.ports.audit import AuditRows, AuditTrail
from testamur.application.ports.event_store import EventStore
from testamur.application.ports.log import StoredLog
from testamur.application.ports.register import Register
from testamur.application.ports.secret_keys import SecretKeys
from testamur.application.ports.transparency import TreeStore


class Database(Protocol):
    """Event store, register and keys that belong together."""

    @property
    def events(self) -> EventStore:
        """The event store."""
        ...

    @property
    def register(self) -> Register:
        """The register."""
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
    def tree(self) -> TreeStore:
        """The Merkle tree."""
        ...

    @property
    def trail(self) -> AuditTrail:
        """The audit trail, read."""
        ...

    @property
    def audit_rows(self) -> AuditRows:
        """The audit trail, written."""
        ...

    def close(self) -> None:
        """Close it."""
        ...
