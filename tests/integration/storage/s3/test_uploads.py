"""What an upload leaves in the bucket, and what is sent for it."""

import hashlib
import io
import multiprocessing
import threading
from multiprocessing.queues import Queue

import pytest

from testamur.adapters.storage.s3.storage import S3Storage
from testamur.application.errors import StorageError
from testamur.application.ports.storage import StorableFile
from testamur.domain.errors import NotFound
from tests.support.buckets import faulty_storage, file, storage_in
from tests.support.faulty_proxy import Fault
from tests.support.s3_server import READER_ACCESS_KEY, S3Server

pytestmark = pytest.mark.integration


def test_the_server_is_told_type_disposition_and_hash(s3: S3Server) -> None:
    bucket = s3.fresh_bucket()
    with storage_in(s3, bucket, prefix="team/testamur") as storage:
        storage.put([file("credentials/1a/1.pdf")])

        assert storage.location("credentials/1a/1.pdf") == (
            f"s3://{bucket}/team/testamur/credentials/1a/1.pdf"
        )
    told = s3.client.stat_object(bucket, "team/testamur/credentials/1a/1.pdf")
    assert told.content_type == "application/pdf"
    assert told.metadata is not None
    assert told.metadata["Content-Disposition"] == 'inline; filename="1.pdf"'
    assert told.metadata["x-amz-meta-sha256"] == file("a").sha256


def test_a_file_that_is_there_is_not_written_again(s3: S3Server) -> None:
    bucket = s3.fresh_bucket(versions=True)
    with faulty_storage(s3, bucket) as (storage, proxy):
        storage.put([file("a.pdf")])
        before = s3.client.stat_object(bucket, "a.pdf").version_id
        proxy.seen.clear()

        storage.put([file("a.pdf")])

        assert proxy.methods() == ["PUT", "HEAD"]
    assert s3.client.stat_object(bucket, "a.pdf").version_id == before


def test_a_file_of_somebody_else_is_replaced(s3: S3Server) -> None:
    bucket = s3.fresh_bucket()
    s3.client.put_object(bucket, "a.pdf", io.BytesIO(b"%PDF-1.7 of Eve"), 15)
    with storage_in(s3, bucket) as storage:
        storage.put([file("a.pdf")])

        assert storage.get("a.pdf") == file("a.pdf").content


def test_a_server_that_knows_no_conditions_gets_the_file_without(s3: S3Server) -> None:
    unknown = b"<Error><Code>NotImplemented</Code><Message>If-None-Match</Message></Error>"
    fault = Fault("status", "PUT", status=501, body=unknown)
    with faulty_storage(s3, s3.fresh_bucket(), fault) as (storage, proxy):
        storage.put([file("a.pdf")])

        assert storage.get("a.pdf") == file("a.pdf").content
        assert proxy.methods() == ["PUT", "HEAD", "PUT", "GET"]


def test_a_file_of_many_megabytes_is_sent_in_one_piece(s3: S3Server) -> None:
    content = bytes(range(256)) * 50_000  # more than the 5 MiB at which the SDK cuts by default
    with faulty_storage(s3, s3.fresh_bucket()) as (storage, proxy):
        storage.put([file("font", content)])
        storage.put([file("font", content)])

        assert storage.get("font") == content
        assert proxy.methods() == ["PUT", "PUT", "HEAD", "GET"]


