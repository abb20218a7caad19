"""The plugin ``s3``: documents and assets in a bucket."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, wait
from contextlib import contextmanager
from typing import BinaryIO, Final, TypeVar
from urllib.parse import quote
from uuid import uuid4

from testamur.adapters.current_work import HelpingThreads
from testamur.adapters.storage.contents import check_content, size_of
from testamur.adapters.storage.keys import check_file, check_key
from testamur.adapters.storage.s3.bucket import Bucket, Stored, Version
from testamur.adapters.storage.s3.connection import AWS_ENDPOINT, Connection
from testamur.adapters.storage.s3.failures import clock_skew_seconds
from testamur.adapters.storage.s3.names import Names
from testamur.adapters.storage.s3.options import LONGEST_LINK_SECONDS, S3Options
from testamur.application.errors import StorageError
from testamur.application.ports.storage import AnyFile, StreamedFile
from testamur.domain.errors import InvalidInput, NotFound

#: Beyond this, clocks that drift on will soon be refused: S3 allows 15 minutes.
MOST_SKEW_SECONDS: Final = 120

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class S3Storage:
    """Keeps each file as an object of a bucket, under its key.

    The server checks the SHA-256 of what it gets, and answers once it is durable. A file that is
    there already is not sent over it again: the first upload is on the condition that there is
    none, and what is there is compared by its hash.

    It may be used by several threads, and after a fork. Requests that fail in a way that may pass
    (timeouts, connections cut off, 429, 500 and 502 to 504) are repeated up to four times.

    Args:
        options: Which bucket, and how.

    Raises:
        InvalidInput: The file with certificates cannot be read.
    """

    options_model = S3Options

    def __init__(self, options: S3Options) -> None:
        self._options = options
        self._names = Names(options.prefix, options.archive_prefix)
        self._connection = Connection(options)
        self._bucket = Bucket(options, self._connection)

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def put(self, files: Sequence[AnyFile]) -> None:
        """Store files durably, several at the same time.

        A streamed file is read once before anything is sent, to be compared with its hash, and once
        more for each attempt to send it.

        Raises:
            StorageError: A file could not be stored, the first of those in the batch is named;
                others may have been. Or the content of one cannot be read.
            InvalidInput: A key is not allowed, or content and hash or size do not agree; nothing
                was stored.
        """
        wanted = {file.key: file for file in map(check_file, files)}
        for file in wanted.values():
            if isinstance(file, StreamedFile):
                check_content(file)
        self._at_once(self._put, wanted.values())

    def get(self, key: str) -> bytes:
        """Return a file's content.

        Raises:
            NotFound: There is no such file.
            StorageError: It cannot be read, or is damaged.
            InvalidInput: The key is not allowed.
        """
        return self._read("file", key, self._names.public(check_key(key)))

    @contextmanager
    def stream(self, key: str, *, archived: bool = False) -> Iterator[BinaryIO]:
        """Open a file, or an archived one, to be read; it has a connection of its own.

        Raises:
            NotFound: There is no such file.
            StorageError: It cannot be read, the connection breaks, or it is damaged.
            InvalidInput: The key is not allowed.
        """
        names = self._names.archived if archived else self._names.public
        found = self._bucket.stream(names(check_key(key)))
        if found is None:
            raise NotFound("file in the archive" if archived else "file", key)
        with found:
            yield found

    def delete(self, keys: Sequence[str]) -> None:
        """Delete files with all of their versions, and archived ones.

        Raises:
            StorageError: A file could not be deleted, such as one that is locked.
            InvalidInput: A key is not allowed; nothing was deleted.
        """
        names = [
            name for key in dict.fromkeys(map(check_key, keys)) for name in self._both_names(key)
        ]
        found = self._at_once(lambda name: self._bucket.versions(name, below=False), names)
        self._bucket.purge(
            version
            for name, versions in zip(names, found, strict=True)
            for version in versions
            if version.name == name
        )

    def sweep(self, stem: str) -> int:
        """Delete whatever lies under a key of this stem; return how many files that were.

        All of their versions go, and archived files.

        Raises:
            StorageError: A file could not be deleted, or not be looked for.
            InvalidInput: The stem is not allowed as a key.
        """
        found: list[Version] = []
        endings: set[str] = set()
        for name in self._both_names(check_key(stem)):
            versions = self._bucket.versions(f"{name}.", below=True)
            found += versions
            # Of an archived file, the public place may still have versions: it is one file.
            endings |= {each.name[len(name) :] for each in versions if not each.is_marker}
        self._bucket.purge(found)
        return len(endings)

    def location(self, key: str) -> str:
        """Return ``s3://``, bucket and name.

        Raises:
            InvalidInput: The key is not allowed.
        """
        return self._bucket.address(self._names.public(check_key(key)))

    def link(self, key: str, filename: str, seconds: int | None = None) -> str:
        """Return an address at which anybody can fetch the file.

        Raises:
            InvalidInput: The key, or so many seconds, are not allowed.
            StorageError: There are no credentials to sign it with.
        """
        check_key(key)
        wanted = self._options.presigned_seconds if seconds is None else seconds
        if not 1 <= wanted <= LONGEST_LINK_SECONDS:
            raise InvalidInput("seconds", wanted, f"1 to {LONGEST_LINK_SECONDS} (seven days)")
        if self._options.public_base_url is not None:
            return f"{self._options.public_base_url}/{quote(key)}"
        return self._bucket.presigned(self._names.public(key), filename, wanted)

    def archive(self, keys: Sequence[str]) -> None:
        """Move files out of their public places, into the archive.

        Each is copied by the server, compared, and then deleted in its public place. Where the
        bucket has versions, they stay there, and are only read by who asks for them.

        Raises:
            NotFound: A file is neither there nor archived.
            StorageError: A file cannot be moved.
            InvalidInput: A key is not allowed; nothing was moved.
        """
        self._at_once(self._archive, list(dict.fromkeys(map(check_key, keys))))

    def archived(self, key: str) -> bytes:
        """Return the content of an archived file.

        Raises:
            NotFound: There is no such file in the archive.
            StorageError: It cannot be read, or is damaged.
            InvalidInput: The key is not allowed.
        """
        return self._read("file in the archive", key, self._names.archived(check_key(key)))

    def archived_location(self, key: str) -> str:
        """Return ``s3://``, bucket and name of the file in the archive.

        Raises:
            InvalidInput: The key is not allowed.
        """
        return self._bucket.address(self._names.archived(check_key(key)))

    def check(self) -> str:
        """Write, read and delete a file of its own, and compare the clocks; return what was found.

        Raises:
            StorageError: Something does not work; it says what to do.
        """
        name = self._names.public(f"probe/{uuid4()}")
        content = b"Written by `testamur doctor`; it deletes this again.\n"
        if self._options.object_lock != "none":
            self._bucket.see_that_it_locks()
        date = self._bucket.write_unlocked(name, content)
        try:
            if self._bucket.read(name) != content:
                raise StorageError(
                    f"{self._bucket.address(name)} was written and is not what is read; see to "
                    "the server at once"
                )
        finally:
            self._bucket.purge(self._bucket.versions(name, below=False))
        skew = clock_skew_seconds(date)
        if skew is not None and abs(skew) > MOST_SKEW_SECONDS:
            raise StorageError(
                f"the clock of this machine is {abs(skew):,.0f} s "
                f"{'ahead of' if skew > 0 else 'behind'} that of the server, which refuses those "
                "that are 15 minutes away; let it be set by a time server"
            )
        where = self._options.endpoint or AWS_ENDPOINT
        return f"bucket {self._options.bucket} at {where}: a file was written, read and deleted"

    def _put(self, file: AnyFile) -> None:
        name = self._names.public(file.key)
        # What may be large is not sent only to be refused.
        if isinstance(file, StreamedFile) and self._holds(name, file):
            return
        if not self._bucket.create(name, file) and not self._holds(name, file):
            self._bucket.replace(name, file)

    def _holds(self, name: str, file: AnyFile) -> bool:
        return self._bucket.describe(name) == Stored(size_of(file), file.sha256)

    def _read(self, what: str, key: str, name: str) -> bytes:
        content = self._bucket.read(name)
        if content is None:
            raise NotFound(what, key)
        return content

    def _archive(self, key: str) -> None:
        name, archived_name = self._both_names(key)
        there = self._bucket.describe(name)
        if there is None:
            if self._bucket.describe(archived_name) is None:
                raise NotFound("file", key)
            return
        self._bucket.copy(name, archived_name)
        copied = self._bucket.describe(archived_name)
        if copied != there or self._bucket.size_read(archived_name) != there.size:
            raise StorageError(
                f"{self._bucket.address(archived_name)} is not the file that it was copied from, "
                f"which stays where it was: {copied} instead of {there}"
            )
        self._bucket.hide(name)

    def _both_names(self, key: str) -> tuple[str, str]:
        return self._names.public(key), self._names.archived(key)

    def _at_once(self, do: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
        """Do something with each of some things, several at the same time.

        Once one has failed, no other is begun; of those that have, the first failure is raised.
        """
        items = list(items)
        if len(items) < 2:
            return [do(item) for item in items]
        with HelpingThreads(min(self._options.parallel_uploads, len(items))) as threads:
            begun = [threads.submit(do, item) for item in items]
            _, others = wait(begun, return_when=FIRST_EXCEPTION)
            for each in others:
                each.cancel()
        for each in begun:
            if not each.cancelled() and (error := each.exception()) is not None:
                raise error
        return [each.result() for each in begun]
