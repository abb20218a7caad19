"""What came of a run, as people and programs read it."""

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from testamur.entrypoints.cli.errors import FAILED, NEEDS_APPROVAL
from testamur.entrypoints.cli.event_text import (
    describe_asked,
    describe_left_out,
    learners_left_out,
)
from testamur.entrypoints.cli.output import Column, many, screen, warn, write_json

if TYPE_CHECKING:
    from testamur.domain.identifiers import ConfigurationId, RunId
    from testamur.domain.run_results import RunCounts
    from testamur.domain.runs import RunNeedsApproval
    from testamur.entrypoints.library import RunOutcome, Testamur

#: Counts that are left out of the table where they are 0.
_RARE: Final = {"left_out", "over_limit", "not_told_yet", "not_told_given_up"}
_NAMES: Final = {
    "not_issued": "failed to be issued",
    "not_told_yet": "not told yet",
    "not_told_skipped": "not told: skipped",
    "not_told_given_up": "not told: given up",
}


def report(testamur: "Testamur", outcome: "RunOutcome", subject: str, as_json: bool) -> int:
    """Tell what came of a run, and return the exit code.

    Args:
        testamur: The installation.
        outcome: What came of it.
        subject: Its configuration, for people.
        as_json: Whether it is told to programs.
    """
    left_out = left_out_of(testamur, outcome.run_id, outcome.counts)
    asked = outcome.needs_approval
    if as_json:
        write_json(
            {
                "run_id": outcome.run_id,
                **_counted(outcome),
                "needs_approval": asked_document(asked),
                "left_out_because": left_out,
                "untold_because": outcome.untold_because,
                "unsealed_because": outcome.unsealed_because,
            }
        )
    else:
        _show_outcome(outcome, subject, left_out)
    _untold(outcome)
    not_issued = _not_issued(outcome)
    if not_issued:
        warn(f"error: {many(not_issued, 'document')} failed to be issued")
    if asked is not None:
        id_ = outcome.run_id
        warn(f"needs approval: {describe_asked(asked)}; see `testamur run proposed {id_}`")
        return NEEDS_APPROVAL
    return FAILED if not_issued else 0


def asked_document(asked: "RunNeedsApproval | None") -> dict[str, Any] | None:
    """Return why a run needs approval as JSON has it; None where it does not."""
    if asked is None:
        return None
    return {name: getattr(asked, name) for name in ("reason", "limit", "usual", "proposed")}


def name_of(testamur: "Testamur", id_: "ConfigurationId") -> str:
    """Return what a configuration is called."""
    configuration = testamur.configuration(id_)
    return f"{configuration.type_slug} for {configuration.context_key}"


def show_choices(run_id: "RunId") -> None:
    """Show how to see whom a run would award, and how to decide."""
    to_show = screen()
    to_show.verbatim(f"  testamur run proposed {run_id}")
    to_show.verbatim(f'  testamur run approve {run_id} --reason "…"')
    to_show.verbatim(f'  testamur run reject {run_id} --reason "…"')


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


def left_out_of(testamur: "Testamur", id_: "RunId", counts: "RunCounts") -> Counter[str]:
    """Return why learners were left out of a run, and how many for each reason."""
    recorded = testamur.history(id_) if counts.left_out else []
    return Counter(learner.reason for learner in learners_left_out(recorded))


def _show_outcome(outcome: "RunOutcome", subject: str, left_out: Counter[str]) -> None:
    counted = _counted(outcome)
    to_show = screen()
    asked = outcome.needs_approval
    to_show.say(f"Ran {subject}.", "")
    if asked is not None:
        counted = {"needs_approval": asked.proposed} | counted
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
    if asked is not None:
        to_show.say("", f"Nobody is awarded yet: {describe_asked(asked)}. To see whom, and decide:")
        show_choices(id_)
    if counted["refused"]:
        to_show.say("", "Why learners were refused:")
        to_show.verbatim(f"  testamur history run {id_}")
    if counted["not_issued"]:
        to_show.say("", "What failed to be issued is tried again by `testamur tick`. To see it:")
        to_show.verbatim(f"  testamur credential list --run {id_} --status awarded")
    if counted["not_told_yet"]:
        to_show.say("", "Who was not told yet is told by `testamur tick`.")


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
