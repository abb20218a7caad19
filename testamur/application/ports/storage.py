"""Port: durable storage of documents and assets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class StorableFile:
    """A file on its way to storage.

    Args:
        key: Parts of lower-case letters, digits, ``.``, ``_`` and ``-``, separated by ``/``.
        content: The bytes.
        sha256: Their hash, lower-case hexadecimal.
        media_type: e.g. ``application/pdf``.
    """

    key: str
    content: bytes
    sha256: str
    media_type: str


class ArtifactStorage(Protocol):
    """Keeps files under keys.

    A file is durable (survives loss of power) once :meth:`put` has returned. Putting the same file
    again is harmless; other content under the same key takes its place as a whole, so that no
    reader ever sees a part of a file.
    """

    def put(self, files: Sequence[StorableFile]) -> None:
        """Store files durably; a batch costs less than its files one by one.

        Raises:
            StorageError: A file could not be stored; others of the batch may have been.
            InvalidInput: A key is not allowed, or content and hash do not agree.
        """
        ...

    def get(self, key: str) -> bytes:
        """Return a file's content.

        Raises:
            NotFound: There is no such file.
            StorageError: It cannot be read.
        """
        ...

    def delete(self, keys: Sequence[str]) -> None:
        """Delete files; those that are not there are left so.

        Raises:
            StorageError: A file could not be deleted.
        """
        ...

    def location(self, key: str) -> str:
        """Return where an operator finds the file: a path or an address."""
        ...


@runtime_checkable
class SweepingStorage(Protocol):
    """A storage that finds files by how their keys begin."""

    def sweep(self, stem: str) -> int:
        """Delete whatever lies under a key of this stem, and return how many files that were.

        What a killed process left half written of them goes too.

        Args:
            stem: A key without its ending: ``a/b`` stands for ``a/b.pdf`` and ``a/b.json``, and
                neither for ``a/b`` nor for ``a/bc.pdf``.

        Raises:
            StorageError: A file could not be deleted, or not be looked for.
            InvalidInput: The stem is not allowed as a key.
        """
        ...


@runtime_checkable
class LinkingStorage(Protocol):
    """A storage that others can fetch files from, by a link."""

    def link(self, key: str, filename: str, seconds: int | None = None) -> str:
        """Return an address at which anybody can fetch the file, as long as it holds.

        Nothing is looked up: of a file that is not there, the link leads nowhere.

        Args:
            key: Of the file.
            filename: Name under which browsers save it, in any script; left out of account where
                files are public anyway.
            seconds: How long the link holds; by default as the storage is set. Where files are
                public, it holds as long as the file is there.

        Raises:
            InvalidInput: The key, or so many seconds, are not allowed.
            StorageError: No link can be made.
        """
        ...


@runtime_checkable
class ArchivingStorage(Protocol):
    """A storage that can put files away: nobody gets at them by their keys, and they are kept.

    What is archived goes as well when its key is deleted or swept.
    """

    def archive(self, keys: Sequence[str]) -> None:
        """Move files durably out of their public places; those that were moved are left so.

        It can be repeated after a crash at any point: a file is in one of its places, or in both.

        Raises:
            NotFound: A file is neither there nor archived; others may have been moved.
            StorageError: A file cannot be moved; others may have been.
            InvalidInput: A key is not allowed; nothing was moved.
        """
        ...

    def archived(self, key: str) -> bytes:
        """Return the content of an archived file.

        Raises:
            NotFound: There is no such file in the archive.
            StorageError: It cannot be read.
        """
        ...

    def archived_location(self, key: str) -> str:
        """Return where an operator finds the file once it is archived: a path or an address."""
        ...
