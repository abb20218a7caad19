"""Commands that look at the installation itself: `testamur settings`, `doctor`, `source check`."""

from contextlib import ExitStack
from typing import Annotated

import typer

from testamur.entrypoints.cli.errors import FAILED, WrongUsage
from testamur.entrypoints.cli.invocation import invocation_of, show_help_unless_asked
from testamur.entrypoints.cli.output import (
    Column,
    many,
    screen,
    styled,
    warn,
    write_json,
)
from testamur.entrypoints.cli.parameters import AsJson

source_app = typer.Typer(
    help="The data source: who has earned what.",
    invoke_without_command=True,
    callback=show_help_unless_asked,
)

#: Of the columns with a check's verdict and subject.
_WIDTHS = (6, 14)


def settings(called: typer.Context, as_json: AsJson = False) -> None:
    """Show which settings are in force.

    And where each comes from. Secrets are hidden.
    """
    in_force = invocation_of(called).settings().in_force()
    if as_json:
        write_json(in_force)
        return
    screen().table(
        [Column("setting", rigid=True), Column("value"), Column("from")],
        ((setting.name, setting.value, setting.origin) for setting in in_force),
    )


def doctor(called: typer.Context, as_json: AsJson = False) -> None:
    """Check every part of the installation.

    And say how to mend what fails.
    """
    from testamur.entrypoints.doctor import examine

    failed = 0
    findings = examine(invocation_of(called).settings)
    if as_json:
        documents = list(findings)
        write_json(documents)
        failed = sum(not finding.ok for finding in documents)
    else:
        to_show = screen()
        for finding in findings:
            failed += not finding.ok
            verdict = styled("ok", "green") if finding.ok else styled("FAILED", "bold red")
            to_show.row(_WIDTHS, [verdict, finding.subject, finding.found])
            if finding.remedy:
                to_show.row(_WIDTHS, ["", "", f"→ {finding.remedy}"])
        to_show.say("", f"{many(failed, 'check')} failed." if failed else "Everything is well.")
    if failed:
        raise typer.Exit(FAILED)


@source_app.command("check")
def check_source(
    called: typer.Context,
    limit: Annotated[int, typer.Option(metavar="N", help="The most problems to show.", min=1)] = 50,
    as_json: AsJson = False,
) -> None:
    """Find everything that is wrong with the data source.

    Data files are read to their end. Any other source is asked whether it can be reached.
    """
    from testamur.adapters.files import FileRetrievalSource
    from testamur.entrypoints.choices import source_choice
    from testamur.entrypoints.plugins import Plugins

    choice = source_choice(invocation_of(called).settings().settings, Plugins())
    if choice is None:
        raise WrongUsage(
            "no data source is set: source is to name its plugin, or source_folder its folder",
            called,
        )
    with ExitStack() as resources:
        source = choice.made(resources)
        if not isinstance(source, FileRetrievalSource):
            _ask(choice.name, source, as_json, called)
            return
        report = source.check(limit)
    if as_json:
        problems = [
            {
                "file": problem.path,
                "line": problem.line,
                "column": problem.column,
                "message": str(problem),
            }
            for problem in report.problems
        ]
        write_json({"counts": report.counts, "problems": problems, "complete": report.complete})
    else:
        to_show = screen()
        to_show.table(
            [Column("table"), Column("rows", align="right", rigid=True)],
            ((name, f"{count:,}") for name, count in report.counts.items()),
        )
        warn(*(f"error: {problem}" for problem in report.problems))
        more = "" if report.complete else f" at least; --limit {limit} stopped the check"
        to_show.say("", f"{many(len(report.problems), 'problem')}{more}.")
    if not report.good:
        raise typer.Exit(FAILED)


def _ask(name: str, source: object, as_json: bool, called: typer.Context) -> None:
    check = getattr(source, "check", None)
    if check is None:
        raise WrongUsage(f"the source {name} has no check of its own", called)
    found = check()
    if as_json:
        write_json({"source": name, "found": found})
    else:
        screen().say(f"{name}: {found}")
