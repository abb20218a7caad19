"""What can be set of the storage ``s3``."""

import re
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

#: The longest that a presigned link of signature version 4 can hold: seven days.
LONGEST_LINK_SECONDS: Final = 604_800

_HOST: Final = re.compile(
    r"(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?"
)
_PREFIX_PART: Final = re.compile(r"[A-Za-z0-9_.-]+")


def _host(endpoint: str) -> str:
    if not _HOST.fullmatch(endpoint):
        raise ValueError("a host such as minio.example.org:9000, without https:// and path")
    return endpoint


def _prefix(text: str) -> str:
    parts = text.strip("/").split("/")
    if text and not all(_PREFIX_PART.fullmatch(part) and part.strip(".") for part in parts):
        raise ValueError(
            "parts of letters, digits, '.', '_' and '-', separated by '/', such as team/testamur"
        )
    return "/".join(parts)


def _web_address(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("an address such as https://files.example.org, without ? and #")
    return address.rstrip("/")


class S3Options(BaseModel):
    """Which bucket, and how it is used.

    Args:
        bucket: Where documents and assets lie. It has to be there.
        endpoint: Host and port of the server, such as minio.example.org:9000; by default that of
            Amazon S3.
        region: Of the bucket; by default the server is asked for it, which takes one request more
            and the right s3:GetBucketLocation.
        prefix: What all names in the bucket begin with, such as testamur, where it is shared.
        access_key: By default credentials come from the environment (AWS_ACCESS_KEY_ID and so on,
            MINIO_ACCESS_KEY), from the file of the AWS or MinIO client, or from the role of the
            machine or container (IAM).
        secret_key: Goes with access_key.
        secure: Whether TLS is spoken; without it only on a trusted network.
        ca_file: Certificates (PEM) that the server's is checked against, instead of the system's.
        parallel_uploads: The most requests at the same time, and so the most connections. A file
            that is read piece by piece has another, as long as it is open.
        timeout_seconds: Time allowed for connecting, and for each wait for the server.
        server_side_encryption: How the server encrypts files: SSE-S3 with its own key, SSE-KMS with
            kms_key; none: as the bucket is set.
        kms_key: Id of the key for SSE-KMS.
        object_lock: Whether nobody may delete or replace a document before its time: governance
            (but those with a special right), or compliance (nobody at all). Not even an erasure
            can, until then.
        object_lock_days: For how long, from its upload.
        public_base_url: Address below which the public reads the files, such as that of a bucket
            that is public or of a custom domain; keys follow it, without the prefix. By default
            the bucket is private, and links are presigned.
        presigned_seconds: How long presigned links hold.
        archive_prefix: What the names of archived files begin with.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
    endpoint: Annotated[str, AfterValidator(_host)] | None = None
    region: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None
    prefix: Annotated[str, Field(max_length=200), AfterValidator(_prefix)] = ""
    access_key: Annotated[SecretStr, Field(min_length=1)] | None = None
    secret_key: Annotated[SecretStr, Field(min_length=1)] | None = None
    secure: bool = True
    ca_file: Path | None = None
    parallel_uploads: Annotated[int, Field(ge=1, le=64)] = 8
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0
    server_side_encryption: Literal["none", "SSE-S3", "SSE-KMS"] = "none"
    kms_key: Annotated[str, Field(min_length=1, max_length=2048)] | None = None
    object_lock: Literal["none", "governance", "compliance"] = "none"
    object_lock_days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    public_base_url: Annotated[str, AfterValidator(_web_address)] | None = None
    presigned_seconds: Annotated[int, Field(ge=1, le=LONGEST_LINK_SECONDS)] = 600
    archive_prefix: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_prefix)] = (
        ".archive"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> "S3Options":
        if (self.access_key is None) != (self.secret_key is None):
            raise ValueError("access_key and secret_key: both or neither")
        if (self.kms_key is None) != (self.server_side_encryption != "SSE-KMS"):
            raise ValueError("kms_key with server_side_encryption = SSE-KMS, and not without it")
        if (self.object_lock_days is None) != (self.object_lock == "none"):
            raise ValueError("object_lock_days with object_lock, and not without it")
        if not _apart(self.prefix, self.archive_prefix):
            raise ValueError(
                "an archive_prefix that no key lies under: outside of prefix, or beginning with "
                "'.' below it"
            )
        if self.ca_file is not None and not self.secure:
            raise ValueError("ca_file only with secure = true")
        return self


def _apart(prefix: str, archive_prefix: str) -> bool:
    """Return whether no name of a key can be that of an archived file. No key begins with a dot."""
    files, archive = f"{prefix}/".lstrip("/"), f"{archive_prefix}/"
    if archive.startswith(files):
        return archive[len(files) :].startswith(".")
    return not files.startswith(archive)
