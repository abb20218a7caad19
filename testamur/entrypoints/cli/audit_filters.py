"""The conditions of the audit trail's commands, each described once."""

from typing import Annotated

import typer

Credential = Annotated[
    str | None,
    typer.Option(
        metavar="ID",
        help="Only events of this credential: its id, or its verification id.",
        show_default=False,
    ),
]
Learner = Annotated[
    str | None,
    typer.Option(metavar="ID", help="Only what is about this learner.", show_default=False),
]
Configuration = Annotated[
    tuple[str, str] | None,
    typer.Option(
        metavar="TYPE CONTEXT",
        help="Only what is about the configuration of this type in this context.",
        show_default=False,
    ),
]
Context = Annotated[
    str | None,
    typer.Option(
        metavar="CONTEXT",
        help="Only what is about this course, lesson or pathway.",
        show_default=False,
    ),
]
By = Annotated[
    str | None,
    typer.Option(
        metavar="KIND:NAME",
        help="Only what this actor did, such as user:jdoe or system:scheduler.",
        show_default=False,
    ),
]
Run = Annotated[
    str | None,
    typer.Option(metavar="ID", help="Only what this run or request did.", show_default=False),
]
Event = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Only this event, such as credential.revoked, or all of credential.",
        show_default=False,
    ),
]
Since = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="Only what was recorded at this date or time, or later.",
        show_default=False,
    ),
]
Until = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="Only what was recorded before this time, or until the end of this date.",
        show_default=False,
    ),
]
