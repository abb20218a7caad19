"""What lists of awards and of imports come to: bad lines, refusals, counts."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import typer

from testamur.domain.errors import InvalidInput
from testamur.entrypoints.cli.errors import BAD_INPUT, FAILED
from testamur.entrypoints.cli.output import Column, many, screen, warn, write_json
from testamur.entrypoints.csv_lists import BadLine, CsvList

if TYPE_CHECKING:
    from testamur.application.awardees import AwardReport, Prospective

#: So many bad lines are told one by one; the rest is counted.
MOST_BAD_LINES = 50


def refuse_bad_lines(entries: CsvList[Any], *, as_json: bool) -> None:
    """Tell every bad line of a list, and leave if there is any; nothing was written."""
    bad: list[BadLine] = []
    count = 0
    for each in entries.bad_lines():
        count += 1
        if as_json or len(bad) < MOST_BAD_LINES:
            bad.append(each)
    if not count:
        return
    if as_json:
        write_json({"bad_lines": [{"line": each.line, "problem": each.problem} for each in bad]})
    warn(*(str(each) for each in bad))
    further = f" ({count - len(bad):,} further ones)" if count > len(bad) else ""
    warn(f"error: {many(count, 'bad line')}{further}; nothing was written")
    raise typer.Exit(BAD_INPUT)


def day_of(text: str, field: str) -> date:
    """Read a date such as 2026-06-30.

    Raises:
        InvalidInput: It is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(field, text, "a date such as 2026-06-30") from None


def others(report: "AwardReport") -> list[str]:
    """Return lines that say how many hold one already, or were refused."""
    return [
        *([f"Hold it already: {report.already_held:,}."] if report.already_held else []),
        *([f"Refused: {report.refused:,}."] if report.refused else []),
    ]


def document_of_one(found: "Prospective") -> dict[str, Any]:
    """Return what became of one learner, for JSON."""
    return {
        "learner_id": found.awardee.learner_id,
        "outcome": found.outcome,
        "credential_id": found.credential_id,
        "detail": found.detail,
    }


def document_of_report(report: "AwardReport") -> dict[str, Any]:
    """Return what became of a list, for JSON."""
    return {
        "awarded": report.awarded,
        "already_held": report.already_held,
        "refused": report.refused,
        "first": [document_of_one(each) for each in report.first],
        "refusals": [document_of_one(each) for each in report.refusals],
    }


def show_prospects(report: "AwardReport", would_be: str, to_do_it: str, *, as_json: bool) -> None:
    """Show what a list would come to, and leave with 1 if somebody would be refused.

    Args:
        report: What it would come to.
        would_be: What would be done to how many, such as ``awarded: 3 learners``.
        to_do_it: What the option ``--yes`` is for, such as ``award them``.
        as_json: Whether programs read it.
    """
    if as_json:
        write_json({"dry_run": True, **document_of_report(report)})
    else:
        to_show = screen()
        if report.first:
            awardees = [each.awardee for each in report.first]
            to_show.table(
                (Column("learner"), Column("name"), Column("award date")),
                (
                    [each.learner_id, each.full_name, f"{each.award_date or 'today'}"]
                    for each in awardees
                ),
            )
            further = report.awarded - len(report.first)
            to_show.say(*([f"… and {further:,} more"] if further else []), "")
        to_show.say(f"Would be {would_be}.", *others(report))
        if report.awarded:
            to_show.say(f"Nothing was written; to {to_do_it}, add --yes.")
    leave(report.refusals, report.refused, None)


def leave(refusals: "Sequence[Prospective]", refused: int, unissued_because: str | None) -> None:
    """Say what is to be looked at, and leave with 1 if somebody was refused."""
    for each in refusals:
        where = f"{each.awardee.place}: " if each.awardee.place else ""
        warn(f"{where}learner {each.awardee.learner_id}: {each.detail}")
    if refused > len(refusals):
        warn(f"… and {refused - len(refusals):,} more were refused")
    if unissued_because is not None:
        warn(f"not issued yet: {unissued_because}; the next tick does")
    if refused:
        raise typer.Exit(FAILED)
