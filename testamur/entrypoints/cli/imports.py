"""The command that takes over credentials of another system: `testamur credential import`."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from testamur.domain.errors import InvalidInput
from testamur.entrypoints.cli.award_reports import (
    day_of,
    document_of_report,
    leave,
    others,
    refuse_bad_lines,
    show_prospects,
)
from testamur.entrypoints.cli.awards import Configuration, Expect, Yes
from testamur.entrypoints.cli.invocation import opened
from testamur.entrypoints.cli.output import many, screen, write_json
from testamur.entrypoints.cli.parameters import AsJson
from testamur.entrypoints.csv_lists import CsvList

if TYPE_CHECKING:
    from testamur.application.import_entries import ImportEntry

REQUIRED = ("learner_id", "name", "award_date")
OPTIONAL = ("email", "locale", "expires", "number", "verification_id", "file", "link")


def import_(
    called: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The CSV file.", show_default=False)],
    configuration: Configuration,
    system: Annotated[
        str,
        typer.Option(
            "--from", metavar="NAME", help="The system that issued them.", show_default=False
        ),
    ],
    yes: Yes = False,
    expect: Expect = None,
    as_json: AsJson = False,
) -> None:
    """Take over credentials that another system issued.

    They are issued at once, and nobody is told. No run awards their holders a second one. Without
    --yes or --expect the file is only looked at. Doing it again adds nothing.
    """
    entries = CsvList(file, "FILE", REQUIRED, OPTIONAL, "learner_id", partial(_entry, file.parent))
    refuse_bad_lines(entries, as_json=as_json)
    with opened(called) as testamur:
        id_ = testamur.find_configuration(*configuration)
        found = testamur.importable(id_, entries, system)
        if not yes and expect is None:
            would_be = f"taken over: {many(found.awarded, 'credential')}"
            show_prospects(found, would_be, "take them over", as_json=as_json)
            return
        if expect is not None and found.awarded != expect:
            raise InvalidInput(
                "--expect", expect, f"{found.awarded}: so many would be taken over now"
            )
        from testamur.entrypoints.cli.progress import watching

        with watching() as progress:
            done = testamur.import_credentials(id_, entries, system, progress=progress)
    if as_json:
        write_json(document_of_report(done))
    else:
        screen().say(f"Taken over: {many(done.awarded, 'credential')}.", *others(done))
    leave(done.refusals, done.refused, None)


def _entry(folder: Path, line: int, cells: Mapping[str, str]) -> "ImportEntry":
    from testamur.application.awardees import Awardee
    from testamur.application.import_entries import ImportEntry

    if not cells["award_date"]:
        raise InvalidInput("award_date", "", "a date such as 2019-06-30")
    awardee = Awardee.parse(
        cells["learner_id"],
        cells["name"],
        email=cells["email"] or None,
        locale=cells["locale"] or None,
        award_date=day_of(cells["award_date"], "award_date"),
        place=f"line {line}",
    )
    path = _document(folder, cells["file"]) if cells["file"] else None
    return ImportEntry.parse(
        awardee,
        number=cells["number"] or None,
        expires=day_of(cells["expires"], "expires") if cells["expires"] else None,
        verification_id=cells["verification_id"] or None,
        document=None if path is None else partial(_read, path),
        link=cells["link"] or None,
    )


def _document(folder: Path, name: str) -> Path:
    """Return the path of a document, if it is a PDF in the folder of the list or below."""
    from testamur.application.import_entries import LONGEST_DOCUMENT, PDF_BEGINS

    try:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise InvalidInput("file", name, "a path below the folder of the CSV file")
        with path.open("rb") as opened_file:
            begins = opened_file.read(len(PDF_BEGINS))
        size = path.stat().st_size
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no path"
        raise InvalidInput("file", name, f"a readable file ({why})") from None
    if begins != PDF_BEGINS or size > LONGEST_DOCUMENT:
        raise InvalidInput("file", name, f"a PDF of at most {LONGEST_DOCUMENT:,} bytes")
    return path


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput("file", str(path), f"a readable file ({error.strerror})") from None
