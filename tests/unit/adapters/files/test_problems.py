"""Everything that can be wrong with a folder is said with file, line and column."""

from collections.abc import Callable
from pathlib import Path

import pytest

from testamur.adapters.files import (
    DataFileError,
    DuplicateRow,
    FileRetrievalSource,
    UnknownReference,
)
from testamur.application.errors import RetrievalError
from testamur.application.ports.retrieval import Needs
from testamur.domain.contexts import parse_context_key
from tests.support.data_files import DataFolder, Format
from tests.support.records import COURSE, OTHER_COURSE, PATHWAY

THIRD_COURSE = "course-v1:Uni+Art+2026"
LESSON = "block-v1:Uni+Maths+2026+type@sequential+block@one"


def good(folder: Path) -> DataFolder:
    """Return rows of every table in which nothing is wrong."""
    return (
        DataFolder(folder)
        .course(COURSE, start="2026-01-01", end="2026-06-30", weights={"Exam": "1"})
        .course(OTHER_COURSE)
        .course(THIRD_COURSE)
        .lesson(LESSON)
        .pathway(PATHWAY, [COURSE, OTHER_COURSE])
        .learner("l1", full_name="Ada", email="ada@example.org", language="en")
        .learner("l2", full_name="Grace")
        .enrolment("l1", COURSE)
        .enrolment("l2", PATHWAY)
        .completion("l1", COURSE, "0.5")
        .completion("l1", LESSON, "1")
        .grade("l1", COURSE, "Exam", "1", "2", LESSON)
    )


def only_problem(folder: DataFolder, written: Format = "csv") -> DataFileError:
    """Return the one thing that a check finds, which is also what an answer fails with."""
    folder.write(written)
    with FileRetrievalSource(folder.path) as source:
        report = source.check()
        assert len(report.problems) == 1, report
        assert report.complete
        assert not report.good
        problem = report.problems[0]
        with pytest.raises(RetrievalError) as refused:
            answer(source)
        assert str(refused.value) == str(problem)
    return problem


def answer(source: FileRetrievalSource) -> None:
    for context in map(parse_context_key, (COURSE, PATHWAY, LESSON)):
        source.facts(context)
        list(source.records(context, Needs()))


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


@pytest.mark.parametrize("table", ["courses", "learners", "enrolments"])
def test_a_folder_without_a_required_table_is_refused(tmp_path: Path, table: str) -> None:
    problem = only_problem(good(tmp_path).without(table))

    assert problem.path == tmp_path
    assert f"the table {table} is missing; allowed: {table}.csv or {table}.json or" in str(problem)


def test_a_table_in_two_formats_is_refused(tmp_path: Path) -> None:
    problem = only_problem(good(tmp_path).file("learners.jsonl", '{"learner_id": "l1"}'))

    assert problem.path == tmp_path / "learners.jsonl"
    assert "the table learners is also in learners.csv" in str(problem)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("grade.csv", " (did you mean grades?)"), ("Lessons.json", " (did you mean lessons?)")],
)
def test_a_data_file_that_is_no_table_is_refused(tmp_path: Path, name: str, hint: str) -> None:
    problem = only_problem(good(tmp_path).file(name, ""))

    assert problem.path == tmp_path / name
    assert f"there is no such table{hint}; allowed: courses, lessons, " in str(problem)


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    folder = good(tmp_path)
    for name in ("README.md", "x_rooms.csv", ".grades.csv", "grades.xlsx"):
        folder.file(name, "anything")

    with FileRetrievalSource(folder.write()) as source:
        assert source.check().good


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with FileRetrievalSource(tmp_path / "nowhere") as source:
        (problem,) = source.check().problems
        with pytest.raises(DataFileError, match="cannot be read: No such file or directory"):
            source.facts(parse_context_key(COURSE))

    assert problem.path == tmp_path / "nowhere"


def test_a_table_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    folder = good(tmp_path).without("grades").write()
    (folder / "grades.csv").mkdir()

    with FileRetrievalSource(folder) as source:
        (problem,) = source.check().problems

    assert problem.path == folder / "grades.csv"
    assert "cannot be read: Is a directory" in str(problem)


def test_a_check_collects_what_is_wrong_in_the_order_of_each_file(tmp_path: Path) -> None:
    folder = good(tmp_path)
    folder.file("x_notes.csv", "").row("learners", learner_id="l1", language="?")
    folder.row("learners", learner_id="bad\tid", active="?").row("learners", learner_id="")
    folder.row("enrolments", learner_id="l9", context_key="?")

    with FileRetrievalSource(folder.write()) as source:
        report = source.check()

    assert [(problem.path.stem, problem.line, problem.column) for problem in report.problems] == [
        ("learners", 4, "language"),
        ("learners", 5, "learner_id"),
        ("learners", 5, "active"),
        ("learners", 6, "learner_id"),
        ("learners", 4, None),
        ("enrolments", 4, "context_key"),
        ("enrolments", 4, "learner_id"),
    ]
    assert report.complete
    assert report.counts["learners"] == 5


def test_a_check_goes_on_behind_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    folder = good(tmp_path).row("completions", learner_id="l1", context_key=COURSE, completion="2")
    folder.write()
    folder.file("learners.csv", "learner_id,fullname,phone\nl1,Ada,1\n")

    with FileRetrievalSource(tmp_path) as source:
        report = source.check()

    assert [(problem.path.name, problem.line) for problem in report.problems] == [
        ("learners.csv", 1),
        ("learners.csv", 1),
        ("completions.csv", 4),
        ("completions.csv", 4),
    ]
    assert "learners" not in report.counts
    assert report.counts["enrolments"] == 2


def test_a_check_stops_at_as_many_problems_as_are_wanted(tmp_path: Path) -> None:
    folder = good(tmp_path)
    for number in range(100):
        folder.row("completions", learner_id=f"l{number}", context_key=COURSE, completion="2")

    with FileRetrievalSource(folder.write()) as source:
        report = source.check(limit=7)

    assert len(report.problems) == 7
    assert not report.complete
