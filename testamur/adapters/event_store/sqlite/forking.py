"""Forking: no connection is open while the process forks.

SQLite keeps note of its locks once for each process and file. A child inherits the notes and not
the locks. If any connection is open at that moment, even a connection that the child opens itself
believes in locks that it does not have, and what it commits can vanish with the parent's log
(https://sqlite.org/howtocorrupt.html, 2.6). So lending stops for the moment, what is lent comes
back, and all connections are closed; parent and child each open others when they need them.
"""

import os
from collections.abc import Callable
from threading import Condition
from weakref import WeakMethod, WeakSet

from eventsourcing.persistence import InterfaceError


class ForkGate:
    """Counts the connections that are lent, and closes them all before a fork.

    Args:
        close_all: Method that closes all connections, none of which is lent. Weak, so that who
            owns the gate goes when nobody else holds them.
        patience_seconds: How long a fork waits for connections that are lent. The child cannot
            use the database if that was not enough; the parent can.
    """

    def __init__(self, close_all: WeakMethod[Callable[[], None]], patience_seconds: float) -> None:
        self._close_all = close_all
        self._patience_seconds = patience_seconds
        self._condition = Condition()
        self._lent = 0
        self._forking = False
        self._spoilt = False
        _gates.add(self)

    def __enter__(self) -> None:
        """Hold back a fork while the context lasts.

        Raises:
            InterfaceError: This process was forked off while a connection was lent.
        """
        with self._condition:
            while self._forking:
                self._condition.wait()
            if self._spoilt:
                raise InterfaceError(
                    "this process was forked off in the middle of a transaction; "
                    "open the database again in a process that was not"
                )
            self._lent += 1

    def __exit__(self, *_: object) -> None:
        """Let it go on."""
        with self._condition:
            self._lent -= 1
            self._condition.notify_all()

    def before_fork(self) -> None:
        """Close all connections, and lend none until the fork is done."""
        self._condition.acquire()
        self._forking = True
        close_all = self._close_all()
        if self._condition.wait_for(lambda: self._lent == 0, self._patience_seconds) and close_all:
            close_all()

    def after_fork_in_parent(self) -> None:
        """Go on lending."""
        self._forking = False
        self._condition.notify_all()
        self._condition.release()

    def after_fork_in_child(self) -> None:
        """Go on lending, unless a connection was inherited."""
        self._spoilt = self._lent > 0
        self.after_fork_in_parent()


_gates: WeakSet[ForkGate] = WeakSet()
_held: list[ForkGate] = []


def _before_fork() -> None:
    held = list(_gates)
    for gate in held:
        gate.before_fork()
    # Only now: a thread that forks at the same time waits at the first gate until this is done.
    _held[:] = held


def _after_fork_in_parent() -> None:
    held = _held.copy()
    _held.clear()
    for gate in held:
        gate.after_fork_in_parent()


def _after_fork_in_child() -> None:
    held = _held.copy()
    _held.clear()
    for gate in held:
        gate.after_fork_in_child()


os.register_at_fork(
    before=_before_fork,
    after_in_parent=_after_fork_in_parent,
    after_in_child=_after_fork_in_child,
)
