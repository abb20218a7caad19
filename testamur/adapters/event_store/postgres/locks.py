"""Locks of work that all machines share: advisory locks of the PostgreSQL server."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Final

import psycopg

from testamur.adapters.event_store.failures import as_event_store_errors
from testamur.adapters.event_store.postgres.connections import Datastore
from testamur.adapters.event_store.postgres.lending import Connection
from testamur.application.errors import AlreadyRunning, EventStoreError

#: Waiting for a lock, and holding it while nothing else is asked, may take as long as they like.
_PATIENT: Final = """
    SELECT
        set_config('statement_timeout', '0', false),
        set_config('idle_session_timeout', '0', false)
"""
_LOCK: Final = "SELECT pg_advisory_lock(%s)"
_TRY_LOCK: Final = "SELECT pg_try_advisory_lock(%s)"
_UNLOCK: Final = "SELECT pg_advisory_unlock(%s)"


class PostgresLocks:
    """Keeps all who use one database from doing the same work at the same time.

    Each lock is held by a connection of its own. The server lets go of it when that ends, so it
    goes with the process, and with the machine as soon as the server notices.

    Args:
        datastore: The database; it needs no tables.
    """

    def __init__(self, datastore: Datastore) -> None:
        self._datastore = datastore

    @contextmanager
    def hold(self, work: str, wait_seconds: float = 0) -> Iterator[None]:
        """Hold the lock of a piece of work while the context lasts.

        Args:
            work: Any name of the work; another name is another lock.
            wait_seconds: How long to wait for it while another holds it.

        Raises:
            AlreadyRunning: Another holds it still, or this thread already does.
            EventStoreError: The server cannot be reached; or the lock was lost on the way, because
                the server cut the connection off, and others may have done the same work. Where
                the work itself failed, that is a note on its error.
        """
        key = self._datastore.lock_key(f"work {work}")
        with as_event_store_errors(self._datastore.shown_url):
            connection = self._datastore.persist(self._datastore.connect)
        process = os.getpid()
        with closing(connection):
            self._lock(connection, work, key, wait_seconds)
            try:
                yield
            except BaseException as error:
                if os.getpid() == process and not _let_go(connection, key):
                    error.add_note(self._loss(work))
                raise
            # A process that was forked off inside the context never had the lock.
            if os.getpid() == process and not _let_go(connection, key):
                raise EventStoreError(self._loss(work))

    def _lock(self, connection: Connection, work: str, key: int, wait_seconds: float) -> None:
        milliseconds = round(wait_seconds * 1000)
        with as_event_store_errors(self._datastore.shown_url), self._datastore.errors():
            connection.execute(_PATIENT)
            if milliseconds <= 0:
                ((locked,),) = connection.execute(_TRY_LOCK, (key,)).fetchall()
                if not locked:
                    raise AlreadyRunning(work)
                return
            connection.execute(
                "SELECT set_config('lock_timeout', %s, false)", (f"{milliseconds}ms",)
            )
            try:
                connection.execute(_LOCK, (key,))
            except psycopg.errors.LockNotAvailable:
                raise AlreadyRunning(work) from None

    def _loss(self, work: str) -> str:
        return (
            f"the lock of {work!r} was lost while it was held: {self._datastore.shown_url} cut the "
            "connection off; another process may have done the same work at the same time"
        )


def _let_go(connection: Connection, key: int) -> bool:
    """Let go of a lock, and tell whether it was held until now."""
    try:
        ((held,),) = connection.execute(_UNLOCK, (key,)).fetchall()
    except psycopg.Error:
        return False
    return bool(held)
