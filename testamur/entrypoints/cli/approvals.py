"""Commands that decide on a run that needs approval: `testamur run proposed|approve|reject`."""

from typing import TYPE_CHECKING

import typer

from testamur.entrypoints.cli.invocation import opened
from testamur.entrypoints.cli.output import screen, write_json, write_json_line
from testamur.entrypoints.cli.parameters import AsJson, Reason, RunReference
from testamur.entrypoints.cli.run_outcomes import name_of, report

if TYPE_CHECKING:
    from testamur.domain.identifiers import RunId
    from testamur.entrypoints.library import RunOutcome, Testamur


def proposed(called: typer.Context, id_: RunReference, as_json: AsJson = False) -> None:
    """List whom a run that needs approval would award.

    One learner id on each line; with --json, one line of JSON for each.
    """
    from testamur.domain.identifiers import RunId

    with opened(called) as testamur:
        learners = testamur.proposed_learners(RunId(id_))
        if as_json:
            for learner_id in learners:
                write_json_line({"learner_id": learner_id})
        else:
            to_show = screen()
            for learner_id in learners:
                to_show.say(learner_id)


def approve(
    called: typer.Context, id_: RunReference, reason: Reason, as_json: AsJson = False
) -> None:
    """Let a run award those on its list who are eligible.

    Those on the list who are eligible still are awarded the credential; nobody else is. Where there
    are workers, it is left to them.
    """
    from testamur.application.errors import AlreadyRunning
    from testamur.domain.identifiers import RunId

    run_id = RunId(id_)
    with opened(called) as testamur:
        try:
            outcome = _approved(testamur, run_id, reason)
        except AlreadyRunning:
            _left_for_later(run_id, "by the next `testamur tick`", as_json)
            return
        if outcome.is_left_to_workers:
            _left_for_later(run_id, "by the workers", as_json)
            return
        configuration = testamur.run_state(run_id).started.configuration_id
        code = report(testamur, outcome, name_of(testamur, configuration), as_json)
    if code:
        raise typer.Exit(code)


def reject(
    called: typer.Context, id_: RunReference, reason: Reason, as_json: AsJson = False
) -> None:
    """End a run that needs approval; nobody is awarded by it.

    The next slot of the schedule is run again, and asks again unless something has changed.
    """
    from testamur.domain.identifiers import RunId

    with opened(called) as testamur:
        testamur.reject_run(RunId(id_), reason)
    if as_json:
        write_json({"run_id": id_, "state": "rejected"})
    else:
        screen().say(f"Rejected run {id_}: it awards nobody.")


def _approved(testamur: "Testamur", run_id: "RunId", reason: str) -> "RunOutcome":
    from testamur.entrypoints.cli.progress import watching

    with watching() as progress:
        return testamur.approve_run(run_id, reason, progress=progress)


def _left_for_later(run_id: "RunId", by: str, as_json: bool) -> None:
    if as_json:
        write_json({"run_id": run_id, "state": "approved"})
        return
    to_show = screen()
    to_show.say(f"Approved run {run_id}; it is carried out {by}. To see how far it is:")
    to_show.verbatim(f"  testamur run status {run_id}")
