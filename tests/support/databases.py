"""What every database of events gives, for tests that are run on each of them."""

from typing import Protocol

from testamur.application.ports.event_store import EventStore
from testamur.application.ports.register import Register
from testamur.application.ports.secret_keys import SecretKeys


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

    def close(self) -> None:
        """Close it."""
        ...
