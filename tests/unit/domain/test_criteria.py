"""Criteria: which required values are taken, how categories are named, how options merge."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError

from testamur.domain.criteria import (
    AnyCourseCriteria,
    CompletionAndGradeCriteria,
    CompletionCriteria,
    CourseCriteria,
    GradeCriteria,
    PathwayCriteria,
    category_key,
    merged_options,
)
from tests.support.domain_strategies import (
    course_criteria,
    options,
    pathway_criteria,
    spellings,
    tries,
)

any_course_criteria: TypeAdapter[AnyCourseCriteria] = TypeAdapter(CourseCriteria)


def problems(model: type[BaseModel], given: object) -> list[tuple[str, str]]:
    """Return field and message of each problem that a model finds."""
    with pytest.raises(ValidationError) as refused:
        model.model_validate(given)
    return [
        (".".join(map(str, problem["loc"])), problem["msg"]) for problem in refused.value.errors()
    ]


# Required fractions


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (0.55, "0.55"),
        ("0.55", "0.55"),
        ("0.550", "0.55"),
        (" 0.55 ", "0.55"),
        (Decimal("0.55"), "0.55"),
        (1, "1"),
        (1.0, "1"),
        (0, "0"),
        (0.1, "0.1"),
        (1e-10, "0.0000000001"),
    ],
)
def test_a_required_fraction_means_exactly_what_was_written(written: object, meant: str) -> None:
    read = CompletionCriteria.model_validate({"required_completion": written})

    assert read.required_completion == Decimal(meant)


@pytest.mark.parametrize("written", ["0.55", '"0.55"', "5.5e-1", "0.5500"])
def test_json_numbers_are_as_exact_as_text(written: str) -> None:
    read = CompletionCriteria.model_validate_json(f'{{"required_completion": {written}}}')

    assert read.required_completion == Decimal("0.55")


A_FRACTION = "a fraction from 0 to 1 is needed, such as 0.55 for 55 %"


@pytest.mark.parametrize("written", [55, "55", 1.01, -0.1, "-1", True, False])
def test_a_percentage_or_a_boolean_is_no_fraction(written: object) -> None:
    assert problems(CompletionCriteria, {"required_completion": written}) == [
        ("required_completion", f"Value error, {A_FRACTION}")
    ]
    assert problems(GradeCriteria, {"required_grades": {"Total": written}}) == [
        ("required_grades.Total", f"Value error, {A_FRACTION}")
    ]


@pytest.mark.parametrize("written", ["true", "55"])
def test_a_boolean_or_a_percentage_in_json_is_no_fraction(written: str) -> None:
    with pytest.raises(ValidationError, match=A_FRACTION):
        CompletionCriteria.model_validate_json(f'{{"required_completion": {written}}}')


@pytest.mark.parametrize("written", [float("nan"), float("inf"), "-Infinity", "NaN", "sNaN"])
def test_what_is_not_finite_is_no_fraction(written: object) -> None:
    assert problems(CompletionCriteria, {"required_completion": written}) == [
        ("required_completion", "Input should be a finite number")
    ]


@pytest.mark.parametrize("written", [0.1 + 0.2, "0.00000000001", "1e-400000"])
def test_a_fraction_has_ten_decimals_at_most(written: object) -> None:
    assert problems(CompletionCriteria, {"required_completion": written}) == [
        ("required_completion", "Decimal input should have no more than 10 decimal places")
    ]


@pytest.mark.parametrize("written", [None, "", "half", "55%", [0.5], {"min": 0.5}])
def test_what_is_no_number_is_no_fraction(written: object) -> None:
    [(field, message)] = problems(CompletionCriteria, {"required_completion": written})

    assert field == "required_completion"
    assert "decimal" in message.lower()


def test_nine_tenths_are_to_be_completed_unless_told() -> None:
    assert CompletionCriteria().required_completion == Decimal("0.9")
    both = CompletionAndGradeCriteria.model_validate({"required_grades": {"Total": "0.5"}})
    assert both.required_completion == Decimal("0.9")


# Required grades


def test_at_least_one_grade_is_required() -> None:
    [(field, _)] = problems(GradeCriteria, {"required_grades": {}})
    assert field == "required_grades"
    [(field, _)] = problems(CompletionAndGradeCriteria, {"required_completion": 1})
    assert field == "required_grades"


@pytest.mark.parametrize(
    ("one", "other"),
    [("Homework", "homework"), ("Final Exam", " final  EXAM "), ("Total", "TOTAL"), ("ß", "SS")],
)
def test_a_category_is_not_named_twice(one: str, other: str) -> None:
    [(field, message)] = problems(GradeCriteria, {"required_grades": {one: 0.5, other: 0.6}})

    assert field == "required_grades"
    assert f"{one!r} and {other!r} name the same category" in message


@pytest.mark.parametrize("name", ["", " ", "\t\n"])
def test_a_category_has_a_name(name: str) -> None:
    assert problems(GradeCriteria, {"required_grades": {name: 0.5}}) == [
        ("required_grades", "Value error, a category needs a name")
    ]


@pytest.mark.parametrize("spelling", spellings("Final Exam"))
def test_categories_are_compared_without_case_and_white_space(spelling: str) -> None:
    assert category_key(spelling) == category_key("Final Exam")


@pytest.mark.parametrize("other", ["FinalExam", "Final Exams", "Final-Exam", "Exam"])
def test_other_names_are_other_categories(other: str) -> None:
    assert category_key(other) != category_key("Final Exam")


# Kinds of criteria


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ({"kind": "completion"}, CompletionCriteria()),
        (
            {"kind": "grades", "required_grades": {"Total": 0.5}},
            GradeCriteria(required_grades={"Total": Decimal("0.5")}),
        ),
        (
            {"kind": "completion-and-grades", "required_grades": {"Total": 0.5}},
            CompletionAndGradeCriteria(required_grades={"Total": Decimal("0.5")}),
        ),
    ],
)
def test_the_kind_says_which_criteria_they_are(written: object, read: AnyCourseCriteria) -> None:
    assert any_course_criteria.validate_python(written) == read


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValidationError, match="'completion', 'grades', 'completion-and-grades'"):
        any_course_criteria.validate_python({"kind": "attendance"})


@pytest.mark.parametrize("stranger", ["required_grades", "completion", "steps"])
def test_a_field_that_the_kind_does_not_have_is_refused(stranger: str) -> None:
    assert problems(CompletionCriteria, {stranger: 0.5}) == [
        (stranger, "Extra inputs are not permitted")
    ]


@tries(30)
@given(criteria=course_criteria)
def test_criteria_read_back_from_json_as_they_were(criteria: AnyCourseCriteria) -> None:
    assert any_course_criteria.validate_json(criteria.model_dump_json()) == criteria


@tries(20)
@given(criteria=pathway_criteria)
def test_pathway_criteria_read_back_from_json_as_they_were(criteria: PathwayCriteria) -> None:
    assert PathwayCriteria.model_validate_json(criteria.model_dump_json()) == criteria


# Pathways


def test_the_criteria_of_a_named_step_replace_those_of_every_step() -> None:
    criteria = PathwayCriteria.model_validate(
        {
            "every_step": {
                "kind": "completion-and-grades",
                "required_completion": 0.8,
                "required_grades": {"Total": 0.5},
            },
            "steps": {"course-v1:Uni+Intro+2026": {"kind": "completion"}},
        }
    )

    # Replaced, not merged: the default 0.9 counts, not the 0.8 of every step.
    assert criteria.of_step("course-v1:Uni+Intro+2026") == CompletionCriteria(
        required_completion=Decimal("0.9")
    )
    assert criteria.of_step("course-v1:Uni+Maths+2026") == criteria.every_step


# Options


@pytest.mark.parametrize(
    ("base", "over", "merged"),
    [
        ({}, {}, {}),
        ({"a": 1}, {}, {"a": 1}),
        ({}, {"a": 1}, {"a": 1}),
        ({"a": 1, "b": 2}, {"b": 3}, {"a": 1, "b": 3}),
        ({"a": {"b": {"c": 1, "d": 2}}}, {"a": {"b": {"c": 9}}}, {"a": {"b": {"c": 9, "d": 2}}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": [{"b": 1}]}, {"a": [{"c": 2}]}, {"a": [{"c": 2}]}),
        ({"a": {"b": 1}}, {"a": False}, {"a": False}),
        ({"a": {"b": 1}}, {"a": None}, {"a": None}),
        ({"a": False}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": {"b": 1}}, {"a": {}}, {"a": {"b": 1}}),
    ],
)
def test_mappings_merge_and_everything_else_replaces(
    base: dict[str, JsonValue], over: dict[str, JsonValue], merged: dict[str, JsonValue]
) -> None:
    assert merged_options(base, over) == merged


@tries(30)
@given(base=options, over=options)
def test_merging_changes_neither_side(
    base: dict[str, JsonValue], over: dict[str, JsonValue]
) -> None:
    before = json.dumps([base, over])

    merged_options(base, over)

    assert json.dumps([base, over]) == before


@tries(30)
@given(base=options, over=options)
def test_everything_of_the_upper_options_holds_after_merging(
    base: dict[str, JsonValue], over: dict[str, JsonValue]
) -> None:
    merged = merged_options(base, over)

    assert merged_options(merged, over) == merged
    assert merged.keys() == base.keys() | over.keys()
    for key, value in over.items():
        assert holds(value, merged[key])


def holds(upper: JsonValue, merged: JsonValue) -> bool:
    """Tell whether all of the upper value is in the merged one."""
    if isinstance(upper, dict) and isinstance(merged, dict):
        return all(key in merged and holds(value, merged[key]) for key, value in upper.items())
    return upper == merged
