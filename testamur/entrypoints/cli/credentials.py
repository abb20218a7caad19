"""Commands that look up credentials: `testamur credential …`."""

import os
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import typer

from testamur.adapters.system import SystemClock
from testamur.domain.errors import InvalidInput
from testamur.entrypoints.cli.choosing import OfContext, OfLearner, OfRun, OfType, filter_of
from testamur.entrypoints.cli.credential_tables import list_credentials
from testamur.entrypoints.cli.credential_text import show_credential
from testamur.entrypoints.cli.errors import FAILED
from testamur.entrypoints.cli.expiries import by_expiry
from testamur.entrypoints.cli.invocation import opened, show_help_unless_asked, time_zone_of
from testamur.entrypoints.cli.moments import parse_day
from testamur.entrypoints.cli.output import (
    ERASED,
    many,
    screen,
    styled,
    warn,
    write_json,
    write_json_line,
)
from testamur.entrypoints.cli.parameters import AsJson, CredentialReference, Limit

if TYPE_CHECKING:
    from testamur.application.verifying import Verification
    from testamur.domain.credentials import Credential
    from testamur.domain.identifiers import CredentialId

app = typer.Typer(
    help="Credentials: what was awarded and issued, and why.",
    invoke_without_command=True,
    callback=show_help_unless_asked,
)

Status = Literal["awarded", "issued", "revoked", "superseded", "erased"]


@app.command("list")
def list_(  # noqa: PLR0913, PLR0917 - options of a command are its parameters
    called: typer.Context,
    type_slug: OfType = None,
    context_key: OfContext = None,
    learner: OfLearner = None,
    run: OfRun = None,
    status: Annotated[
        Status | None, typer.Option(help="Only what stands there.", show_default=False)
    ] = None,
    expired: Annotated[
        bool, typer.Option("--expired", help="Only what was issued and has expired.")
    ] = False,
    expiring_before: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="Only what is valid still, and expires before that day begins.",
            show_default=False,
        ),
    ] = None,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """List credentials.

    With --json, one line of JSON for each.
    """
    from testamur.domain.credentials import CredentialStatus

    zone = time_zone_of(called)
    with opened(called) as testamur:
        chosen = filter_of(
            testamur, type_slug=type_slug, context_key=context_key, learner=learner, run=run
        )
        where = replace(chosen, status=CredentialStatus(status) if status is not None else None)
        where = by_expiry(where, zone, expiring_before, expired=expired)
        rows = islice(testamur.credentials(where), limit)
        if as_json:
            for row in rows:
                write_json_line(row)
            return
        to_show = screen()
        shown = list_credentials(
            to_show,
            rows,
            zone,
            of_one_type=type_slug is not None,
            in_one_context=context_key is not None,
        )
        to_show.say(*(["", many(shown, "credential") + "."] if shown else ["No credentials."]))


@app.command()
def show(called: typer.Context, reference: CredentialReference, as_json: AsJson = False) -> None:
    """Show a credential.

    The award and why it was earned, its document, and what happened to it.
    """
    zone = time_zone_of(called)
    with opened(called) as testamur:
        id_ = testamur.find_credential(reference)
        credential = testamur.credential(id_)
        history = testamur.history(id_)
        with_document = bool(credential.artifacts)
        location = testamur.document_location(id_, archived=True) if with_document else None
    if as_json:
        write_json({"credential_id": id_, **_document(credential), "location": location})
        return
    show_credential(screen(), id_, credential, history, location, zone)


@app.command("open")
def open_(
    called: typer.Context,
    reference: CredentialReference,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Copy the document to this file.", show_default=False),
    ] = None,
    archived: Annotated[
        bool,
        typer.Option("--archived", help="Also where the credential is revoked or superseded."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show where a credential's document is.

    Where there is a desktop, it is opened. That of a revoked or superseded credential is not given
    out any more, but with --archived.
    """
    with opened(called) as testamur:
        id_ = testamur.find_credential(reference)
        location = testamur.document_location(id_, archived=archived)
        # Read in any case: where it should lie is of no use if it does not.
        content = testamur.document(id_, archived=archived)
        if output is not None:
            _write(output, content)
    if as_json:
        write_json({"credential_id": id_, "location": location, "output": output})
        return
    screen().verbatim(str(output) if output is not None else location)
    if output is None and _has_desktop() and typer.launch(location) != 0:
        warn("no program was found that opens it")


@app.command()
def url(
    called: typer.Context,
    reference: CredentialReference,
    seconds: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="How long it holds; by default as the storage is set.",
            min=1,
            show_default=False,
        ),
    ] = None,
    filename: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Name under which it is saved.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show an address at which anybody can fetch a document now.

    The storage has to give links, as s3 does.
    """
    with opened(called) as testamur:
        id_ = testamur.find_credential(reference)
        address = testamur.download_url(str(id_), filename=filename, seconds=seconds)
    if as_json:
        write_json({"credential_id": id_, "url": address})
        return
    screen().verbatim(address)


@app.command()
def verify(
    called: typer.Context,
    reference: CredentialReference,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="On that day (at its end), or at a time such as 2026-06-30T18:00.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell what the public is told of a credential.

    It exits with 0 if it is valid, and with 1 if it is not.
    """
    zone = time_zone_of(called)
    moment = parse_day(at, zone, "--at", to_its_end=True) if at is not None else None
    with opened(called) as testamur:
        answer = testamur.verify(reference, moment)
        if answer.status == "unknown" and (id_ := _id(reference)) is not None:
            answer = testamur.verify(id_, moment)
    if as_json:
        write_json(answer)
    else:
        _show_verification(answer, zone)
    if not answer.holds:
        raise typer.Exit(FAILED)


def _id(reference: str) -> "CredentialId | None":
    from testamur.domain.identifiers import CredentialId

    try:
        return CredentialId(UUID(reference))
    except ValueError:
        return None


def _show_verification(answer: "Verification", zone: ZoneInfo) -> None:
    to_show = screen()
    to_show.say(styled(answer.sentence, "green" if answer.holds else "red"))
    if answer.status == "unknown":
        return
    expires = answer.expires_at
    fields = {
        "credential": answer.type_name,
        "for": answer.context_name,
        "issued by": answer.issuer_name,
        "to": answer.full_name or ERASED,
        "award date": f"{answer.award_date}",
        "number": answer.serial,
        "expires": f"{expires.astimezone(zone):%Y-%m-%d %H:%M}" if expires else None,
        "revoked because": answer.reason,
        "newer edition": answer.superseded_by,
    }
    to_show.say("")
    to_show.fields((name, value) for name, value in fields.items() if value)


def _document(credential: "Credential") -> dict[str, Any]:
    from testamur.domain.validity import validity_at

    return {
        "status": credential.status,
        "awarded": credential.awarded,
        "artifacts": credential.artifacts,
        "issue_failures": credential.issue_failures,
        "issue_retry_at": credential.issue_retry_at,
        "notification": credential.notification,
        "notification_failures": credential.notification_failures,
        "notification_retry_at": credential.notification_retry_at,
        "revocation_reason": credential.revocation_reason,
        "superseded_by": credential.superseded_by,
        "withdrawal_pending": credential.withdrawal_pending,
        "expired": validity_at(credential, SystemClock().now()).status == "expired",
        "remind_at": credential.remind_at,
    }


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise InvalidInput("--output", str(file), f"a writable file ({error.strerror})") from None


def _has_desktop() -> bool:
    if not sys.stdout.isatty():
        return False
    if sys.platform in {"darwin", "win32"}:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
