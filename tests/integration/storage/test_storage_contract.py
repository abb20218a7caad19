"""What every storage promises, whatever it keeps its files in."""

import hashlib
from collections.abc import Callable

import pytest

from testamur.adapters.storage.local import LocalFolderStorage
from testamur.application.ports.storage import (
    ArchivingStorage,
    ArtifactStorage,
    StorableFile,
    SweepingStorage,
)
from testamur.domain.errors import InvalidInput, NotFound
from tests.support.stored_files import AnyStorage


def file(key: str, content: bytes = b"%PDF-1.7 of Ada") -> StorableFile:
    return StorableFile(key, content, hashlib.sha256(content).hexdigest(), "application/pdf")


def test_a_file_comes_back_as_it_was_put(storage: ArtifactStorage) -> None:
    storage.put([file("credentials/1a/certificate.pdf", b"\x00\r\n\xff" * 100_000)])

    assert storage.get("credentials/1a/certificate.pdf") == b"\x00\r\n\xff" * 100_000


def test_an_empty_file_can_be_kept(storage: ArtifactStorage) -> None:
    storage.put([file("empty", b"")])

    assert storage.get("empty") == b""


def test_a_batch_is_stored_as_a_whole(storage: ArtifactStorage) -> None:
    batch = [file(f"credentials/{number}/certificate.pdf", b"%d" % number) for number in range(100)]

    storage.put(batch)

    assert [storage.get(each.key) for each in batch] == [each.content for each in batch]


def test_an_empty_batch_is_no_work(storage: ArtifactStorage) -> None:
    storage.put([])
    storage.delete([])


def test_the_same_file_can_be_put_again(storage: ArtifactStorage) -> None:
    storage.put([file("a/b")])
    storage.put([file("a/b"), file("a/b")])

    assert storage.get("a/b") == file("a/b").content


@pytest.mark.parametrize("content", [b"second", b"other length"])
def test_other_content_takes_the_place_of_what_was_there(
    storage: ArtifactStorage, content: bytes
) -> None:
    storage.put([file("a/b", b"first!")])

    storage.put([file("a/b", content)])

    assert storage.get("a/b") == content


def test_of_two_contents_for_a_key_in_a_batch_the_last_stays(storage: ArtifactStorage) -> None:
    storage.put([file("a", b"first"), file("a", b"second")])

    assert storage.get("a") == b"second"


def test_a_file_that_is_not_there_is_not_found(storage: ArtifactStorage) -> None:
    storage.put([file("a/b/c")])

    for key in ["a/b/d", "x", "x/y/z", "a/b", "a"]:
        with pytest.raises(NotFound, match="no file") as missing:
            storage.get(key)
        assert missing.value.key == key


def test_a_deleted_file_is_gone_and_the_others_stay(storage: ArtifactStorage) -> None:
    storage.put([file("a/1"), file("a/2"), file("b/1")])

    storage.delete(["a/1", "b/1"])

    assert storage.get("a/2") == file("a/2").content
    for key in ["a/1", "b/1"]:
        with pytest.raises(NotFound):
            storage.get(key)


def test_deleting_what_is_not_there_leaves_it_so(storage: ArtifactStorage) -> None:
    storage.put([file("a/b")])

    storage.delete(["a/c", "x/y", "a", "a/b", "a/b"])

    with pytest.raises(NotFound):
        storage.get("a/b")


def test_a_deleted_file_can_be_put_again(storage: ArtifactStorage) -> None:
    storage.put([file("a/b")])
    storage.delete(["a/b"])

    storage.put([file("a/b")])

    assert storage.get("a/b") == file("a/b").content


