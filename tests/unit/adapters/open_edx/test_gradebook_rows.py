"""Rows of a gradebook: read into works, and refused by the field that is wrong."""

from decimal import Decimal
from typing import Any

import pytest

from testamur.adapters.open_edx.errors import MalformedAnswer
from testamur.adapters.open_edx.gradebook import GradebookReader
from testamur.adapters.open_edx.points import CoursePoints, Module


def subsection(module_id: Any = "hw1", **fields: Any) -> dict[str, Any]:
    told = {
        "attempted": True,
        "category": "Homework",
        "module_id": module_id,
        "score_earned": Decimal("1.0"),
        "score_possible": Decimal("2.0"),
    }
    return told | fields


def row(*breakdown: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"user_id": 9, "username": "kate", "section_breakdown": list(breakdown)} | fields


def read(*rows: dict[str, Any], points: CoursePoints | None = None) -> list[tuple[int, int, str]]:
    return GradebookReader(points or CoursePoints(), "gradebook").read(rows)[1]


def test_a_row_becomes_a_learner_and_their_work() -> None:
    points = CoursePoints()
    learners, grades = GradebookReader(points, "gradebook").read(
        [row(subsection("hw1"), subsection("hw2", score_earned=Decimal("0.5")))]
    )
    assert learners == [(9, "kate")]
    assert grades == [(9, 0, "1/2 0.5/2")]
    assert points.layouts == ((Module("hw1", "Homework"), Module("hw2", "Homework")),)


def test_work_that_was_not_attempted_is_a_gap_and_says_nothing_of_its_points() -> None:
    points = CoursePoints()
    zero = Decimal("0.0")
    nothing = subsection(attempted=False, score_earned=zero, score_possible=zero)
    assert read(row(nothing), points=points) == [(9, 0, "-")]
    assert not points.known.any_of("hw1")


def test_points_of_work_that_was_not_attempted_are_taken_where_they_are_told() -> None:
    points = CoursePoints()
    told = subsection(attempted=False, score_earned=0, score_possible=5)
    assert read(row(told), points=points) == [(9, 0, "0/5")]
    assert points.known.agreed("hw1") == "5"


def test_work_worth_nothing_that_was_attempted_is_no_gap() -> None:
    assert read(row(subsection(score_earned=0, score_possible=0))) == [(9, 0, "0/0")]


def test_learners_may_have_different_subsections() -> None:
    points = CoursePoints()
    found = read(row(subsection("hw1")), row(subsection("hw2")), row(), points=points)
    assert [layout for _, layout, _ in found] == [0, 1, 2]
    assert found[2] == (9, 2, "")


def test_a_subsection_without_a_category_has_an_empty_one() -> None:
    points = CoursePoints()
    read(row(subsection(category=None)), points=points)
    assert points.layouts == ((Module("hw1", ""),),)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"user_id": "9"}, "user_id"),
        ({"user_id": True}, "user_id"),
        ({"username": None}, "username"),
        ({"section_breakdown": None}, "section_breakdown"),
        ({"section_breakdown": {}}, "section_breakdown"),
        ({"section_breakdown": [None]}, "section_breakdown"),
        ({"section_breakdown": [subsection(attempted=1)]}, "attempted"),
        ({"section_breakdown": [subsection(attempted=None)]}, "attempted"),
        ({"section_breakdown": [subsection(module_id=5)]}, "module_id"),
        ({"section_breakdown": [subsection(module_id=["x"])]}, "module_id"),
        ({"section_breakdown": [subsection(category=5)]}, "category"),
        ({"section_breakdown": [subsection(score_earned=None)]}, "score_earned"),
        ({"section_breakdown": [subsection(score_possible="2")]}, "score_possible"),
    ],
)
def test_a_field_that_is_wrong_is_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(MalformedAnswer, match=f"gradebook: the field {field}"):
        read(row(subsection()), row(subsection(), **changes))


@pytest.mark.parametrize(
    "field", ["attempted", "category", "module_id", "score_earned", "score_possible"]
)
def test_a_field_that_is_missing_is_named(field: str) -> None:
    broken = subsection()
    del broken[field]
    with pytest.raises(MalformedAnswer, match=f"the field {field} is missing"):
        read(row(broken))
