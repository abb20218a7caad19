"""Rows that contradict one another, or name what is not there, are refused with their lines."""

from collections.abc import Callable
from pathlib import Path

import pytest

from testamur.adapters.files import (
    DuplicateRow,
    FileRetrievalSource,
    UnknownReference,
)
from tests.support.data_files import DataFolder, Format
from tests.support.records import COURSE, OTHER_COURSE, PATHWAY
from tests.unit.adapters.files.good_rows import LESSON, THIRD_COURSE, good, only_problem

ADD_AGAIN: dict[str, Callable[[DataFolder], DataFolder]] = {
    "courses": lambda folder: folder.course(COURSE),
    "lessons": lambda folder: folder.lesson(LESSON),
    "pathways": lambda folder: folder.row("pathways", pathway_key=PATHWAY),
    "grading_policy": lambda folder: folder.row(
        "grading_policy", course_key=COURSE, category=" EXAM", weight="0"
    ),
    "learners": lambda folder: folder.learner("l1"),
    "enrolments": lambda folder: folder.enrolment("l1", COURSE, active=False),
    "completions": lambda folder: folder.completion("l1", COURSE, "0.6"),
    "grades": lambda folder: folder.grade("l1", COURSE, "Homework", "0", "9", LESSON),
}


@pytest.mark.parametrize("table", ADD_AGAIN)
def test_a_row_that_is_there_twice_is_refused_with_both_lines(tmp_path: Path, table: str) -> None:
    folder = good(tmp_path)
    rows = len(folder._rows[table])

    problem = only_problem(ADD_AGAIN[table](folder))

    assert isinstance(problem, DuplicateRow)
    assert problem.path == tmp_path / f"{table}.csv"
    assert (problem.first_line, problem.line) == (2, 2 + rows)
    assert " is on line 2 already; allowed: one row for each " in str(problem)


@pytest.mark.parametrize(
    ("written", "place", "first"),
    [
        ("json", "json, line 4, object 3", "line 2, object 1"),
        ("jsonl", "jsonl, line 3", "line 1"),
    ],
)
def test_a_row_that_is_there_twice_is_refused_in_json(
    tmp_path: Path, written: Format, place: str, first: str
) -> None:
    problem = only_problem(good(tmp_path).learner("l1"), written)

    assert str(problem) == (
        f"{tmp_path}/learners.{place}: learner_id 'l1' is on {first} already; allowed: one row "
        "for each learner_id"
    )


def test_a_step_may_take_no_other_steps_place(tmp_path: Path) -> None:
    problem = only_problem(
        good(tmp_path).row(
            "pathway_steps", pathway_key=PATHWAY, position=2, course_key=THIRD_COURSE
        )
    )

    assert isinstance(problem, DuplicateRow)
    assert (problem.first_line, problem.line) == (3, 4)
    assert f"pathway_key '{PATHWAY}', position '2' is on line 3 already" in str(problem)


def test_a_course_may_be_a_step_of_a_pathway_only_once(tmp_path: Path) -> None:
    problem = only_problem(
        good(tmp_path).row("pathway_steps", pathway_key=PATHWAY, position=3, course_key=COURSE)
    )

    assert isinstance(problem, DuplicateRow)
    assert (problem.first_line, problem.line) == (2, 4)


def test_a_category_may_have_only_one_row_without_subsection(tmp_path: Path) -> None:
    problem = only_problem(
        good(tmp_path)
        .grade("l1", COURSE, "Homework", "1", "2")
        .grade("l1", COURSE, "homework ", "1", "2")
    )

    assert isinstance(problem, DuplicateRow)
    assert (problem.first_line, problem.line) == (3, 4)
    assert "category 'homework' is on line 3 already" in str(problem)


