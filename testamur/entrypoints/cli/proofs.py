"""Commands on tamper evidence, below `testamur audit`: seal, verify, prove, and the log's key."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from testamur.entrypoints.cli.audit import app
from testamur.entrypoints.cli.errors import FAILED
from testamur.entrypoints.cli.invocation import opened
from testamur.entrypoints.cli.output import many, screen, warn, write_json
from testamur.entrypoints.cli.parameters import AsJson, CredentialReference

if TYPE_CHECKING:
    from testamur.application.transparency.findings import LogReport

__all__ = ["app"]

AlwaysJson = Annotated[
    bool, typer.Option("--json", help="Changes nothing: what is written is JSON.")
]

_HEAD_HELP = "A head that was kept elsewhere, as `testamur audit head` wrote it."


@app.command("seal")
def seal(called: typer.Context, as_json: AsJson = False) -> None:
    """Seal what the log has gained since the last time.

    Every run and every tick does so at its end.
    """
    with opened(called) as testamur:
        head = testamur.seal()
    if as_json:
        sealed = None if head is None else {"size": head.size, "root": head.root.hex()}
        write_json({"sealed": sealed})
    elif head is None:
        screen().say("Nothing is new since the latest head.")
    else:
        screen().say(f"Sealed: {many(head.size, 'event')}, root {head.root.hex()}.")


@app.command("head")
def head_(called: typer.Context, as_json: AsJson = False) -> None:
    """Show the latest signed head, to be kept elsewhere.

    Where nobody of this installation can change it. By itself it is a signed checkpoint
    (c2sp.org/tlog-checkpoint); with --json it has the log's keys beside it.
    """
    with opened(called) as testamur:
        head = testamur.log_head()
    if as_json:
        write_json(head.document())
    else:
        typer.echo(head.note, nl=False)


@app.command("verify")
def verify(
    called: typer.Context,
    head: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help=_HEAD_HELP, show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find what was altered, dropped, inserted or re-ordered.

    The whole log is read again, and compared with the signed heads, the register and the audit
    trail. The exit code is 1 where anything is wrong.
    """
    from testamur.entrypoints.cli.progress import watching

    with opened(called) as testamur, watching() as progress:
        report = testamur.verify_log(head, progress=progress)
    if as_json:
        write_json(_report_document(report))
    else:
        _show_report(report)
    if not report.is_clean:
        warn(f"error: {many(report.findings_count, 'thing')} not as recorded")
        raise typer.Exit(FAILED)


@app.command("proof")
def proof(called: typer.Context, reference: CredentialReference, _: AlwaysJson = True) -> None:
    """Write a proof that a credential is in the sealed log.

    All its events are in it, as they are stored. Whoever gets it can check it without Testamur;
    names and addresses are in it as ciphertexts.
    """
    with opened(called) as testamur:
        document = testamur.proof(testamur.find_credential(reference)).document()
    write_json(document)


@app.command("consistency")
def consistency(
    called: typer.Context,
    head: Annotated[
        Path, typer.Option("--from", metavar="FILE", help=_HEAD_HELP, show_default=False)
    ],
    _: AlwaysJson = True,
) -> None:
    """Write a proof that the log only grew since a head."""
    with opened(called) as testamur:
        document = testamur.consistency_proof(head).document()
    write_json(document)


@app.command("rotate-key")
def rotate_key(
    called: typer.Context,
    following: Annotated[
        Path | None,
        typer.Option(
            "--next",
            metavar="FILE",
            help="The key that is to follow (PEM), where the setting log_key holds the key itself. "
            "By default one is made.",
            show_default=False,
        ),
    ] = None,
    lost: Annotated[
        bool,
        typer.Option(
            "--lost", help="The present key is lost; the next one has to sign for itself."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Replace the key that seals the log.

    The present key signs for the one that follows, so that whoever trusts one can trust the other.
    """
    with opened(called) as testamur:
        key = testamur.rotate_log_key(following, lost=lost)
    if as_json:
        write_json({"key_id": key.key_id, "since": key.since, "introduced_by": key.introduced_by})
        return
    to_show = screen()
    if key.introduced_by is None:
        to_show.say(f"The log's first key is {key.key_id}.")
    else:
        to_show.say(f"The log's key is {key.key_id} now; before, it was {key.introduced_by}.")
    if following is not None:
        to_show.say("Let the setting log_key lead to it before the log is sealed again.")


def _show_report(report: "LogReport") -> None:
    to_show = screen()
    to_show.fields(
        [
            ("events", f"{report.events:,}, {report.sealed:,} of them sealed"),
            ("signed heads", f"{report.heads:,}"),
            (
                "trusted key",
                report.trusted_key or "none; the log's keys vouch for one another only",
            ),
            ("audit trail", f"compared up to event {report.trail_to:,}"),
        ]
    )
    if report.is_clean:
        to_show.say("", "All is as it was recorded.")
        return
    to_show.say("")
    if report.first is not None:
        to_show.say(f"First event concerned: {report.first.detail}.", "")
    to_show.say(*(str(finding) for finding in report.findings))
    if untold := report.findings_count - len(report.findings):
        to_show.say(f"… and {many(untold, 'thing')} more")


def _report_document(report: "LogReport") -> dict[str, Any]:
    return {
        "clean": report.is_clean,
        "events": report.events,
        "sealed": report.sealed,
        "heads": report.heads,
        "trusted_key": report.trusted_key,
        "trail_to": report.trail_to,
        "first": report.first,
        "findings": report.findings,
        "findings_count": report.findings_count,
    }
