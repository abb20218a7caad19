"""Files that are read piece by piece on their way to storage, and the storages that take them."""

import hashlib
from io import BufferedReader, BytesIO, RawIOBase
from typing import TYPE_CHECKING, BinaryIO, cast

from testamur.adapters.storage.local import LocalFolderStorage
from testamur.adapters.storage.memory import MemoryStorage
from testamur.adapters.storage.s3.storage import S3Storage
from testamur.application.ports.storage import StreamedFile

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

AnyStorage = LocalFolderStorage | MemoryStorage | S3Storage


def streamed(
    key: str,
    content: bytes = b"%PDF-1.7 of Ada",
    *,
    sha256: str | None = None,
    size: int | None = None,
) -> StreamedFile:
    """Return a file to be stored; hash and size are those of its content unless told otherwise."""
    told = hashlib.sha256(content).hexdigest() if sha256 is None else sha256
    length = len(content) if size is None else size
    return StreamedFile(key, lambda: BytesIO(content), length, told, "application/pdf")


class Opening:
    """Opens one content after the other, each for one reading; the last one for all others."""

    def __init__(self, *contents: bytes) -> None:
        self.contents = list(contents)
        self.opened: list[BytesIO] = []

    def __call__(self) -> BinaryIO:
        content = self.contents.pop(0) if len(self.contents) > 1 else self.contents[0]
        self.opened.append(BytesIO(content))
        return self.opened[-1]


def large(key: str, size: int) -> StreamedFile:
    """Return a file of so many bytes (whole MiB) that are nowhere before they are read."""
    hashed = hashlib.sha256()
    for _ in range(size >> 20):
        hashed.update(_MEBIBYTE)
    return StreamedFile(key, lambda: _made(size), size, hashed.hexdigest(), "application/pdf")


_MEBIBYTE = bytes(range(256)) * 4096


def _made(size: int) -> BinaryIO:
    return cast(BinaryIO, BufferedReader(_Made(size)))


class _Made(RawIOBase):
    def __init__(self, size: int) -> None:
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        begin = -self._left % len(_MEBIBYTE)
        count = min(len(view), self._left, len(_MEBIBYTE) - begin)
        view[:count] = _MEBIBYTE[begin : begin + count]
        self._left -= count
        return count
