"""Folders of data files: their tables are there, once each; a check goes through all of them."""

from pathlib import Path

import pytest

from testamur.adapters.files import (
    DataFileError,
    FileRetrievalSource,
)
from testamur.domain.contexts import parse_context_key
from tests.support.records import COURSE
from tests.unit.adapters.files.good_rows import good, only_problem


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
