"""Every value that is not allowed is said with file, line and column."""

from pathlib import Path

import pytest

from testamur.adapters.files import (
    FileRetrievalSource,
)
from tests.support.data_files import Format
from tests.support.records import COURSE, OTHER_COURSE, PATHWAY
from tests.unit.adapters.files.good_rows import LESSON, THIRD_COURSE, good, only_problem


def test_nothing_is_wrong_with_good_rows(tmp_path: Path) -> None:
    good(tmp_path).write()

    with FileRetrievalSource(tmp_path) as source:
        report = source.check()

    assert report.good
    assert report.complete
    assert report.counts == {
        "courses": 3,
        "lessons": 1,
        "pathways": 1,
        "pathway_steps": 2,
        "grading_policy": 1,
        "learners": 2,
        "enrolments": 2,
        "grades": 1,
        "completions": 2,
    }


@pytest.mark.parametrize(
    ("table", "columns", "line", "column", "value"),
    [
        ("courses", {"course_key": "maths"}, 5, "course_key", "maths"),
        (
            "courses",
            {"course_key": "course-v1:a+b+c", "start": "soon"},
            5,
            "start",
            "soon",
        ),
        (
            "courses",
            {"course_key": "course-v1:a+b+c", "start": "2026-02-02", "end": "2026-02-01"},
            5,
            "end",
            "2026-02-01",
        ),
        ("lessons", {"lesson_key": COURSE}, 3, "lesson_key", COURSE),
        ("pathways", {"pathway_key": COURSE}, 3, "pathway_key", COURSE),
        (
            "pathway_steps",
            {"pathway_key": PATHWAY, "position": "third", "course_key": THIRD_COURSE},
            4,
            "position",
            "third",
        ),
        (
            "grading_policy",
            {"course_key": COURSE, "category": "Homework", "weight": "40"},
            3,
            "weight",
            "40",
        ),
        (
            "grading_policy",
            {"course_key": COURSE, "category": "total", "weight": "0.4"},
            3,
            "category",
            "total",
        ),
        ("learners", {"learner_id": "l3", "language": "English!"}, 4, "language", "English!"),
        ("learners", {"learner_id": "l3", "active": "perhaps"}, 4, "active", "perhaps"),
        ("enrolments", {"learner_id": "l1", "context_key": LESSON}, 4, "context_key", LESSON),
        ("enrolments", {"learner_id": "", "context_key": COURSE}, 4, "learner_id", ""),
        (
            "grades",
            {
                "learner_id": "l1",
                "course_key": COURSE,
                "category": "Exam",
                "subsection_id": "two",
                "earned": "-1",
                "possible": "1",
            },
            3,
            "earned",
            "-1",
        ),
        (
            "grades",
            {
                "learner_id": "l1",
                "course_key": OTHER_COURSE,
                "category": "Exam",
                "subsection_id": LESSON,
                "earned": "1",
                "possible": "1",
            },
            3,
            "subsection_id",
            LESSON,
        ),
        (
            "grades",
            {
                "learner_id": "l1",
                "course_key": COURSE,
                "category": "Exam",
                "subsection_id": "\x01exam",
                "earned": "1",
                "possible": "1",
            },
            3,
            "subsection_id",
            "\x01exam",
        ),
        (
            "completions",
            {"learner_id": "l2", "context_key": COURSE, "completion": "0,5"},
            4,
            "completion",
            "0,5",
        ),
        (
            "completions",
            {"learner_id": "l2", "context_key": PATHWAY, "completion": "0.5"},
            4,
            "context_key",
            PATHWAY,
        ),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_where_it_is(
    tmp_path: Path,
    table: str,
    columns: dict[str, str],
    line: int,
    column: str,
    value: str,
) -> None:
    problem = only_problem(good(tmp_path).row(table, **columns))

    assert problem.path == tmp_path / f"{table}.csv"
    assert (problem.line, problem.column, problem.value) == (line, column, value)
    assert f"; allowed: {problem.allowed}" in str(problem)


@pytest.mark.parametrize(
    ("written", "place"), [("json", "json, line 4, object 3"), ("jsonl", "jsonl, line 3")]
)
def test_a_value_that_is_not_allowed_is_refused_where_it_is_in_json(
    tmp_path: Path, written: Format, place: str
) -> None:
    folder = good(tmp_path).row("learners", learner_id="l3", language="English!")

    problem = only_problem(folder, written)

    assert str(problem) == (
        f"{tmp_path}/learners.{place}, language: 'English!' is not allowed; allowed: a language "
        "tag of BCP 47 such as pl or pt-BR (pt_BR is read as pt-BR)"
    )


@pytest.mark.parametrize(
    ("columns", "column", "problem"),
    [
        ({"full_name": "Lise\x07 Meitner"}, "full_name", "control character U+0007 at character 5"),
        ({"email": "lise.example.org"}, "email", "the value is not allowed (it is personal"),
    ],
)
def test_a_message_never_holds_a_personal_value(
    tmp_path: Path, columns: dict[str, str], column: str, problem: str
) -> None:
    found = only_problem(good(tmp_path).row("learners", learner_id="l3", **columns))

    assert (found.line, found.column, found.value) == (4, column, None)
    assert problem in str(found)
    assert "ise" not in str(found)


def test_what_is_kept_of_a_problem_holds_no_name_that_slipped_into_another_column(
    tmp_path: Path,
) -> None:
    slipped = {"learner_id": "l2", "context_key": COURSE, "completion": "Grace Hopper"}
    problem = only_problem(good(tmp_path).row("completions", **slipped))

    assert "Grace Hopper" in str(problem)
    assert "Grace Hopper" not in problem.for_the_record()
    assert problem.for_the_record().startswith(f"{problem.place}: ")


def test_an_e_mail_address_as_learner_id_is_refused_and_not_shown(tmp_path: Path) -> None:
    folder = good(tmp_path).row("learners", learner_id="lise@example.org")

    found = only_problem(folder)

    assert (found.line, found.column, found.value) == (4, "learner_id", None)
    assert "never an e-mail address" in str(found)
    assert "lise" not in str(found)


@pytest.mark.parametrize("suffix", ["csv", "json", "jsonl"])
def test_a_byte_that_is_not_utf_8_is_found_in_its_column(tmp_path: Path, suffix: Format) -> None:
    folder = good(tmp_path)
    folder.row("learners", learner_id="l3", full_name="Lise").write(suffix)
    file = tmp_path / f"learners.{suffix}"
    file.write_bytes(file.read_bytes().replace(b"Lise", b"L\xefse"))

    with FileRetrievalSource(tmp_path) as source:
        (problem,) = source.check().problems

    assert (problem.line, problem.column) == (3 if suffix == "jsonl" else 4, "full_name")
    assert "byte 0xEF at character 2 is not UTF-8" in str(problem)


def test_half_a_surrogate_pair_of_json_is_refused(tmp_path: Path) -> None:
    folder = good(tmp_path).write("json")
    (folder / "learners.json").write_text(
        '[{"learner_id": "l1"}, {"learner_id": "l2", "full_name": "\\ud83d\\ude00"},\n'
        ' {"learner_id": "l3", "full_name": "\\ud83d"}]'
    )

    with FileRetrievalSource(folder) as source:
        (problem,) = source.check().problems

    assert (problem.line, problem.column) == (2, "full_name")
    assert "half a surrogate pair U+D83D at character 1" in str(problem)


@pytest.mark.parametrize(
    ("field", "column", "problem"),
    [
        ('"full_name": 5', "full_name", "a number is not allowed"),
        ('"full_name": true', "full_name", "true or false is not allowed"),
        ('"email": ["a@b.c"]', "email", "an array is not allowed"),
        ('"language": {"tag": "pl"}', "language", "an object is not allowed"),
        ('"active": 1.0', "active", "a number with a point or an exponent is not allowed"),
        ('"active": NaN', "active", "NaN is not allowed"),
    ],
)
@pytest.mark.parametrize("written", ["json", "jsonl"])
def test_a_json_value_of_a_wrong_type_is_refused(
    tmp_path: Path, field: str, column: str, problem: str, written: Format
) -> None:
    rows = ['{"learner_id": "l1"}', '{"learner_id": "l2"}', f'{{"learner_id": "l3", {field}}}']
    folder = good(tmp_path).write(written)
    (folder / f"learners.{written}").write_text(
        "\n".join(rows) if written == "jsonl" else f"[{', '.join(rows)}]"
    )

    with FileRetrievalSource(folder) as source:
        (found,) = source.check().problems

    line = "line 3" if written == "jsonl" else "line 1, object 3"
    assert str(found).startswith(f"{folder}/learners.{written}, {line}, {column}: {problem}; ")


def test_a_learner_id_with_a_point_is_refused_in_json(tmp_path: Path) -> None:
    folder = good(tmp_path).write("jsonl")
    (folder / "learners.jsonl").write_text('{"learner_id": "l1"}\n{"learner_id": 2.0}\n')

    with FileRetrievalSource(folder) as source:
        problem = source.check().problems[0]

    assert (problem.line, problem.column) == (2, "learner_id")
    assert "a number with a point or an exponent is not allowed" in str(problem)
