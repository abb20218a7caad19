"""Files that are sent and fetched piece by piece: what is asked of the server, and what breaks."""

import hashlib
import os
import threading

import pytest

from testamur.adapters.storage.s3.attempts import ATTEMPTS
from testamur.adapters.storage.s3.storage import S3Storage
from testamur.application.errors import StorageError
from testamur.application.ports.storage import StreamedFile
from testamur.application.streams import PIECE
from testamur.domain.errors import InvalidInput, NotFound
from tests.support.buckets import faulty_storage, file, storage_in
from tests.support.faulty_proxy import Fault
from tests.support.s3_server import S3Server
from tests.support.stored_files import Opening, streamed

pytestmark = pytest.mark.integration

LARGE = os.urandom(50 * PIECE + 1)  # more than the 5 MiB at which the SDK cuts by default


def read_to_its_end(storage: S3Storage, key: str) -> bytes:
    with storage.stream(key) as stream:
        return b"".join(iter(lambda: stream.read(PIECE), b""))


def read_into(received: bytearray, storage: S3Storage, key: str, of_size: int = 1 << 40) -> None:
    """Read a file of a known size: no further than that, so that nobody asks for its end."""
    with storage.stream(key) as stream:
        while len(received) < of_size and (piece := stream.read(PIECE)):
            received += piece


def versions_of(server: S3Server, bucket: str, name: str) -> int:
    return len(list(server.client.list_objects(bucket, name, include_version=True)))


def test_a_large_file_is_one_request_and_is_not_sent_again(s3: S3Server) -> None:
    bucket = s3.fresh_bucket(versions=True)
    with faulty_storage(s3, bucket) as (storage, proxy):
        storage.put([streamed("font", LARGE)])
        storage.put([streamed("font", LARGE)])

        assert proxy.methods() == ["HEAD", "PUT", "HEAD"]
        assert read_to_its_end(storage, "font") == LARGE
    assert versions_of(s3, bucket, "font") == 1


def test_the_server_is_told_of_a_streamed_file_what_it_is_told_of_a_whole_one(s3: S3Server) -> None:
    bucket = s3.fresh_bucket(object_lock=True)
    options = {
        "object_lock": "governance",
        "object_lock_days": 1,
        "server_side_encryption": "SSE-S3",
    }
    with storage_in(s3, bucket, **options) as storage:
        storage.put([file("whole/a.pdf"), streamed("streamed/a.pdf")])
    told = []
    for name in ["whole/a.pdf", "streamed/a.pdf"]:
        found = s3.client.stat_object(bucket, name)
        retained = s3.client.get_object_retention(bucket, name)
        assert found.metadata is not None
        assert retained is not None
        headers = ["content-disposition", "x-amz-meta-sha256", "x-amz-server-side-encryption"]
        of_file = {header: found.metadata.get(header) for header in headers}
        told.append((found.content_type, found.size, found.etag, retained.mode, of_file))

    assert told[0] == told[1]
    assert told[0][0] == "application/pdf"
    assert None not in told[0][4].values()


def test_a_file_that_came_to_be_there_meanwhile_is_not_written_over(s3: S3Server) -> None:
    bucket = s3.fresh_bucket(versions=True)
    with faulty_storage(s3, bucket) as (storage, proxy):
        storage.put([streamed("a.pdf")])
        proxy.seen.clear()
        proxy.faults.append(Fault("status", "HEAD", status=404))  # it was not there yet

        storage.put([streamed("a.pdf")])

        assert proxy.methods() == ["HEAD", "PUT", "HEAD"]
    assert versions_of(s3, bucket, "a.pdf") == 1


def test_an_upload_whose_answer_was_lost_is_not_done_twice(s3: S3Server) -> None:
    bucket = s3.fresh_bucket(versions=True)
    with faulty_storage(s3, bucket, Fault("cut after", "PUT")) as (storage, proxy):
        storage.put([streamed("a.pdf", LARGE)])

        assert proxy.methods() == ["HEAD", "PUT", "PUT", "HEAD"]
        assert read_to_its_end(storage, "a.pdf") == LARGE
    assert versions_of(s3, bucket, "a.pdf") == 1


