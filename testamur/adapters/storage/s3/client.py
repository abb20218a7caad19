"""The SDK's client, which sends a file piece by piece in a single request as well."""

from collections.abc import Iterator
from datetime import datetime

from minio import Minio
from minio.credentials.credentials import Credentials
from minio.helpers import DictType, ObjectWriteResult

from testamur.adapters.storage.contents import checked_pieces
from testamur.application.ports.storage import StreamedFile


class Body:
    """The body of a request: the content of a file, opened anew for each time it is sent.

    Content that is not what it has to be is not sent to its end, so that there is no object of it.
    """

    def __init__(self, file: StreamedFile) -> None:
        self.size = file.size
        self.sha256 = file.sha256
        self._file = file

    def __iter__(self) -> Iterator[bytes]:
        return checked_pieces(self._file)


class StreamingClient(Minio):
    """A client that can send a file that is not in memory.

    The SDK's own way to do so is a multipart upload. That has no hash of the whole, and the SDK
    sends no condition with it; so the file goes as the body of one request, as all others do. What
    is overridden for it is no public part of the SDK: a test sees to it that it is still there.
    """

    def send(self, bucket: str, name: str, body: Body, headers: DictType) -> ObjectWriteResult:
        """Write an object.

        Args:
            bucket: Where.
            name: Of the object.
            body: Its content.
            headers: All that is told of it.

        Raises:
            InvalidInput: The content and its hash or size do not agree.
            StorageError: The content cannot be read.
            MinioException, HTTPError, ValueError, OSError: As the SDK.
        """
        # To urllib3, which the SDK hands it on to, whatever can be iterated over is a body.
        return self._put_object(bucket, name, body, headers)  # type: ignore[arg-type]

    def _build_headers(
        self,
        host: str,
        headers: DictType | None = None,
        body: bytes | Body | None = None,
        creds: Credentials | None = None,
    ) -> tuple[DictType, datetime]:
        if not isinstance(body, Body):
            return super()._build_headers(host, headers, body, creds)
        made, date = super()._build_headers(host, headers, None, creds)
        made["Content-Length"] = str(body.size)
        # Signed, so that the server compares it, with TLS too.
        made["x-amz-content-sha256"] = body.sha256
        return made, date
