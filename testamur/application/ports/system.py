"""Ports: time, randomness, and work that only one may do at a time."""

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from testamur.domain.identifiers import VerificationId


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...


class IdSource(Protocol):
    """Makes ids that nobody can guess."""

    def request_id(self) -> UUID:
        """Return a fresh id of a request."""
        ...

    def verification_id(self) -> VerificationId:
        """Return a fresh public id of a credential, with at least 128 bits of randomness."""
        ...


class WorkLocks(Protocol):
    """Keeps two processes or threads from doing the same work at the same time.

    Correctness never rests on it (the event store refuses what is double); it saves work and
    repeated messages. A lock goes with the process that held it, however that ended.
    """

    def hold(self, work: str, wait_seconds: float = 0) -> AbstractContextManager[None]:
        """Hold the lock of a piece of work while the context lasts.

        Args:
            work: Name of the work, for people to read.
            wait_seconds: How long to wait for it while another holds it.

        Raises:
            AlreadyRunning: Another holds it still.
        """
        ...
