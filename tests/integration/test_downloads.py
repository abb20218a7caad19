"""Downloads on real disks and servers: read by other programs, of any size, in flat memory."""

import hashlib
import os
import subprocess
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final
from uuid import UUID
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import pytest

from testamur import CredentialFilter, Settings, Testamur
from testamur.adapters.event_store.postgres import PostgresDatabase
from testamur.adapters.event_store.sqlite import SqliteDatabase
from testamur.adapters.storage.memory import MemoryStorage
from testamur.application.download_names import NamePattern
from testamur.application.downloading import Absence, Downloading, Selection
from testamur.application.installation import Installation
from testamur.application.ports.event_store import NewEvents
from testamur.application.ports.storage import StorableFile
from testamur.application.progress import Unwatched
from testamur.domain.credentials import Artifact
from testamur.entrypoints.download_archive import DownloadArchive
from testamur.entrypoints.zip_stream import ZipStream, stored
from tests.support.databases import Database
from tests.support.events import NOON, an_award, an_issue, awarding, by, id_of
from tests.support.installation import completion_type, write_course
from tests.support.pdf import template, text_of
from tests.support.postgres_server import PostgresServer
from tests.support.records import COURSE
from tests.support.s3_server import S3Server
from tests.support.system_packages import system_program

pytestmark = pytest.mark.integration

NAMES: Final = (
    "Zuzanna Żółkiewska",
    "Nguyễn Thị Ánh",
    "Ελένη Παπαδοπούλου",
    "Щербакова Ольга",
    "نور الهدى",
    "יעל חדד",
    "क्षितिज शर्मा",
    "ประเสริฐ รักษ์ไทย",
    "O'Neil / Smith: \\ Jr.",
)

#: What they are called in the archive.
FILES: Final = {
    f"Mathematics/{name} - Certificate of Completion.pdf"
    for name in (*NAMES[:-1], "O'Neil _ Smith - _ Jr.")
}


