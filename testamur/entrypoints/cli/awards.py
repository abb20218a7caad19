"""Commands that award by hand and find by number: `testamur credential award`, `… find`."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from testamur.domain.errors import InvalidInput, NotFound
from testamur.entrypoints.cli.award_reports import (
    day_of,
    document_of_one,
    document_of_report,
    leave,
    others,
    refuse_bad_lines,
    show_prospects,
)
from testamur.entrypoints.cli.invocation import opened, time_zone_of
from testamur.entrypoints.cli.output import Column, many, screen, write_json, write_json_line
from testamur.entrypoints.cli.parameters import AsJson, Reason
from testamur.entrypoints.csv_lists import CsvList

if TYPE_CHECKING:
    from testamur.application.awardees import Awardee, Prospective
    from testamur.application.ports.register import CredentialTally
    from testamur.entrypoints.library import Testamur

Configuration = Annotated[
    tuple[str, str],
    typer.Option(
        metavar="TYPE CONTEXT",
        help="The configuration of this type in this context.",
        show_default=False,
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do it. Without: only show what would be done.")]
Expect = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Do it, if it is this number of credentials.",
        min=0,
        show_default=False,
    ),
]


def award(  # noqa: PLR0913, PLR0917 - options of a command are its parameters
    called: typer.Context,
    configuration: Configuration,
    reason: Reason,
    learner: Annotated[
        str | None, typer.Option(metavar="ID", help="The learner's id.", show_default=False)
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The name on the document.", show_default=False),
    ] = None,
    email: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Where they are told.", show_default=False),
    ] = None,
    locale: Annotated[
        str | None,
        typer.Option(metavar="TAG", help="Their language, such as pl.", show_default=False),
    ] = None,
    award_date: Annotated[
        str | None,
        typer.Option(
            metavar="DATE", help="The date on the document; by default today.", show_default=False
        ),
    ] = None,
    list_: Annotated[
        Path | None,
        typer.Option(
            "--list",
            metavar="FILE",
            help="CSV with the columns learner_id and name, and if wanted email, locale and "
            "award_date.",
            show_default=False,
        ),
    ] = None,
    yes: Yes = False,
    expect: Expect = None,
    as_json: AsJson = False,
) -> None:
    """Award a credential by hand, to one learner or to a list.

    The reason is kept as the evidence; it must name nobody. Whoever holds the credential gets no
    other one, and who was revoked is refused. A list is only looked at without --yes or --expect.
    """
    if list_ is None:
        if learner is None or name is None:
            raise InvalidInput("--learner and --name", None, "both, or --list FILE")
        _award_one(
            called, configuration, reason, (learner, name, email, locale, award_date), as_json
        )
        return
    if (learner, name, email, locale, award_date) != (None,) * 5:
        raise InvalidInput("--list", str(list_), "a list, or one learner: not both")
    awardees = CsvList(
        list_,
        "--list",
        ("learner_id", "name"),
        ("email", "locale", "award_date"),
        "learner_id",
        _awardee,
    )
    refuse_bad_lines(awardees, as_json=as_json)
    with opened(called) as testamur:
        id_ = testamur.find_configuration(*configuration)
        found = testamur.awardable(id_, awardees, reason)
        if not yes and expect is None:
            would_be = f"awarded: {many(found.awarded, 'learner')}"
            show_prospects(found, would_be, "award them", as_json=as_json)
            return
        if expect is not None and found.awarded != expect:
            raise InvalidInput(
                "--expect", expect, f"{found.awarded}: so many would be awarded one now"
            )
        from testamur.entrypoints.cli.progress import watching

        with watching() as progress:
            done = testamur.award_many(id_, awardees, reason, progress=progress)
    if as_json:
        write_json({**document_of_report(done.report), **_standing(done.credentials)})
    else:
        report = done.report
        screen().say(
            f"Awarded: {many(report.awarded, 'learner')}.",
            *others(report),
            *_told(done.credentials),
        )
    leave(done.report.refusals, done.report.refused, done.unissued_because)


def find(
    called: typer.Context,
    serial: Annotated[
        str,
        typer.Option(metavar="NUMBER", help="The serial number, as shown.", show_default=False),
    ],
    as_json: AsJson = False,
) -> None:
    """Find credentials by their serial number."""
    zone = time_zone_of(called)
    with opened(called) as testamur:
        rows = testamur.credentials_by_serial(serial)
    if not rows:
        raise NotFound("credential with the serial number", serial)
    if as_json:
        for row in rows:
            write_json_line(row)
        return
    screen().table(
        (
            Column("credential", rigid=True),
            Column("awarded", rigid=True),
            Column("status", rigid=True),
            Column("edition", rigid=True),
            Column("learner", below=True),
            Column("type", below=True),
            Column("context", below=True),
        ),
        (
            [
                str(row.credential_id),
                f"{row.awarded_at.astimezone(zone):%Y-%m-%d}",
                str(row.status),
                str(row.edition),
                row.learner_id,
                row.type_slug,
                row.context_key,
            ]
            for row in rows
        ),
    )


def _awardee(line: int, cells: Mapping[str, str]) -> "Awardee":
    from testamur.application.awardees import Awardee

    day = cells["award_date"]
    return Awardee.parse(
        cells["learner_id"],
        cells["name"],
        email=cells["email"] or None,
        locale=cells["locale"] or None,
        award_date=day_of(day, "award_date") if day else None,
        place=f"line {line}",
    )


def _award_one(
    called: typer.Context,
    configuration: tuple[str, str],
    reason: str,
    given: tuple[str, str, str | None, str | None, str | None],
    as_json: bool,
) -> None:
    learner, name, email, locale, day = given
    with opened(called) as testamur:
        done = testamur.award(
            testamur.find_configuration(*configuration),
            learner,
            name,
            reason,
            email=email,
            locale=locale,
            award_date=day_of(day, "--award-date") if day else None,
        )
        serial = _serial(testamur, done.award)
    found = done.award
    if as_json:
        write_json({**document_of_one(found), "serial": serial, **_standing(done.credentials)})
    elif found.outcome == "already-held":
        screen().say(f"Nothing to do: learner {learner} {found.detail}.")
    elif found.outcome == "award":
        numbered = f", number {serial}" if serial else ""
        screen().say(
            f"Awarded credential {found.credential_id}{numbered}.", *_told(done.credentials)
        )
    refused = [found] if found.outcome == "refused" else []
    leave(refused, len(refused), done.unissued_because)


def _serial(testamur: "Testamur", found: "Prospective") -> str | None:
    if found.credential_id is None:
        return None
    return testamur.credential(found.credential_id).awarded.serial


def _told(tally: "CredentialTally") -> list[str]:
    issued = sum(count for status, count in tally.by_status.items() if status == "issued")
    waiting = sum(count for status, count in tally.by_status.items() if status == "awarded")
    return [
        *([f"Issued: {many(issued, 'document')}."] if issued else []),
        *([f"Waiting to be issued: {waiting:,}."] if waiting else []),
    ]


def _standing(tally: "CredentialTally") -> dict[str, Any]:
    return {"by_status": tally.by_status}
