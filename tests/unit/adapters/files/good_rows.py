"""Rows in which nothing is wrong, and the one problem that is found once something is."""

from pathlib import Path

import pytest

from testamur.adapters.files import (
    DataFileError,
    FileRetrievalSource,
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
