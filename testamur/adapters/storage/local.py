"""Storage in a folder of a local file system."""

import errno
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar
from uuid import uuid4

from testamur.adapters.storage.keys import check_file, check_key
from testamur.application.errors import StorageError
from testamur.application.ports.storage import StorableFile
from testamur.domain.errors import NotFound

#: Where files are written before they get their name. No key begins with a dot.
INCOMING: Final = ".incoming"

#: What is still in there after an hour was left by a process that is gone.
LEFTOVER_SECONDS: Final = 3600

#: A batch took a fifth to a half less time than with one thread, and no less with more than these.
SYNC_THREADS: Final = 4

#: The umask can only take away from these: documents hold names, so they are not for everybody.
FILE_MODE: Final = 0o640
FOLDER_MODE: Final = 0o750

_Item = TypeVar("_Item")


class LocalFolderStorage:
    """Keeps each file under its key in a folder.

    A file is written out of sight, flushed to the disk, and only then given its name; then the
    folders are flushed. So a file that can be seen is whole, and one that was stored stays. What a
    killed process leaves half done is removed when a storage is opened an hour later or more.

    Symbolic links inside the folder are never followed; the folder itself may be one.

    Args:
        root: The folder; made if it is not there. All of it must be one file system.

    Raises:
        StorageError: The folder cannot be made or written.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        with _explained("opened", self._root):
            _make_durably(self._root)
            with self._open([INCOMING], make=True) as incoming:
                _remove_leftovers(incoming)

    def put(self, files: Sequence[StorableFile]) -> None:
        """Store files durably; they are readable by the owner and the group.

        Raises:
            StorageError: A file could not be stored; others of the batch may have been.
            InvalidInput: A key is not allowed, or content and hash do not agree; nothing was
                stored.
        """
        wanted = {file.key: file for file in map(check_file, files)}
        if not wanted:
            return
        with (
            _explained("written", self._root / INCOMING),
            self._open([INCOMING]) as incoming,
        ):
            new = {f"{uuid4().hex}.part": file for file in wanted.values() if not self._holds(file)}
            try:
                _in_threads(lambda item: self._write_incoming(incoming, *item), new.items())
                for name, file in new.items():
                    self._give_its_name(incoming, name, file)
            except BaseException:
                _remove(incoming, new)
                raise
        # Those of files that were there already too: who put them may have been killed before this.
        self._sync_folders({folder for key in wanted for folder in _folders_above(key)})

    def get(self, key: str) -> bytes:
        """Return a file's content.

        Raises:
            NotFound: There is no such file.
            StorageError: It cannot be read.
            InvalidInput: The key is not allowed.
        """
        folder, name = _split(check_key(key))
        with _explained("read", self._root / key):
            try:
                with self._open(folder) as parent:
                    return _read(parent, name)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                if not self._root.is_dir():
                    raise
                raise NotFound("file", key) from None

    def delete(self, keys: Sequence[str]) -> None:
        """Delete files durably; those that are not there are left so.

        Raises:
            StorageError: A file could not be deleted.
            InvalidInput: A key is not allowed; nothing was deleted.
        """
        checked = [check_key(key) for key in keys]
        touched: set[tuple[str, ...]] = set()
        for key in checked:
            folder, name = _split(key)
            with (
                _explained("deleted", self._root / key),
                suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError),
                self._open(folder) as parent,
            ):
                touched.add(folder)
                os.unlink(name, dir_fd=parent)
        self._sync_folders(touched)

    def location(self, key: str) -> str:
        """Return the absolute path of the file.

        Raises:
            InvalidInput: The key is not allowed.
        """
        return str(self._root / check_key(key))

    @contextmanager
    def _open(self, parts: Sequence[str] = (), *, make: bool = False) -> Iterator[int]:
        """Open a folder step by step, so that no symbolic link below the root is followed."""
        descriptor = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for part in parts:
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(part, FOLDER_MODE, dir_fd=descriptor)
                inner = _open_inner(descriptor, part)
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        finally:
            os.close(descriptor)

    def _holds(self, file: StorableFile) -> bool:
        folder, name = _split(file.key)
        with _explained("read", self._root / file.key):
            try:
                with self._open(folder) as parent:
                    found = os.stat(name, dir_fd=parent, follow_symlinks=False)
                    if not stat.S_ISREG(found.st_mode) or found.st_size != len(file.content):
                        return False
                    return _read(parent, name) == file.content
            except (FileNotFoundError, NotADirectoryError):
                return False

    def _write_incoming(self, incoming: int, name: str, file: StorableFile) -> None:
        def create(path: str, flags: int) -> int:
            return os.open(path, flags, FILE_MODE, dir_fd=incoming)

        with (
            _explained("written", self._root / file.key),
            open(name, "xb", opener=create) as written,
        ):
            written.write(file.content)
            written.flush()
            os.fsync(written.fileno())

    def _give_its_name(self, incoming: int, name: str, file: StorableFile) -> None:
        folder, final_name = _split(file.key)
        with (
            _explained("written", self._root / file.key),
            self._open(folder, make=True) as parent,
        ):
            os.rename(name, final_name, src_dir_fd=incoming, dst_dir_fd=parent)

    def _sync_folders(self, folders: Iterable[tuple[str, ...]]) -> None:
        def sync(parts: tuple[str, ...]) -> None:
            with (
                _explained("flushed to the disk", self._root.joinpath(*parts)),
                self._open(parts) as folder,
            ):
                os.fsync(folder)

        _in_threads(sync, folders)


def _split(key: str) -> tuple[tuple[str, ...], str]:
    *folders, name = key.split("/")
    return tuple(folders), name


def _folders_above(key: str) -> Iterator[tuple[str, ...]]:
    folders, _ = _split(key)
    for depth in range(len(folders) + 1):
        yield folders[:depth]


def _open_inner(folder: int, name: str) -> int:
    try:
        return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
    except NotADirectoryError:
        # Linux says so of a symbolic link too.
        if stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None
        raise


def _read(folder: int, name: str) -> bytes:
    def open_it(path: str, flags: int) -> int:
        return os.open(path, flags | os.O_NOFOLLOW, dir_fd=folder)

    with open(name, "rb", opener=open_it) as file:
        return file.read()


def _remove(folder: int, names: Iterable[str]) -> None:
    # Those that cannot be removed now are removed as leftovers; the first error is what matters.
    for name in names:
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)


def _remove_leftovers(folder: int) -> None:
    oldest = time.time() - LEFTOVER_SECONDS
    for name in os.listdir(folder):
        with suppress(FileNotFoundError):  # another process may be doing the same
            if os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime < oldest:
                os.unlink(name, dir_fd=folder)


def _make_durably(folder: Path) -> None:
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(FOLDER_MODE, exist_ok=True)
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _in_threads(do: Callable[[_Item], None], items: Iterable[_Item]) -> None:
    items = list(items)
    if len(items) < 2:
        for item in items:
            do(item)
        return
    with ThreadPoolExecutor(min(SYNC_THREADS, len(items))) as threads:
        for _ in threads.map(do, items):
            pass  # the first failure is raised here, once all others have ended


@contextmanager
def _explained(done: str, path: Path) -> Iterator[None]:
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
