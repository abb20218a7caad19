"""Folders by their open descriptors, so that no symbolic link in them is ever followed."""

import errno
import os
import stat
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

#: The umask can only take away from this: documents hold names, so they are not for everybody.
FOLDER_MODE: Final = 0o750

#: What is still among incoming files after an hour was left by a process that is gone.
LEFTOVER_SECONDS: Final = 3600


def open_inner(folder: int, name: str) -> int:
    """Open a folder in a folder, unless it is a symbolic link."""
    try:
        return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
    except NotADirectoryError:
        # Linux says so of a symbolic link too.
        if stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None
        raise


def read(folder: int, name: str) -> bytes:
    """Return the content of a file in a folder, unless it is a symbolic link."""

    def open_it(path: str, flags: int) -> int:
        return os.open(path, flags | os.O_NOFOLLOW, dir_fd=folder)

    with open(name, "rb", opener=open_it) as file:
        return file.read()


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
