"""The archive of a download: documents, and an index that has a row for each credential."""

import csv
from collections.abc import Generator
from dataclasses import replace
from datetime import UTC, timedelta
from io import BytesIO, StringIO
from uuid import UUID
from zipfile import ZipFile

import pytest

from testamur.application.downloading import Absence, Downloaded
from testamur.application.errors import StorageError
from testamur.domain.credentials import Artifact, Credential, CredentialStatus
from testamur.domain.identifiers import CredentialId
from testamur.domain.personal_data import Person
from testamur.entrypoints.download_archive import COLUMNS, DownloadArchive
from tests.support.events import NOON, an_award

DOCUMENT = Artifact(
    format="pdf",
    storage_key="credentials/00/1.pdf",
    media_type="application/pdf",
    size=4,
    sha256="ab" * 32,
)


def a_document(name: str = "Ann Example", content: bytes = b"%PDF", number: int = 1) -> Downloaded:
    person = Person(full_name=name, email="ann@example.org")
    award = an_award(f"learner-{number}").model_copy(update={"person": person})
    return Downloaded(
        CredentialId(UUID(int=number)),
        Credential(award, CredentialStatus.ISSUED, (DOCUMENT,)),
        verify_url="https://example.org/verify/v1",
        issued_at=NOON + timedelta(days=number),
        artifact=DOCUMENT,
        path=f"Mathematics/{name}.pdf",
        content=content,
    )


def without_document(absence: Absence, number: int = 1) -> Downloaded:
    found = a_document(number=number)
    return replace(found, content=None, absence=absence, detail="it is gone")


def made_of(*downloaded: Downloaded, with_email: bool = False) -> tuple[ZipFile, DownloadArchive]:
    archive = DownloadArchive(each_of(*downloaded), UTC, with_email=with_email)
    written = BytesIO()
    archive.write_to(written)
    return ZipFile(written), archive


def each_of(*downloaded: Downloaded) -> Generator[Downloaded]:
    yield from downloaded


def index_of(archive: ZipFile) -> list[dict[str, str]]:
    text = archive.read("index.csv").decode("utf-8-sig")
    return list(csv.DictReader(StringIO(text, newline=""), strict=True))


def test_documents_come_in_their_order_and_the_index_last() -> None:
    archive, _ = made_of(a_document("Ann", b"a"), a_document("Zoë", b"z", number=2))
    assert archive.namelist() == ["Mathematics/Ann.pdf", "Mathematics/Zoë.pdf", "index.csv"]
    assert archive.read("Mathematics/Zoë.pdf") == b"z"


def test_a_row_tells_all_of_a_credential() -> None:
    archive, _ = made_of(a_document("Zoë Müller"))
    (row,) = index_of(archive)
    award = an_award("learner-1")
    assert row == {
        "file": "Mathematics/Zoë Müller.pdf",
        "no_file_because": "",
        "detail": "",
        "learner_id": "learner-1",
        "name": "Zoë Müller",
        "type": award.type_name,
        "context": award.context_name,
        "context_key": award.context_key,
        "award_date": award.award_date.isoformat(),
        "edition": "1",
        "status": "issued",
        "credential_id": "00000000-0000-0000-0000-000000000001",
        "verification_id": award.verification_id,
        "verify_url": "https://example.org/verify/v1",
        "sha256": "ab" * 32,
    }


def test_addresses_are_in_it_only_when_asked_for() -> None:
    archive, _ = made_of(a_document(), with_email=True)
    (row,) = index_of(archive)
    assert tuple(row) == COLUMNS
    assert row["email"] == "ann@example.org"
    archive, _ = made_of(a_document())
    assert "ann@example.org" not in archive.read("index.csv").decode()


def test_spreadsheets_see_that_it_is_utf_8() -> None:
    archive, _ = made_of()
    assert archive.read("index.csv").startswith(b"\xef\xbb\xbffile,")


@pytest.mark.parametrize(
    ("name", "cell"),
    [("=1+1", "'=1+1"), ("+48 22", "'+48 22"), ("@SUM(A1)", "'@SUM(A1)"), ("x,=1", "x,'=1")],
)
def test_no_cell_is_a_formula(name: str, cell: str) -> None:
    archive, _ = made_of(a_document(name))
    (row,) = index_of(archive)
    assert row["name"] == cell


@pytest.mark.parametrize("absence", Absence)
def test_what_has_no_document_has_a_row_that_says_why(absence: Absence) -> None:
    archive, made = made_of(a_document("Ann"), without_document(absence, number=2))
    assert archive.namelist() == ["Mathematics/Ann.pdf", "index.csv"]
    _, row = index_of(archive)
    assert (row["file"], row["no_file_because"], row["detail"]) == ("", absence, "it is gone")
    assert made.report.files == 1
    assert made.report.absent == {absence: 1}
    assert made.report.faults == (1 if absence.is_fault else 0)


def test_a_report_tells_the_first_faults_and_counts_all() -> None:
    faulty = [without_document(Absence.MISSING, number) for number in range(1, 31)]
    _, made = made_of(*faulty, without_document(Absence.ERASED))
    assert made.report.faults == 30
    assert len(made.report.first_faults) == 20
    assert made.report.first_faults[0] == (
        "credential 00000000-0000-0000-0000-000000000001 of learner learner-1: missing: it is gone"
    )


def test_files_have_the_moment_of_their_issue_and_the_index_that_of_the_last() -> None:
    archive, _ = made_of(a_document("Zoë", number=3), a_document("Ann", number=2))
    moments = [(each.date_time[1], each.date_time[2]) for each in archive.infolist()]
    assert moments == [(6, 4), (6, 3), (6, 4)]


def test_it_is_made_twice_with_the_same_bytes() -> None:
    documents = (a_document("Ann"), without_document(Absence.ERASED, number=2))
    one, other = (b"".join(DownloadArchive(each_of(*documents), UTC)) for _ in range(2))
    assert one == other


def test_small_documents_come_in_chunks_that_are_not_small() -> None:
    documents = [a_document(f"{number}", b"x" * 1000) for number in range(500)]
    chunks = list(DownloadArchive(each_of(*documents), UTC))
    assert 2 <= len(chunks) <= 8


def test_there_is_no_report_before_its_end() -> None:
    archive = DownloadArchive(each_of(a_document(content=bytes(200_000)), a_document()), UTC)
    next(iter(archive))
    with pytest.raises(RuntimeError, match="not taken to its end"):
        _ = archive.report


def test_closing_it_stops_reading() -> None:
    stopped: list[bool] = []

    def documents() -> Generator[Downloaded]:
        try:
            while True:
                yield a_document(content=bytes(200_000))
        finally:
            stopped.append(True)

    archive = DownloadArchive(documents(), UTC)
    next(iter(archive))
    assert not stopped
    archive.close()
    assert stopped


def test_what_breaks_off_leaves_no_report() -> None:
    def documents() -> Generator[Downloaded]:
        yield a_document()
        raise StorageError("the disk is gone")

    archive = DownloadArchive(documents(), UTC)
    with pytest.raises(StorageError, match="gone"):
        archive.write_to(BytesIO())
    with pytest.raises(RuntimeError):
        _ = archive.report
