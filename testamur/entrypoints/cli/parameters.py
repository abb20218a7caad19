"""Arguments and options that several commands have, each described once."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer


def _said(reason: str) -> str:
    if not reason.strip():
        raise typer.BadParameter("say why in a few words; it is kept in the history")
    return reason.strip()


TypeSlug = Annotated[
    str, typer.Argument(metavar="TYPE", help="Slug of the credential type.", show_default=False)
]
AssetSlug = Annotated[
    str, typer.Argument(metavar="SLUG", help="Slug of the asset.", show_default=False)
]
CredentialReference = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="Id of the credential, or its verification id.", show_default=False
    ),
]
RunReference = Annotated[
    UUID, typer.Argument(metavar="ID", help="Id of the run.", show_default=False)
]
LearnerReference = Annotated[
    str,
    typer.Argument(metavar="LEARNER", help="The data source's id of them.", show_default=False),
]
ContextKey = Annotated[
    str,
    typer.Argument(
        metavar="CONTEXT",
        help="Key of the course, lesson or pathway, such as course-v1:ORG+COURSE+RUN.",
        show_default=False,
    ),
]
DefinitionFile = Annotated[
    Path,
    typer.Option(
        "--file",
        metavar="FILE",
        help="TOML or JSON with name, issuer, criteria, renderer and options.",
        show_default=False,
    ),
]
AssetFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", help="A PDF, TTF, OTF, PNG, JPEG or ZIP file.", show_default=False
    ),
]
Reason = Annotated[
    str,
    typer.Option(
        "--reason",
        metavar="TEXT",
        help="Why; it is kept in the history.",
        callback=_said,
        show_default=False,
    ),
]
Limit = Annotated[
    int | None,
    typer.Option(metavar="N", help="At most so many.", min=1, show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON, and nothing else, to stdout.")]
OptionsText = Annotated[
    str | None,
    typer.Option(
        "--options",
        metavar="FILE|JSON",
        help="Options that are merged over the type's: a TOML or JSON file, or JSON itself.",
        show_default=False,
    ),
]


# Schedules


def _when(option: str, metavar: str, help_: str) -> object:
    return typer.Option(
        option, metavar=metavar, help=help_, show_default=False, rich_help_panel="Schedule"
    )


Cron = Annotated[
    str | None,
    _when("--cron", "EXPR", "Run at the times of a cron expression of five fields."),
]
TimeZone = Annotated[
    str | None,
    _when(
        "--time-zone",
        "NAME",
        "Time zone of --cron, and of times without an offset (IANA name). By default the setting "
        "time_zone.",
    ),
]
Every = Annotated[
    str | None,
    _when("--every", "DURATION", "Run when enabled, then every so often: 10d, 12h, 1d12h."),
]
Once = Annotated[
    str | None, _when("--once", "TIME", "Run once at a time, such as 2026-06-30T18:00.")
]
Start = Annotated[str | None, _when("--start", "TIME", "No run before this time.")]
End = Annotated[str | None, _when("--end", "TIME", "No run after this time.")]
Opens = Annotated[
    str | None,
    _when(
        "--opens",
        "DATE",
        "No run before course-start or course-end, with an offset or without: course-end+14d.",
    ),
]
Closes = Annotated[
    str | None,
    _when(
        "--closes",
        "DATE",
        "No run after course-end, with an offset or without: course-end+90d. At that time there "
        "is a last run.",
    ),
]