def test_grades_of_a_category_as_a_whole_and_in_parts_would_count_twice(tmp_path: Path) -> None:
    problem = only_problem(good(tmp_path).grade("l1", COURSE, "EXAM", "1", "2"))

    assert (problem.line, problem.column) == (3, "category")
    assert "with line 2 the learner has the category both as a whole and in parts" in str(problem)


def test_wholes_and_parts_of_other_categories_courses_and_learners_stand_together(
    tmp_path: Path,
) -> None:
    folder = (
        good(tmp_path)
        .grade("l1", COURSE, "Homework", "1", "2")
        .grade("l1", OTHER_COURSE, "Exam", "1", "2")
        .grade("l2", COURSE, "Exam", "1", "2")
        .write()
    )

    with FileRetrievalSource(folder) as source:
        assert source.check().good


NAME_UNKNOWN: list[tuple[str, str, str, Callable[[DataFolder], DataFolder]]] = [
    (
        "lessons",
        "lesson_key",
        "block-v1:a+b+c+type@sequential+block@d",
        lambda folder: folder.lesson("block-v1:a+b+c+type@sequential+block@d"),
    ),
    (
        "pathway_steps",
        "pathway_key",
        "path-v1:a+b+c+d",
        lambda folder: folder.row(
            "pathway_steps", pathway_key="path-v1:a+b+c+d", position=1, course_key=COURSE
        ),
    ),
    (
        "pathway_steps",
        "course_key",
        "course-v1:a+b+c",
        lambda folder: folder.row(
            "pathway_steps", pathway_key=PATHWAY, position=3, course_key="course-v1:a+b+c"
        ),
    ),
    (
        "grading_policy",
        "course_key",
        "course-v1:a+b+c",
        lambda folder: folder.row(
            "grading_policy", course_key="course-v1:a+b+c", category="Exam", weight=1
        ),
    ),
    ("enrolments", "learner_id", "l9", lambda folder: folder.enrolment("l9", COURSE)),
    (
        "enrolments",
        "context_key",
        "course-v1:a+b+c",
        lambda folder: folder.enrolment("l1", "course-v1:a+b+c"),
    ),
    (
        "enrolments",
        "context_key",
        "path-v1:a+b+c+d",
        lambda folder: folder.enrolment("l1", "path-v1:a+b+c+d"),
    ),
    ("grades", "learner_id", "l9", lambda folder: folder.grade("l9", COURSE, "Exam", "1", "2")),
    (
        "grades",
        "course_key",
        "course-v1:a+b+c",
        lambda folder: folder.grade("l1", "course-v1:a+b+c", "Exam", "1", "2"),
    ),
    ("completions", "learner_id", "l9", lambda folder: folder.completion("l9", COURSE, "1")),
    (
        "completions",
        "context_key",
        "block-v1:a+b+c+type@sequential+block@d",
        lambda folder: folder.completion("l1", "block-v1:a+b+c+type@sequential+block@d", "1"),
    ),
]


@pytest.mark.parametrize(("table", "column", "value", "add"), NAME_UNKNOWN)
def test_what_is_named_must_be_there(
    tmp_path: Path,
    table: str,
    column: str,
    value: str,
    add: Callable[[DataFolder], DataFolder],
) -> None:
    folder = good(tmp_path)
    rows = len(folder._rows[table])

    problem = only_problem(add(folder))

    assert isinstance(problem, UnknownReference)
    assert problem.path == tmp_path / f"{table}.csv"
    assert (problem.line, problem.column, problem.value) == (rows + 2, column, value)
    assert f"{value!r} is unknown; allowed: " in str(problem)


def test_the_first_unknown_of_the_file_is_said_first(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path).course(COURSE).learner("l1")
    for learner in ("l9", "l8", "l1", "l7"):
        folder.enrolment(learner, COURSE)

    with FileRetrievalSource(folder.write()) as source:
        report = source.check(limit=2)

    assert [(problem.line, problem.value) for problem in report.problems] == [(2, "l9"), (3, "l8")]
    assert not report.complete