@pytest.mark.parametrize("kind", ["damaged request", "cut before"])
def test_each_attempt_reads_the_content_from_its_beginning(s3: S3Server, kind: str) -> None:
    opening = Opening(LARGE)
    sha256 = hashlib.sha256(LARGE).hexdigest()
    fault = Fault(kind, "PUT", times=2)  # type: ignore[arg-type]
    with faulty_storage(s3, s3.fresh_bucket(), fault) as (storage, _):
        storage.put([StreamedFile("a.pdf", opening, len(LARGE), sha256, "application/pdf")])

        assert storage.get("a.pdf") == LARGE
    assert len(opening.opened) == 4  # compared, and sent thrice
    assert all(each.closed for each in opening.opened)


def test_bytes_that_are_damaged_on_the_way_to_the_server_are_not_kept(s3: S3Server) -> None:
    fault = Fault("damaged request", "PUT", times=100)
    with faulty_storage(s3, s3.fresh_bucket(), fault) as (storage, proxy):
        with pytest.raises(StorageError, match=r"a\.pdf cannot be written"):
            storage.put([streamed("a.pdf", LARGE)])
        assert proxy.methods() == ["HEAD"] + ["PUT"] * ATTEMPTS
        with pytest.raises(NotFound):
            storage.get("a.pdf")


@pytest.mark.parametrize("then", [LARGE[::-1], LARGE[:-1], LARGE + b"more"])
def test_content_that_changes_after_it_was_compared_never_becomes_a_file(
    s3: S3Server, then: bytes
) -> None:
    sha256 = hashlib.sha256(LARGE).hexdigest()
    changing = StreamedFile("a.pdf", Opening(LARGE, then), len(LARGE), sha256, "application/pdf")
    with storage_in(s3, s3.fresh_bucket()) as storage:
        with pytest.raises(InvalidInput, match=r"(sha256|size) of a\.pdf"):
            storage.put([changing])
        with pytest.raises(NotFound):
            storage.get("a.pdf")

        storage.put([streamed("a.pdf", LARGE)])  # its connections are still good
        assert storage.get("a.pdf") == LARGE


def test_a_connection_that_breaks_is_told_and_no_short_file_is_given(s3: S3Server) -> None:
    with faulty_storage(s3, s3.fresh_bucket()) as (storage, proxy):
        storage.put([streamed("a.pdf", LARGE)])
        proxy.faults.append(Fault("cut in the body", "GET"))
        received = bytearray()

        with pytest.raises(StorageError, match=r"a\.pdf cannot be read: .*was cut off"):
            read_into(received, storage, "a.pdf")

        assert PIECE <= len(received) < len(LARGE)
        assert LARGE.startswith(received)
        assert read_to_its_end(storage, "a.pdf") == LARGE


def test_the_last_piece_of_a_damaged_file_is_not_given(s3: S3Server) -> None:
    content = LARGE[: 20 * PIECE]
    with faulty_storage(s3, s3.fresh_bucket()) as (storage, proxy):
        storage.put([streamed("a.pdf", content)])
        proxy.faults.append(Fault("damaged answer", "GET"))

        received = bytearray()
        with pytest.raises(StorageError, match=r"a\.pdf cannot be read: .*the hash is another"):
            read_into(received, storage, "a.pdf", of_size=len(content))
        assert len(received) < len(content)
        assert read_to_its_end(storage, "a.pdf") == content


@pytest.mark.parametrize("kind", ["cut before", "status"])
def test_opening_is_tried_again(s3: S3Server, kind: str) -> None:
    with faulty_storage(s3, s3.fresh_bucket()) as (storage, proxy):
        storage.put([streamed("a.pdf")])
        proxy.faults.append(Fault(kind, "GET", times=2))  # type: ignore[arg-type]

        assert read_to_its_end(storage, "a.pdf") == file("").content


def test_who_reads_a_file_does_not_wait_for_itself(s3: S3Server) -> None:
    read: list[bytes] = []

    def read_and_write(storage: S3Storage) -> None:
        with storage.stream("a.pdf") as first, storage.stream("a.pdf") as second:
            storage.put([streamed("b.pdf", LARGE)])
            read.extend([first.read(), second.read(), storage.get("b.pdf")])

    with storage_in(s3, s3.fresh_bucket(), parallel_uploads=1) as storage:
        storage.put([streamed("a.pdf", LARGE)])
        reader = threading.Thread(target=read_and_write, args=(storage,), daemon=True)
        reader.start()
        reader.join(20)

    assert read == [LARGE] * 3
