"""Criteria and what learners have reached of them, as people read them."""

from collections.abc import Iterable
from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING, Final

from testamur.domain.errors import TestamurError

if TYPE_CHECKING:
    from testamur.domain.configurations import CredentialConfiguration
    from testamur.domain.contexts import ContextKinds
    from testamur.domain.credential_types import CredentialType
    from testamur.domain.eligibility import AnyCriteria
    from testamur.domain.evidence import CriterionResult

_HUNDREDTH: Final = Decimal("0.01")


def describe_criteria(
    type_: "CredentialType", configuration: "CredentialConfiguration", kinds: "ContextKinds"
) -> str:
    """Return in words what a configuration requires, or why that cannot be told.

    Args:
        type_: Its type.
        configuration: The configuration.
        kinds: The kinds of contexts that plugins add.
    """
    from testamur.application.options import parse_criteria
    from testamur.domain.criteria import merged_options

    merged = merged_options(type_.definition.options, configuration.options)
    options = merged.get("criteria", {})
    try:
        context = kinds.parse(configuration.context_key)
        criteria = parse_criteria(type_.definition.criteria, options, context, kinds)
    except TestamurError as error:
        return f"not usable: {error}"
    return _in_words(criteria)


def unmet(results: Iterable["CriterionResult"]) -> str:
    """Return what is missing: each criterion that is not met, required and achieved.

    Of a pathway's step that the learner is not enrolled in, nothing else is told.
    """
    missing = [result for result in results if not result.met]
    strange_steps = {result.step for result in missing if result.criterion == "enrolment"}
    told: dict[str | None, list[str]] = {}
    for result in missing:
        if result.criterion == "enrolment" or result.step not in strange_steps - {None}:
            told.setdefault(result.step, []).append(shortfall(result))
    return "; ".join(
        (f"{step}: " if step else "") + ", ".join(shortfalls) for step, shortfalls in told.items()
    )


def shortfall(result: "CriterionResult") -> str:
    """Return what is missing of one criterion."""
    if result.criterion == "enrolment":
        return "not enrolled"
    name = name_of_criterion(result)
    needed = f"needs {required_percent(result.required)}"
    if result.achieved is None:
        return f"{name}: no graded work, {needed}"
    points = f" ({points_of(result)})" if result.earned is not None else ""
    return f"{name} {achieved_percent(result.achieved)}{points}, {needed}"


def name_of_criterion(result: "CriterionResult") -> str:
    """Return what a criterion is called: its category, for a grade."""
    return result.category or result.criterion


def points_of(result: "CriterionResult") -> str:
    """Return points earned of those possible, or nothing where there are none."""
    if result.earned is None or result.possible is None:
        return ""
    return f"{result.earned:f}/{result.possible:f}"


def achieved_percent(fraction: Decimal | None) -> str:
    """Return what was achieved, rounded down, so that a near miss never reads as a hit."""
    if fraction is None:
        return ""
    return _percent((fraction * 100).quantize(_HUNDREDTH, rounding=ROUND_DOWN))


def required_percent(fraction: Decimal | None) -> str:
    """Return what is required, exactly."""
    return "" if fraction is None else _percent(fraction * 100)


def _percent(number: Decimal) -> str:
    text = f"{number:f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def _in_words(criteria: "AnyCriteria") -> str:
    from testamur.domain.criteria import PathwayCriteria

    if isinstance(criteria, PathwayCriteria):
        steps = [f"in {key}: {_in_words(step)}" for key, step in criteria.steps.items()]
        return "; ".join([f"in every step: {_in_words(criteria.every_step)}", *steps])
    parts = []
    if (completion := getattr(criteria, "required_completion", None)) is not None:
        parts.append(f"completion {required_percent(completion)}")
    for name, required in getattr(criteria, "required_grades", {}).items():
        parts.append(f"{name} {required_percent(required)}")
    return ", ".join(parts)
