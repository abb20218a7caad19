"""`testamur health`: whether the installation can work, for probes of containers and for people."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from testamur.entrypoints.cli.errors import FAILED
from testamur.entrypoints.cli.invocation import invocation_of
from testamur.entrypoints.cli.output import screen, styled, write_json
from testamur.entrypoints.cli.parameters import AsJson

if TYPE_CHECKING:
    from testamur.entrypoints.lookout import Health

_WIDTHS = (6, 14)


def health(called: typer.Context, as_json: AsJson = False) -> None:
    """Say whether database and queue answer, and ticks come.

    It exits with 1 where one of the two does not answer. That no tick came for a while is told, and
    is no reason to stop those who work.
    """
    from testamur.entrypoints.lookout import Lookout, health_of

    with Lookout(invocation_of(called).settings().settings) as lookout:
        found = health_of(lookout, datetime.now(UTC))
    if as_json:
        write_json(found.told())
    else:
        to_show = screen()
        for subject, said in _told(found):
            problem = found.problems.get(subject)
            verdict = styled("ok", "green")
            if problem is not None:
                verdict = styled("LATE" if subject == "tick" else "FAILED", "bold red")
            to_show.row(_WIDTHS, [verdict, subject, problem or said])
    if found.status == "failing":
        raise typer.Exit(FAILED)


def _told(found: "Health") -> Iterator[tuple[str, str]]:
    """Yield what was looked at, and what is said of it where all is well."""
    yield "database", "it answers"
    if found.has_queue:
        yield "queue", "it answers"
        if found.queue is None:
            last = found.last_tick
            yield "tick", f"the last one at {last:%Y-%m-%d %H:%M} UTC" if last else "none yet"
