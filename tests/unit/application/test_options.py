"""Options: merged, checked by name, and turned into criteria."""

from decimal import Decimal

import pytest
from pydantic import JsonValue

from testamur.application.options import Renderers, effective_options, parse_criteria
from testamur.domain.contexts import parse_context_key
from testamur.domain.criteria import (
    CompletionAndGradeCriteria,
    CompletionCriteria,
    GradeCriteria,
    PathwayCriteria,
)
from testamur.domain.errors import InvalidInput, InvalidOptions
from tests.support.records import COURSE, OTHER_COURSE, PATHWAY
from tests.support.world import PlainOptions, PlainRenderer, definition

RENDERERS = Renderers({"plain": PlainRenderer()})
IN_COURSE = parse_context_key(COURSE)
IN_PATHWAY = parse_context_key(PATHWAY)


def test_a_configurations_options_go_over_the_types() -> None:
    type_ = definition(criteria={"required_completion": 0.9}, rendering={"heading": "Diploma"})
    options = effective_options(
        type_, {"criteria": {"required_completion": 0.55}}, IN_COURSE, RENDERERS
    )
    assert options.criteria == CompletionCriteria(required_completion=Decimal("0.55"))
    assert options.rendering == PlainOptions(heading="Diploma")


def test_every_problem_is_named_at_once() -> None:
    own: dict[str, JsonValue] = {
        "criteria": {"required_completion": 2},
        "rendering": {"colour": "red"},
        "notification": {"enabled": "sometimes"},
        "renderings": {},
    }
    with pytest.raises(InvalidOptions) as refused:
        effective_options(definition(), own, IN_COURSE, RENDERERS)
    assert [problem.field for problem in refused.value.problems] == [
        "options.renderings",
        "criteria.required_completion",
        "rendering.colour",
        "notification.enabled",
    ]


def test_an_unknown_kind_of_criteria_is_refused_with_those_there_are() -> None:
    unknown = definition().model_copy(update={"criteria": "attendance"})
    with pytest.raises(InvalidInput, match="completion, grades, completion-and-grades"):
        effective_options(unknown, {}, IN_COURSE, RENDERERS)


def test_an_unknown_renderer_is_refused_with_those_there_are() -> None:
    unknown = definition().model_copy(update={"renderer": "papyrus"})
    with pytest.raises(InvalidInput, match="'papyrus' is not allowed; allowed: plain"):
        effective_options(unknown, {}, IN_COURSE, RENDERERS)


@pytest.mark.parametrize(
    ("kind", "options", "model"),
    [
        ("completion", {}, CompletionCriteria),
        ("grades", {"required_grades": {"Total": 0.6}}, GradeCriteria),
        ("completion-and-grades", {"required_grades": {"Exam": 0.5}}, CompletionAndGradeCriteria),
    ],
)
def test_each_kind_of_criteria_has_its_own_options(
    kind: str, options: dict[str, JsonValue], model: type
) -> None:
    assert isinstance(parse_criteria(kind, options, IN_COURSE), model)


def test_criteria_of_a_pathway_hold_in_every_step_but_those_that_have_their_own() -> None:
    criteria = parse_criteria(
        "completion",
        {"required_completion": 0.8, "steps": {COURSE: {"required_completion": 0.5}}},
        IN_PATHWAY,
    )
    assert isinstance(criteria, PathwayCriteria)
    assert criteria.of_step(COURSE) == CompletionCriteria(required_completion=Decimal("0.5"))
    assert criteria.of_step(OTHER_COURSE) == CompletionCriteria(required_completion=Decimal("0.8"))


def test_the_options_of_a_step_replace_and_are_not_merged() -> None:
    criteria = parse_criteria(
        "completion", {"required_completion": 0.8, "steps": {COURSE: {}}}, IN_PATHWAY
    )
    assert isinstance(criteria, PathwayCriteria)
    assert criteria.of_step(COURSE) == CompletionCriteria()


def test_steps_are_refused_outside_a_pathway() -> None:
    with pytest.raises(InvalidOptions, match=r"criteria\.steps"):
        parse_criteria("completion", {"steps": {}}, IN_COURSE)


def test_a_step_that_is_no_course_is_refused() -> None:
    with pytest.raises(InvalidOptions, match="'maths'"):
        parse_criteria("completion", {"steps": {"maths": {}}}, IN_PATHWAY)


def test_a_step_with_a_wrong_value_is_named_with_its_course() -> None:
    with pytest.raises(InvalidOptions) as refused:
        parse_criteria("completion", {"steps": {COURSE: {"required_completion": 5}}}, IN_PATHWAY)
    assert refused.value.problems[0].field == f"criteria.steps.{COURSE}.required_completion"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [1.0, float("-inf")], "\ud800"])
def test_a_value_that_storing_would_change_is_refused(value: JsonValue) -> None:
    with pytest.raises(InvalidOptions, match=r"options\.rendering\.heading"):
        effective_options(definition(), {"rendering": {"heading": value}}, IN_COURSE, RENDERERS)


def test_a_key_that_storing_would_change_is_refused() -> None:
    with pytest.raises(InvalidOptions, match="a key"):
        effective_options(definition(), {"rendering": {"\udfff": 1}}, IN_COURSE, RENDERERS)