def issued_into(settings: Settings) -> Testamur:
    """Open an installation, and issue a certificate to everybody, in the fonts that come along."""
    testamur = Testamur.open(settings)
    testamur.add_asset("template", template())
    options = {
        "rendering": {"template": "template"},
        "context": {"certificate_name": "Mathematics"},
    }
    definition = completion_type().model_copy(update={"options": options})
    testamur.define_type("completion", definition)
    outcome = testamur.run(testamur.create_configuration("completion", COURSE))
    assert outcome.credentials.by_status == {"issued": len(NAMES)}
    return testamur


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with names in many scripts."""
    folder = tmp_path_factory.mktemp("downloads")
    source = write_course(folder / "source", eligible=NAMES)
    file = folder / "all.zip"
    with (
        issued_into(Settings(data_folder=folder / "data", source_folder=source)) as testamur,
        file.open("wb") as stream,
    ):
        testamur.download().write_to(stream)
    return file


def contents_below(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def contents_of(archive: Path) -> dict[str, bytes]:
    with ZipFile(archive) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name) for name in opened.namelist()}


# Other readers


def test_every_name_is_right_and_every_document_its_own(archive: Path) -> None:
    found = contents_of(archive)
    assert set(found) == {*FILES, "index.csv"}
    for name, content in found.items():
        if "Zuzanna" in name:
            assert "Zuzanna Żółkiewska" in text_of(content)


def test_a_reader_that_begins_at_the_end_finds_the_same(archive: Path, tmp_path: Path) -> None:
    run_reader("unzip", "-q", str(archive), folder=tmp_path)
    assert contents_below(tmp_path) == contents_of(archive)


def test_a_reader_that_begins_at_the_beginning_finds_the_same(
    archive: Path, tmp_path: Path
) -> None:
    # Without a file's name, Java reads a stream, and never sees the directory before the members.
    with archive.open("rb") as stream:
        run_reader("jar", "x", folder=tmp_path, stdin=stream)
    assert contents_below(tmp_path) == contents_of(archive)


def run_reader(program: str, *arguments: str, folder: Path, stdin: BinaryIO | None = None) -> None:
    """Let a program unpack an archive."""
    done = subprocess.run(
        [system_program(program), *arguments],
        cwd=folder,
        stdin=stdin,
        env=os.environ | {"LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


# Large archives


class SparseFile:
    """Writes into a file, and leaves holes where there would be nothing but zeros."""

    def __init__(self, file: BinaryIO, zeros: bytes) -> None:
        self._file = file
        self._zeros = zeros

    def take(self, pieces: Iterator[bytes]) -> None:
        """Write pieces."""
        for piece in pieces:
            if piece is self._zeros:
                self._file.seek(len(piece), os.SEEK_CUR)
            else:
                self._file.write(piece)


def test_what_is_beyond_four_gibibytes_is_found(tmp_path: Path) -> None:
    file = tmp_path / "large.zip"
    zeros = bytes(1 << 28)
    packed = stored(zeros)  # packed once: the checksum takes the most time of all
    archive = ZipStream(UTC)
    with file.open("wb") as stream:
        sparse = SparseFile(stream, zeros)
        for number in range(17):
            sparse.take(archive.member(f"zeros-{number}", NOON, packed))
        sparse.take(archive.member("last.pdf", NOON, stored(b"%PDF-last")))
        sparse.take(archive.end())
    archive.close()
    with ZipFile(file) as opened:
        last = opened.infolist()[-1]
        assert last.header_offset > 1 << 32
        assert opened.read(last) == b"%PDF-last"
        assert [each.file_size for each in opened.infolist()] == [1 << 28] * 17 + [9]
    folder = tmp_path / "unpacked"
    folder.mkdir()
    run_reader("unzip", "-q", str(file), "last.pdf", folder=folder)
    assert contents_below(folder) == {"last.pdf": b"%PDF-last"}


@pytest.mark.parametrize("count", [65_534, 65_535])
def test_more_members_than_fit_into_the_old_format_are_all_there(
    count: int, tmp_path: Path
) -> None:
    # 65,535 is the first count that needs ZIP64.
    file = tmp_path / "many.zip"
    archive = ZipStream(UTC)
    with file.open("wb") as stream:
        for number in range(count):
            stream.writelines(archive.member(f"{number}.pdf", NOON, stored(b"")))
        stream.writelines(archive.end())
    archive.close()
    with ZipFile(file) as opened:
        names = opened.namelist()
    assert names == [f"{number}.pdf" for number in range(count)]
    # The reader above does not look at the count; others do, and need the larger one's place.
    assert (b"PK\x06\x07" in file.read_bytes()[-100:]) is (count >= 65_535)


# Memory, threads, servers


DOCUMENT: Final = os.urandom(50_000)
FEW: Final = UUID(int=1)


def downloading(database: Database, credentials: int) -> Downloading:
    """Return what downloads so many credentials, whose documents are one and the same file.

    The first 300 of them were awarded by the run `FEW`.
    """
    storage = MemoryStorage()
    artifact = Artifact(
        format="pdf",
        storage_key="credentials/a1/a1.pdf",
        media_type="application/pdf",
        size=len(DOCUMENT),
        sha256=hashlib.sha256(DOCUMENT).hexdigest(),
    )
    file = StorableFile(artifact.storage_key, DOCUMENT, artifact.sha256, artifact.media_type)
    storage.put([file])
    for begin in range(0, credentials, 300):
        learners = range(begin, min(begin + 300, credentials))
        awards = [an_award(f"learner-{number}") for number in learners]
        run = FEW if begin == 0 else UUID(int=2)
        database.events.append(awarding(*awards), by(correlation_id=run))
        issues = [NewEvents(id_of(each), 1, [an_issue(artifacts=(artifact,))]) for each in awards]
        database.events.append(issues, by())
    installation = Installation(ZoneInfo("UTC"))
    return Downloading(database.events, database.register, storage, installation)


def archive_of(downloading: Downloading, run: UUID | None = None) -> DownloadArchive:
    names = NamePattern.parse("{context}/{name}.pdf")
    selection = Selection(CredentialFilter(run_id=run), names)
    return DownloadArchive(downloading.of(selection, Unwatched()), UTC)


def measured(archive: DownloadArchive) -> tuple[int, int]:
    """Return how many bytes an archive has, and how many making it held at most."""
    tracemalloc.start()
    try:
        size = sum(map(len, archive))
        return size, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_archive(tmp_path: Path) -> None:
    with SqliteDatabase.open(tmp_path / "testamur.db") as database:
        source = downloading(database, 2_000)
        measured(archive_of(source, FEW))  # what is made once and kept
        small, held_for_small = measured(archive_of(source, FEW))
        large, held_for_large = measured(archive_of(source))
    assert small > 300 * len(DOCUMENT)
    assert large > 2_000 * len(DOCUMENT)
    # There are caches that fill up, and temporary files stay in memory up to a mebibyte.
    assert held_for_large - held_for_small < 10_000_000


def test_chunks_may_be_taken_by_one_thread_after_another(tmp_path: Path) -> None:
    # Web frameworks ask a pool of threads for each next chunk.
    with SqliteDatabase.open(tmp_path / "testamur.db") as database:
        source = downloading(database, 250)
        whole = b"".join(archive_of(source))
        chunks = iter(archive_of(source))
        joined = b""
        for _ in range(len(whole)):
            with ThreadPoolExecutor(1) as another:
                chunk = another.submit(next, chunks, None).result()
            if chunk is None:
                break
            joined += chunk
    assert joined == whole


def test_it_is_the_same_on_postgresql(postgres: PostgresServer, tmp_path: Path) -> None:
    with SqliteDatabase.open(tmp_path / "testamur.db") as database:
        on_disk = b"".join(archive_of(downloading(database, 250)))
    with PostgresDatabase.open(postgres.fresh_database()) as server:
        assert b"".join(archive_of(downloading(server, 250))) == on_disk


def test_documents_come_out_of_a_bucket_and_what_is_gone_is_told(
    s3: S3Server, tmp_path: Path
) -> None:
    bucket = s3.fresh_bucket()
    settings = Settings(
        data_folder=tmp_path / "data",
        source_folder=write_course(tmp_path / "source", eligible=NAMES),
        storage="s3",
        storage_options=s3.options(bucket),
    )
    with issued_into(settings) as testamur:
        rows = list(testamur.credentials())
        lost, altered = (
            f"credentials/{r.credential_id.hex[:2]}/{r.credential_id}.pdf" for r in rows[:2]
        )
        s3.client.remove_object(bucket, lost)
        s3.client.put_object(bucket, altered, BytesIO(b"%PDF"), 4)
        file = tmp_path / "all.zip"
        with file.open("wb") as stream:
            report = testamur.download().write_to(stream)
        documents = {testamur.document(row.credential_id) for row in rows[2:]}
    assert report.files == len(NAMES) - 2
    assert report.absent == {Absence.MISSING: 1, Absence.ALTERED: 1}
    found = contents_of(file)
    del found["index.csv"]
    assert set(found.values()) == documents
