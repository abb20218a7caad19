"""The command that does whatever is due: `testamur tick`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer

from testamur.entrypoints.cli.errors import FAILED, told
from testamur.entrypoints.cli.event_text import describe_asked, describe_reasons
from testamur.entrypoints.cli.invocation import opened
from testamur.entrypoints.cli.output import many, screen, warn, write_json
from testamur.entrypoints.cli.parameters import AsJson
from testamur.entrypoints.cli.run_outcomes import left_out_of, name_of
from testamur.entrypoints.collecting import spare_what_is_loaded

if TYPE_CHECKING:
    from testamur.application.progress import Progress
    from testamur.application.tick_reports import TickReport
    from testamur.domain.identifiers import ReconciliationId, RunId
    from testamur.entrypoints.library import Testamur


def tick(called: typer.Context, as_json: AsJson = False) -> None:
    """Do whatever is due now.

    Scheduled runs, what was interrupted, and what is to be tried again. For cron or a timer: once
    a minute, or less often.
    """
    from testamur.entrypoints.cli.progress import watching

    with opened(called) as testamur:
        spare_what_is_loaded()
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
    if report.notified.capped:
        warn("no more messages may be sent within this hour (mail_cap_per_hour); the rest waits")
    if report.problems or failed or stopped:
        raise typer.Exit(FAILED)


def _tick(testamur: "Testamur", progress: "Progress") -> "TickReport":
    """Do what is due, or leave it to the tick that is going on: cron may well call too often."""
    from testamur.application.errors import AlreadyRunning
    from testamur.application.tick_reports import TickReport

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
            f"Disabled: {name_of(testamur, id_)}: {reason}"
            for id_, reason in report.disabled.items()
        ),
        *(f"Needs approval: {_asked_of(testamur, id_)}" for id_ in report.needs_approval),
        *(f"Reconciled: {_of_reconciliation(testamur, id_)}" for id_ in report.reconciling),
        *(
            [f"Carried out: {many(corrected, 'correction')}"]
            if (corrected := report.corrected.done)
            else []
        ),
        *(
            [f"Waiting: {many(waiting, 'correction')}; see `testamur correction list`"]
            if (waiting := report.corrections)
            else []
        ),
        *(f"Erased: learner {learner_id}" for learner_id in report.erased),
        *(
            [f"Withdrawn: {many(withdrawn, 'credential')}' documents"]
            if (withdrawn := report.withdrawn.withdrawn)
            else []
        ),
        *([f"Reminded: {many(report.reminders, 'learner')}"] if report.reminders else []),
        *(f"Left to another process: {work}" for work in report.left_to_others),
        *([f"Issued: {many(issued.issued, 'document')}"] if issued.issued else []),
        *([f"Told: {many(notified.sent, 'learner')}"] if notified.sent else []),
        *([f"Not told: {many(notified.failed, 'learner')}"] if notified.failed else []),
    ]
    to_show.say(*(lines or ["Nothing was due."]))


def _name_of_run(testamur: "Testamur", id_: "RunId") -> str:
    run = testamur.run_state(id_)
    counts = run.counts
    done = "not completed"
    if counts is not None:
        done = f"{counts.awarded:,} awarded, {counts.refused:,} refused"
    elif run.approval == "needed":
        done = "needs approval"
    return f"{name_of(testamur, run.started.configuration_id)} ({done}, run {id_})"


def _of_reconciliation(testamur: "Testamur", id_: "ReconciliationId") -> str:
    found = testamur.reconciliation(id_)
    proposed = "not completed" if found.counts is None else f"{found.counts.proposed:,} proposed"
    return f"{name_of(testamur, found.started.configuration_id)} ({proposed})"


def _asked_of(testamur: "Testamur", id_: "RunId") -> str:
    run = testamur.run_state(id_)
    name = name_of(testamur, run.started.configuration_id)
    asked = f": {describe_asked(run.asked)}" if run.asked else ""
    return f"{name}{asked}; see `testamur run status {id_}`"


def _left_out_of_run(testamur: "Testamur", id_: "RunId") -> "Iterator[str]":
    run = testamur.run_state(id_)
    if run.counts and run.counts.left_out:
        reasons = "; ".join(describe_reasons(left_out_of(testamur, id_, run.counts)))
        name = name_of(testamur, run.started.configuration_id)
        learners = many(run.counts.left_out, "learner")
        yield f"Left out of {name}: {learners}: {reasons}; the next run tries them again"


def _report_document(report: "TickReport") -> dict[str, Any]:
    return {
        "started": report.started,
        "resumed": report.resumed,
        "disabled": {str(id_): reason for id_, reason in report.disabled.items()},
        "left_to_others": report.left_to_others,
        "needs_approval": report.needs_approval,
        "erased": report.erased,
        "withdrawn": report.withdrawn.withdrawn,
        "reminders": report.reminders,
        "issued": report.issued.issued,
        "not_issued": report.issued.failed,
        "told": report.notified.sent,
        "not_told": report.notified.failed,
        "untold_because": report.notified.stopped_because,
        "capped": report.notified.capped,
        "digests": report.digests,
        "reconciling": report.reconciling,
        "corrected": report.corrected.done,
        "corrections": report.corrections,
        "problems": [
            {
                "subject": problem.subject,
                "error": type(problem.error).__name__,
                "message": str(problem.error),
            }
            for problem in report.problems
        ],
    }
