"""Shapes of answers: what is not as it must be is named, and never repeated."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from testamur.adapters.open_edx import shapes
from testamur.adapters.open_edx.errors import MalformedAnswer


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (shapes.text, 1),
        (shapes.text, None),
        (shapes.whole_number, True),
        (shapes.whole_number, Decimal("1.0")),
        (shapes.whole_number, "1"),
        (shapes.truth, 1),
        (shapes.number, "1"),
        (shapes.number, None),
        (shapes.number, True),
        (shapes.number, Decimal("NaN")),
        (shapes.number, Decimal("1E+40")),
        (shapes.number, Decimal("1E-40")),
        (shapes.nested, []),
        (shapes.nested_rows, {}),
        (shapes.nested_rows, ["secret"]),
        (shapes.text_or_none, 5),
    ],
)
def test_a_field_of_another_kind_is_refused_by_its_name(
    read: Callable[[shapes.Row, str, str], object], value: Any
) -> None:
    with pytest.raises(MalformedAnswer, match=r"grades of a course: the field points") as refused:
        read({"points": value}, "points", "grades of a course")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "read", [shapes.text, shapes.whole_number, shapes.truth, shapes.number, shapes.nested]
)
def test_a_missing_field_is_refused_by_its_name(
    read: Callable[[shapes.Row, str, str], object],
) -> None:
    with pytest.raises(MalformedAnswer, match="the field points is missing"):
        read({}, "points", "grades")


@pytest.mark.parametrize(
    ("value", "digits"),
    [
        (2, "2"),
        (Decimal("2.0"), "2"),
        (Decimal("0.50"), "0.5"),
        (Decimal(0), "0"),
        (Decimal("-0.0"), "0"),
        (Decimal("1E+2"), "100"),
        (Decimal("1E-7"), "0.0000001"),
        (Decimal("-1.5"), "-1.5"),
        (Decimal("0.3333333333333333"), "0.3333333333333333"),
    ],
)
def test_a_number_keeps_all_its_digits_and_no_others(value: Any, digits: str) -> None:
    assert shapes.digits(value, "grades", "points") == digits


def test_an_answer_that_is_no_list_is_refused() -> None:
    with pytest.raises(MalformedAnswer, match="the answer is an object; expected: a list"):
        shapes.rows({}, "grades")


def test_an_answer_that_is_no_object_is_refused() -> None:
    with pytest.raises(MalformedAnswer, match="the answer is null; expected: an object"):
        shapes.mapping(None, "grades")
