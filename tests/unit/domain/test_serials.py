"""Serial numbers: what a rule allows, which sequence it counts in, and which numbers are next."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from testamur.domain.errors import DecisionRefused
from testamur.domain.serials import (
    LARGEST_NUMBER,
    SerialRule,
    SerialSequence,
    SerialSequenceName,
    decide_assign,
    evolve,
)

JUNE = date(2026, 6, 1)
NAME = SerialSequenceName("issuer", "Example University")


def rule(format_: str = "UNI-{year}-{number:06}", **others: object) -> SerialRule:
    return SerialRule.model_validate({"per": "issuer", "format": format_} | others)


@pytest.mark.parametrize(
    ("format_", "written"),
    [
        ("UNI-{year}-{number:06}", "UNI-2026-000042"),
        ("{number}", "42"),
        ("Nr. {number:03}/{year}", "Nr. 042/2026"),
        ("{{{number}}}", "{42}"),
        ("{number:01}", "42"),
    ],
)
def test_a_number_is_written_as_the_format_says(format_: str, written: str) -> None:
    assert rule(format_).written(42, JUNE) == written


@pytest.mark.parametrize(
    "format_",
    [
        "",
        "UNI",
        "{number}{number}",
        "{number:6}",
        "{number:x}",
        "{number:016}",
        "{number:00}",
        "{number!r}",
        "{number.real}",
        "{number:{year}}",
        "{year:04}-{number}",
        "{name}-{number}",
        "{}-{number}",
        "{number",
        "{number}\n",
        " {number}",
        "a\u202e{number}",
        "{number}" + "x" * 93,
    ],
)
def test_a_format_that_does_not_count_is_refused(format_: str) -> None:
    with pytest.raises(ValidationError):
        rule(format_)


def test_counting_anew_each_year_needs_the_year_in_the_format() -> None:
    with pytest.raises(ValidationError, match=r"\{year\}"):
        rule("{number:06}", restart="yearly")
    assert rule(restart="yearly").restart == "yearly"


def test_issuer_configuration_and_year_each_count_by_themselves() -> None:
    of_issuer, of_configuration = rule(), rule(per="configuration")
    yearly = rule(restart="yearly")
    new_year = date(2027, 1, 1)
    names = [
        of_issuer.sequence("University", "diploma course-v1:A+B+C", JUNE),
        of_configuration.sequence("University", "diploma course-v1:A+B+C", JUNE),
        yearly.sequence("University", "diploma course-v1:A+B+C", JUNE),
        yearly.sequence("University", "diploma course-v1:A+B+C", new_year),
        of_issuer.sequence("College", "diploma course-v1:A+B+C", JUNE),
    ]
    assert len({name.id for name in names}) == len(names)
    assert of_issuer.sequence("University", "other", new_year).id == names[0].id


@given(counts=st.lists(st.integers(1, 500), max_size=20), first=st.integers(1, 10**6))
def test_numbers_follow_each_other_without_gaps(counts: list[int], first: int) -> None:
    state: SerialSequence | None = None
    given_out: list[int] = []
    for count in counts:
        (event,) = decide_assign(state, NAME, rule(first=first), count)
        given_out += range(event.first, event.last + 1)
        state = evolve(state, event)
    assert given_out == list(range(first, first + sum(counts)))


def test_the_first_number_says_nothing_of_a_sequence_that_has_begun() -> None:
    (event,) = decide_assign(SerialSequence(7), NAME, rule(first=1000), 2)
    assert (event.first, event.last) == (8, 9)


def test_nothing_is_taken_where_nothing_is_wanted() -> None:
    assert decide_assign(None, NAME, rule(), 0) == []


def test_a_sequence_that_is_at_its_end_is_refused() -> None:
    with pytest.raises(DecisionRefused, match="end at"):
        decide_assign(SerialSequence(LARGEST_NUMBER - 2), NAME, rule(), 2)


@given(number=st.integers(1, 9999))
def test_a_sample_is_no_shorter_than_what_will_be_written(number: int) -> None:
    assert len(rule("{number}").sample(JUNE)) >= len(rule("{number}").written(number, JUNE))
