"""What files hold, read piece by piece and compared with what is told of it."""

import hashlib
from collections.abc import Callable, Generator
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING, BinaryIO, cast

from testamur.application.errors import StorageError
from testamur.application.ports.storage import AnyFile, StorableFile, StreamedFile
from testamur.application.streams import PIECE, pieces
from testamur.domain.errors import InvalidInput

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


def size_of(file: AnyFile) -> int:
    """Return how many bytes a file is to have."""
    return len(file.content) if isinstance(file, StorableFile) else file.size


def checked_pieces(file: AnyFile) -> Generator[bytes]:
    """Yield the content of a file that is to be stored.

    What is streamed is compared on the way: the last piece comes only if all agrees. What is whole
    was compared before, by `check_file`.

    Raises:
        InvalidInput: The content and its hash or size do not agree.
        StorageError: The content cannot be read.
    """
    if isinstance(file, StorableFile):
        for begin in range(0, len(file.content), PIECE):
            yield file.content[begin : begin + PIECE]
        return
    hashed, size, last = hashlib.sha256(), 0, b""
    for piece in pieces(file.open, file.key):
        if last:
            yield last
        last = piece
        size += len(piece)
        if size > file.size:
            raise InvalidInput(f"size of {file.key}", file.size, "that of its content: it has more")
        hashed.update(piece)
    if size != file.size:
        raise InvalidInput(f"size of {file.key}", file.size, f"{size}, that of its content")
    actual = hashed.hexdigest()
    if actual != file.sha256:
        raise InvalidInput(f"sha256 of {file.key}", file.sha256, f"{actual}, that of its content")
    if last:
        yield last


def check_content(file: StreamedFile) -> None:
    """Read a file that is to be stored, and compare it.

    Raises:
        InvalidInput, StorageError: As :func:`checked_pieces`.
    """
    for _ in checked_pieces(file):
        pass


def reading(
    fill: Callable[[memoryview], int],
    close: Callable[[], None],
    where: str,
    size: int | None,
    sha256: str | None = None,
) -> BinaryIO:
    """Return a stored file that is read to its end or to an error, and never ends before.

    Args:
        fill: Reads on into a buffer and returns how many bytes; 0: there are no more.
        close: Lets go of the file.
        where: It lies, for errors.
        size: It has to have, in bytes, if that is known.
        sha256: Its content has to have, if that is known. The last piece comes only then, where the
            size is known too.
    """
    # Made for buffers of raw files, this is a stream as any file's.
    return cast(BinaryIO, BufferedReader(_Compared(fill, close, where, size, sha256), PIECE))


class _Compared(RawIOBase):
    def __init__(
        self,
        fill: Callable[[memoryview], int],
        close: Callable[[], None],
        where: str,
        size: int | None,
        sha256: str | None,
    ) -> None:
        self._fill, self._let_go, self._where = fill, close, where
        self._size, self._sha256 = size, sha256
        self._so_far, self._hashed = 0, hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        count = self._fill(view)
        self._so_far += count
        if self._sha256 is not None:
            self._hashed.update(view[:count])
        if count == 0 and len(view) > 0 and self._size is not None and self._so_far < self._size:
            raise StorageError(
                f"{self._where} cannot be read: it ends after {self._so_far:,} bytes of "
                f"{self._size:,}"
            )
        if self._sha256 is not None and (count == 0 or self._so_far == self._size):
            self._compare(self._sha256)
        return count

    def _compare(self, sha256: str) -> None:
        if self._hashed.hexdigest() != sha256:
            raise StorageError(
                f"{self._where} cannot be read: its content is not what was stored: the hash is "
                "another"
            )

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._let_go()
