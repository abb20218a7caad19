"""A bucket, and what is asked of it: each request repeated if need be, each failure explained."""

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Final, TypeVar

from minio import Minio
from minio.commonconfig import COMPLIANCE, GOVERNANCE, CopySource
from minio.datatypes import Object
from minio.deleteobjects import DeleteError, DeleteObject
from minio.error import S3Error
from minio.helpers import MIN_PART_SIZE
from minio.retention import Retention
from minio.sse import Sse, SseKMS, SseS3

from testamur.adapters.storage.s3.attempts import attempted
from testamur.adapters.storage.s3.connection import Connection
from testamur.adapters.storage.s3.failures import FAILURES, Damaged, is_missing, meaning
from testamur.adapters.storage.s3.names import content_disposition
from testamur.adapters.storage.s3.options import S3Options
from testamur.application.errors import StorageError

T = TypeVar("T")

#: Metadata of ours on each object. The checksum that S3 itself keeps is not told by all servers.
_HASH: Final = "sha256"


@dataclass(frozen=True, slots=True)
class Stored:
    """What a bucket tells of an object.

    Args:
        size: In bytes.
        sha256: Hash of its content, lower-case hexadecimal; None where somebody else put it there.
    """

    size: int
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Version:
    """A version of an object. A bucket without versions has one of each object.

    Args:
        name: Of the object.
        id: Of the version.
        is_latest: Whether it is what is read by the name alone.
        is_marker: Whether it stands for a deletion.
    """

    name: str
    id: str | None
    is_latest: bool
    is_marker: bool


