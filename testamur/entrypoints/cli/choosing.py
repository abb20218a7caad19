"""Options that choose credentials, and the filter that they stand for."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from testamur.domain.identifiers import parse_learner_id

if TYPE_CHECKING:
    from testamur.application.ports.register import CredentialFilter
    from testamur.entrypoints.library import Testamur

OfConfiguration = Annotated[
    tuple[str, str] | None,
    typer.Option(
        "--configuration",
        metavar="TYPE CONTEXT",
        help="Only of the configuration of this type in this context.",
        show_default=False,
    ),
]
OfType = Annotated[
    str | None,
    typer.Option("--type", metavar="TYPE", help="Only of this type.", show_default=False),
]
OfContext = Annotated[
    str | None,
    typer.Option(
        "--context",
        metavar="CONTEXT",
        help="Only for this course, lesson or pathway.",
        show_default=False,
    ),
]
OfRun = Annotated[
    UUID | None,
    typer.Option("--run", metavar="ID", help="Only what this run awarded.", show_default=False),
]
OfLearner = Annotated[
    str | None,
    typer.Option("--learner", metavar="ID", help="Only of this learner.", show_default=False),
]
OfLearners = Annotated[
    str | None,
    typer.Option(
        "--learners",
        metavar="FILE",
        help="Only of the learners in this file, one id on each line; -: stdin.",
        show_default=False,
    ),
]
Expect = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Do it, if it is this number of credentials. Without: only show what would be done.",
        min=0,
        show_default=False,
    ),
]


def filter_of(
    testamur: "Testamur",
    *,
    configuration: tuple[str, str] | None = None,
    type_slug: str | None = None,
    context_key: str | None = None,
    learner: str | None = None,
    run: UUID | None = None,
) -> "CredentialFilter":
    """Return the filter that options stand for.

    Raises:
        NotFound: There is no such type or configuration.
        InvalidInput: The learner's id is not allowed.
    """
    from testamur.application.ports.register import CredentialFilter

    if type_slug is not None:
        testamur.type(type_slug)
    return CredentialFilter(
        configuration_id=testamur.find_configuration(*configuration) if configuration else None,
        learner_id=parse_learner_id(learner, "--learner") if learner is not None else None,
        context_key=context_key,
        run_id=run,
        type_slug=type_slug,
    )
