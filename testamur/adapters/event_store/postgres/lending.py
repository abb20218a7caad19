"""Lending: connections that are kept open between uses, by threads and across a fork.

A connection is opened by whoever needs it and finds none, so that an error of the server reaches
whom it concerns, at once and in the server's words, and no thread of a pool has to be brought back
to life after a fork.

A child that inherits a connection must not send anything over it: its parent uses it still. So all
that a child inherits is plugged: its end leads nowhere, whatever the child does with it.
"""

import os
import select
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import BoundedSemaphore, Lock
from typing import Any, Final
from weakref import WeakSet

import psycopg
from eventsourcing.persistence import ConnectionPoolClosedError, OperationalError
from psycopg.pq import TransactionStatus

Connection = psycopg.Connection[tuple[Any, ...]]


class ConnectionLost(OperationalError):
    """The server cannot be reached, or cut the connection off; it may be restarting."""


class Lender:
    """Keeps open connections, and lends each to one thread at a time.

    Args:
        connect: Opens a connection, set up for use.
        size: The most that are open at once.
        patience_seconds: How long to wait for one while all are lent.
    """

    def __init__(
        self, connect: Callable[[], Connection], size: int, patience_seconds: float
    ) -> None:
        self._connect = connect
        self._size = size
        self._patience_seconds = patience_seconds
        self._closed = False
        self._begin()
        _lenders.add(self)

    @contextmanager
    def lend(self) -> Iterator[Connection]:
        """Lend a connection while the context lasts; see :meth:`take`."""
        connection = self.take()
        try:
            yield connection
        finally:
            self.give_back(connection)

    def take(self) -> Connection:
        """Return a connection that works, in no transaction; to be given back.

        Raises:
            ConnectionLost: There is no connection to be had.
            OperationalError: All are lent, and none came back in time.
            ConnectionPoolClosedError: The lender is closed.
        """
        if not self._places.acquire(timeout=self._patience_seconds):
            raise OperationalError(
                f"all {self._size} connections have been busy for {self._patience_seconds:g} s; "
                "allow for more of them"
            )
        try:
            connection = self._found() or self._connect()
        except BaseException:
            self._places.release()
            raise
        self._lent.add(connection)
        return connection

    def give_back(self, connection: Connection) -> None:
        """Take a connection back, in whatever state it is."""
        if connection not in self._lent:
            return  # this process was forked off while its parent had the connection
        self._lent.remove(connection)
        try:
            self._put_away(connection)
        finally:
            self._places.release()

    def close(self) -> None:
        """Close all connections; those that are lent when they come back."""
        with self._lock:
            self._closed = True
            idle = list(self._idle)
            self._idle.clear()
        for connection in idle:
            connection.close()

    def begin_anew(self) -> None:
        """Forget what is open, in a child that must not use it."""
        self._begin()

    def _begin(self) -> None:
        self._lock = Lock()
        self._places = BoundedSemaphore(self._size)
        self._idle: list[Connection] = []
        self._lent: set[Connection] = set()

    def _found(self) -> Connection | None:
        while True:
            with self._lock:
                if self._closed:
                    raise ConnectionPoolClosedError
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if _works(connection):
                return connection
            connection.close()

    def _put_away(self, connection: Connection) -> None:
        if connection.pgconn.transaction_status != TransactionStatus.IDLE:
            with suppress(psycopg.Error):
                connection.rollback()
        if connection.pgconn.transaction_status == TransactionStatus.IDLE:
            with self._lock:
                if not self._closed:
                    self._idle.append(connection)
                    return
        connection.close()


def keep_from_children(connection: Connection) -> Connection:
    """Return a connection that no child will use, should this process fork."""
    _own.add(connection)
    return connection


def _works(connection: Connection) -> bool:
    """Tell whether an idle connection is still good, without asking the server if it is silent."""
    try:
        said_something = select.poll()
        said_something.register(connection.pgconn.socket, select.POLLIN)
        if said_something.poll(0):
            # A farewell; or a setting that was changed, which is no reason to leave.
            connection.execute("SELECT 1")
        return True
    except psycopg.Error:
        return False


def _plug(connection: Connection) -> None:
    # Another socket, whose other end is closed, in place of the connection's: to read it gives an
    # end of file, to write to it an error.
    try:
        descriptor = connection.pgconn.socket
    except psycopg.Error:
        return
    nowhere, other_end = socket.socketpair()
    other_end.close()
    with nowhere:
        os.dup2(nowhere.fileno(), descriptor, inheritable=False)


_lenders: Final[WeakSet[Lender]] = WeakSet()
_own: Final[WeakSet[Connection]] = WeakSet()
#: Kept, so that they are not closed on collection.
_inherited: Final[list[Connection]] = []


def _after_fork_in_child() -> None:
    _inherited.extend(each for each in _own if not each.closed)
    _own.clear()
    for connection in _inherited:
        _plug(connection)
    for lender in list(_lenders):
        lender.begin_anew()


os.register_at_fork(after_in_child=_after_fork_in_child)
