"""Commands about what is held of learners: `testamur learner …`."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from testamur.domain.errors import InvalidInput, TestamurError
from testamur.entrypoints.cli.errors import FAILED, WrongUsage, told
from testamur.entrypoints.cli.invocation import opened, show_help_unless_asked, time_zone_of
from testamur.entrypoints.cli.moments import parse_day
from testamur.entrypoints.cli.output import Column, many, screen, warn, write_json
from testamur.entrypoints.cli.parameters import AsJson, LearnerReference, Reason

if TYPE_CHECKING:
    from testamur.application.erasing import Erasable
    from testamur.application.exporting import LearnerExport
    from testamur.application.retention import InactiveLearner
    from testamur.domain.erasures import ErasureCompleted
    from testamur.entrypoints.library import Testamur

app = typer.Typer(
    help="Learners: what is held about them, and erasing it.",
    invoke_without_command=True,
    callback=show_help_unless_asked,
)


@app.command()
def export(
    called: typer.Context,
    learner: LearnerReference,
    to: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write a ZIP archive with all of it, the documents too.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show everything that is held about a learner.

    It is decrypted. With --to, it is written to an archive that only its owner can read.
    """
    with opened(called) as testamur:
        held = testamur.export_learner(learner, to)
    if as_json:
        write_json(held)
        return
    _show_export(held, to)


@app.command()
def erase(
    called: typer.Context,
    reason: Reason,
    learner: Annotated[
        str | None,
        typer.Argument(
            metavar="[LEARNER]", help="The data source's id of them.", show_default=False
        ),
    ] = None,
    inactive_since: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="All whom nothing has happened to since; only shown, unless --confirm is right.",
            show_default=False,
        ),
    ] = None,
    confirm: Annotated[
        int | None,
        typer.Option(
            metavar="COUNT",
            help="With --inactive-since: erase them, if they are exactly so many.",
            min=1,
            show_default=False,
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase everything personal about learners, for good.

    Erase them in the data source first, else the next run may award them anew.
    """
    if (learner is None) == (inactive_since is None):
        raise WrongUsage("Give either a learner or --inactive-since.", called)
    if inactive_since is None and confirm is not None:
        raise WrongUsage("--confirm goes with --inactive-since only.", called)
    if learner is not None:
        _erase_one(called, learner, reason, yes=yes, as_json=as_json)
    else:
        _erase_inactive(called, str(inactive_since), reason, confirm, as_json=as_json)


def _erase_one(
    called: typer.Context, learner: str, reason: str, *, yes: bool, as_json: bool
) -> None:
    with opened(called) as testamur:
        will_go = testamur.erasable(learner)
        if not yes:
            _show_erasable(will_go)
            typer.confirm("Erase it for good?", abort=True, err=True)
        gone = testamur.erase_learner(learner, reason)
    if as_json:
        write_json({"learner_id": learner, "erased": gone})
        return
    screen().say(_told_gone(learner, gone))


def _erase_inactive(
    called: typer.Context, since: str, reason: str, confirm: int | None, *, as_json: bool
) -> None:
    moment = parse_day(since, time_zone_of(called), "--inactive-since")
    if moment >= datetime.now(UTC):
        raise InvalidInput("--inactive-since", since, "a day that is past")
    with opened(called) as testamur:
        found = list(testamur.inactive_learners(moment))
        carried_out = confirm is not None and confirm == len(found)
        failed = _erase_all(testamur, found, reason) if carried_out else {}
    if as_json:
        write_json(
            {
                "inactive_since": moment,
                "learners": found,
                "carried_out": carried_out,
                "failed": {learner: str(error) for learner, error in failed.items()},
            }
        )
    else:
        _show_inactive(found, carried_out=carried_out)
    for learner, error in failed.items():
        for line in told(error):
            warn(f"{learner}: {line}; the next tick tries again")
    if confirm is not None and not carried_out:
        warn(f"error: there are {len(found)}, not the {confirm} of --confirm; nothing was done")
    if failed or (confirm is not None and not carried_out):
        raise typer.Exit(FAILED)


def _erase_all(
    testamur: "Testamur", learners: "Iterable[InactiveLearner]", reason: str
) -> dict[str, TestamurError]:
    """Erase learners one after another; who could not be erased keeps nobody else waiting."""
    failed: dict[str, TestamurError] = {}
    for each in learners:
        try:
            testamur.erase_learner(each.learner_id, reason)
        except InvalidInput:
            raise  # the reason: it will not do for the next one either
        except TestamurError as error:
            failed[each.learner_id] = error
    return failed


def _show_erasable(will_go: "Erasable") -> None:
    counted = [f"{count} {status}" for status, count in will_go.credentials.items()]
    fields = {
        "learner": will_go.learner_id,
        "name": ", ".join(will_go.names) or "-",
        "credentials": ", ".join(counted) or "none",
        "documents": many(len(will_go.files), "file"),
        "messages": f"{will_go.told} delivered",
        "data key": "destroyed" if not will_go.has_key else "will be destroyed",
    }
    # Beside the question, so that stdout stays free for --json.
    for name, value in fields.items():
        warn(f"{name + ':':13}{value}")
    if will_go.under_way:
        warn("It was asked for before and is not finished.")
    warn("The record of what was issued stays, without name, e-mail address and document.")


def _told_gone(learner: str, gone: "ErasureCompleted") -> str:
    return (
        f"Learner {learner} is erased: {many(gone.credentials, 'credential')}, "
        f"{many(gone.files, 'file')}, {many(gone.messages, 'message')}, and the data key."
    )


def _show_inactive(found: "list[InactiveLearner]", *, carried_out: bool) -> None:
    to_show = screen()
    to_show.table(
        [Column("learner"), Column("credentials", align="right", rigid=True)],
        ((each.learner_id, f"{each.credentials:,}") for each in found),
    )
    if not found:
        to_show.say("Nobody.")
        return
    credentials = many(sum(each.credentials for each in found), "credential")
    to_show.say("", f"{many(len(found), 'learner')}, {credentials}.")
    if carried_out:
        to_show.say("They are erased.")
    else:
        to_show.say(f"This was a dry run: nothing was erased. --confirm {len(found)} does it.")


def _show_export(held: "LearnerExport", to: Path | None) -> None:
    to_show = screen()
    to_show.fields(
        [
            ("learner", held.learner_id),
            ("credentials", str(len(held.credentials))),
            ("documents", str(sum(len(each.files) for each in held.credentials))),
            ("events", str(sum(len(each.history) for each in held.credentials))),
            ("mentioned by", many(len(held.runs), "run event")),
            ("erased", many(len(held.erasures) // 2, "time")),
        ]
    )
    to_show.say("")
    to_show.table(
        [Column("credential", rigid=True), Column("status"), Column("name"), Column("what")],
        (
            (
                str(each.credential_id),
                each.status,
                each.awarded.person.full_name if each.awarded.person else "(erased)",
                f"{each.awarded.type_name}, {each.awarded.context_key}",
            )
            for each in held.credentials
        ),
    )
    if to is None:
        to_show.say("", "--json shows all of it; --to FILE.zip writes it with the documents.")
    else:
        to_show.say("", f"All of it is in {to}.")
