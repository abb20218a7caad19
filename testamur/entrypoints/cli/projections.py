"""Commands that look after what follows the log: `testamur projections …`."""

import gc
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from testamur.entrypoints.cli.invocation import opened, show_help_unless_asked
from testamur.entrypoints.cli.output import Column, many, screen, write_json
from testamur.entrypoints.cli.parameters import AsJson

if TYPE_CHECKING:
    from testamur.application.following import FollowingStatus

app = typer.Typer(
    help="What follows the log, such as the audit trail, and can be made anew from it.",
    invoke_without_command=True,
    callback=show_help_unless_asked,
)

#: Objects made before unused ones are looked for. A rebuild makes millions that hold no circles,
#: and by default a fifth of its time would be spent on looking at them.
_OBJECTS_BETWEEN_COLLECTIONS: Final = 100_000


@app.command("status")
def status(called: typer.Context, as_json: AsJson = False) -> None:
    """Show how far what follows the log is."""
    with opened(called) as testamur:
        found = testamur.projections()
    if as_json:
        write_json([_document(each) for each in found])
        return
    screen().table(
        [
            Column("projection", rigid=True),
            Column("events", align="right", rigid=True),
            Column("behind the log by", align="right", rigid=True),
            Column("being rebuilt"),
        ],
        (
            (
                each.projection.name,
                f"{each.projection.position:,}",
                f"{each.behind:,}",
                "no"
                if each.projection.rebuilt_to is None
                else f"begun, {each.projection.rebuilt_to:,} events done",
            )
            for each in found
        ),
    )


@app.command("rebuild")
def rebuild(
    called: typer.Context,
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="Which; there is audit-trail, and nothing else yet."),
    ] = "audit-trail",
    as_json: AsJson = False,
) -> None:
    """Make what follows the log anew from its beginning.

    Everything goes on meanwhile, with the old one. A rebuild that was interrupted is begun again.
    """
    from testamur.entrypoints.cli.progress import watching

    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    with opened(called) as testamur, watching() as progress:
        found = testamur.rebuild_projection(name, progress=progress)
    if as_json:
        write_json(_document(found))
    else:
        events = many(found.projection.position, "event")
        screen().say(f"Rebuilt {found.projection.name} from {events}.")


def _document(status: "FollowingStatus") -> dict[str, Any]:
    return {
        "name": status.projection.name,
        "position": status.projection.position,
        "behind": status.behind,
        "rebuilt_to": status.projection.rebuilt_to,
    }