class Bucket:
    """Objects of a bucket by their names.

    Args:
        options: Which.
        connection: To its server.
    """

    def __init__(self, options: S3Options, connection: Connection) -> None:
        self._options = options
        self._connection = connection

    def create(self, name: str, content: bytes, sha256: str, media_type: str) -> bool:
        """Write an object unless there is one of this name; return whether it was written.

        False is the answer too where an attempt had written it whose own answer was lost.
        """
        try:
            self._write(name, content, sha256, media_type, only_new=True)
        except StorageError as error:
            code = error.__cause__.code if isinstance(error.__cause__, S3Error) else None
            if code in {"PreconditionFailed", "NotImplemented"}:
                return False
            raise
        return True

    def replace(self, name: str, content: bytes, sha256: str, media_type: str) -> None:
        """Write an object, whatever there is."""
        self._write(name, content, sha256, media_type, only_new=False)

    def write_unlocked(self, name: str, content: bytes) -> str | None:
        """Write an object that can be deleted at once; return the date of the server's answer."""
        sha256 = hashlib.sha256(content).hexdigest()
        return self._write(name, content, sha256, "text/plain", only_new=False, locked=False)

    def read(self, name: str) -> bytes | None:
        """Return an object's content; None: there is none.

        It is compared with its hash.
        """

        def read() -> bytes:
            response = self._client.get_object(self._options.bucket, name)
            try:
                content: bytes = response.read()
            finally:
                response.close()
                response.release_conn()
            expected = response.headers.get(f"x-amz-meta-{_HASH}")
            if expected not in {None, hashlib.sha256(content).hexdigest()}:
                raise Damaged("its content is not what was stored: the hash is another")
            return content

        return self._unless_missing("read", name, read)

    def describe(self, name: str) -> Stored | None:
        """Return what there is of an object; None: there is none."""

        def describe() -> Stored:
            found = self._client.stat_object(self._options.bucket, name)
            metadata: Mapping[str, str] = found.metadata or {}
            return Stored(found.size or 0, metadata.get(f"x-amz-meta-{_HASH}"))

        return self._unless_missing("looked up", name, describe)

    def copy(self, name: str, to: str) -> None:
        """Have the server copy an object with all that it knows of it; the copy may be locked."""
        self._do(
            "copied",
            name,
            lambda: self._client.copy_object(
                self._options.bucket,
                to,
                CopySource(self._options.bucket, name),
                sse=self._encryption,
            ),
        )
        retention = self._retention()
        if retention is not None:
            # Not with the copy: SeaweedFS 4.48 takes no heed of it there.
            self._do(
                "locked",
                to,
                lambda: self._client.set_object_retention(self._options.bucket, to, retention),
            )

    def hide(self, name: str) -> None:
        """Delete an object; where there are versions, they stay and can be told for no longer."""
        self._do("deleted", name, lambda: self._client.remove_object(self._options.bucket, name))

    def versions(self, beginning: str, *, below: bool) -> list[Version]:
        """Return the versions of all objects whose names begin so.

        Args:
            beginning: Of their names.
            below: Whether to look into what lies, by a ``/``, below it.
        """

        def versions() -> list[Version]:
            listed = self._client.list_objects(
                self._options.bucket, beginning, recursive=below, include_version=True
            )
            found = [_version(each) for each in listed if not each.is_dir]
            # SeaweedFS 4.48 also lists "a/1" among versions of what begins with "a/1.". All that
            # is found here is going to be deleted.
            return [each for each in found if each.name.startswith(beginning)]

        return self._do("looked for", f"{beginning}*", versions)

    def purge(self, versions: Iterable[Version]) -> None:
        """Delete objects with all of their versions.

        What may not be deleted, such as a version that is locked, is at least hidden.

        Args:
            versions: All versions of each object.

        Raises:
            StorageError: Something may not be deleted.
        """
        all_ = list(versions)
        refused = self._delete(each for each in all_ if not each.is_marker)
        # A marker that goes before what it hides would let that be read again.
        refused |= self._delete(
            each for each in all_ if each.is_marker and each.name not in refused
        )
        if not refused:
            return
        hidden = {each.name for each in all_ if each.is_marker and each.is_latest}
        for name in refused.keys() - hidden:
            self.hide(name)
        name, error = next(iter(sorted(refused.items())))
        raise StorageError(
            f"{self.address(name)} cannot be deleted, and is only hidden: a version of it is "
            f"locked, or the access key may not delete versions ({error.code}: {error.message})"
        )

    def presigned(self, name: str, filename: str, seconds: int) -> str:
        """Return an address at which anybody can fetch an object for a while."""
        disposition = content_disposition("attachment", filename)
        return self._do(
            "linked to",
            name,
            lambda: self._client.get_presigned_url(
                "GET",
                self._options.bucket,
                name,
                expires=timedelta(seconds=seconds),
                response_headers={"response-content-disposition": disposition},
            ),
        )

    def see_that_it_locks(self) -> None:
        """See that objects of the bucket can be locked.

        Raises:
            StorageError: They cannot.
        """
        self._do(
            "asked for its object lock",
            "",
            lambda: self._client.get_object_lock_config(self._options.bucket),
        )

    def address(self, name: str) -> str:
        """Return where an object is, for an operator."""
        return f"s3://{self._options.bucket}/{name}"

    @property
    def _client(self) -> Minio:
        return self._connection.client

    @property
    def _encryption(self) -> Sse | None:
        if self._options.server_side_encryption == "SSE-KMS":
            return SseKMS(self._options.kms_key or "", {})
        return SseS3() if self._options.server_side_encryption == "SSE-S3" else None

    def _retention(self) -> Retention | None:
        if self._options.object_lock_days is None:
            return None
        mode = {"governance": GOVERNANCE, "compliance": COMPLIANCE}[self._options.object_lock]
        until = datetime.now(UTC) + timedelta(days=self._options.object_lock_days)
        return Retention(mode, until)

    def _write(
        self,
        name: str,
        content: bytes,
        sha256: str,
        media_type: str,
        *,
        only_new: bool,
        locked: bool = True,
    ) -> str | None:
        headers = {"x-amz-checksum-sha256": base64.b64encode(bytes.fromhex(sha256)).decode()}
        if only_new:
            headers["If-None-Match"] = "*"
        metadata = {
            _HASH: sha256,
            "Content-Disposition": content_disposition("inline", name.rpartition("/")[2]),
        }

        def write() -> str | None:
            written = self._client.put_object(
                self._options.bucket,
                name,
                BytesIO(content),
                len(content),
                media_type,
                metadata=metadata,  # type: ignore[arg-type] # its values are invariant
                sse=_WithHeaders(self._encryption, headers),
                # In one part: a condition, and the hash of the whole, are for a single request.
                part_size=max(MIN_PART_SIZE, len(content)),
                retention=self._retention() if locked else None,
            )
            date: str | None = written.http_headers.get("Date")
            return date

        return self._do("written", name, write)

    def _delete(self, versions: Iterable[Version]) -> dict[str, DeleteError]:
        """Delete versions; return the names of objects where one may not be, and why."""
        wanted = [DeleteObject(each.name, each.id) for each in versions]
        if not wanted:
            return {}
        errors = self._do(
            "deleted",
            f"{wanted[0].name}" + (f" and {len(wanted) - 1:,} more" if len(wanted) > 1 else ""),
            lambda: list(self._client.remove_objects(self._options.bucket, wanted)),
        )
        return {error.name or "": error for error in errors if error.code != "NoSuchKey"}

    def _unless_missing(self, done: str, name: str, do: Callable[[], T]) -> T | None:
        try:
            return self._do(done, name, do)
        except StorageError as error:
            if isinstance(error.__cause__, S3Error) and is_missing(error.__cause__):
                return None
            raise

    def _do(self, done: str, name: str, do: Callable[[], T]) -> T:
        with self._explained(done, name):
            return attempted(do)

    @contextmanager
    def _explained(self, done: str, name: str) -> Iterator[None]:
        try:
            yield
        except FAILURES as error:
            told = meaning(error, self._options)
            raise StorageError(f"{self.address(name)} cannot be {done}: {told}") from error


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


def _version(listed: Object) -> Version:
    return Version(
        listed.object_name or "",
        listed.version_id,
        is_latest=str(listed.is_latest).lower() == "true",
        is_marker=bool(listed.is_delete_marker),
    )
