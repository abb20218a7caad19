"""Storage that is gone with the process, for unit tests."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import BinaryIO

from testamur.adapters.storage.contents import checked_pieces
from testamur.adapters.storage.keys import check_file, check_key
from testamur.application.ports.storage import AnyFile, StorableFile
from testamur.domain.errors import NotFound


class MemoryStorage:
    """Keeps files in a dictionary; nothing in it is durable."""

    def __init__(self) -> None:
        self._files: dict[str, StorableFile] = {}
        self._archived: dict[str, StorableFile] = {}

    def put(self, files: Sequence[AnyFile]) -> None:
        """Keep files.

        Raises:
            InvalidInput: A key is not allowed, or content and hash or size do not agree; nothing
                was kept.
            StorageError: The content of a file cannot be read; nothing was kept.
        """
        self._files |= {file.key: _whole(file) for file in list(map(check_file, files))}

    def get(self, key: str) -> bytes:
        """Return a file's content.

        Raises:
            NotFound: There is no such file.
            InvalidInput: The key is not allowed.
        """
        try:
            return self._files[check_key(key)].content
        except KeyError:
            raise NotFound("file", key) from None

    @contextmanager
    def stream(self, key: str, *, archived: bool = False) -> Iterator[BinaryIO]:
        """Open a file, or an archived one, to be read.

        Raises:
            NotFound: There is no such file.
            InvalidInput: The key is not allowed.
        """
        with BytesIO(self.archived(key) if archived else self.get(key)) as stream:
            yield stream

    def delete(self, keys: Sequence[str]) -> None:
        """Delete files, archived ones too; those that are not there are left so.

        Raises:
            InvalidInput: A key is not allowed.
        """
        for key in [check_key(key) for key in keys]:
            self._files.pop(key, None)
            self._archived.pop(key, None)

    def sweep(self, stem: str) -> int:
        """Delete whatever lies under a key of this stem, and return how many files that were.

        Raises:
            InvalidInput: The stem is not allowed as a key.
        """
        beginning = f"{check_key(stem)}."
        found = [key for key in [*self._files, *self._archived] if key.startswith(beginning)]
        self.delete(found)
        return len(found)

    def location(self, key: str) -> str:
        """Return ``memory:`` and the key.

        Raises:
            InvalidInput: The key is not allowed.
        """
        return f"memory:{check_key(key)}"

    def archive(self, keys: Sequence[str]) -> None:
        """Put files away; those that were are left so.

        Raises:
            NotFound: A file is neither there nor archived.
            InvalidInput: A key is not allowed; nothing was moved.
        """
        for key in [check_key(key) for key in keys]:
            if key in self._files:
                self._archived[key] = self._files.pop(key)
            elif key not in self._archived:
                raise NotFound("file", key)

    def archived(self, key: str) -> bytes:
        """Return the content of an archived file.

        Raises:
            NotFound: There is no such file in the archive.
            InvalidInput: The key is not allowed.
        """
        try:
            return self._archived[check_key(key)].content
        except KeyError:
            raise NotFound("file in the archive", key) from None

    def archived_location(self, key: str) -> str:
        """Return ``archive:`` and the key.

        Raises:
            InvalidInput: The key is not allowed.
        """
        return f"archive:{check_key(key)}"


def _whole(file: AnyFile) -> StorableFile:
    if isinstance(file, StorableFile):
        return file
    # It gives its value away without a copy: there is never more than the file and a piece.
    content = BytesIO()
    for piece in checked_pieces(file):
        content.write(piece)
    return StorableFile(file.key, content.getvalue(), file.sha256, file.media_type)