def test_a_batch_uses_so_many_connections_and_no_more(s3: S3Server) -> None:
    batch = [file(f"{number}.pdf", b"%d" % number) for number in range(40)]
    with faulty_storage(s3, s3.fresh_bucket(), parallel_uploads=3) as (storage, proxy):
        storage.put(batch)
        threads = [threading.Thread(target=storage.put, args=(batch,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)

        assert 2 <= proxy.connections <= 3
        assert [storage.get(each.key) for each in batch] == [each.content for each in batch]


def test_the_first_file_of_the_batch_that_fails_is_named(s3: S3Server) -> None:
    refused = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
    later = Fault("status", path="/2.pdf", status=403, body=refused, seconds=0.5)
    sooner = Fault("status", path="/4.pdf", status=403, body=refused)
    batch = [file(f"{number}.pdf") for number in range(6)]
    with faulty_storage(s3, s3.fresh_bucket(), later, sooner) as (storage, _):
        with pytest.raises(StorageError, match=r"/2\.pdf cannot be written"):
            storage.put(batch)

        assert storage.get("1.pdf") == file("a").content
        storage.put(batch)  # again, now that nothing is refused
        assert [storage.get(each.key) for each in batch] == [each.content for each in batch]


def test_one_who_may_only_read_is_told_so(s3: S3Server) -> None:
    bucket = s3.fresh_bucket()
    with storage_in(s3, bucket) as storage:
        storage.put([file("a.pdf")])
    with storage_in(s3, bucket, access_key=READER_ACCESS_KEY) as storage:
        assert storage.get("a.pdf") == file("a.pdf").content
        with pytest.raises(StorageError, match=r"b\.pdf cannot be written: the access key may not"):
            storage.put([file("b.pdf")])


def _put_in_a_child(storage: S3Storage, told: "Queue[str]") -> None:
    try:
        storage.put([file("child-1.pdf")])
        storage.put([file("child-2.pdf")])
    except Exception as error:
        told.put(repr(error))
        raise
    told.put("")


# The proxy has threads, and a child does nothing with them.
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_process_opens_a_connection_of_its_own(s3: S3Server) -> None:
    with faulty_storage(s3, s3.fresh_bucket()) as (storage, proxy):
        storage.put([file("before.pdf")])
        assert proxy.connections == 1
        forked = multiprocessing.get_context("fork")
        told: Queue[str] = forked.Queue()
        children = [forked.Process(target=_put_in_a_child, args=(storage, told)) for _ in range(2)]
        for child in children:
            child.start()
        assert [told.get(timeout=60) for _ in children] == [""] * 2
        for child in children:
            child.join(60)
        assert proxy.connections == 3

        storage.put([file("after.pdf")])  # that of the parent is still good

        assert proxy.connections == 3
        assert storage.get("child-2.pdf") == file("").content


@pytest.mark.parametrize("encryption", ["none", "SSE-S3"])
def test_the_server_encrypts_as_it_is_told(s3: S3Server, encryption: str) -> None:
    bucket = s3.fresh_bucket()
    with storage_in(s3, bucket, server_side_encryption=encryption) as storage:
        storage.put([file("a.pdf")])
        storage.archive(["a.pdf"])
        storage.put([file("b.pdf")])

        assert storage.archived("a.pdf") == storage.get("b.pdf") == file("a").content
    for name in [".archive/a.pdf", "b.pdf"]:
        metadata = s3.client.stat_object(bucket, name).metadata
        assert metadata is not None
        expected = {"none": None, "SSE-S3": "AES256"}[encryption]
        assert metadata.get("x-amz-server-side-encryption") == expected


def test_a_key_for_encryption_is_sent_with_each_file(s3: S3Server) -> None:
    # The test server has no key service, so that all it can do is refuse.
    options = {"server_side_encryption": "SSE-KMS", "kms_key": "certificates"}
    refused = b"<Error><Code>KMS.NotFoundException</Code><Message>no such key</Message></Error>"
    fault = Fault("status", "PUT", status=400, body=refused)
    with (
        faulty_storage(s3, s3.fresh_bucket(), fault, **options) as (storage, _),
        pytest.raises(StorageError, match="cannot use kms_key: no such key"),
    ):
        storage.put([file("a.pdf")])


def test_a_hash_is_checked_by_the_server(s3: S3Server) -> None:
    bucket = s3.fresh_bucket()
    with storage_in(s3, bucket) as storage:
        wrong = hashlib.sha256(b"something else").hexdigest()
        with pytest.raises(StorageError, match="BadDigest"):
            storage._bucket.replace("a.pdf", StorableFile("", b"content", wrong, "text/plain"))
        with pytest.raises(NotFound):
            storage.get("a.pdf")
