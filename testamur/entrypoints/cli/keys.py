"""Commands about the learners' data keys: `testamur keys …`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from testamur.entrypoints.cli.errors import FAILED
from testamur.entrypoints.cli.invocation import (
    invocation_of,
    opened,
    show_help_unless_asked,
)
from testamur.entrypoints.cli.output import Column, many, screen, write_json
from testamur.entrypoints.cli.parameters import AsJson

if TYPE_CHECKING:
    from testamur.application.ports.secret_keys import KeyCounts

app = typer.Typer(
    help="Keys: how the learners' data keys are wrapped.",
    invoke_without_command=True,
    callback=show_help_unless_asked,
)


@app.command()
def status(called: typer.Context, as_json: AsJson = False) -> None:
    """Show how many keys are under which master key.

    It exits with 1 if any key is not under the one that all are to be under.
    """
    with opened(called) as testamur:
        counts = testamur.key_status()
    if as_json:
        write_json({"counts": counts, "target": counts.target, "to_wrap": counts.to_wrap})
    else:
        _show(counts)
    if counts.target is not None and counts.to_wrap:
        raise typer.Exit(FAILED)


@app.command()
def rotate(
    called: typer.Context,
    new_key_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="File with the new master key, in place of the setting master_key_next.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Wrap all keys under the newest master key.

    That is master_key_next, or master_key where there is no next one. It may be interrupted and
    run again.
    """
    with invocation_of(called).open(new_key_file=new_key_file) as testamur:
        wrapped = testamur.rotate_keys()
        counts = testamur.key_status()
    if as_json:
        write_json({"wrapped": wrapped, "target": counts.target})
        return
    to_show = screen()
    to_show.say(f"{many(wrapped, 'key')} wrapped; all are under master key {counts.target} now.")
    if counts.upcoming is not None and counts.upcoming != counts.current:
        to_show.say(
            "Let master_key be the new one now, and take master_key_next away; keep the old one "
            "as long as backups that were made under it."
        )


def _show(counts: "KeyCounts") -> None:
    to_show = screen()
    rows = [(f"master key {each}", f"{count:,}") for each, count in counts.under.items()]
    rows += [("not wrapped", f"{counts.unwrapped:,}"), ("destroyed", f"{counts.destroyed:,}")]
    to_show.table([Column("keys"), Column("count", align="right")], rows)
    to_show.say("", f"master_key: {counts.current or 'not set'}")
    if counts.upcoming is not None:
        to_show.say(f"master_key_next: {counts.upcoming}")
    if counts.target is None:
        to_show.say("Set master_key to have the learners' keys wrapped.")
    elif counts.to_wrap:
        to_show.say(f"{many(counts.to_wrap, 'key')} to wrap: run `testamur keys rotate`.")
