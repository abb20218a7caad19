"""What the doctor is told of a bucket: that it works, or what is wrong and what to do."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import minio.time
import pytest

from testamur.adapters.storage.s3 import failures
from testamur.application.errors import StorageError
from tests.support.buckets import faulty_storage, storage_in
from tests.support.faulty_proxy import Fault
from tests.support.s3_server import READER_ACCESS_KEY, S3Server

pytestmark = pytest.mark.integration


def now_plus(minutes: int) -> Callable[[], datetime]:
    return lambda: datetime.now(UTC) + timedelta(minutes=minutes)


def test_a_bucket_that_works_is_said_to_and_nothing_is_left(s3: S3Server) -> None:
    for more in ({}, {"versions": True}, {"object_lock": True}):
        bucket = s3.fresh_bucket(**more)
        lock = {"object_lock": "compliance", "object_lock_days": 1} if "object_lock" in more else {}
        with storage_in(s3, bucket, **lock) as storage:
            assert storage.check() == (
                f"bucket {bucket} at {s3.endpoint}: a file was written, read and deleted"
            )
        left = s3.client.list_objects(bucket, recursive=True, include_version=True)
        assert list(left) == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"bucket": "not-there"}, "there is no bucket not-there; make it"),
        ({"access_key": "unknown"}, "does not know the access key; mend access_key"),
        ({"secret_key": "wrong"}, "the secret key is not that of the access key"),
        ({"access_key": READER_ACCESS_KEY}, "the access key may not do this"),
        ({"endpoint": "no-such-host.invalid"}, "no host of the name no-such-host.invalid"),
    ],
    ids=["bucket", "access key", "secret key", "rights", "host"],
)
def test_what_is_wrong_is_told_with_what_to_do(
    s3: S3Server, options: dict[str, Any], told: str
) -> None:
    with storage_in(s3, **{"bucket": s3.shared_bucket(), **options}) as storage:
        with pytest.raises(StorageError, match=told) as failed:
            storage.check()
        for secret in ("access_key", "secret_key"):
            assert str(s3.options("")[secret]) not in str(failed.value)


@pytest.mark.parametrize(("minutes", "side"), [(20, "ahead of"), (-20, "behind")])
def test_a_clock_that_the_server_refuses_is_told_with_the_difference(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch, minutes: int, side: str
) -> None:
    # The SDK asks for the time by itself.
    monkeypatch.setattr(minio.time, "utcnow", now_plus(minutes))
    monkeypatch.setattr(failures, "_now", now_plus(minutes))
    with (
        storage_in(s3, s3.shared_bucket()) as storage,
        pytest.raises(StorageError, match=rf"clock of this machine is wrong: it is 1,\d+ s {side}"),
    ):
        storage.check()


def test_a_clock_that_drifts_away_is_told_before_it_is_refused(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "_now", now_plus(5))
    with (
        storage_in(s3, s3.shared_bucket()) as storage,
        pytest.raises(StorageError, match=r"clock of this machine is \d{3} s ahead of"),
    ):
        storage.check()


MALFORMED = b"""<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region 'us-east-1' is
wrong; expecting 'eu-central-1'</Message><Region>eu-central-1</Region></Error>"""
EXPECTING = MALFORMED.replace(b"<Region>eu-central-1</Region>", b"")
ELSEWHERE = b"<Error><Code>PermanentRedirect</Code><Message>Use another.</Message></Error>"


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", "PUT", status=400, body=MALFORMED),
        Fault("status", "PUT", status=400, body=EXPECTING),
        Fault(
            "status",
            "PUT",
            status=301,
            body=ELSEWHERE,
            headers=(("x-amz-bucket-region", "eu-central-1"),),
        ),
    ],
    ids=["Amazon", "MinIO", "redirect"],
)
def test_a_wrong_region_is_told_with_the_right_one(s3: S3Server, fault: Fault) -> None:
    # The test server takes any region, so that what others answer is put in its mouth.
    with (
        faulty_storage(s3, s3.shared_bucket(), fault) as (storage, _),
        pytest.raises(StorageError, match="in the region eu-central-1; set region to that"),
    ):
        storage.check()


def test_the_clocks_are_compared_by_the_date_of_an_answer() -> None:
    assert failures.clock_skew_seconds(None) is None
    assert failures.clock_skew_seconds("yesterday") is None
    ahead = format_datetime(datetime.now(UTC) - timedelta(seconds=90), usegmt=True)
    assert 89 < (failures.clock_skew_seconds(ahead) or 0) < 92


def test_credentials_may_come_from_the_environment(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = {"access_key": None, "secret_key": None}
    options = s3.options("unused")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", options["access_key"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", options["secret_key"])
    with storage_in(s3, s3.shared_bucket(), **none) as storage:
        assert "written" in storage.check()


def test_no_credentials_anywhere_is_told(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY", "MINIO_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    # Where a container would ask for its role: nobody listens there.
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9/role")
    with (
        storage_in(s3, s3.shared_bucket(), access_key=None, secret_key=None) as storage,
        pytest.raises(StorageError, match="there are no credentials: set access_key"),
    ):
        storage.check()
