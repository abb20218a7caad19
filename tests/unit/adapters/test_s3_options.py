"""Options of the storage ``s3``: what is allowed, and what fits together."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from testamur.adapters.storage.s3.options import S3Options

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "s3-options.md"


def problems(**options: Any) -> list[str]:
    """Return what is said against some options."""
    with pytest.raises(ValidationError) as refused:
        S3Options(**{"bucket": "certificates", **options})
    return [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in refused.value.errors()]


def test_a_bucket_is_enough() -> None:
    options = S3Options(bucket="certificates")

    assert options.endpoint is None
    assert options.secure
    assert options.presigned_seconds == 600


@pytest.mark.parametrize(
    "options",
    [
        {"endpoint": "minio.example.org:9000", "region": "eu-central-1"},
        {"endpoint": "[::1]:9000", "secure": False},
        {"prefix": "/team/testamur/", "archive_prefix": "team/put-away"},
        {"prefix": "testamur", "archive_prefix": "testamur/.archive"},
        {"prefix": "testamur", "archive_prefix": "testamur-archive"},
        {"server_side_encryption": "SSE-KMS", "kms_key": "arn:aws:kms:eu-central-1:1:key/2"},
        {"object_lock": "compliance", "object_lock_days": "365"},
        {"public_base_url": "https://files.example.org/certificates/"},
        {"presigned_seconds": 1},
        {"presigned_seconds": 604_800},
        {"access_key": "a", "secret_key": "b"},
    ],
)
def test_what_fits_together_is_taken(options: dict[str, Any]) -> None:
    S3Options(bucket="certificates", **options)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"bucket": "Certificates"}, "bucket: "),
        ({"bucket": "ab"}, "bucket: "),
        ({"endpoint": "https://minio.example.org"}, "without https:// and path"),
        ({"endpoint": "minio.example.org/bucket"}, "without https:// and path"),
        ({"region": "eu central"}, "region: "),
        ({"prefix": "a/../b"}, "prefix: "),
        ({"prefix": "a//b"}, "prefix: "),
        ({"archive_prefix": ""}, "archive_prefix: "),
        ({"archive_prefix": "archive"}, "an archive_prefix that no key lies under"),
        ({"prefix": "a", "archive_prefix": "a"}, "an archive_prefix that no key lies under"),
        ({"prefix": "a", "archive_prefix": "a/b"}, "an archive_prefix that no key lies under"),
        ({"prefix": "a/b", "archive_prefix": "a"}, "an archive_prefix that no key lies under"),
        ({"access_key": "a"}, "access_key and secret_key: both or neither"),
        ({"secret_key": "a"}, "access_key and secret_key: both or neither"),
        ({"access_key": "", "secret_key": ""}, "access_key: "),
        ({"kms_key": "a"}, "kms_key with server_side_encryption = SSE-KMS"),
        ({"server_side_encryption": "SSE-KMS"}, "kms_key with server_side_encryption = SSE-KMS"),
        ({"server_side_encryption": "SSE-C"}, "server_side_encryption: "),
        ({"object_lock": "governance"}, "object_lock_days with object_lock"),
        ({"object_lock_days": 3}, "object_lock_days with object_lock"),
        ({"public_base_url": "files.example.org"}, "an address such as https://"),
        ({"public_base_url": "https://files.example.org/?a=b"}, "without ? and #"),
        ({"presigned_seconds": 0}, "presigned_seconds: "),
        ({"presigned_seconds": 604_801}, "presigned_seconds: "),
        ({"parallel_uploads": 0}, "parallel_uploads: "),
        ({"timeout_seconds": 0}, "timeout_seconds: "),
        ({"secure": False, "ca_file": "ca.pem"}, "ca_file only with secure = true"),
        ({"versioning": True}, "versioning: "),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, Any], problem: str) -> None:
    assert any(problem in each for each in problems(**options)), problems(**options)


def test_secrets_are_not_shown() -> None:
    options = S3Options(bucket="certificates", access_key="my-key", secret_key="my-secret")  # type: ignore[arg-type]

    assert "my-" not in repr(options)


def test_the_model_and_the_reference_describe_every_option_and_no_other() -> None:
    documented = inspect.getdoc(S3Options) or ""
    reference = REFERENCE.read_text(encoding="utf-8")

    assert re.findall(r"^    (\w+): ", documented, re.MULTILINE) == list(S3Options.model_fields)
    assert re.findall(r"^\| `(\w+)` \|", reference, re.MULTILINE) == list(S3Options.model_fields)


def test_the_reference_gives_the_defaults_that_hold() -> None:
    reference = REFERENCE.read_text(encoding="utf-8")

    for name, default in re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", reference, re.MULTILINE):
        held = S3Options.model_fields[name].default
        assert default == (
            str(held).lower()
            if isinstance(held, bool)
            else f"{held:g}"
            if isinstance(held, float)
            else str(held)
        ), name
