"""The command that tells how far a run is: `testamur run status`."""

import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from testamur.entrypoints.cli.errors import FAILED, NEEDS_APPROVAL
from testamur.entrypoints.cli.event_text import describe_asked
from testamur.entrypoints.cli.invocation import opened
from testamur.entrypoints.cli.output import Column, screen, warn, write_json, write_json_line
from testamur.entrypoints.cli.parameters import AsJson, RunReference
from testamur.entrypoints.cli.run_outcomes import asked_document, show_choices

if TYPE_CHECKING:
    from testamur.application.run_status import RunStatus

#: Whoever follows a run is told at most so often.
LOOK_AGAIN_SECONDS: Final = 1.0

_SHOWN: Final = ("evaluated", "awarded", "refused", "left_out", "issued", "failed", "left", "told",
                 "not_told_yet")  # fmt: skip


def status(
    called: typer.Context,
    id_: RunReference,
    follow: Annotated[
        bool, typer.Option("--follow", help="Tell again and again, until nothing more comes of it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Tell how far a run is.

    With --follow --json, one line of JSON whenever something changed. The exit code is 1 where the
    run failed, or documents of it did, and 3 where it needs approval.
    """
    from testamur.domain.identifiers import RunId

    run_id = RunId(id_)
    with opened(called) as testamur:
        found = testamur.run_status(run_id)
        if follow:
            _tell_line(found, as_json)
            while not found.settled:
                time.sleep(LOOK_AGAIN_SECONDS)
                before, found = found, testamur.run_status(run_id)
                if found != before:
                    _tell_line(found, as_json)
        elif as_json:
            write_json(_document(found))
    if not follow and not as_json:
        to_show = screen()
        to_show.say(f"Run {found.run_id}: {found.state.replace('-', ' ')}.", "")
        to_show.table(
            [Column("outcome", rigid=True), Column("learners", align="right", rigid=True)],
            [(_name(each), _count(found, each)) for each in _SHOWN],
        )
        _show_approval(found)
    if found.error:
        again = f"tried again at {found.retry_at:%Y-%m-%d %H:%M} UTC" if found.retry_at else ""
        warn(f"error: the run failed: {found.error}; {again or 'not tried again by itself'}")
    if found.state == "failed" or found.failed:
        raise typer.Exit(FAILED)
    if found.state == "needs-approval":
        raise typer.Exit(NEEDS_APPROVAL)


def _show_approval(found: "RunStatus") -> None:
    """Say why the run needs approval, or needed it, and what was decided."""
    if found.asked is None:
        return
    to_show = screen()
    needs = "needs" if found.decision is None else "needed"
    to_show.say("", f"It {needs} approval: {describe_asked(found.asked)}.")
    if found.decision is None:
        to_show.say("To see whom it would award, and decide:")
        show_choices(found.run_id)
        return
    became = "Approved" if found.decision.approved else "Rejected"
    at = f"{found.decision.at:%Y-%m-%d %H:%M} UTC"
    to_show.say(f"{became} by {found.decision.actor}, {at}: {found.decision.reason}")


def _tell_line(found: "RunStatus", as_json: bool) -> None:
    if as_json:
        write_json_line(_document(found))
    else:
        counts = ", ".join(f"{_name(each)} {_count(found, each)}" for each in _SHOWN)
        screen().say(f"{found.state.replace('-', ' ')}: {counts}")


def _name(count: str) -> str:
    return count.replace("_", " ")


def _count(found: "RunStatus", name: str) -> str:
    count = getattr(found, name)
    return "?" if count is None else f"{count:,}"


def _document(found: "RunStatus") -> dict[str, Any]:
    return {
        "run_id": found.run_id,
        "configuration_id": found.configuration_id,
        "state": found.state,
        "started_at": found.started_at,
        **{name: getattr(found, name) for name in _SHOWN},
        "error": found.error,
        "retry_at": found.retry_at,
        "settled": found.settled,
        "needs_approval": asked_document(found.asked),
        "decision": found.decision,
    }
