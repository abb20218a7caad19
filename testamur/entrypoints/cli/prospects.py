"""Dry runs as people and programs read them: what would become of each learner, and why."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from testamur.entrypoints.cli.criteria_text import unmet
from testamur.entrypoints.cli.event_text import describe_left_out, describe_limit
from testamur.entrypoints.cli.output import Column, many, screen, styled, warn

if TYPE_CHECKING:
    from testamur.application.guarding import GuardLimit
    from testamur.application.prospects import Prospect
    from testamur.entrypoints.cli.output import Cell

#: Outcome of a prospect -> what the table says, and its colour.
_OUTCOMES: Final = {
    "award": ("award", "green"),
    "over-limit": ("over the limit", "cyan"),
    "not-eligible": ("not eligible", "yellow"),
    "left-out": ("left out", "magenta"),
    "refused": ("refused", "red"),
    "already-held": ("already held", "dim"),
}


def within(limit: int | None, prospects: "Iterator[Prospect]") -> "Iterator[tuple[Prospect, str]]":
    """Yield prospects with what would become of them, once so many are awarded and no more."""
    awarded = 0
    for prospect in prospects:
        if prospect.outcome != "award":
            yield prospect, prospect.outcome
        elif limit is None or awarded < limit:
            awarded += 1
            yield prospect, "award"
        else:
            yield prospect, "over-limit"


def counting(
    totals: Counter[str], prospects: "Iterator[tuple[Prospect, str]]"
) -> "Iterator[tuple[Prospect, str]]":
    """Yield prospects, and count what would become of them."""
    for prospect, becomes in prospects:
        totals[becomes] += 1
        yield prospect, becomes


def warn_of_guard(learner: str | None, new: int, limits: "Sequence[GuardLimit]") -> None:
    """Say that a run would need approval, if it would.

    Args:
        learner: The one learner that it is for, if any; such a run needs none.
        new: How many it would award.
        limits: What the guard lets pass.
    """
    tightest = next(iter(limits), None)
    if learner is None and tightest is not None and new > tightest.most:
        told = describe_limit(tightest.reason, new, tightest.most, tightest.usual)
        warn(f"a run would need approval: {told}")


def show_prospects(prospects: "Iterator[tuple[Prospect, str]]") -> None:
    """Show prospects as a table as they come, then how many there are of each outcome."""
    totals: Counter[str] = Counter()
    unweighted: Counter[str] = Counter()
    left_out: Counter[str] = Counter()

    def rows() -> "Iterator[tuple[Cell, Cell, Cell]]":
        for prospect, outcome in prospects:
            totals[outcome] += 1
            if prospect.verdict:
                unweighted.update(prospect.verdict.evidence.unweighted_categories)
            if outcome == "left-out":
                left_out[prospect.detail or ""] += 1
            words, style = _OUTCOMES[outcome]
            yield prospect.learner_id, styled(words, style), _why(prospect)

    to_show = screen()
    columns = [Column("learner"), Column("outcome", rigid=True), Column("name, or why not")]
    if to_show.table(columns, rows()):
        to_show.say("")
    counted = ", ".join(
        f"{totals[outcome]:,} {words}"
        for outcome, (words, _) in _OUTCOMES.items()
        if totals[outcome]
    )
    to_show.say(f"{many(totals.total(), 'learner')}{': ' + counted if counted else ''}.")
    for category, learners in sorted(unweighted.items()):
        to_show.say(
            f"Category {category!r} counts nothing in the total of {many(learners, 'learner')}: "
            "the grading policy gives it no weight."
        )
    if left_out:
        to_show.say(*describe_left_out(left_out))
    to_show.say("This was a dry run: nothing was written.")


def _why(prospect: "Prospect") -> str:
    if prospect.outcome == "award":
        return prospect.full_name or ""
    if prospect.detail is not None:
        return prospect.detail
    return unmet(prospect.verdict.evidence.results) if prospect.verdict else ""


def prospect_document(prospect: "Prospect", outcome: str) -> dict[str, Any]:
    """Return a prospect as JSON has it."""
    evidence = prospect.verdict.evidence if prospect.verdict else None
    return {
        "learner_id": prospect.learner_id,
        "outcome": outcome,
        "full_name": prospect.full_name,
        "detail": prospect.detail,
        "results": evidence.results if evidence else None,
        "unweighted_categories": evidence.unweighted_categories if evidence else None,
    }
