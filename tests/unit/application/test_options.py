"""Options: merged, checked by name, and turned into criteria."""

from decimal import Decimal

import pytest
from pydantic import JsonValue

from testamur.application.options import (
    LONGEST_CERTIFICATE_NAME,
    Renderers,
    effective_options,
    parse_criteria,
)
from testamur.domain.contexts import OWN_KINDS_ONLY, ContextKinds, parse_context_key
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

OF_A_PLUGIN = ContextKinds(
    {"moodle-course": "course", "moodle-programme": "pathway", "moodle-quiz": "lesson"}
)
IN_PROGRAMME = OF_A_PLUGIN.parse("moodle-programme:7")


def test_a_configurations_options_go_over_the_types() -> None:
    type_ = definition(criteria={"required_completion": 0.9}, rendering={"heading": "Diploma"})
    options = effective_options(
        type_, {"criteria": {"required_completion": 0.55}}, IN_COURSE, RENDERERS, OWN_KINDS_ONLY
    )
    assert options.criteria == CompletionCriteria(required_completion=Decimal("0.55"))
    assert options.rendering == PlainOptions(heading="Diploma")


def test_every_problem_is_named_at_once() -> None:
    own: dict[str, JsonValue] = {
        "criteria": {"required_completion": 2},
        "rendering": {"colour": "red"},
        "notification": {"enabled": "sometimes"},
        "context": {"certificate_name": " \n"},
        "renderings": {},
    }
    with pytest.raises(InvalidOptions) as refused:
        effective_options(definition(), own, IN_COURSE, RENDERERS, OWN_KINDS_ONLY)
    assert [problem.field for problem in refused.value.problems] == [
        "options.renderings",
        "criteria.required_completion",
        "rendering.colour",
        "notification.enabled",
        "context.certificate_name",
    ]


def test_an_unknown_kind_of_criteria_is_refused_with_those_there_are() -> None:
    unknown = definition().model_copy(update={"criteria": "attendance"})
    with pytest.raises(InvalidInput, match="completion, grades, completion-and-grades"):
        effective_options(unknown, {}, IN_COURSE, RENDERERS, OWN_KINDS_ONLY)


def test_an_unknown_renderer_is_refused_with_those_there_are() -> None:
    unknown = definition().model_copy(update={"renderer": "papyrus"})
    with pytest.raises(InvalidInput, match="'papyrus' is not allowed; allowed: plain"):
        effective_options(unknown, {}, IN_COURSE, RENDERERS, OWN_KINDS_ONLY)


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
        effective_options(
            definition(), {"rendering": {"heading": value}}, IN_COURSE, RENDERERS, OWN_KINDS_ONLY
        )


def test_a_key_that_storing_would_change_is_refused() -> None:
    with pytest.raises(InvalidOptions, match="a key"):
        effective_options(
            definition(), {"rendering": {"\udfff": 1}}, IN_COURSE, RENDERERS, OWN_KINDS_ONLY
        )


# Contexts of a plugin's kinds


def test_criteria_of_a_plugins_pathway_hold_in_every_step_but_those_that_have_their_own() -> None:
    criteria = parse_criteria(
        "completion",
        {
            "required_completion": 0.8,
            "steps": {"moodle-course:1": {"required_completion": 0.5}, COURSE: {}},
        },
        IN_PROGRAMME,
        OF_A_PLUGIN,
    )
    assert isinstance(criteria, PathwayCriteria)
    required = {
        key: criteria.of_step(key).model_dump()["required_completion"]
        for key in ("moodle-course:1", "moodle-course:2", COURSE)
    }
    assert required == {
        "moodle-course:1": Decimal("0.5"),
        "moodle-course:2": Decimal("0.8"),
        COURSE: Decimal("0.9"),
    }


def test_a_plugins_pathway_has_the_criteria_of_a_pathway_without_steps_too() -> None:
    criteria = parse_criteria("completion", {}, IN_PROGRAMME, OF_A_PLUGIN)
    assert criteria == PathwayCriteria(every_step=CompletionCriteria())


@pytest.mark.parametrize("key", ["moodle-course:42", "moodle-quiz:42"])
def test_steps_are_refused_in_a_plugins_course_or_lesson(key: str) -> None:
    context = OF_A_PLUGIN.parse(key)
    assert parse_criteria("completion", {}, context, OF_A_PLUGIN) == CompletionCriteria()
    with pytest.raises(InvalidOptions, match="steps only for a pathway"):
        parse_criteria("completion", {"steps": {}}, context, OF_A_PLUGIN)


