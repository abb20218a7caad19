"""Command that tells where a learner stands: `testamur eligibility`."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Final
from zoneinfo import ZoneInfo

import typer

from testamur.domain.identifiers import parse_learner_id
from testamur.entrypoints.cli.credential_text import STATUS_STYLES
from testamur.entrypoints.cli.criteria_text import (
    achieved_percent,
    name_of_criterion,
    points_of,
    required_percent,
)
from testamur.entrypoints.cli.errors import FAILED
from testamur.entrypoints.cli.invocation import opened, time_zone_of
from testamur.entrypoints.cli.output import Column, Screen, many, screen, styled, warn, write_json
from testamur.entrypoints.cli.parameters import AsJson, ContextKey
from testamur.entrypoints.cli.schedule_text import describe_moment

if TYPE_CHECKING:
    from testamur.application.standing import (
        ConfigurationStanding,
        HeldCredential,
        LearnerStanding,
    )
    from testamur.domain.evidence import CriterionResult
    from testamur.entrypoints.cli.output import Cell

#: Characters of a bar. It is full only where what is required is reached.
BAR: Final = 10


def eligibility(
    called: typer.Context,
    context_key: ContextKey,
    learner: Annotated[
        str, typer.Option(metavar="ID", help="The learner's id.", show_default=False)
    ],
    as_json: AsJson = False,
) -> None:
    """Show what a learner has reached, and what is missing.

    For each credential of a course, lesson or pathway: the criteria, asked of the data source now,
    and the credential that the learner holds already. Nothing is written.
    """
    zone = time_zone_of(called)
    learner_id = parse_learner_id(learner, "--learner")
    with opened(called) as testamur:
        standing = testamur.eligibility(context_key, learner_id)
    if as_json:
        write_json(standing)
    else:
        show_standing(screen(), standing, zone)
    unusable = [each for each in standing.configurations if each.problem is not None]
    for each in unusable:
        warn(f"error: {each.type_slug} for {context_key}: {each.problem}")
    if unusable:
        raise typer.Exit(FAILED)


def show_standing(to_show: Screen, standing: "LearnerStanding", zone: ZoneInfo) -> None:
    """Write a card for each credential of the context.

    Args:
        to_show: Is written to.
        standing: Where the learner stands.
        zone: In which times are told.
    """
    if not standing.configurations:
        to_show.say(f"No credential can be earned in {standing.context_key}.")
        return
    to_show.fields(_heading(standing, zone))
    for each in standing.configurations:
        to_show.say("", styled(each.type_name, "bold"), _type(each), _verdict(each))
        if each.results:
            to_show.say("")
            _show_criteria(to_show, each)
        for category in each.unweighted_categories:
            to_show.say(
                f"{category!r} counts nothing in a total: the grading policy gives it no weight."
            )
        if each.credential is not None:
            to_show.say("")
            _show_credential(to_show, each.credential, zone)


def _heading(standing: "LearnerStanding", zone: ZoneInfo) -> "Iterator[tuple[str, Cell]]":
    yield "learner", standing.learner_id
    yield "context", standing.context_key
    if standing.context_name not in {None, standing.context_key}:
        yield "name", standing.context_name or ""
    if standing.retrieved_at is not None:
        yield "as of", f"{describe_moment(standing.retrieved_at, zone)}, from {standing.source}"


def _type(each: "ConfigurationStanding") -> str:
    state = "retired" if each.retired else "" if each.enabled else "disabled"
    return f"type {each.type_slug}" + (f", {state}" if state else "")


def _verdict(each: "ConfigurationStanding") -> "Cell":
    """Return where the learner stands: what they hold, and what they have reached."""
    held = each.credential
    if each.problem is not None:
        now, style = "What is reached cannot be told: the criteria cannot be used.", "red"
    elif each.left_out is not None:
        now, style = f"What is reached cannot be told: {each.left_out}.", "red"
    elif each.eligible is None:
        now, style = "Nobody is awarded it any more.", "yellow"
    elif held is not None:
        now, style = f"Now: {_met(each)}.", ""
    elif each.eligible:
        now, style = f"Eligible: {_met(each)}.", "green"
    else:
        now, style = f"Not eligible yet: {_met(each)}.", "yellow"
    if held is None:
        return styled(now, style)
    return styled(f"{_holding(held)} {now}", STATUS_STYLES.get(held.status, ""))


def _holding(held: "HeldCredential") -> str:
    match held.status.value:
        case "issued":
            return f"Awarded on {held.award_date}."
        case "awarded":
            return f"Awarded on {held.award_date}, and not issued yet."
        case status:
            return f"{status.capitalize()}{_reason(held)}."


def _reason(held: "HeldCredential") -> str:
    return f": {held.revocation_reason}" if held.revocation_reason else ""


def _met(each: "ConfigurationStanding") -> str:
    """Return how many criteria are met, or steps of a pathway; and the enrolment, if it is not."""
    enrolment = [result for result in each.results if result.criterion == "enrolment"]
    told = [] if all(result.met for result in enrolment) else ["not enrolled"]
    if each.steps:
        told.append(_counted([step.met for step in each.steps], "step"))
    elif criteria := [result.met for result in each.results if result not in enrolment]:
        told.append(_counted(criteria, "criterion", "criteria"))
    else:
        told.append("the pathway has no steps")
    return ", ".join(told)


def _counted(met: Sequence[bool], singular: str, plural: str | None = None) -> str:
    return f"{sum(met)} of {many(len(met), singular, plural)} met"


def _show_criteria(to_show: Screen, each: "ConfigurationStanding") -> None:
    """Write what is required and what is reached, the steps of a pathway one after the other."""
    of_steps = [result for step in each.steps for result in step.results]
    with_points = any(result.earned is not None for result in (*each.results, *of_steps))
    columns = [
        Column("criterion"),
        Column("required", align="right", rigid=True),
        Column("reached", align="right", rigid=True),
        *([Column("points", align="right")] if with_points else []),
        Column("progress", rigid=True),
        Column("met", rigid=True),
    ]

    def row(result: "CriterionResult", indent: str = "") -> "Sequence[Cell]":
        return (
            indent + name_of_criterion(result),
            required_percent(result.required),
            achieved_percent(result.achieved) or ("none" if result.required is not None else ""),
            *([points_of(result)] if with_points else []),
            _bar(result),
            _yes_or_no(result.met),
        )

    def rows() -> "Iterator[Sequence[Cell]]":
        yield from map(row, each.results)
        for number, step in enumerate(each.steps, start=1):
            between = [""] * (len(columns) - 2)
            yield (f"{number}. {step.name}", *between, _yes_or_no(step.met))
            yield from (row(result, "   ") for result in step.results)

    to_show.table(columns, rows())


def _bar(result: "CriterionResult") -> "Cell":
    """Return how far the learner is on the way to what is required; full only where it is met."""
    if result.required is None:
        return ""
    if result.met:
        return styled("█" * BAR, "green")
    # What is required may be 0 here, and not met for want of any graded work.
    share = result.achieved / result.required if result.achieved else 0
    filled = min(int(BAR * share), BAR - 1)
    return styled("█" * filled + "░" * (BAR - filled), "yellow")


def _yes_or_no(met: bool) -> "Cell":
    return styled("yes", "green") if met else styled("no", "red")


def _show_credential(to_show: Screen, held: "HeldCredential", zone: ZoneInfo) -> None:
    fields = list(_credential(held, zone))
    to_show.fields(fields)
    width = max(len(name) for name, _ in fields)
    for name, link in (("verify", held.verify_url), ("download", held.download_url)):
        if link is not None:
            to_show.verbatim(f"{name:<{width}}  {link}")


def _credential(held: "HeldCredential", zone: ZoneInfo) -> "Iterator[tuple[str, Cell]]":
    yield "credential", str(held.credential_id)
    yield "status", styled(f"{held.status}{_reason(held)}", STATUS_STYLES.get(held.status, ""))
    if held.superseded_by is not None:
        yield "superseded by", str(held.superseded_by)
    if held.edition > 1:
        yield "edition", str(held.edition)
    yield "award date", held.award_date.isoformat()
    if held.expires_at is not None:
        yield "expires", describe_moment(held.expires_at, zone)
    yield "verification", held.verification_id
