"""Storage that is gone with the process, for unit tests."""

from collections.abc import Sequence

from testamur.adapters.storage.keys import check_file, check_key
from testamur.application.ports.storage import StorableFile
from testamur.domain.errors import NotFound


class MemoryStorage:
    """Keeps files in a dictionary; nothing in it is durable."""

    def __init__(self) -> None:
        self._files: dict[str, StorableFile] = {}
        self._archived: dict[str, StorableFile] = {}

    def put(self, files: Sequence[StorableFile]) -> None:
        """Keep files.

        Raises:
            InvalidInput: A key is not allowed, or content and hash do not agree.
        """
        self._files |= {file.key: file for file in map(check_file, files)}

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