@pytest.mark.parametrize(
    "key",
    [
        *("", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", ".hidden", "a/.incoming/b"),
        *("A", "a b", "a\\b", "a\nb", "a\n", "a\0b", "ż", "a:b", "a%2fb", "~", "a" * 201),
    ],
)
def test_a_key_that_is_not_safe_as_a_path_is_refused_everywhere(
    storage: ArtifactStorage, key: str
) -> None:
    attempts: list[Callable[[], object]] = [
        lambda: storage.put([file("good"), file(key)]),
        lambda: storage.get(key),
        lambda: storage.delete(["good", key]),
        lambda: storage.location(key),
    ]

    for attempt in attempts:
        with pytest.raises(InvalidInput, match="separated by '/'") as refused:
            attempt()
        assert (refused.value.field, refused.value.value) == ("key", key)
    with pytest.raises(NotFound):
        storage.get("good")


@pytest.mark.parametrize("key", ["a", "0/_/-", "a.b/c..d", "a" * 200, "-rf"])
def test_a_safe_key_is_taken(storage: ArtifactStorage, key: str) -> None:
    storage.put([file(key)])

    assert storage.get(key) == file(key).content


def test_content_that_does_not_agree_with_its_hash_is_refused(storage: ArtifactStorage) -> None:
    damaged = StorableFile("a/b", b"damaged", hashlib.sha256(b"whole").hexdigest(), "text/plain")

    with pytest.raises(InvalidInput, match="sha256 of a/b") as refused:
        storage.put([file("good"), damaged])

    assert refused.value.allowed.startswith(hashlib.sha256(b"damaged").hexdigest())
    for key in ["good", "a/b"]:
        with pytest.raises(NotFound):
            storage.get(key)


def test_an_operator_is_told_where_a_file_is(storage: ArtifactStorage) -> None:
    assert storage.location("a/b.pdf").endswith("a/b.pdf")
    assert storage.location("a/b.pdf") != storage.location("a/c.pdf")


@pytest.mark.parametrize("ending", [".pdf", ".json", ".tar.gz"])
def test_sweeping_deletes_what_lies_under_a_stem_and_nothing_else(
    storage: AnyStorage, ending: str
) -> None:
    kept = ["a/1b.pdf", "a/1", "a/1/2.pdf", "b/1.pdf", "a/1-x.pdf"]
    if isinstance(storage, LocalFolderStorage):
        kept.remove("a/1")  # in a folder it cannot lie beside the folder of that name
    # One by one: SeaweedFS may lose a file that is put while its own key becomes a folder's.
    for key in [*kept, f"a/1{ending}"]:
        storage.put([file(key)])

    assert storage.sweep("a/1") == 1
    assert storage.sweep("a/1") == 0

    assert [storage.get(key) for key in kept] == [file(key).content for key in kept]
    with pytest.raises(NotFound):
        storage.get(f"a/1{ending}")
    assert storage.sweep("nothing/there") == 0
    with pytest.raises(InvalidInput):
        storage.sweep("../a")


def test_a_storage_of_ours_can_be_swept_and_archives(storage: AnyStorage) -> None:
    assert isinstance(storage, SweepingStorage)
    assert isinstance(storage, ArchivingStorage)


def test_an_archived_file_is_not_found_by_its_key_and_is_kept(storage: AnyStorage) -> None:
    storage.put([file("a/1.pdf", b"first"), file("a/2.pdf", b"second")])

    storage.archive(["a/1.pdf"])

    with pytest.raises(NotFound):
        storage.get("a/1.pdf")
    assert storage.archived("a/1.pdf") == b"first"
    assert storage.get("a/2.pdf") == b"second"
    with pytest.raises(NotFound):
        storage.archived("a/2.pdf")


def test_archiving_can_be_repeated(storage: AnyStorage) -> None:
    storage.put([file("a/1.pdf"), file("a/2.pdf")])

    storage.archive(["a/1.pdf"])
    storage.archive(["a/1.pdf", "a/2.pdf", "a/1.pdf"])
    storage.archive([])

    assert storage.archived("a/1.pdf") == storage.archived("a/2.pdf") == file("a").content


def test_what_is_put_after_its_key_was_archived_can_be_archived_too(storage: AnyStorage) -> None:
    storage.put([file("a.pdf", b"first")])
    storage.archive(["a.pdf"])
    storage.put([file("a.pdf", b"second")])

    assert (storage.get("a.pdf"), storage.archived("a.pdf")) == (b"second", b"first")
    storage.archive(["a.pdf"])

    assert storage.archived("a.pdf") == b"second"
    with pytest.raises(NotFound):
        storage.get("a.pdf")


@pytest.mark.parametrize("key", ["a", "a/b/c", "a/x", "x", "x/y"])
def test_a_file_that_is_not_there_cannot_be_archived(storage: AnyStorage, key: str) -> None:
    storage.put([file("a/b")])

    with pytest.raises(NotFound, match="no file") as missing:
        storage.archive([key])

    assert missing.value.key == key
    assert storage.get("a/b") == file("a/b").content


def test_deleting_takes_what_is_archived_too(storage: AnyStorage) -> None:
    storage.put([file("a/1.pdf"), file("a/2.pdf")])
    storage.archive(["a/1.pdf", "a/2.pdf"])

    storage.delete(["a/1.pdf"])

    with pytest.raises(NotFound):
        storage.archived("a/1.pdf")
    assert storage.archived("a/2.pdf") == file("a").content


def test_sweeping_takes_what_is_archived_too(storage: AnyStorage) -> None:
    storage.put([file("a/1.pdf"), file("a/1.json"), file("a/12.pdf")])
    storage.archive(["a/1.pdf", "a/12.pdf"])

    assert storage.sweep("a/1") == 2

    with pytest.raises(NotFound):
        storage.archived("a/1.pdf")
    assert storage.archived("a/12.pdf") == file("a").content


def test_where_an_archived_file_lies_is_another_place(storage: AnyStorage) -> None:
    assert storage.archived_location("a/1.pdf") != storage.location("a/1.pdf")
    assert storage.archived_location("a/1.pdf").endswith("a/1.pdf")


def test_no_key_leads_into_the_archive(storage: AnyStorage) -> None:
    storage.put([file("a.pdf")])
    storage.archive(["a.pdf"])

    for attempt in [storage.get, storage.archived]:
        with pytest.raises(InvalidInput):
            attempt(".archive/a.pdf")
    with pytest.raises(InvalidInput):
        storage.archive([".archive/a.pdf", "../a.pdf"])
