"""A bucket, and what is asked of it: each request repeated if need be, each failure explained."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO, TypeVar

from minio.commonconfig import CopySource
from minio.datatypes import Object
from minio.deleteobjects import DeleteError, DeleteObject
from minio.error import S3Error

from testamur.adapters.storage.contents import reading
from testamur.adapters.storage.s3.attempts import attempted
from testamur.adapters.storage.s3.client import StreamingClient
from testamur.adapters.storage.s3.connection import Connection
from testamur.adapters.storage.s3.failures import FAILURES, Damaged, is_missing, meaning
from testamur.adapters.storage.s3.names import content_disposition
from testamur.adapters.storage.s3.options import S3Options
from testamur.adapters.storage.s3.uploads import HASH, Uploads
from testamur.application.errors import StorageError
from testamur.application.ports.storage import AnyFile, StorableFile
from testamur.application.streams import PIECE

T = TypeVar("T")


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
        self._uploads = Uploads(options, connection)

    def create(self, name: str, file: AnyFile) -> bool:
        """Write an object unless there is one of this name; return whether it was written.

        False is the answer too where an attempt had written it whose own answer was lost.
        """
        try:
            self._write(name, file, only_new=True)
        except StorageError as error:
            code = error.__cause__.code if isinstance(error.__cause__, S3Error) else None
            if code in {"PreconditionFailed", "NotImplemented"}:
                return False
            raise
        return True

    def replace(self, name: str, file: AnyFile) -> None:
        """Write an object, whatever there is."""
        self._write(name, file, only_new=False)

    def write_unlocked(self, name: str, content: bytes) -> str | None:
        """Write an object that can be deleted at once; return the date of the server's answer."""
        sha256 = hashlib.sha256(content).hexdigest()
        file = StorableFile(name, content, sha256, "text/plain")
        return self._write(name, file, only_new=False, locked=False)

    def read(self, name: str) -> bytes | None:
        """Return an object's content; None: there is none.

        It is compared with its hash.
        """
        return self._unless_missing("read", name, lambda: b"".join(self._pieces(name)))

    def size_read(self, name: str) -> int | None:
        """Read an object, and return how many bytes came; None: there is none.

        It is compared with its hash.
        """
        return self._unless_missing("read", name, lambda: sum(map(len, self._pieces(name))))

    def stream(self, name: str) -> BinaryIO | None:
        """Open an object to be read, on a connection of its own; None: there is none.

        It is compared with its hash. Opening is attempted again, and reading on is not.
        """
        client = self._connection.unbounded_client
        response = self._unless_missing(
            "read", name, lambda: client.get_object(self._options.bucket, name)
        )
        if response is None:
            return None

        def fill(buffer: memoryview) -> int:
            with self._explained("read", name):
                return response.readinto(buffer)

        def close() -> None:
            response.close()
            response.release_conn()

        headers = response.headers
        # What is encoded is of another size; urllib3 sees that all of it comes.
        size = None if "Content-Encoding" in headers else headers.get("Content-Length")
        return reading(
            fill,
            close,
            self.address(name),
            None if size is None else int(size),
            headers.get(f"x-amz-meta-{HASH}"),
        )

    def describe(self, name: str) -> Stored | None:
        """Return what there is of an object; None: there is none."""

        def describe() -> Stored:
            found = self._client.stat_object(self._options.bucket, name)
            metadata: Mapping[str, str] = found.metadata or {}
            return Stored(found.size or 0, metadata.get(f"x-amz-meta-{HASH}"))

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
                sse=self._uploads.encryption,
            ),
        )
        retention = self._uploads.retention()
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
    def _client(self) -> StreamingClient:
        return self._connection.client

    def _pieces(self, name: str) -> Iterator[bytes]:
        response = self._client.get_object(self._options.bucket, name)
        hashed = hashlib.sha256()
        try:
            while piece := response.read(PIECE):
                hashed.update(piece)
                yield piece
        finally:
            response.close()
            response.release_conn()
        if response.headers.get(f"x-amz-meta-{HASH}") not in {None, hashed.hexdigest()}:
            raise Damaged("its content is not what was stored: the hash is another")

    def _write(
        self, name: str, file: AnyFile, *, only_new: bool, locked: bool = True
    ) -> str | None:
        """Write an object; return the date of the server's answer."""
        return self._do(
            "written",
            name,
            lambda: self._uploads.send(name, file, only_new=only_new, locked=locked),
        )

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


def _version(listed: Object) -> Version:
    return Version(
        listed.object_name or "",
        listed.version_id,
        is_latest=str(listed.is_latest).lower() == "true",
        is_marker=bool(listed.is_delete_marker),
    )
