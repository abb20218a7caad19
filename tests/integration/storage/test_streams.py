"""What every storage promises of files that are stored and read piece by piece."""

import hashlib
import os
import tracemalloc
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

import pytest

from testamur.adapters.storage.memory import MemoryStorage
from testamur.application.errors import StorageError
from testamur.application.ports.storage import StreamedFile, StreamingStorage
from testamur.application.streams import PIECE
from testamur.domain.errors import InvalidInput, NotFound
from tests.support.buckets import file
from tests.support.stored_files import AnyStorage, Opening, large, streamed

LARGE = 64 << 20

#: Some pieces, and what is around them.
MOST_IN_MEMORY = 1 << 20

SIZES = [0, 1, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE + 7]


def read(opened: AbstractContextManager[BinaryIO], at_once: int = PIECE) -> bytes:
    with opened as stream:
        return b"".join(iter(lambda: stream.read(at_once), b""))


def test_every_storage_of_ours_streams(storage: AnyStorage) -> None:
    assert isinstance(storage, StreamingStorage)


@pytest.mark.parametrize("size", SIZES)
def test_a_streamed_file_comes_back_as_it_was_put(storage: AnyStorage, size: int) -> None:
    content = os.urandom(size)

    storage.put([streamed("a/b.pdf", content)])

    assert storage.get("a/b.pdf") == content
    assert read(storage.stream("a/b.pdf")) == content


@pytest.mark.parametrize("at_once", [-1, 1000, 10_000_000])
def test_a_whole_file_can_be_read_piece_by_piece(storage: AnyStorage, at_once: int) -> None:
    content = os.urandom(2 * PIECE + 3)
    storage.put([file("a.pdf", content)])

    assert read(storage.stream("a.pdf"), at_once) == content


def test_streamed_and_whole_files_go_in_one_batch(storage: AnyStorage) -> None:
    storage.put([streamed("1", b"one"), file("2", b"two"), streamed("3", b"three")])

    assert [storage.get(key) for key in "123"] == [b"one", b"two", b"three"]


def test_the_same_streamed_file_can_be_put_again(storage: AnyStorage) -> None:
    storage.put([streamed("a")])
    storage.put([streamed("a"), streamed("a")])
    storage.put([file("a")])
    storage.put([streamed("a")])

    assert storage.get("a") == file("a").content


@pytest.mark.parametrize("content", [b"second", b"other length"])
def test_a_streamed_file_takes_the_place_of_what_was_there(
    storage: AnyStorage, content: bytes
) -> None:
    storage.put([file("a", b"first!")])

    storage.put([streamed("a", content)])

    assert storage.get("a") == content


CONTENT = b"as it was hashed" * PIECE

