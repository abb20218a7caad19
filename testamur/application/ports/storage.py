"""Port: durable storage of documents and assets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


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
