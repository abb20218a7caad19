"""Uploads: each one request, with the hash of the whole, its condition, encryption and lock."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Final

from minio.commonconfig import COMPLIANCE, GOVERNANCE
from minio.helpers import MIN_PART_SIZE, DictType, ObjectWriteResult, genheaders
from minio.retention import Retention
from minio.sse import Sse, SseKMS, SseS3

from testamur.adapters.storage.s3.client import Body
from testamur.adapters.storage.s3.connection import Connection
from testamur.adapters.storage.s3.names import content_disposition
from testamur.adapters.storage.s3.options import S3Options
from testamur.application.ports.storage import AnyFile, StorableFile, StreamedFile

#: Metadata of ours on each object. The checksum that S3 itself keeps is not told by all servers.
HASH: Final = "sha256"


class Uploads:
    """Sends files to a bucket, each by one attempt.

    Args:
        options: Which bucket, and how it is used.
        connection: To its server.
    """

    def __init__(self, options: S3Options, connection: Connection) -> None:
        self._options = options
        self._connection = connection

    @property
    def encryption(self) -> Sse | None:
        """How the server is to encrypt; None: as the bucket is set."""
        if self._options.server_side_encryption == "SSE-KMS":
            return SseKMS(self._options.kms_key or "", {})
        return SseS3() if self._options.server_side_encryption == "SSE-S3" else None

    def retention(self) -> Retention | None:
        """Return how an object that is written now is locked; None: it is not."""
        if self._options.object_lock_days is None:
            return None
        mode = {"governance": GOVERNANCE, "compliance": COMPLIANCE}[self._options.object_lock]
        until = datetime.now(UTC) + timedelta(days=self._options.object_lock_days)
        return Retention(mode, until)

    def send(self, name: str, file: AnyFile, *, only_new: bool, locked: bool) -> str | None:
        """Write an object; return the date of the server's answer.

        Args:
            name: Of the object.
            file: What it is to hold.
            only_new: Whether the server is to refuse it where there is an object of this name.
            locked: Whether it is locked, where the options say how.

        Raises:
            InvalidInput, StorageError: What is streamed is not what it has to be, or not readable.
            MinioException, HTTPError, ParseError, ValueError, OSError, NoCredentials: As the SDK.
        """
        checksum = base64.b64encode(bytes.fromhex(file.sha256)).decode()
        more = {"x-amz-checksum-sha256": checksum}
        if only_new:
            more["If-None-Match"] = "*"
        metadata: DictType = {
            HASH: file.sha256,
            "Content-Disposition": content_disposition("inline", name.rpartition("/")[2]),
        }
        encryption = _WithHeaders(self.encryption, more)
        retention = self.retention() if locked else None
        written = (
            self._whole(name, file, metadata, encryption, retention)
            if isinstance(file, StorableFile)
            else self._streamed(name, file, metadata, encryption, retention)
        )
        date: str | None = written.http_headers.get("Date")
        return date

    def _whole(
        self,
        name: str,
        file: StorableFile,
        metadata: DictType,
        encryption: Sse,
        retention: Retention | None,
    ) -> ObjectWriteResult:
        return self._connection.client.put_object(
            self._options.bucket,
            name,
            BytesIO(file.content),
            len(file.content),
            file.media_type,
            metadata=metadata,
            sse=encryption,
            # In one part: a condition, and the hash of the whole, are for a single request.
            part_size=max(MIN_PART_SIZE, len(file.content)),
            retention=retention,
        )

    def _streamed(
        self,
        name: str,
        file: StreamedFile,
        metadata: DictType,
        encryption: Sse,
        retention: Retention | None,
    ) -> ObjectWriteResult:
        headers = genheaders(metadata, encryption, None, retention, legal_hold=False)
        headers["Content-Type"] = file.media_type
        # For Amazon, which wants it with a lock where there is no Content-MD5.
        headers["x-amz-sdk-checksum-algorithm"] = "SHA256"
        return self._connection.client.send(self._options.bucket, name, Body(file), headers)


class _WithHeaders(Sse):
    """Encryption and headers of ours beside it.

    The SDK has no argument for conditions and checksums of an upload. It takes the headers of an
    encryption as they are, and signs them.
    """

    def __init__(self, encryption: Sse | None, headers: Mapping[str, str]) -> None:
        self._encryption = encryption
        self._headers = headers

    def headers(self) -> dict[str, str]:
        encryption = {} if self._encryption is None else self._encryption.headers()
        return {**encryption, **self._headers}

    def tls_required(self) -> bool:
        return self._encryption is not None and self._encryption.tls_required()
