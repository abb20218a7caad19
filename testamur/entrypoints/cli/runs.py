"""Commands that issue: `testamur run …` and `testamur tick`."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperGroup

from testamur.entrypoints.cli.errors import FAILED, WrongUsage, told
from testamur.entrypoints.cli.event_text import (
    describe_left_out,
    describe_reasons,
    learners_left_out,
)
from testamur.entrypoints.cli.invocation import opened, show_help_unless_asked
from testamur.entrypoints.cli.output import (
    Column,
    many,
    screen,
    warn,
    write_json,
    write_json_line,
)
from testamur.entrypoints.cli.parameters import AsJson, ContextKey, TypeSlug
from testamur.entrypoints.cli.prospects import prospect_document, show_prospects, within
from testamur.entrypoints.cli.run_status import status

if TYPE_CHECKING:
    from testamur.application.progress import Progress
    from testamur.application.ticking import TickReport
    from testamur.domain.identifiers import ConfigurationId, RunId
    from testamur.domain.runs import RunCounts
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
            prospects = within(limit, testamur.dry_run(id_, learner_id=learner))
            if as_json:
                for prospect, becomes in prospects:
                    write_json_line(prospect_document(prospect, becomes))
            else:
                show_prospects(prospects)
            return
        outcome = _carry_out(testamur, id_, learner, limit)
        left_out = _left_out(testamur, outcome.run_id, outcome.counts)
    if as_json:
        write_json(
            {
                "run_id": outcome.run_id,
                **_counted(outcome),
                "left_out_because": left_out,
                "untold_because": outcome.untold_because,
                "unsealed_because": outcome.unsealed_because,
            }
        )
    else:
        _show_outcome(outcome, f"{type_slug} for {context_key}", left_out)
    _untold(outcome)
    if not_issued := _not_issued(outcome):
        warn(f"error: {many(not_issued, 'document')} failed to be issued")
        raise typer.Exit(FAILED)


def tick(called: typer.Context, as_json: AsJson = False) -> None:
    """Do whatever is due now.

    Scheduled runs, what was interrupted, and what is to be tried again. For cron or a timer: once
    a minute, or less often.
    """
    from testamur.entrypoints.cli.progress import watching

    with opened(called) as testamur:
        with watching() as progress:
            report = _tick(testamur, progress)
        if as_json:
            write_json(_report_document(report))
        else:
            _show_report(testamur, report)
    for problem in report.problems:
        for line in told(problem.error):
            warn(f"{problem.subject}: {line}")
    if failed := report.issued.failed:
        warn(f"{many(failed, 'document')} failed to be issued; tried again later")
    if stopped := report.notified.stopped_because:
        warn(f"nobody could be told: {stopped}; tried again later")
    if report.problems or failed or stopped:
        raise typer.Exit(FAILED)


def _leave_to_workers(id_: "RunId", as_json: bool) -> None:
    if as_json:
        write_json({"run_id": id_})
    else:
        to_show = screen()
        to_show.say(f"Started run {id_}. To see how far it is:")
        to_show.verbatim(f"  testamur run status {id_}")


def _untold(outcome: "RunOutcome") -> None:
    """Say what the run could not do besides making documents."""
    if outcome.untold_because:
        warn(f"nobody could be told: {outcome.untold_because}; the next tick tries again")
    if outcome.unfollowed_because:
        warn(
            f"the audit trail could not be brought on: {outcome.unfollowed_because}; the next tick "
            "tries again"
        )
    if outcome.unsealed_because:
        warn(f"the log could not be sealed: {outcome.unsealed_because}; the next tick tries again")


def _carry_out(
    testamur: "Testamur", id_: "ConfigurationId", learner: str | None, limit: int | None
) -> "RunOutcome":
    from testamur.entrypoints.cli.progress import watching

    with watching() as progress:
        return testamur.run(id_, learner_id=learner, limit=limit, progress=progress)


# Runs


def _not_issued(outcome: "RunOutcome") -> int:
    from testamur.domain.credentials import CredentialStatus

    return outcome.credentials.by_status.get(CredentialStatus.AWARDED, 0)


def _counted(outcome: "RunOutcome") -> dict[str, int]:
    counts, credentials = outcome.counts, outcome.credentials
    not_issued = _not_issued(outcome)
    messages = credentials.notifications
    return {
        "evaluated": counts.evaluated,
        "already_held": counts.already_held,
        "not_eligible": counts.not_eligible,
        "left_out": counts.left_out,
        "refused": counts.refused,
        "over_limit": counts.over_limit,
        "awarded": counts.awarded,
        "issued": sum(credentials.by_status.values()) - not_issued,
        "not_issued": not_issued,
        "told": messages.get("sent", 0),
        "not_told_yet": messages.get("pending", 0),
        "not_told_skipped": messages.get("skipped", 0),
        "not_told_given_up": messages.get("given-up", 0),
    }


#: Counts that are left out of the table where they are 0.
_RARE: Final = {"left_out", "over_limit", "not_told_yet", "not_told_given_up"}
_NAMES: Final = {
    "not_issued": "failed to be issued",
    "not_told_yet": "not told yet",
    "not_told_skipped": "not told: skipped",
    "not_told_given_up": "not told: given up",
}


def _left_out(testamur: "Testamur", id_: "RunId", counts: "RunCounts") -> Counter[str]:
    """Return why learners were left out of a run, and how many for each reason."""
    recorded = testamur.history(id_) if counts.left_out else []
    return Counter(learner.reason for learner in learners_left_out(recorded))


def _show_outcome(outcome: "RunOutcome", subject: str, left_out: Counter[str]) -> None:
    counted = _counted(outcome)
    to_show = screen()
    to_show.say(f"Ran {subject}.", "")
    to_show.table(
        [Column("outcome", rigid=True), Column("learners", align="right", rigid=True)],
        [
            (_NAMES.get(name, name.replace("_", " ")), f"{count:,}")
            for name, count in counted.items()
            if count or name not in _RARE
        ],
    )
    id_ = outcome.run_id
    if left_out:
        to_show.say("", *describe_left_out(left_out), "Who they are:")
        to_show.verbatim(f"  testamur history run {id_}")
    if counted["refused"]:
        to_show.say("", "Why learners were refused:")
        to_show.verbatim(f"  testamur history run {id_}")
    if counted["not_issued"]:
        to_show.say("", "What failed to be issued is tried again by `testamur tick`. To see it:")
        to_show.verbatim(f"  testamur credential list --run {id_} --status awarded")
    if counted["not_told_yet"]:
        to_show.say("", "Who was not told yet is told by `testamur tick`.")


# Ticks


def _tick(testamur: "Testamur", progress: "Progress") -> "TickReport":
    """Do what is due, or leave it to the tick that is going on: cron may well call too often."""
    from testamur.application.errors import AlreadyRunning
    from testamur.application.ticking import TickReport

    try:
        return testamur.tick(progress=progress)
    except AlreadyRunning as error:
        return TickReport(left_to_others=[error.work])


def _show_report(testamur: "Testamur", report: "TickReport") -> None:
    to_show = screen()
    issued, notified = report.issued, report.notified
    runs = [*report.started, *report.resumed]
    lines = [
        *(f"Started: {_name_of_run(testamur, id_)}" for id_ in report.started),
        *(f"Resumed: {_name_of_run(testamur, id_)}" for id_ in report.resumed),
        *(line for id_ in runs for line in _left_out_of_run(testamur, id_)),
        *(
            f"Disabled: {_name_of(testamur, id_)}: {reason}"
            for id_, reason in report.disabled.items()
        ),
        *(f"Erased: learner {learner_id}" for learner_id in report.erased),
        *(f"Left to another process: {work}" for work in report.left_to_others),
        *([f"Issued: {many(issued.issued, 'document')}"] if issued.issued else []),
        *([f"Told: {many(notified.sent, 'learner')}"] if notified.sent else []),
        *([f"Not told: {many(notified.failed, 'learner')}"] if notified.failed else []),
    ]
    to_show.say(*(lines or ["Nothing was due."]))


def _name_of_run(testamur: "Testamur", id_: "RunId") -> str:
    run = testamur.run_state(id_)
    counts = run.counts
    done = f"{counts.awarded:,} awarded, {counts.refused:,} refused" if counts else "not completed"
    return f"{_name_of(testamur, run.started.configuration_id)} ({done}, run {id_})"


def _left_out_of_run(testamur: "Testamur", id_: "RunId") -> "Iterator[str]":
    run = testamur.run_state(id_)
    if run.counts and run.counts.left_out:
        reasons = "; ".join(describe_reasons(_left_out(testamur, id_, run.counts)))
        name = _name_of(testamur, run.started.configuration_id)
        learners = many(run.counts.left_out, "learner")
        yield f"Left out of {name}: {learners}: {reasons}; the next run tries them again"


def _name_of(testamur: "Testamur", id_: "ConfigurationId") -> str:
    configuration = testamur.configuration(id_)
    return f"{configuration.type_slug} for {configuration.context_key}"


def _report_document(report: "TickReport") -> dict[str, Any]:
    return {
        "started": report.started,
        "resumed": report.resumed,
        "disabled": {str(id_): reason for id_, reason in report.disabled.items()},
        "left_to_others": report.left_to_others,
        "erased": report.erased,
        "issued": report.issued.issued,
        "not_issued": report.issued.failed,
        "told": report.notified.sent,
        "not_told": report.notified.failed,
        "untold_because": report.notified.stopped_because,
        "problems": [
            {
                "subject": problem.subject,
                "error": type(problem.error).__name__,
                "message": str(problem.error),
            }
            for problem in report.problems
        ],
    }
