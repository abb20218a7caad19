"""The system's own clock, random ids, and locks that processes and threads share."""

import fcntl
import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Condition
from typing import Final
from uuid import UUID, uuid4

from testamur.application.errors import AlreadyRunning, StorageError
from testamur.domain.identifiers import VerificationId

#: Crockford's Base32 (https://www.crockford.com/base32.html), in lower case: no i, l, o or u, so
#: that nobody takes 1 for l or 0 for o when reading aloud or copying from paper.
READABLE_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"

#: 26 characters of 5 bits make 130 bits.
VERIFICATION_ID_LENGTH: Final = 26

#: flock(2) cannot wait for a limited time, so a waiting one asks again after so many seconds.
ASK_AGAIN_SECONDS: Final = 0.05

_UNSAFE = re.compile(r"[^A-Za-z0-9-]+")


class SystemClock:
    """Tells the time of this machine."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC)


class RandomIds:
    """Makes ids from the operating system's source of randomness."""

    def request_id(self) -> UUID:
        """Return a fresh id of a request: a random UUID (RFC 9562, version 4)."""
        return uuid4()

    def verification_id(self) -> VerificationId:
        """Return a fresh public id of 130 random bits, safe in URLs and easy to read aloud."""
        characters = (secrets.choice(READABLE_ALPHABET) for _ in range(VERIFICATION_ID_LENGTH))
        return VerificationId("".join(characters))


class FileLocks:
    """Keeps processes and threads of one machine from doing the same work at the same time.

    Each piece of work has a file, locked with flock(2) while the work is done. The kernel lets go
    of the lock when its process ends, however that happens; a file that is left over means nothing.

    Args:
        folder: Where the lock files are; made if it is not there. It must be on a disk of this
            machine: over NFS, flock does not keep threads of one process apart.

    Raises:
        StorageError: The folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"the folder for locks {self._folder} cannot be made: {error.strerror}"
            ) from error

    @contextmanager
    def hold(self, work: str, wait_seconds: float = 0) -> Iterator[None]:
        """Hold the lock of a piece of work while the context lasts.

        Args:
            work: Any name of the work; another name is another lock.
            wait_seconds: How long to wait for it while another holds it.

        Raises:
            AlreadyRunning: Another process or thread still holds it, or this thread already does.
            StorageError: The lock file cannot be made.
        """
        path = self._folder / _file_name(work)
        until = time.monotonic() + wait_seconds
        while (descriptor := _lock(path)) is None:
            left = until - time.monotonic()
            if left <= 0:
                raise AlreadyRunning(work)
            time.sleep(min(left, ASK_AGAIN_SECONDS))
        _held.add(descriptor)
        try:
            yield
        finally:
            # A process that was forked off inside the context has lost the descriptor.
            if descriptor in _held:
                _held.remove(descriptor)
                try:
                    path.unlink(missing_ok=True)
                finally:
                    os.close(descriptor)


class MemoryLocks:
    """Keeps threads of one process from doing the same work at the same time; for unit tests."""

    def __init__(self) -> None:
        self._works: set[str] = set()
        self._changed = Condition()

    @contextmanager
    def hold(self, work: str, wait_seconds: float = 0) -> Iterator[None]:
        """Hold the lock of a piece of work while the context lasts.

        Args:
            work: Any name of the work; another name is another lock.
            wait_seconds: How long to wait for it while another holds it.

        Raises:
            AlreadyRunning: Another thread still holds it, or this one already does.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: work not in self._works, wait_seconds):
                raise AlreadyRunning(work)
            self._works.add(work)
        try:
            yield
        finally:
            with self._changed:
                self._works.remove(work)
                self._changed.notify_all()


def _lock(path: Path) -> int | None:
    """Lock a file and return its descriptor, or None where another holds the lock."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o640)
        except OSError as error:
            raise StorageError(
                f"the lock file {path} cannot be opened: {error.strerror}"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(path, descriptor):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError as error:
            os.close(descriptor)
            raise StorageError(f"{path} cannot be locked: {error.strerror}") from error
        # Its last holder removed the file between our opening and locking it: a lock on it keeps
        # nobody out. Try again with the file that is there now.
        os.close(descriptor)


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(follow_symlinks=False), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _file_name(work: str) -> str:
    # The readable part is for the operator; the hash tells apart what reads the same.
    readable = _UNSAFE.sub("-", work).strip("-")[:60]
    digest = hashlib.sha256(work.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{readable}-{digest}.lock".lstrip("-")


_held: Final[set[int]] = set()


def _let_go_in_child() -> None:
    # A child would keep its parent's locks alive beyond the parent's end.
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_let_go_in_child)