@pytest.mark.parametrize("key", ["moodle-quiz:1", "moodle-programme:1", "canvas:1", PATHWAY])
def test_a_step_that_is_no_course_of_a_plugin_either_is_refused(key: str) -> None:
    with pytest.raises(InvalidOptions) as refused:
        parse_criteria("completion", {"steps": {key: {}}}, IN_PROGRAMME, OF_A_PLUGIN)
    assert refused.value.problems[0].value == key
    assert refused.value.problems[0].allowed == (
        "keys of courses, such as course-v1:ORG+COURSE+RUN or moodle-course:…"
    )


def test_a_configurations_steps_may_be_courses_of_a_plugin() -> None:
    options = effective_options(
        definition(criteria={"required_completion": 0.8}),
        {"criteria": {"steps": {"moodle-course:1": {}}}},
        IN_PROGRAMME,
        RENDERERS,
        OF_A_PLUGIN,
    )
    assert isinstance(options.criteria, PathwayCriteria)
    assert options.criteria.of_step("moodle-course:1") == CompletionCriteria()


# What the context is called


def certificate_name(value: JsonValue, own: JsonValue = None) -> str | None:
    """Return the name that a type's and a configuration's option come to."""
    over: dict[str, JsonValue] = {} if own is None else {"context": {"certificate_name": own}}
    type_ = definition(context={"certificate_name": value})
    return effective_options(
        type_, over, IN_COURSE, RENDERERS, OWN_KINDS_ONLY
    ).context.certificate_name


def test_a_context_is_called_what_the_data_source_calls_it_unless_told() -> None:
    options = effective_options(definition(), {}, IN_COURSE, RENDERERS, OWN_KINDS_ONLY)
    assert options.context.certificate_name is None
    assert certificate_name(None) is None


def test_a_configurations_certificate_name_goes_over_the_types() -> None:
    assert certificate_name("Mathematics") == "Mathematics"
    assert certificate_name("Mathematics", "Algebra") == "Algebra"


def test_a_configuration_can_take_the_types_certificate_name_back() -> None:
    type_ = definition(context={"certificate_name": "Mathematics"})
    own: dict[str, JsonValue] = {"context": {"certificate_name": None}}
    options = effective_options(type_, own, IN_COURSE, RENDERERS, OWN_KINDS_ONLY)
    assert options.context.certificate_name is None


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("Mathematics\nfor Engineers", "Mathematics\nfor Engineers"),
        ("\n  Mathematics \r\n  for Engineers\n", "Mathematics\nfor Engineers"),
        ("क्\u200dष", "क्\u200dष"),
        ("x" * LONGEST_CERTIFICATE_NAME, "x" * LONGEST_CERTIFICATE_NAME),
    ],
)
def test_a_certificate_name_may_have_several_lines_in_any_script(given: str, name: str) -> None:
    assert certificate_name(given) == name


@pytest.mark.parametrize(
    "value", ["", "  ", "\n", "x" * (LONGEST_CERTIFICATE_NAME + 1), "a\tb", "\x0bA", 7, ["A"]]
)
def test_a_certificate_name_that_is_no_name_is_refused(value: JsonValue) -> None:
    with pytest.raises(InvalidOptions, match=r"context\.certificate_name"):
        certificate_name(value)


@pytest.mark.parametrize("off", [False, None, {}])
def test_a_configuration_is_not_numbered_where_its_type_is_if_it_says_so(off: JsonValue) -> None:
    numbered = definition(serial={"per": "issuer", "format": "UNI-{number}"})
    own = {"serial": off}
    options = effective_options(numbered, own, IN_COURSE, RENDERERS, OWN_KINDS_ONLY)
    assert (options.serial is None) == (off != {})  # an empty table changes nothing


def test_what_is_wrong_with_serial_numbers_is_named() -> None:
    own: dict[str, JsonValue] = {"serial": {"per": "course", "format": "{year}", "begin": 1}}
    with pytest.raises(InvalidOptions) as refused:
        effective_options(definition(), own, IN_COURSE, RENDERERS, OWN_KINDS_ONLY)
    fields = [problem.field for problem in refused.value.problems]
    assert fields == ["serial.per", "serial.format", "serial.begin"]
