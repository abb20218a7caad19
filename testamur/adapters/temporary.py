"""The temporary folder of a data source, which is gone in the end however its process ends."""

import fcntl
import os
import shutil
import tempfile
import weakref
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Final, Self

PREFIX: Final = "testamur-index-"


class TemporaryFolder:
    """Is made when a path in it is first asked for, and removed with its owner at the latest.

    As long as it is used it is locked with flock(2). The kernel lets go of the lock when the
    process ends; what a process that was killed has left is removed when the next folder is made.
    """

    def __init__(self) -> None:
        self._path: Path | None = None
        self._process = os.getpid()
        self._numbers = count(1)
        self._finalizer: weakref.finalize[[Path, int, int], TemporaryFolder] | None = None

    def is_of_another_process(self) -> bool:
        """Return whether this process was forked from the one that the folder belongs to."""
        return self._process != os.getpid()

    def new_path(self, name: str) -> Path:
        """Return a path in the folder that was not returned before."""
        if self._path is None:
            _remove_abandoned()
            self._path, lock = _make()
            self._finalizer = weakref.finalize(self, _remove, self._path, lock, self._process)
        return self._path / f"{name}-{next(self._numbers)}.sqlite"

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        if self._finalizer is not None:
            self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.remove()


def _make() -> tuple[Path, int]:
    """Make a folder and lock it."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=PREFIX))
        lock = _open(path)
        if lock is None:
            continue
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists():
            return path, lock
        # Another process took it for abandoned before it was locked.
        os.close(lock)


def _remove(path: Path, lock: int, process: int) -> None:
    try:
        if process == os.getpid():
            shutil.rmtree(path)
    finally:
        os.close(lock)


def _remove_abandoned() -> None:
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        lock = _open(path)
        if lock is None:
            continue
        try:
            if os.fstat(lock).st_uid == os.getuid() and _nobody_holds(lock) and path.exists():
                shutil.rmtree(path)
        finally:
            os.close(lock)


def _open(path: Path) -> int | None:
    try:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        # Gone meanwhile, another user's, or no folder at all: not for us to remove.
        return None


def _nobody_holds(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
