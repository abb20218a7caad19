"""Commands about runs: `testamur run …`."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from testamur.entrypoints.cli import approvals
from testamur.entrypoints.cli.errors import WrongUsage
from testamur.entrypoints.cli.invocation import opened, show_help_unless_asked
from testamur.entrypoints.cli.output import screen, write_json, write_json_line
from testamur.entrypoints.cli.parameters import AsJson, ContextKey, TypeSlug
from testamur.entrypoints.cli.prospects import (
    counting,
    prospect_document,
    show_prospects,
    warn_of_guard,
    within,
)
from testamur.entrypoints.cli.run_outcomes import report
from testamur.entrypoints.cli.run_status import status
from testamur.entrypoints.collecting import spare_what_is_loaded

if TYPE_CHECKING:
    from testamur.domain.identifiers import ConfigurationId, RunId
    from testamur.entrypoints.library import RunOutcome, Testamur


class RunGroup(TyperGroup):
    """Lets ``run TYPE CONTEXT`` stand for ``run start TYPE CONTEXT``, as one does it most."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put in the name of the command that was left out."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["start", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=RunGroup,
    help="Award, issue and tell whoever is eligible now; `run TYPE CONTEXT` is `run start`.",
    invoke_without_command=True,
    callback=show_help_unless_asked,
)
app.command("status")(status)
app.command("proposed")(approvals.proposed)
app.command("approve")(approvals.approve)
app.command("reject")(approvals.reject)


@app.command("start")
def run(
    called: typer.Context,
    type_slug: TypeSlug,
    context_key: ContextKey,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Only show who would get the credential, who not, and why; write nothing.",
        ),
    ] = False,
    learner: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Only the learner with this id.", show_default=False),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(metavar="N", help="The most credentials to award.", min=1, show_default=False),
    ] = None,
    background: Annotated[
        bool,
        typer.Option("--background", help="Leave it to the workers, and only say which run it is."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Award, issue and tell whoever is eligible now.

    The configuration need not be enabled. With --dry-run --json, one line of JSON for each learner.
    """
    if dry_run and background:
        raise WrongUsage("--dry-run and --background: one or the other", called)
    with opened(called) as testamur:
        id_ = testamur.find_configuration(type_slug, context_key)
        if background:
            _leave_to_workers(testamur.start_run(id_, learner_id=learner, limit=limit), as_json)
            return
        if dry_run:
            totals: Counter[str] = Counter()
            prospects = counting(totals, within(limit, testamur.dry_run(id_, learner_id=learner)))
            if as_json:
                for prospect, becomes in prospects:
                    write_json_line(prospect_document(prospect, becomes))
            else:
                show_prospects(prospects)
            warn_of_guard(learner, totals["award"], testamur.guard_limits(id_))
            return
        outcome = _carry_out(testamur, id_, learner, limit)
        code = report(testamur, outcome, f"{type_slug} for {context_key}", as_json)
    if code:
        raise typer.Exit(code)


def _leave_to_workers(id_: "RunId", as_json: bool) -> None:
    if as_json:
        write_json({"run_id": id_})
    else:
        to_show = screen()
        to_show.say(f"Started run {id_}. To see how far it is:")
        to_show.verbatim(f"  testamur run status {id_}")


def _carry_out(
    testamur: "Testamur", id_: "ConfigurationId", learner: str | None, limit: int | None
) -> "RunOutcome":
    from testamur.entrypoints.cli.progress import watching

    spare_what_is_loaded()
    with watching() as progress:
        return testamur.run(id_, learner_id=learner, limit=limit, progress=progress)
