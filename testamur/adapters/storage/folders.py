"""Folders by their open descriptors, so that no symbolic link in them is ever followed."""

import errno
import os
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import Final

from testamur.application.errors import StorageError

#: The umask can only take away from this: documents hold names, so they are not for everybody.
FOLDER_MODE: Final = 0o750

#: What is still among incoming files after an hour was left by a process that is gone.
LEFTOVER_SECONDS: Final = 3600


@contextmanager
def open_below(root: Path, parts: Sequence[str] = (), *, make: bool = False) -> Iterator[int]:
    """Open a folder step by step, so that no symbolic link below the root is followed."""
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(part, FOLDER_MODE, dir_fd=descriptor)
            inner = open_inner(descriptor, part)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def open_inner(folder: int, name: str) -> int:
    """Open a folder in a folder, unless it is a symbolic link."""
    try:
        return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
    except NotADirectoryError:
        # Linux says so of a symbolic link too.
        if stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None
        raise


def open_file(folder: int, name: str) -> FileIO:
    """Open a file in a folder to be read, unless it is a symbolic link."""

    def open_it(path: str, flags: int) -> int:
        return os.open(path, flags | os.O_NOFOLLOW, dir_fd=folder)

    return FileIO(name, opener=open_it)


def remove(folder: int, names: Iterable[str]) -> None:
    """Remove files from a folder, as far as that can be done."""
    # Those that cannot be removed now are removed as leftovers; the first error is what matters.
    for name in names:
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)


def listed(folder: int, beginning: str) -> list[str]:
    """Return the names in a folder that begin so."""
    names = os.listdir(folder)
    return [name for name in names if name.startswith(beginning)]


def remove_leftovers(folder: int) -> None:
    """Remove what lies in a folder for long."""
    oldest = time.time() - LEFTOVER_SECONDS
    for name in os.listdir(folder):
        with suppress(FileNotFoundError):  # another process may be doing the same
            if os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime < oldest:
                os.unlink(name, dir_fd=folder)


def make_durably(folder: Path) -> None:
    """Make a folder, and those above it that are not there."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(FOLDER_MODE, exist_ok=True)
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def is_file(folder: int, name: str) -> bool:
    """Return whether there is a file of this name in a folder, and no folder and no link."""
    with suppress(FileNotFoundError):
        return stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    return False


@contextmanager
def explained(done: str, path: Path) -> Iterator[None]:
    """Say of what goes wrong with a file what it was, and what to do.

    Args:
        done: What was being done with it, such as ``read``.
        path: Of the file.

    Raises:
        StorageError: Something went wrong.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno == errno.ELOOP:
            reason = (
                "a symbolic link in the storage is not followed; mount the other place there, "
                "or let the storage's own folder be the link"
            )
        raise StorageError(f"{path} cannot be {done}: {reason}") from error
