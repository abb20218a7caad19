"""A server or a network that fails: what may pass is tried again, and all else is told clearly."""

import socket
import time
from collections.abc import Callable

import pytest

from testamur.adapters.storage.s3.attempts import ATTEMPTS
from testamur.application.errors import StorageError
from testamur.domain.errors import NotFound
from tests.support.buckets import faulty_storage, file, storage_in
from tests.support.faulty_proxy import Fault
from tests.support.s3_server import HOST, S3Server

pytestmark = pytest.mark.integration

SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your rate.</Message></Error>"
INTERNAL = b"<Error><Code>InternalError</Code><Message>We met an error.</Message></Error>"

PASSING = [
    Fault("status", status=503, body=SLOW_DOWN, times=2),
    Fault("status", status=500, body=INTERNAL, times=2),
    Fault("status", status=502, body=b"<html>Bad gateway</html>", content_type="text/html"),
    Fault("status", status=504),
    Fault("status", status=200, body=b"", method="POST"),
    Fault("cut before", times=2),
    Fault("cut after", times=2),
    Fault("cut in the body"),
    Fault("damaged request"),
    Fault("stalled", seconds=1.0),
]


@pytest.fixture(scope="module")
def bucket(s3: S3Server) -> str:
    return s3.fresh_bucket()


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: f"{fault.kind} {fault.status}")
def test_a_fault_that_passes_is_noticed_by_nobody(s3: S3Server, fault: Fault) -> None:
    bucket = s3.shared_bucket()
    batch = [file(f"{number}.pdf", b"%d of the batch" % number) for number in range(4)]
    with faulty_storage(
        s3, bucket, prefix=f"faults-{PASSING.index(fault)}", timeout_seconds=0.5
    ) as (storage, proxy):
        for step in range(5):
            proxy.faults[:] = [fault]
            if step == 0:
                storage.put(batch)
            elif step == 1:
                assert [storage.get(each.key) for each in batch] == [e.content for e in batch]
            elif step == 2:
                storage.archive(["0.pdf", "1.pdf"])
            elif step == 3:
                assert storage.archived("1.pdf") == b"1 of the batch"
            else:
                storage.delete([each.key for each in batch])
        proxy.faults.clear()
        for each in batch:
            with pytest.raises(NotFound):
                storage.get(each.key)
            with pytest.raises(NotFound):
                storage.archived(each.key)


def test_an_upload_whose_answer_was_lost_is_not_done_twice(s3: S3Server) -> None:
    bucket = s3.fresh_bucket(versions=True)
    with faulty_storage(s3, bucket, Fault("cut after", "PUT")) as (storage, proxy):
        storage.put([file("a.pdf")])

        assert proxy.methods() == ["PUT", "PUT", "HEAD"]
    versions = list(s3.client.list_objects(bucket, "a.pdf", include_version=True))
    assert len(versions) == 1


def test_bytes_that_are_damaged_on_the_way_to_the_server_are_not_kept(
    s3: S3Server, bucket: str
) -> None:
    fault = Fault("damaged request", "PUT", times=100)
    with faulty_storage(s3, bucket, fault) as (storage, proxy):
        with pytest.raises(StorageError, match=r"damaged\.pdf cannot be written"):
            storage.put([file("damaged.pdf")])
        assert proxy.methods() == ["PUT"] * ATTEMPTS
        with pytest.raises(NotFound):
            storage.get("damaged.pdf")


def test_bytes_that_are_damaged_on_the_way_back_are_not_taken_for_the_file(
    s3: S3Server, bucket: str
) -> None:
    with faulty_storage(s3, bucket) as (storage, proxy):
        storage.put([file("a.pdf")])
        proxy.faults.append(Fault("damaged answer", "GET"))
        assert storage.get("a.pdf") == file("a.pdf").content  # it is read again

        proxy.faults.append(Fault("damaged answer", "GET", times=100))
        with pytest.raises(StorageError, match=r"a\.pdf cannot be read: .*the hash is another"):
            storage.get("a.pdf")


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault("status", body=SLOW_DOWN, times=99), r"Please reduce your rate.*SlowDown"),
        (Fault("status", status=502, body=b"<p>Bad", content_type="text/html", times=99), "<p>Bad"),
        (Fault("cut before", times=99), "was cut off"),
        (Fault("stalled", seconds=0.6, times=99), "did not answer within 0.2 s"),
    ],
    ids=["slow down", "a page for people", "cut", "stalled"],
)
def test_a_fault_that_stays_is_told_after_some_attempts(
    s3: S3Server, bucket: str, fault: Fault, told: str
) -> None:
    with faulty_storage(s3, bucket, fault, timeout_seconds=0.2) as (storage, proxy):
        attempts: dict[str, Callable[[], object]] = {
            "read": lambda: storage.get("missing.pdf"),
            "written": lambda: storage.put([file("missing.pdf")]),
        }
        for done, attempt in attempts.items():
            proxy.seen.clear()
            with pytest.raises(StorageError, match=rf"missing\.pdf cannot be {done}: .*{told}"):
                attempt()
            assert len(proxy.seen) == ATTEMPTS


def test_a_server_that_is_not_there_is_told(s3: S3Server, bucket: str) -> None:
    with socket.create_server((HOST, 0)) as listening:
        nobody = f"{HOST}:{listening.getsockname()[1]}"
    with (
        storage_in(s3, bucket, endpoint=nobody) as storage,
        pytest.raises(StorageError, match=f"{nobody} cannot be reached: Connection refused"),
    ):
        storage.get("a.pdf")


def test_a_server_without_tls_is_told(s3: S3Server, bucket: str) -> None:
    with (
        storage_in(s3, bucket, secure=True) as storage,
        pytest.raises(StorageError, match="does not speak TLS; set secure to false"),
    ):
        storage.get("a.pdf")


def test_when_one_fails_no_other_of_a_batch_is_begun(s3: S3Server, bucket: str) -> None:
    fault = Fault("status", body=SLOW_DOWN, times=10_000)
    batch = [file(f"batch/{number}.pdf") for number in range(100)]
    with faulty_storage(s3, bucket, fault, parallel_uploads=4) as (storage, proxy):
        begun = time.monotonic()
        with pytest.raises(StorageError, match=r"batch/\d\.pdf cannot be written"):
            storage.put(batch)

        assert len(proxy.seen) < 50
        assert time.monotonic() - begun < 15
