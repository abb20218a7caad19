"""Connections to the database file: one to write, several to read."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final
from weakref import WeakMethod

from eventsourcing.persistence import (
    ConnectionPoolClosedError,
    DatabaseError,
    InterfaceError,
    OperationalError,
)
from eventsourcing.sqlite import (
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteTransaction,
)

from testamur.adapters.event_store.sqlite.forking import ForkGate

#: Connections kept open for reading; more are opened while more threads read at once.
READING_CONNECTIONS: Final = 5
MOST_READING_CONNECTIONS: Final = 64

_PRAGMAS: Final = (
    "PRAGMA synchronous = FULL",  # what is committed survives a power failure
    "PRAGMA secure_delete = ON",  # what is overwritten or deleted does not linger in the file
    "PRAGMA cache_size = -16384",  # KiB; a stream and its key lie in a dozen pages far apart
)


class Transaction(SQLiteTransaction):
    """A transaction that takes the write lock at once if it is to write.

    A transaction that began by reading and is then to write fails where another process wrote in
    between; one that waits for the lock at its start does not.
    """

    connection: "Connection"

    def __enter__(self) -> SQLiteCursor:
        cursor = self.connection.cursor()
        try:
            cursor.execute("BEGIN IMMEDIATE" if self.commit else "BEGIN")
        except sqlite3.Error as error:
            raise OperationalError(error) from error
        return cursor

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        try:
            super().__exit__(exc_type, exc_val, exc_tb)
        finally:
            # A commit that failed leaves the transaction open.
            self.connection.end_transaction()


class Connection(SQLiteConnection):
    """A connection whose transactions are of the kind above."""

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[SQLiteCursor]:
        """Run statements in a transaction that is rolled back on an error."""
        with Transaction(self, commit=commit) as cursor, cursor:
            yield cursor

    def end_transaction(self) -> None:
        """Roll back a transaction that is still open."""
        if not self.closed and self._sqlite_conn.in_transaction:
            self._sqlite_conn.rollback()


class ConnectionPool(SQLiteConnectionPool):
    """Connections that are set up alike."""

    def _create_connection(self) -> Connection:
        connection = _connected(self.db_name, self.pool_timeout)
        connection.row_factory = sqlite3.Row
        return Connection(connection, max_age=None)


class Datastore(SQLiteDatastore):
    """The library's datastore with one connection to write, for which writers queue.

    Args:
        path: The file, prepared.
        busy_timeout_seconds: How long to wait for other threads and processes.
    """

    def __init__(self, path: Path, busy_timeout_seconds: float) -> None:
        super().__init__(str(path), originator_id_type="uuid")
        self._path = path
        self._busy_timeout_seconds = busy_timeout_seconds
        self._open_pools()
        self._gate = ForkGate(WeakMethod(self._renew_pools), busy_timeout_seconds)

    @contextmanager
    def get_connection(self, *, commit: bool) -> Iterator[SQLiteConnection]:
        """Lend a connection to write, or one to read."""
        with self._gate:
            pool = self.writing_pool if commit else self.pool
            connection = pool.get_connection()
            try:
                yield connection
            finally:
                if not pool.closed:
                    pool.put_connection(connection)

    def select(
        self, query: str, values: Sequence[object] | Mapping[str, object] = ()
    ) -> list[tuple[Any, ...]]:
        """Return the rows of one query.

        SQLite shows a query the database as it was when the query began, with or without a
        transaction around it. Without one, and without the pool's accounts, reading a stream
        takes a fifth of the time.

        Raises:
            eventsourcing.persistence.PersistenceError: The query failed, or the store is closed.
        """
        with self._gate:
            if self.pool.closed:
                raise ConnectionPoolClosedError
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = _connected(self.pool.db_name, self._busy_timeout_seconds)
            try:
                rows: list[tuple[Any, ...]] = connection.execute(query, values).fetchall()
            except sqlite3.OperationalError as error:
                connection.close()
                raise OperationalError(error) from error
            except sqlite3.Error as error:
                connection.close()
                raise DatabaseError(error) from error
            except BaseException:
                connection.close()
                raise
            self._idle.append(connection)
            return rows

    def close(self) -> None:
        """Close all connections."""
        self.pool.close()
        self.writing_pool.close()
        while self._idle:
            self._idle.pop().close()

    def _open_pools(self) -> None:
        # No connection is opened yet: each is when it is first needed.
        self._idle: list[sqlite3.Connection] = []
        self.pool = self._pool(READING_CONNECTIONS, MOST_READING_CONNECTIONS)
        self.writing_pool = self._pool(1, 1)

    def _renew_pools(self) -> None:
        if not self.pool.closed:
            self.close()
            self._open_pools()

    def _pool(self, size: int, most: int) -> ConnectionPool:
        return ConnectionPool(
            db_name=str(self._path),
            pool_size=size,
            max_overflow=most - size,
            pool_timeout=self._busy_timeout_seconds,
        )


def _connected(file: str, busy_timeout_seconds: float) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(
            file, timeout=busy_timeout_seconds, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise InterfaceError(error) from error
    try:
        for pragma in _PRAGMAS:
            connection.execute(pragma)
    except sqlite3.Error as error:
        connection.close()
        raise InterfaceError(error) from error
    return connection
