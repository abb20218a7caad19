"""Files are stored and read piece by piece where the storage can, and whole where it cannot."""

import hashlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from io import BytesIO
from typing import BinaryIO

import pytest

from testamur.adapters.storage.memory import MemoryStorage
from testamur.application.errors import DocumentWithdrawn, StorageError
from testamur.application.ports.register import CredentialFilter
from testamur.application.ports.storage import ArtifactStorage, StorableFile, StreamedFile
from testamur.application.streams import PIECE, pieces, store, stream_of, stream_wherever
from testamur.domain.errors import NotFound
from testamur.domain.identifiers import Slug
from tests.support.stored_files import streamed
from tests.support.world import World

CONTENT = b"%PDF-1.7 of Ada" * PIECE


class WholeFiles:
    """A storage of a plugin that knows bytes only, and can do no more than the port asks for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def put(self, files: Sequence[StorableFile]) -> None:
        for file in files:
            assert hashlib.sha256(file.content).hexdigest() == file.sha256
            self.files[file.key] = file.content

    def get(self, key: str) -> bytes:
        if key not in self.files:
            raise NotFound("file", key)
        return self.files[key]

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.files.pop(key, None)

    def location(self, key: str) -> str:
        return key


class WholeFilesWithArchive(WholeFiles):
    """One that puts files away, too."""

    def __init__(self) -> None:
        super().__init__()
        self.away: dict[str, bytes] = {}

    def archive(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.away[key] = self.files.pop(key)

    def archived(self, key: str) -> bytes:
        if key not in self.away:
            raise NotFound("file in the archive", key)
        return self.away[key]

    def archived_location(self, key: str) -> str:
        return f"away/{key}"


def content_of(opened: AbstractContextManager[BinaryIO]) -> bytes:
    with opened as stream:
        return stream.read()


@pytest.mark.parametrize("storage", [WholeFiles(), WholeFilesWithArchive(), MemoryStorage()])
def test_a_streamed_file_goes_into_any_storage_and_comes_back(storage: ArtifactStorage) -> None:
    store(storage, streamed("a.pdf", CONTENT))

    assert storage.get("a.pdf") == CONTENT
    assert content_of(stream_of(storage, "a.pdf")) == CONTENT
    with pytest.raises(NotFound), stream_of(storage, "b.pdf"):
        pass


@pytest.mark.parametrize("storage", [WholeFilesWithArchive(), MemoryStorage()])
def test_a_file_is_found_wherever_it_is(
    storage: WholeFilesWithArchive | MemoryStorage,
) -> None:
    storage.put([StorableFile(key, b"1", hashlib.sha256(b"1").hexdigest(), "") for key in "ab"])
    storage.archive(["a"])

    assert [content_of(stream_wherever(storage, key)) for key in "ab"] == [b"1", b"1"]
    with pytest.raises(NotFound), stream_of(storage, "a"):
        pass
    with pytest.raises(NotFound), stream_wherever(storage, "c"):
        pass


def test_a_storage_without_an_archive_is_not_asked_for_one() -> None:
    with pytest.raises(NotFound), stream_wherever(WholeFiles(), "a"):
        pass


def test_content_comes_in_pieces_and_is_closed() -> None:
    stream = BytesIO(CONTENT)

    read = list(pieces(lambda: stream, "a.pdf"))

    assert b"".join(read) == CONTENT
    assert max(map(len, read)) == PIECE
    assert stream.closed


def test_content_that_cannot_be_read_is_told_by_its_name() -> None:
    def broken() -> BinaryIO:
        raise PermissionError(13, "Permission denied")

    file = StreamedFile("a.pdf", broken, 1, "", "")
    storages: list[ArtifactStorage] = [WholeFiles(), MemoryStorage()]
    for storage in storages:
        with pytest.raises(StorageError, match=r"content of a\.pdf .*: Permission denied"):
            store(storage, file)


def test_an_asset_goes_into_a_storage_that_knows_whole_files_only() -> None:
    world = World()
    plain = WholeFiles()
    object.__setattr__(world.assets, "storage", plain)
    world.assets.add("template", lambda: BytesIO(CONTENT), "template.pdf", world.request())
    assert world.assets.content(Slug("template")) == CONTENT


def test_a_document_is_opened_as_long_as_its_credential_holds() -> None:
    world = World()
    world.enrol("ann")
    world.run(world.configure())
    (row,) = world.credentials.all(CredentialFilter())
    content = world.credentials.document(row.credential_id)
    assert content_of(world.credentials.stream(row.credential_id)) == content

    world.revoking.revoke(row.credential_id, "copied", world.request())
    with (
        pytest.raises(DocumentWithdrawn, match="is revoked"),
        world.credentials.stream(row.credential_id),
    ):
        pass
    assert content_of(world.credentials.stream(row.credential_id, archived=True)) == content
