"""Commands that look after the database: `testamur database …`."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from testamur.entrypoints.cli.invocation import (
    invocation_of,
    show_help_unless_asked,
    time_zone_of,
)
from testamur.entrypoints.cli.output import Column, many, screen, write_json
from testamur.entrypoints.cli.parameters import AsJson

if TYPE_CHECKING:
    from testamur.adapters.event_store.migrations import Migration
    from testamur.entrypoints.databases import DatabaseStatus

app = typer.Typer(
    help="The database: its schema, copies of it, backups.",
    invoke_without_command=True,
    callback=show_help_unless_asked,
)

_KINDS: Final = {"sqlite": "SQLite file", "postgresql": "PostgreSQL"}
_UNITS: Final = ("bytes", "KiB", "MiB", "GiB", "TiB")


@app.command("status")
def status(called: typer.Context, as_json: AsJson = False) -> None:
    """Show which database is used, and what is in it.

    Works on the schema of another release too.
    """
    from testamur.entrypoints.databases import database_status

    found = database_status(invocation_of(called).settings().settings)
    if as_json:
        write_json(found)
        return
    to_show = screen()
    to_show.fields(_fields(found))
    zone = time_zone_of(called)
    to_show.say("")
    to_show.table(
        [Column("schema", align="right", rigid=True), Column("brings"), Column("state")],
        (
            (
                str(each.version),
                each.name,
                f"applied {each.applied_at.astimezone(zone):%Y-%m-%d %H:%M}"
                if each.applied_at
                else ("applied" if each.applied else "pending"),
            )
            for each in found.migrations
        ),
    )
    if found.schema_version < found.needed_version:
        to_show.say("", "Back the database up, then run `testamur database migrate`.")
    elif found.schema_version > found.needed_version:
        to_show.say("", "A newer release made this schema: upgrade Testamur.")


@app.command("migrate")
def migrate(called: typer.Context, as_json: AsJson = False) -> None:
    """Bring the database to the schema of this release.

    Back it up before. Running it again, or in several places at once, does no harm.
    """
    from testamur.entrypoints.databases import migrate_database

    ran: list[Migration] = []

    def told(migration: "Migration") -> None:
        ran.append(migration)
        if not as_json:
            screen().say(f"Schema {migration.version}: {migration.name} …")
            sys.stdout.flush()

    found = migrate_database(invocation_of(called).settings().settings, told)
    if as_json:
        migrated = [{"version": each.version, "name": each.name} for each in ran]
        write_json({"schema_version": found.schema_version, "migrated": migrated})
        return
    done = f"{many(len(ran), 'migration')} done" if ran else "nothing to do"
    screen().say(f"The database {found.address} has schema {found.schema_version}: {done}.")


@app.command("copy")
def copy(
    called: typer.Context,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="DATABASE",
            help="Where to: the path of an SQLite file, or postgresql://USER@HOST/DATABASE. "
            "There must be nothing in it.",
            show_default=False,
        ),
    ],
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="DATABASE",
            help="What to copy. By default the database of the settings.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Copy the whole database into an empty one.

    Of either kind; both are compared before the copy is kept. Stop what writes to the database
    before: a copy of what changes meanwhile is refused.
    """
    from testamur.adapters.event_store.copying import CopyStep
    from testamur.entrypoints.database_copies import copy_database, location_of

    settings = invocation_of(called).settings().settings
    target = location_of(to, "--to")
    source = location_of(from_, "--from") if from_ is not None else None
    labels: dict[str, str] = {
        CopyStep.COPY: "Copying rows",
        CopyStep.COMPARE_SOURCE: "Comparing with the source",
        CopyStep.COMPARE_TARGET: "Comparing with the copy",
    }
    with _bars(labels) as progress:
        report = copy_database(settings, target, source, progress)
    if as_json:
        write_json({"to": str(target), "rows": report.rows, "events_sha256": report.digest})
        return
    to_show = screen()
    to_show.table(
        [Column("table"), Column("rows", align="right", rigid=True)],
        ((name, f"{count:,}") for name, count in report.rows.items()),
    )
    to_show.say(
        "",
        "Every row was read back from both and is the same. SHA-256 of all events:",
    )
    to_show.verbatim(f"  {report.digest}")
    to_show.say("", f"The setting database may now be changed to {target}.")


@app.command("backup")
def backup(
    called: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="Where to; there must be nothing yet.", show_default=False
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Back the SQLite database up, while others use it.

    PostgreSQL is backed up with its own pg_dump.
    """
    from testamur.entrypoints.database_copies import back_up_database

    settings = invocation_of(called).settings().settings
    with _bars({"": "Copying pages"}) as progress:
        back_up_database(settings, file, lambda done, total: progress("", done, total))
    size = file.stat().st_size
    if as_json:
        write_json({"file": str(file), "size": size})
    else:
        screen().say(f"Wrote {file} ({_size(size)}). It holds the learners' keys: keep it safe.")


def _fields(found: "DatabaseStatus") -> list[tuple[str, str]]:
    schema = f", schema {found.database_schema}" if found.database_schema else ""
    return [
        ("kind", f"{_KINDS[found.kind]} ({found.software})"),
        ("address", f"{found.address}{schema}"),
        ("schema version", f"{found.schema_version} (this release needs {found.needed_version})"),
        ("events", f"{found.events:,}"),
        ("last position", f"{found.last_position:,}"),
        ("size", _size(found.size)),
    ]


def _size(size: float) -> str:
    for unit in _UNITS:
        if size < 1024 or unit == _UNITS[-1]:
            break
        size /= 1024
    return f"{size:,.0f} {unit}" if unit == _UNITS[0] else f"{size:,.1f} {unit}"


@contextmanager
def _bars(labels: dict[str, str]) -> Iterator[Callable[[str, int, int], None]]:
    """Draw a bar for each step on stderr, or nothing where that is no terminal."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns: Any = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=Console(file=sys.stderr)) as bars:
        tasks = {step: bars.add_task(label, total=None) for step, label in labels.items()}
        yield lambda step, done, total: bars.update(tasks[step], completed=done, total=total)
