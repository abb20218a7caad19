"""The conditions of the audit trail's commands, each described once."""

from typing import Annotated

import typer


def _only(metavar: str, help_: str) -> object:
    return typer.Option(metavar=metavar, help=help_, show_default=False)


Credential = Annotated[
    str | None,
    _only("ID", "Only events of this credential: its id, or its verification id."),
]
Learner = Annotated[str | None, _only("ID", "Only what is about this learner.")]
Configuration = Annotated[
    tuple[str, str] | None,
    _only("TYPE CONTEXT", "Only what is about the configuration of this type in this context."),
]
Context = Annotated[
    str | None,
    _only("CONTEXT", "Only what is about this course, lesson or pathway."),
]
By = Annotated[
    str | None,
    _only("KIND:NAME", "Only what this actor did, such as user:jdoe or system:scheduler."),
]
Run = Annotated[str | None, _only("ID", "Only what this run or request did.")]
Event = Annotated[
    str | None,
    _only("NAME", "Only this event, such as credential.revoked, or all of credential."),
]
Since = Annotated[
    str | None,
    _only("TIME", "Only what was recorded at this date or time, or later."),
]
Until = Annotated[
    str | None,
    _only("TIME", "Only what was recorded before this time, or until the end of this date."),
]
