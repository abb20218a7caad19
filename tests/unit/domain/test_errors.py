"""What errors say."""

import pytest

from testamur.domain.errors import (
    DecisionRefused,
    InvalidInput,
    InvalidOptions,
    NotFound,
    TestamurError,
)


def test_invalid_input_says_which_field_which_value_and_what_is_allowed() -> None:
    error = InvalidInput("criteria.required_completion", 55, "a fraction from 0 to 1")

    assert str(error) == (
        "criteria.required_completion: 55 is not allowed; allowed: a fraction from 0 to 1"
    )
    assert (error.field, error.value, error.allowed) == (
        "criteria.required_completion",
        55,
        "a fraction from 0 to 1",
    )


def test_what_cannot_be_seen_is_shown_in_quotes_and_escaped() -> None:
    assert "'completion\\n'" in str(InvalidInput("slug", "completion\n", "a slug"))


def test_a_long_value_is_cut_and_kept_whole_beside_the_message() -> None:
    error = InvalidInput("slug", "x" * 10_000, "a slug")

    assert len(str(error)) < 200
    assert f"'{'x' * 118}… is not allowed" in str(error)
    assert error.value == "x" * 10_000
    assert "…" not in str(InvalidInput("slug", "x" * 118, "a slug"))


def test_invalid_options_say_every_problem_at_once() -> None:
    problems = [
        InvalidInput("rendering.size", -1, "a number above 0"),
        InvalidInput("rendering.font", "comic", "an asset"),
    ]

    error = InvalidOptions("options of credential type 'completion'", iter(problems))

    assert str(error) == (
        "options of credential type 'completion': "
        "rendering.size: -1 is not allowed; allowed: a number above 0; "
        "rendering.font: 'comic' is not allowed; allowed: an asset"
    )
    assert error.problems == tuple(problems)


def test_not_found_says_what_there_is() -> None:
    assert str(NotFound("credential type", "complete")) == "no credential type 'complete'"
    assert str(NotFound("credential type", "complete", ["completion", "grades"])) == (
        "no credential type 'complete'; there are: completion, grades"
    )


def test_not_found_shows_ten_of_many() -> None:
    exactly_ten = NotFound("asset", "x", (f"a{number}" for number in range(10)))
    many = NotFound("asset", "x", (f"a{number}" for number in range(1000)))

    assert str(exactly_ten).endswith("there are: a0, a1, a2, a3, a4, a5, a6, a7, a8, a9")
    assert str(many).endswith("a8, a9, …")


def test_a_refused_decision_says_what_it_was_about_and_why() -> None:
    error = DecisionRefused("asset 'sans'", "it is removed already")

    assert str(error) == "asset 'sans': it is removed already"
    assert (error.subject, error.reason) == ("asset 'sans'", "it is removed already")


@pytest.mark.parametrize(
    "error",
    [
        InvalidInput("field", 1, "2"),
        InvalidOptions("options", []),
        NotFound("asset", "x"),
        DecisionRefused("asset", "no"),
    ],
)
def test_every_error_can_be_caught_as_one_of_ours(error: Exception) -> None:
    assert isinstance(error, TestamurError)
