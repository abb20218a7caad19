"""The event store on SQLite: one file that holds the log, the register and the learners' keys."""

from testamur.adapters.event_store.sqlite.database import SqliteDatabase

__all__ = ["SqliteDatabase"]
