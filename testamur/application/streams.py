"""Files piece by piece: stored, opened and read so, whatever the storage can do.

A storage that knows whole files only, such as a plugin, is given and asked for whole ones.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from io import BytesIO
from typing import BinaryIO, Final

from testamur.application.errors import StorageError
from testamur.application.ports.storage import (
    ArchivingStorage,
    ArtifactStorage,
    StorableFile,
    StreamedFile,
    StreamingStorage,
)
from testamur.domain.errors import NotFound

#: The most bytes that are read at once. Some pieces are in memory at the same time: one that is
#: sent, one that waits for it, one in a buffer.
PIECE: Final = 1 << 17

Opened = Callable[[], AbstractContextManager[BinaryIO]]


def pieces(open_content: Opened, what: str) -> Iterator[bytes]:
    """Yield content piece by piece.

    Args:
        open_content: Opens it from its beginning.
        what: It is of, for the error.

    Raises:
        StorageError: It cannot be read.
    """
    try:
        with open_content() as stream:
            while piece := stream.read(PIECE):
                yield piece
    except OSError as error:
        reason = error.strerror or error
        raise StorageError(f"the content of {what} cannot be read: {reason}") from error


def store(storage: ArtifactStorage, file: StreamedFile) -> None:
    """Store a file durably.

    Raises:
        StorageError: It could not be stored, or its content not be read.
        InvalidInput: Its key is not allowed, or its content and hash or size do not agree.
    """
    if isinstance(storage, StreamingStorage):
        storage.put([file])
        return
    content = b"".join(pieces(file.open, file.key))
    storage.put([StorableFile(file.key, content, file.sha256, file.media_type)])


@contextmanager
def stream_wherever(storage: ArtifactStorage, key: str) -> Iterator[BinaryIO]:
    """Open a file to be read, whether it is in its public place or in the archive.

    Raises:
        NotFound: It is in neither.
        StorageError: It cannot be read.
    """
    with ExitStack() as opened:
        try:
            stream = opened.enter_context(stream_of(storage, key))
        except NotFound:
            if not isinstance(storage, ArchivingStorage):
                raise
            if isinstance(storage, StreamingStorage):
                stream = opened.enter_context(storage.stream(key, archived=True))
            else:
                stream = BytesIO(storage.archived(key))
        yield stream


@contextmanager
def stream_of(storage: ArtifactStorage, key: str) -> Iterator[BinaryIO]:
    """Open a file to be read.

    Raises:
        NotFound: There is no such file.
        StorageError: It cannot be read.
    """
    if isinstance(storage, StreamingStorage):
        with storage.stream(key) as stream:
            yield stream
    else:
        yield BytesIO(storage.get(key))
