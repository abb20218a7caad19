"""Buckets that keep versions, and objects that are locked."""

import pytest

from testamur.adapters.storage.s3.storage import S3Storage
from testamur.application.errors import StorageError
from testamur.domain.errors import NotFound
from tests.support.buckets import faulty_storage, file, storage_in
from tests.support.s3_server import S3Server

pytestmark = pytest.mark.integration

LOCKED = {"object_lock": "governance", "object_lock_days": 1}


def versions(server: S3Server, bucket: str) -> list[tuple[str, bool]]:
    """Return the name of each version, and whether it is a mark of a deletion."""
    listed = server.client.list_objects(bucket, recursive=True, include_version=True)
    return sorted((each.object_name or "", each.is_delete_marker) for each in listed)


def test_deleting_leaves_no_version_of_a_file(s3: S3Server) -> None:
    bucket = s3.fresh_bucket(versions=True)
    with storage_in(s3, bucket) as storage:
        for content in [b"first", b"second"]:
            storage.put([file("a.pdf", content), file("b.pdf", content), file("c.pdf", content)])
        s3.client.remove_object(bucket, "a.pdf")  # somebody deleted it by hand
        storage.archive(["c.pdf"])

        storage.delete(["a.pdf"])
        assert [name for name, _ in versions(s3, bucket) if name == "a.pdf"] == []
        assert storage.sweep("b") == 1
        assert storage.sweep("c") == 1

    assert versions(s3, bucket) == []


def test_a_locked_file_says_until_when_and_stays_hidden(s3: S3Server) -> None:
    bucket = s3.fresh_bucket(object_lock=True)
    with storage_in(s3, bucket, **LOCKED) as storage:
        storage.put([file("a.pdf")])
        storage.put([file("a.pdf")])  # the same again is no work
        assert versions(s3, bucket) == [("a.pdf", False)]
        retained = s3.client.get_object_retention(bucket, "a.pdf")
        assert retained is not None
        assert retained.mode == "GOVERNANCE"

        for _ in range(2):
            with pytest.raises(StorageError, match=r"a\.pdf cannot be deleted, .*is only hidden"):
                storage.delete(["a.pdf"])
            with pytest.raises(NotFound):
                storage.get("a.pdf")
            with pytest.raises(StorageError, match=r"a\.pdf cannot be deleted, .*locked"):
                storage.sweep("a")
            with pytest.raises(NotFound):
                storage.get("a.pdf")
    assert versions(s3, bucket) == [("a.pdf", False), ("a.pdf", True)]


def test_an_older_locked_version_does_not_come_back_when_a_newer_one_is_deleted(
    s3: S3Server,
) -> None:
    bucket = s3.fresh_bucket(object_lock=True)
    with storage_in(s3, bucket, **LOCKED) as storage:
        storage.put([file("a.pdf", b"locked")])
    with storage_in(s3, bucket) as storage:
        storage.put([file("a.pdf", b"newer")])

        with pytest.raises(StorageError, match="only hidden"):
            storage.delete(["a.pdf"])

        with pytest.raises(NotFound):
            storage.get("a.pdf")


def test_a_locked_file_can_be_archived_and_is_locked_there(s3: S3Server) -> None:
    bucket = s3.fresh_bucket(object_lock=True)
    with storage_in(s3, bucket, **LOCKED) as storage:
        storage.put([file("a.pdf")])

        storage.archive(["a.pdf"])
        storage.archive(["a.pdf"])

        assert storage.archived("a.pdf") == file("a").content
        with pytest.raises(NotFound):
            storage.get("a.pdf")


def test_what_is_archived_is_locked_from_then_on(s3: S3Server) -> None:
    bucket = s3.fresh_bucket(object_lock=True)
    with storage_in(s3, bucket) as storage:
        storage.put([file("a.pdf")])
    with storage_in(s3, bucket, **LOCKED) as storage:
        storage.archive(["a.pdf"])

    retained = s3.client.get_object_retention(bucket, ".archive/a.pdf")
    assert retained is not None
    assert retained.mode == "GOVERNANCE"


def test_a_bucket_without_locks_refuses_them(s3: S3Server) -> None:
    with storage_in(s3, s3.shared_bucket(), prefix="locks", **LOCKED) as storage:
        with pytest.raises(StorageError, match="object_lock needs a bucket that was made with it"):
            storage.put([file("a.pdf")])
        with pytest.raises(StorageError, match="bucket that was made with it"):
            storage.check()


def crashing_at(storage: S3Storage, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(storage._bucket, method, crash)


@pytest.mark.parametrize("step", ["copy", "size_read", "hide"])
def test_archiving_that_was_killed_is_finished_by_doing_it_again(
    s3: S3Server, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = s3.fresh_bucket()
    with storage_in(s3, bucket) as storage:
        storage.put([file("a.pdf")])
        with monkeypatch.context() as killed:
            crashing_at(storage, step, killed)
            with pytest.raises(KeyboardInterrupt):
                storage.archive(["a.pdf"])
        assert storage.get("a.pdf") == file("a").content

        storage.archive(["a.pdf"])

        assert storage.archived("a.pdf") == file("a").content
    assert versions(s3, bucket) == [(".archive/a.pdf", False)]


def test_a_copy_that_is_not_whole_is_not_taken_for_the_file(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with faulty_storage(s3, s3.fresh_bucket()) as (storage, _):
        storage.put([file("a.pdf")])

        def copy(_: str, to: str) -> None:
            storage._bucket.replace(to, file("", b"half"))

        monkeypatch.setattr(storage._bucket, "copy", copy)
        with pytest.raises(StorageError, match="is not the file that it was copied from"):
            storage.archive(["a.pdf"])

        assert storage.get("a.pdf") == file("a").content
