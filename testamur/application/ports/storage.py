"""Port: durable storage of documents and assets."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO, Protocol, runtime_checkable


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


@dataclass(frozen=True, slots=True)
class StreamedFile:
    """A file on its way to storage that is read piece by piece, and is never whole in memory.

    Args:
        key: As that of a :class:`StorableFile`.
        open: Opens the content from its beginning. It is called for each time that the content is
            read, such as for another attempt, and not always by the same thread.
        size: Of the content, in bytes.
        sha256: Hash of the content, lower-case hexadecimal.
        media_type: e.g. ``application/pdf``.
    """

    key: str
    open: Callable[[], AbstractContextManager[BinaryIO]]
    size: int
    sha256: str
    media_type: str


#: What a storage takes that streams.
AnyFile = StorableFile | StreamedFile


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
class StreamingStorage(Protocol):
    """A storage that takes and gives files piece by piece, as well as whole.

    Of a streamed file it has no more in memory than a piece, however large the file is.
    """

    def put(self, files: Sequence[AnyFile]) -> None:
        """Store files durably, as :meth:`ArtifactStorage.put` does.

        Raises:
            StorageError: A file could not be stored, or its content not be read; others of the
                batch may have been stored.
            InvalidInput: A key is not allowed, or content and hash or size do not agree; nobody
                ever sees such a file.
        """
        ...

    def stream(self, key: str, *, archived: bool = False) -> AbstractContextManager[BinaryIO]:
        """Open a file to be read from its beginning to its end; it is closed with the context.

        Reading either comes to the file's end or raises: it never ends before.

        Args:
            key: Of the file.
            archived: Whether to look in the archive, and nowhere else; only where the storage is an
                :class:`ArchivingStorage`.

        Raises:
            NotFound: There is no such file (when the context is entered).
            StorageError: It cannot be read, or is damaged (then, or by reading).
        """
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
