"""The event store in memory, for tests: held to the same contract as the others."""

from testamur.adapters.event_store.memory.database import MemoryDatabase

__all__ = ["MemoryDatabase"]
