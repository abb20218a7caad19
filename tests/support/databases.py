"""What every database of events gives, for tests that are run on each of them."""

from typing import Protocol

from testamur.entrypoints.databases import OpenDatabase


class Database(OpenDatabase, Protocol):
    """All that belongs together, and is closed together."""

    def close(self) -> None:
        """Close it."""
        ...
