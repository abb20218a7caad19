"""Answers of the LMS, taken apart with a check of their shape."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from testamur.adapters.open_edx.errors import MalformedAnswer

Row = Mapping[str, Any]
"""An object of an answer; whole numbers are int, all others Decimal."""

#: Points and fractions have fewer digits than this before and after the point.
MOST_DIGITS: Final = 30

_KINDS: Final = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    Decimal: "a number",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


def described(value: object) -> str:
    """Describe a value by its kind, since the value itself may be personal."""
    return _KINDS.get(type(value), type(value).__name__)


def mapping(value: object, what: str, field: str = "") -> Row:
    """Return an answer, or a field of it, that has to be an object.

    Args:
        value: The answer.
        what: What was asked, for the message.
        field: Which field it is, for the message.

    Raises:
        MalformedAnswer: It is something else.
    """
    if isinstance(value, dict):
        return value
    raise MalformedAnswer(what, field, described(value), "an object")


def rows(value: object, what: str, field: str = "") -> Sequence[Row]:
    """Return an answer, or a field of it, that has to be a list of objects.

    Raises:
        MalformedAnswer: It is something else.
    """
    if not isinstance(value, list):
        raise MalformedAnswer(what, field, described(value), "a list")
    for each in value:
        mapping(each, what, f"{field}[]")
    return value


def nested(row: Row, field: str, what: str) -> Row:
    """Return a field that has to be an object.

    Raises:
        MalformedAnswer: It is missing or something else.
    """
    return mapping(_present(row, field, what, "an object"), what, field)


def nested_rows(row: Row, field: str, what: str) -> Sequence[Row]:
    """Return a field that has to be a list of objects.

    Raises:
        MalformedAnswer: It is missing or something else.
    """
    return rows(_present(row, field, what, "a list"), what, field)


def text(row: Row, field: str, what: str) -> str:
    """Return a field that has to be text.

    Raises:
        MalformedAnswer: It is missing or something else.
    """
    value = _present(row, field, what, "text")
    if isinstance(value, str):
        return value
    raise MalformedAnswer(what, field, described(value), "text")


def text_or_none(row: Row, field: str, what: str) -> str | None:
    """Return a field that is text, or null or missing.

    Raises:
        MalformedAnswer: It is something else.
    """
    return None if row.get(field) is None else text(row, field, what)


def truth(row: Row, field: str, what: str) -> bool:
    """Return a field that has to be true or false.

    Raises:
        MalformedAnswer: It is missing or something else.
    """
    value = _present(row, field, what, "true or false")
    if isinstance(value, bool):
        return value
    raise MalformedAnswer(what, field, described(value), "true or false")


def whole_number(row: Row, field: str, what: str) -> int:
    """Return a field that has to be a whole number.

    Raises:
        MalformedAnswer: It is missing or something else.
    """
    value = _present(row, field, what, "a whole number")
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise MalformedAnswer(what, field, described(value), "a whole number")


def number(row: Row, field: str, what: str) -> str:
    """Return a field that has to be a number, as its digits, shortest first: ``2``, not ``2.0``.

    Raises:
        MalformedAnswer: It is missing or something else.
    """
    return digits(_present(row, field, what, "a number"), what, field)


def digits(value: object, what: str, field: str) -> str:
    """Return a number as its digits, such as ``0.5``, and ``2`` for 2.0.

    Raises:
        MalformedAnswer: It is no number, or one of more than :data:`MOST_DIGITS` digits.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite():
        raise MalformedAnswer(what, field, described(value), "a number")
    exponent = value.as_tuple().exponent
    if value.adjusted() >= MOST_DIGITS or (isinstance(exponent, int) and exponent < -MOST_DIGITS):
        allowed = f"a number of at most {MOST_DIGITS} digits before and after the point"
        raise MalformedAnswer(what, field, "a number of more digits", allowed)
    if value == int(value):
        return str(int(value))
    return f"{value:f}".rstrip("0")


def _present(row: Row, field: str, what: str, allowed: str) -> Any:
    try:
        return row[field]
    except KeyError:
        raise MalformedAnswer(what, field, "missing", allowed) from None
