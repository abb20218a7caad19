"""Storage in a folder of a local file system."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO, Final, TypeVar
from uuid import uuid4

from testamur.adapters.current_work import HelpingThreads
from testamur.adapters.storage.contents import checked_pieces, reading, size_of
from testamur.adapters.storage.folders import (
    explained,
    is_file,
    listed,
    make_durably,
    open_below,
    open_file,
    remove,
    remove_leftovers,
)
from testamur.adapters.storage.keys import check_file, check_key
from testamur.application.ports.storage import AnyFile
from testamur.domain.errors import NotFound

#: Where files are written before they get their name. No key begins with a dot.
INCOMING: Final = ".incoming"

#: Where archived files lie, under their keys. Web servers do not give out what begins with a dot.
ARCHIVE: Final = ".archive"

#: A batch took a fifth to a half less time than with one thread, and no less with more than these.
SYNC_THREADS: Final = 4

#: The umask can only take away from this: documents hold names, so they are not for everybody.
FILE_MODE: Final = 0o640

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
        with explained("opened", self._root):
            make_durably(self._root)
            with self._open([INCOMING], make=True) as incoming:
                remove_leftovers(incoming)

    def put(self, files: Sequence[AnyFile]) -> None:
        """Store files durably; they are readable by the owner and the group.

        Raises:
            StorageError: A file could not be stored, or its content not be read; others of the
                batch may have been stored.
            InvalidInput: A key is not allowed, or content and hash or size do not agree; nothing
                was stored.
        """
        wanted = {file.key: file for file in map(check_file, files)}
        if not wanted:
            return
        with (
            explained("written", self._root / INCOMING),
            self._open([INCOMING]) as incoming,
        ):
            new = {
                _name_incoming(file.key): file for file in wanted.values() if not self._holds(file)
            }
            try:
                _in_threads(lambda item: self._write_incoming(incoming, *item), new.items())
                for name, file in new.items():
                    self._give_its_name(incoming, name, file)
            except BaseException:
                remove(incoming, new)
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
        with self._opened(check_key(key)) as file, explained("read", self._root / key):
            return file.readall()

    @contextmanager
    def stream(self, key: str, *, archived: bool = False) -> Iterator[BinaryIO]:
        """Open a file, or an archived one, to be read; what takes its place meanwhile is not seen.

        Raises:
            NotFound: There is no such file.
            StorageError: It cannot be read.
            InvalidInput: The key is not allowed.
        """
        with self._opened(check_key(key), archived=archived) as file:
            path = self._root / (ARCHIVE if archived else "") / key

            def fill(buffer: memoryview) -> int:
                with explained("read", path):
                    return file.readinto(buffer)

            with reading(fill, file.close, str(path), os.fstat(file.fileno()).st_size) as stream:
                yield stream

    def delete(self, keys: Sequence[str]) -> None:
        """Delete files durably, archived ones too; those that are not there are left so.

        Raises:
            StorageError: A file could not be deleted.
            InvalidInput: A key is not allowed; nothing was deleted.
        """
        checked = [check_key(key) for key in keys]
        touched: set[tuple[str, ...]] = set()
        for key in checked:
            below, name = _split(key)
            for folder in (below, (ARCHIVE, *below)):
                with (
                    explained("deleted", self._root.joinpath(*folder, name)),
                    suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError),
                    self._open(folder) as parent,
                ):
                    touched.add(folder)
                    os.unlink(name, dir_fd=parent)
        self._sync_folders(touched)

    def sweep(self, stem: str) -> int:
        """Delete durably whatever lies under a key of this stem; return how many files that were.

        Archived files go too.

        Raises:
            StorageError: A file could not be deleted, or not be looked for.
            InvalidInput: The stem is not allowed as a key.
        """
        folder, beginning = _split(check_key(stem))
        swept = 0
        with explained("deleted", self._root / f"{stem}.*"):
            for parts in ((INCOMING,), folder, (ARCHIVE, *folder)):
                with suppress(FileNotFoundError, NotADirectoryError), self._open(parts) as parent:
                    for name in listed(parent, f"{beginning}."):
                        with suppress(FileNotFoundError):  # another process may be doing the same
                            os.unlink(name, dir_fd=parent)
                            swept += parts != (INCOMING,)
                    os.fsync(parent)
        return swept

    def location(self, key: str) -> str:
        """Return the absolute path of the file.

        Raises:
            InvalidInput: The key is not allowed.
        """
        return str(self._root / check_key(key))

    def archive(self, keys: Sequence[str]) -> None:
        """Move files durably into the folder ``.archive``; those that were moved are left so.

        Raises:
            NotFound: A file is neither there nor archived; others may have been moved.
            StorageError: A file cannot be moved; others may have been.
            InvalidInput: A key is not allowed; nothing was moved.
        """
        wanted = dict.fromkeys([check_key(key) for key in keys])
        for key in wanted:
            self._move_to_archive(key)
        # Of those that were moved before, too: who did may have been killed before this. First the
        # folders that files came to: a crash may leave a file in both places, and never in none.
        self._sync_folders({(ARCHIVE, *above) for key in wanted for above in _folders_above(key)})
        left = {_split(key)[0] for key in wanted} | ({()} if wanted else set())
        self._sync_folders(folder for folder in left if self._has_folder(folder))

    def archived(self, key: str) -> bytes:
        """Return the content of an archived file.

        Raises:
            NotFound: There is no such file in the archive.
            StorageError: It cannot be read.
            InvalidInput: The key is not allowed.
        """
        with (
            self._opened(check_key(key), archived=True) as file,
            explained("read", self._root / ARCHIVE / key),
        ):
            return file.readall()

    def archived_location(self, key: str) -> str:
        """Return the absolute path of the file in the archive.

        Raises:
            InvalidInput: The key is not allowed.
        """
        return str(self._root / ARCHIVE / check_key(key))

    def _move_to_archive(self, key: str) -> None:
        folder, name = _split(key)
        with explained("archived", self._root / key):
            if self._has_file(folder, name):
                with (
                    suppress(FileNotFoundError),  # another process may be doing the same
                    self._open(folder) as parent,
                    self._open((ARCHIVE, *folder), make=True) as archive,
                ):
                    os.rename(name, name, src_dir_fd=parent, dst_dir_fd=archive)
            if not self._has_file((ARCHIVE, *folder), name):
                raise NotFound("file", key)

    def _has_folder(self, parts: Sequence[str]) -> bool:
        with suppress(FileNotFoundError, NotADirectoryError), self._open(parts):
            return True
        return False

    def _has_file(self, folder: Sequence[str], name: str) -> bool:
        with suppress(FileNotFoundError, NotADirectoryError), self._open(folder) as parent:
            return is_file(parent, name)
        return False

    def _opened(self, key: str, *, archived: bool = False) -> FileIO:
        below, name = _split(key)
        folder = (ARCHIVE, *below) if archived else below
        with explained("read", self._root.joinpath(*folder, name)):
            try:
                with self._open(folder) as parent:
                    return open_file(parent, name)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                if not self._root.is_dir():
                    raise
        raise NotFound("file in the archive" if archived else "file", key)

    def _open(
        self, parts: Sequence[str] = (), *, make: bool = False
    ) -> AbstractContextManager[int]:
        return open_below(self._root, parts, make=make)

    def _holds(self, file: AnyFile) -> bool:
        folder, name = _split(file.key)
        with explained("read", self._root / file.key):
            try:
                with self._open(folder) as parent:
                    if not is_file(parent, name):
                        return False
                    there = open_file(parent, name)
            except (FileNotFoundError, NotADirectoryError):
                return False

        def next_bytes(count: int) -> bytes:
            with explained("read", self._root / file.key):
                return there.read(count)

        with there, closing(checked_pieces(file)) as pieces:
            return os.fstat(there.fileno()).st_size == size_of(file) and all(
                next_bytes(len(piece)) == piece for piece in pieces
            )

    def _write_incoming(self, incoming: int, name: str, file: AnyFile) -> None:
        def create(path: str, flags: int) -> int:
            return os.open(path, flags, FILE_MODE, dir_fd=incoming)

        with (
            explained("written", self._root / file.key),
            open(name, "xb", opener=create) as written,
        ):
            written.writelines(checked_pieces(file))
            written.flush()
            os.fsync(written.fileno())

    def _give_its_name(self, incoming: int, name: str, file: AnyFile) -> None:
        folder, final_name = _split(file.key)
        with (
            explained("written", self._root / file.key),
            self._open(folder, make=True) as parent,
        ):
            os.rename(name, final_name, src_dir_fd=incoming, dst_dir_fd=parent)

    def _sync_folders(self, folders: Iterable[tuple[str, ...]]) -> None:
        def sync(parts: tuple[str, ...]) -> None:
            with (
                explained("flushed to the disk", self._root.joinpath(*parts)),
                self._open(parts) as folder,
            ):
                os.fsync(folder)

        _in_threads(sync, folders)


def _name_incoming(key: str) -> str:
    # Begins as the file's own name does, so that what is left of it is found with it.
    _, name = _split(key)
    return f"{name}.{uuid4().hex}.part"


def _split(key: str) -> tuple[tuple[str, ...], str]:
    *folders, name = key.split("/")
    return tuple(folders), name


def _folders_above(key: str) -> Iterator[tuple[str, ...]]:
    folders, _ = _split(key)
    for depth in range(len(folders) + 1):
        yield folders[:depth]


def _in_threads(do: Callable[[_Item], None], items: Iterable[_Item]) -> None:
    items = list(items)
    if len(items) < 2:
        for item in items:
            do(item)
        return
    with HelpingThreads(min(SYNC_THREADS, len(items))) as threads:
        for _ in threads.map(do, items):
            pass  # the first failure is raised here, once all others have ended
