"""The archive of a download: a ZIP of documents, and last an index of them as CSV."""

import csv
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import TYPE_CHECKING, BinaryIO, Final

from testamur.entrypoints.spreadsheets import harmless
from testamur.entrypoints.zip_stream import FIRST_MOMENT, Deflating, ZipStream, stored

if TYPE_CHECKING:
    from testamur.application.downloading import Absence, Downloaded

#: Name of the index in the archive.
INDEX: Final = "index.csv"

#: Columns of the index; ``email`` is left out unless asked for.
COLUMNS: Final = (
    "file",
    "no_file_because",
    "detail",
    "learner_id",
    "name",
    "email",
    "type",
    "context",
    "context_key",
    "award_date",
    "edition",
    "status",
    "credential_id",
    "verification_id",
    "verify_url",
    "sha256",
)

#: With it, spreadsheets see that the table is UTF-8, so that names in all scripts come out right.
_BYTE_ORDER_MARK: Final = "\ufeff"

#: Bytes that are handed out at once, or more: web servers do not like many small pieces.
_CHUNK: Final = 1 << 17

#: Faults that a report tells one by one; the index has them all.
_TOLD_FAULTS: Final = 20


@dataclass(frozen=True, slots=True)
class DownloadReport:
    """What became of a download.

    Args:
        files: Documents in the archive.
        absent: Credentials without one, by why: ``not-issued`` and ``erased``; and the faults
            ``missing``, ``altered`` and ``unreadable``.
        first_faults: What is wrong with the first of those that have a fault, for people to read.
    """

    files: int = 0
    absent: "Mapping[Absence, int]" = field(default_factory=dict)
    first_faults: tuple[str, ...] = ()

    @property
    def faults(self) -> int:
        """How many documents should be there and are not."""
        return sum(count for absence, count in self.absent.items() if absence.is_fault)


class DownloadArchive:
    """An archive that is made while it is taken, once, in chunks of bytes.

    Args:
        downloaded: What goes into it. Nothing is read before it is taken.
        zone: In which the files tell their time.
        with_email: Whether the index has e-mail addresses.
    """

    def __init__(
        self, downloaded: "Generator[Downloaded]", zone: tzinfo, *, with_email: bool = False
    ) -> None:
        self._downloaded = downloaded
        self._zone = zone
        self._columns = [each for each in COLUMNS if with_email or each != "email"]
        self._report: DownloadReport | None = None
        self._chunks = _in_chunks(self._pieces())

    def __iter__(self) -> Iterator[bytes]:
        """Yield the archive's bytes.

        Raises:
            TestamurError: As `Downloading.of`; the archive is not whole then.
        """
        return self._chunks

    def write_to(self, stream: BinaryIO) -> DownloadReport:
        """Write the archive, and return what became of it.

        Args:
            stream: Is written to and nothing else: it need not be able to go back.

        Raises:
            TestamurError: As :meth:`__iter__`.
            OSError: As the stream.
        """
        for chunk in self._chunks:  # noqa: FURB122 - some streams have no `writelines`
            stream.write(chunk)
        return self.report

    def close(self) -> None:
        """Stop, where the rest is not wanted. Web frameworks call it when a client goes away."""
        self._chunks.close()

    @property
    def report(self) -> DownloadReport:
        """What became of it, once all of it was taken.

        Raises:
            RuntimeError: It was not.
        """
        if self._report is None:
            raise RuntimeError("the archive was not taken to its end")
        return self._report

    def _pieces(self) -> Generator[bytes]:
        with (
            closing(self._downloaded) as downloaded,
            closing(ZipStream(self._zone)) as archive,
            closing(Deflating()) as index,
        ):
            table = csv.writer(_Encoded(index), lineterminator="\r\n")
            index.write(_BYTE_ORDER_MARK.encode())
            table.writerow(self._columns)
            files, latest = 0, FIRST_MOMENT
            absent: Counter[Absence] = Counter()
            faults: list[str] = []
            for each in downloaded:
                if each.content is not None and each.path is not None:
                    moment = each.issued_at or FIRST_MOMENT
                    latest = max(latest, moment)
                    files += 1
                    yield from archive.member(each.path, moment, stored(each.content))
                if each.absence is not None:
                    absent[each.absence] += 1
                    if each.absence.is_fault and len(faults) < _TOLD_FAULTS:
                        faults.append(_fault(each))
                row = _row(each)
                table.writerow([row[column] for column in self._columns])
            yield from archive.member(INDEX, latest, index.packed())
            yield from archive.end()
            self._report = DownloadReport(files, dict(absent), tuple(faults))


class _Encoded:
    """Takes the rows of a table as text."""

    def __init__(self, target: Deflating) -> None:
        self._target = target

    def write(self, text: str) -> None:
        # A lone surrogate has no form in UTF-8; an old event may have one.
        self._target.write(text.encode(errors="replace"))


def _row(each: "Downloaded") -> dict[str, str]:
    awarded, artifact = each.credential.awarded, each.artifact
    person = awarded.person
    cells = {
        "file": each.path if each.content is not None else None,
        "no_file_because": each.absence,
        "detail": each.detail,
        "learner_id": awarded.learner_id,
        "name": None if person is None else person.full_name,
        "email": None if person is None else person.email,
        "type": awarded.type_name,
        "context": " ".join(awarded.context_name.split()),
        "context_key": awarded.context_key,
        "award_date": awarded.award_date.isoformat(),
        "edition": str(awarded.edition),
        "status": each.credential.status,
        "credential_id": str(each.credential_id),
        "verification_id": awarded.verification_id,
        "verify_url": each.verify_url,
        "sha256": None if artifact is None else artifact.sha256,
    }
    return {name: harmless(cell or "") for name, cell in cells.items()}


def _fault(each: "Downloaded") -> str:
    learner = each.credential.awarded.learner_id
    return f"credential {each.credential_id} of learner {learner}: {each.absence}: {each.detail}"


def _in_chunks(pieces: Generator[bytes]) -> Generator[bytes]:
    """Yield pieces joined to chunks of `_CHUNK` bytes or more."""
    waiting: list[bytes] = []
    size = 0
    with closing(pieces):
        for piece in pieces:
            waiting.append(piece)
            size += len(piece)
            if size >= _CHUNK:
                yield b"".join(waiting)
                waiting.clear()
                size = 0
    if waiting:
        yield b"".join(waiting)
