"""Commands that hand documents out: `testamur credential download`, `testamur learner wallet`."""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from testamur.entrypoints.cli.choosing import (
    OfConfiguration,
    OfContext,
    OfLearner,
    OfRun,
    OfType,
    filter_of,
)
from testamur.entrypoints.cli.errors import FAILED, WrongUsage
from testamur.entrypoints.cli.invocation import opened
from testamur.entrypoints.cli.output import many, screen, warn, write_json
from testamur.entrypoints.cli.parameters import AsJson, LearnerReference

if TYPE_CHECKING:
    from testamur.domain.credentials import CredentialStatus
    from testamur.entrypoints.download_archive import DownloadArchive, DownloadReport


class Status(StrEnum):
    """As `testamur.domain.credentials.CredentialStatus`, which need not be loaded to show help."""

    AWARDED = "awarded"
    ISSUED = "issued"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"
    ERASED = "erased"


Output = Annotated[
    str,
    typer.Option(
        metavar="FILE",
        help="Where to write the ZIP archive; a file that is there is replaced. -: stdout.",
        show_default=False,
    ),
]
Statuses = Annotated[
    list[Status] | None,
    typer.Option(
        "--status",
        metavar="STATUS",
        help="Only what stands there: awarded, issued, revoked, superseded or erased. May be given "
        "several times; by default all but revoked and superseded.",
        show_default=False,
    ),
]
Names = Annotated[
    str | None,
    typer.Option(
        metavar="PATTERN",
        help="How files are named, such as '{context}/{name} - {type}.pdf'; a wrong field shows "
        "which there are.",
        show_default=False,
    ),
]


def download(  # noqa: PLR0913, PLR0917 - options of a command are its parameters
    called: typer.Context,
    output: Output,
    configuration: OfConfiguration = None,
    type_slug: OfType = None,
    context_key: OfContext = None,
    learner: OfLearner = None,
    run: OfRun = None,
    status: Statuses = None,
    names: Names = None,
    with_email: Annotated[
        bool, typer.Option("--with-email", help="With e-mail addresses in the index.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write documents into a ZIP archive, with an index.

    Each is checked against the hash that was recorded when it was issued. It exits with 1 where a
    document is missing or altered; the archive has all others then, and the index says which.
    """
    _check_output(called, output, as_json=as_json)
    from testamur.entrypoints.cli.progress import watching
    from testamur.entrypoints.library.downloads import USUAL_NAMES

    with opened(called) as testamur, watching() as progress:
        where = filter_of(
            testamur,
            configuration=configuration,
            type_slug=type_slug,
            context_key=context_key,
            learner=learner,
            run=run,
        )
        archive = testamur.download(
            where,
            names=_pattern(names, USUAL_NAMES),
            statuses=_statuses(status),
            with_email=with_email,
            progress=progress,
        )
        report = _write(archive, output)
    _tell(report, output, as_json=as_json)


def wallet(
    called: typer.Context,
    learner: LearnerReference,
    output: Output,
    status: Statuses = None,
    names: Names = None,
    as_json: AsJson = False,
) -> None:
    """Write all documents of a learner into a ZIP archive.

    It has an index, and is to be handed to them. It exits with 1 where a document is missing or
    altered.
    """
    _check_output(called, output, as_json=as_json)
    from testamur.entrypoints.cli.progress import watching
    from testamur.entrypoints.library.downloads import USUAL_NAMES_IN_A_WALLET

    with opened(called) as testamur, watching() as progress:
        archive = testamur.wallet(
            learner,
            names=_pattern(names, USUAL_NAMES_IN_A_WALLET),
            statuses=_statuses(status),
            progress=progress,
        )
        report = _write(archive, output)
    _tell(report, output, as_json=as_json)


def _check_output(called: typer.Context, output: str, *, as_json: bool) -> None:
    if output == "-" and as_json:
        raise WrongUsage("--json needs --output FILE: with -, the archive itself is stdout", called)
    if output == "-" and sys.stdout.isatty():
        raise WrongUsage("the archive is not for a terminal; give --output a file", called)


def _pattern(names: str | None, usual: str) -> str:
    from testamur.application.download_names import NamePattern

    if names is not None:
        NamePattern.parse(names, "--names")
    return names or usual


def _statuses(asked: "list[Status] | None") -> "frozenset[CredentialStatus]":
    from testamur.application.downloading import USUAL_STATUSES
    from testamur.domain.credentials import CredentialStatus

    return frozenset(map(CredentialStatus, asked)) if asked else USUAL_STATUSES


def _write(archive: "DownloadArchive", output: str) -> "DownloadReport":
    from testamur.application.errors import StorageError
    from testamur.entrypoints.whole_files import written_whole

    try:
        if output == "-":
            report = archive.write_to(sys.stdout.buffer)
            sys.stdout.buffer.flush()
            return report
        with (
            written_whole(Path(output), "--output") as descriptor,
            os.fdopen(descriptor, "wb", closefd=False) as stream,
        ):
            return archive.write_to(stream)
    except OSError as error:
        raise StorageError(f"{output} cannot be written to its end: {error.strerror}") from error


def _tell(report: "DownloadReport", output: str, *, as_json: bool) -> None:
    if as_json:
        write_json({"file": output, "files": report.files, "absent": report.absent})
    elif output != "-":
        where = f"{many(report.files, 'document')} written to {output}."
        counted = [f"{count:,} {why}" for why, count in report.absent.items() if not why.is_fault]
        screen().say(where, *([f"Without a document: {', '.join(counted)}."] if counted else []))
    for fault in report.first_faults:
        warn(fault)
    if report.faults:
        told = many(report.faults, "document")
        warn(f"error: {told} missing, altered or not to be read; index.csv in the archive has all")
        raise typer.Exit(FAILED)