WRONG = {
    "sha256": streamed("a/b", CONTENT, sha256=hashlib.sha256(b"other").hexdigest()),
    "size": streamed("a/b", CONTENT, size=len(CONTENT) - 1),
    "size, more": streamed("a/b", CONTENT, size=len(CONTENT) + 1),
    "size, empty": streamed("a/b", b"", size=1),
    "sha256, empty": streamed("a/b", b"", sha256=hashlib.sha256(b"other").hexdigest()),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_content_that_is_not_what_was_told_of_it_is_refused(
    storage: AnyStorage, wrong: str
) -> None:
    with pytest.raises(InvalidInput, match=f"{wrong.partition(',')[0]} of a/b"):
        storage.put([file("good"), streamed("better"), WRONG[wrong]])

    for key in ["good", "better", "a/b"]:
        with pytest.raises(NotFound):
            storage.get(key)


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_there_stays_where_other_content_is_refused(
    storage: AnyStorage, wrong: str
) -> None:
    storage.put([file("a/b", CONTENT)])

    with pytest.raises(InvalidInput):
        storage.put([WRONG[wrong]])

    assert storage.get("a/b") == CONTENT


def test_content_that_cannot_be_read_is_told_and_nothing_is_stored(storage: AnyStorage) -> None:
    def missing() -> BinaryIO:
        raise FileNotFoundError(2, "No such file or directory")

    gone = StreamedFile("gone", missing, 3, hashlib.sha256(b"abc").hexdigest(), "text/plain")

    with pytest.raises(StorageError, match="the content of gone cannot be read: No such file"):
        storage.put([gone])

    with pytest.raises(NotFound):
        storage.get("gone")


def test_every_stream_that_was_opened_is_closed(storage: AnyStorage) -> None:
    opening = Opening(CONTENT)
    sha256 = hashlib.sha256(CONTENT).hexdigest()

    storage.put([StreamedFile("a", opening, len(CONTENT), sha256, "text/plain")])
    storage.put([StreamedFile("a", opening, len(CONTENT), sha256, "text/plain")])
    with pytest.raises(InvalidInput):
        storage.put([StreamedFile("a", opening, 5, sha256, "text/plain")])

    assert len(opening.opened) >= 2
    assert all(each.closed for each in opening.opened)


def test_a_file_that_is_not_there_cannot_be_opened(storage: AnyStorage) -> None:
    storage.put([file("a/b/c")])

    for key in ["a/b/d", "x", "x/y/z", "a/b", "a"]:
        with pytest.raises(NotFound, match="no file"), storage.stream(key):
            pass
        with pytest.raises(NotFound), storage.stream(key, archived=True):
            pass


@pytest.mark.parametrize("key", ["", "../a", ".archive/a.pdf", "A", "a" * 201])
def test_a_key_that_is_not_allowed_is_refused(storage: AnyStorage, key: str) -> None:
    with pytest.raises(InvalidInput, match="separated by '/'"), storage.stream(key):
        pass
    with pytest.raises(InvalidInput), storage.stream(key, archived=True):
        pass
    with pytest.raises(InvalidInput, match="separated by '/'"):
        storage.put([streamed("good"), streamed(key)])
    with pytest.raises(NotFound):
        storage.get("good")


def test_an_archived_file_is_read_from_the_archive_alone(storage: AnyStorage) -> None:
    storage.put([streamed("1.pdf", b"first"), streamed("2.pdf", b"second")])

    storage.archive(["1.pdf"])

    assert read(storage.stream("1.pdf", archived=True)) == b"first"
    with pytest.raises(NotFound), storage.stream("1.pdf"):
        pass
    with pytest.raises(NotFound), storage.stream("2.pdf", archived=True):
        pass


def test_a_file_can_be_stored_under_another_key_from_its_own_stream(storage: AnyStorage) -> None:
    content = os.urandom(3 * PIECE)
    storage.put([file("a", content)])
    sha256 = hashlib.sha256(content).hexdigest()
    opened: Callable[[], AbstractContextManager[BinaryIO]] = lambda: storage.stream("a")  # noqa: E731

    storage.put([StreamedFile("b", opened, len(content), sha256, "text/plain")])

    assert storage.get("b") == content


def test_what_takes_its_place_or_is_deleted_does_not_get_mixed_into_what_is_read(
    storage: AnyStorage,
) -> None:
    content = os.urandom(4 * PIECE)
    storage.put([file("a", content)])

    with storage.stream("a") as stream:
        begun = stream.read(10)
        storage.put([file("a", b"other")])
        storage.delete(["a"])
        try:
            rest = stream.read()
        except StorageError:
            return

    assert begun + rest == content


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def fail_after(opened: AbstractContextManager[BinaryIO], count: int) -> None:
    with opened as stream:
        stream.read(count)
        raise ZeroDivisionError


def test_nothing_stays_open_whether_files_are_read_to_their_end_or_not(
    storage: AnyStorage,
) -> None:
    storage.put([file("a", os.urandom(4 * PIECE))])
    read(storage.stream("a"))
    before = open_files()

    kept = []  # or they would be closed because nobody has them any more
    for count in [0, 1, PIECE, -1] * 5:
        with storage.stream("a") as stream:
            stream.read(count)
            kept.append(stream)
        with pytest.raises(ZeroDivisionError):
            fail_after(storage.stream("a"), count)

    assert all(stream.closed for stream in kept)
    assert open_files() <= before


def test_a_large_file_is_never_whole_in_memory(storage: AnyStorage) -> None:
    stored = large("large.pdf", LARGE)
    # What is kept in memory is there; beside it there is no more than of any other.
    kept = LARGE if isinstance(storage, MemoryStorage) else 0
    storage.put([streamed("small")])  # what is loaded and opened once
    read(storage.stream("small"))
    tracemalloc.start()
    try:
        storage.put([stored])
        # A buffer that grows has an eighth to spare.
        assert tracemalloc.get_traced_memory()[1] < kept * 9 / 8 + MOST_IN_MEMORY
        tracemalloc.reset_peak()
        storage.archive(["large.pdf"])
        hashed = hashlib.sha256()
        with storage.stream("large.pdf", archived=True) as stream:
            while piece := stream.read(PIECE):
                hashed.update(piece)
        assert tracemalloc.get_traced_memory()[1] < kept + MOST_IN_MEMORY
    finally:
        tracemalloc.stop()

    assert hashed.hexdigest() == stored.sha256
