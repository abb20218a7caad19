"""Courses: who is told of, what they have achieved, and how they are judged by it."""

import sys
from datetime import UTC, datetime
from decimal import Decimal
from types import ModuleType

import pytest

from testamur.adapters.open_edx_python.errors import (
    NobodyHasGrades,
    PlatformFailed,
    UnknownContext,
)
from testamur.adapters.open_edx_python.options import OpenEdxPythonOptions
from testamur.adapters.open_edx_python.source import OpenEdxPythonSource
from testamur.application.ports.retrieval import Needs
from testamur.domain.criteria import (
    CompletionAndGradeCriteria,
    CompletionCriteria,
    GradeCriteria,
)
from testamur.domain.learning import GradedSubsection
from tests.support.edx_platform import StandInLms
from tests.support.edx_platform.grades import Shape
from tests.support.edx_platform.querysets import OperationalError, Row
from tests.support.records import COURSE, OTHER_COURSE
from tests.unit.adapters.open_edx_python.asking import (
    EXAM,
    HOMEWORK_1,
    HOMEWORK_2,
    eligible,
    pages,
    records,
)

CCX = "ccx-v1:Uni+Maths+2026+ccx@3"

ONLY_COMPLETION = Needs(completion=True, grades=False)
ONLY_GRADES = Needs(completion=False, grades=True)


def add_algebra(lms: StandInLms, course: str = COURSE) -> None:
    lms.add_course(
        course,
        weights={"Homework": 0.4, "Exam": 0.6},
        lessons={
            HOMEWORK_1: ("Homework", 10),
            HOMEWORK_2: ("Homework", 10.0),
            EXAM: ("Exam", 20),
        },
    )


def add_learners(lms: StandInLms, *user_ids: int) -> list[Row]:
    users = [lms.add_user(user_id) for user_id in user_ids]
    for user in users:
        lms.enrol(user, COURSE)
    return users


def test_active_learners_come_in_the_order_of_their_ids_a_chunk_at_a_time(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    add_algebra(lms)
    add_learners(lms, 30, 4, 5, 100, 7)

    found = pages(source, COURSE)

    assert [[each.learner_id for each in page] for page in found] == [
        ["4", "5"],
        ["7", "30"],
        ["100"],
    ]
    assert all(each.enrolled for page in found for each in page)


def test_learners_who_left_or_are_enrolled_elsewhere_are_not_told_of(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    add_algebra(lms)
    lms.add_course(OTHER_COURSE)
    lms.enrol(lms.add_user(1), COURSE, active=False)
    lms.enrol(lms.add_user(2), OTHER_COURSE)
    lms.enrol(lms.add_user(3), COURSE)

    assert list(records(source, COURSE)) == ["3"]


def test_a_learner_with_an_inactive_account_counts(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    add_algebra(lms)
    lms.enrol(lms.add_user(1, active=False), COURSE)

    assert records(source, COURSE)["1"].enrolled


def test_a_course_without_learners_has_no_pages(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    add_algebra(lms)

    assert pages(source, COURSE) == []


@pytest.mark.parametrize("shape", ["method", "attribute"])
def test_every_graded_subsection_counts_attempted_or_not(
    shape: Shape, source: OpenEdxPythonSource
) -> None:
    lms = StandInLms(shape)
    add_algebra(lms)
    (user,) = add_learners(lms, 1)
    lms.score(user, HOMEWORK_1, 0.1 + 0.2)

    with lms.installed():
        achievement = records(source, COURSE, ONLY_GRADES)["1"].achievement

    assert achievement.completion is None
    assert achievement.subsections == (
        # The shortest text that means the float, never its fifty binary digits.
        GradedSubsection(HOMEWORK_1, "Homework", Decimal("0.30000000000000004"), Decimal(10)),
        GradedSubsection(HOMEWORK_2, "Homework", Decimal(0), Decimal(10)),
        GradedSubsection(EXAM, "Exam", Decimal(0), Decimal(20)),
    )


def test_a_subsection_worth_nothing_is_left_out(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    lms.add_course(COURSE, lessons={HOMEWORK_1: ("Homework", 0), EXAM: ("Exam", 5)})
    add_learners(lms, 1)

    (graded,) = records(source, COURSE)["1"].achievement.subsections

    assert graded.subsection_id == EXAM


def test_completion_is_what_is_stored_and_none_where_nothing_is(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    add_algebra(lms)
    first, second, _ = add_learners(lms, 1, 2, 3)
    lms.complete(first, COURSE, 0.9)
    lms.complete(first, COURSE, 0.2, lesson=EXAM)
    lms.complete(second, COURSE, 1.0)
    lms.complete(second, OTHER_COURSE, 0.1)

    found = records(source, COURSE, ONLY_COMPLETION)

    assert {key: each.achievement.completion for key, each in found.items()} == {
        "1": Decimal("0.9"),
        "2": Decimal(1),
        "3": None,
    }
    assert found["1"].achievement.subsections == ()


@pytest.mark.parametrize("shape", ["method", "attribute"])
def test_learners_are_judged_by_completion_and_by_grades(
    shape: Shape, source: OpenEdxPythonSource
) -> None:
    lms = StandInLms(shape)
    add_algebra(lms)
    both, grades_only, completion_only, _ = add_learners(lms, 1, 2, 3, 4)
    for user, percent in ((both, 0.9), (grades_only, 0.89999), (completion_only, 1.0)):
        lms.complete(user, COURSE, percent)
    for user in (both, grades_only):
        lms.score(user, HOMEWORK_1, 10)
        lms.score(user, HOMEWORK_2, 1)
        lms.score(user, EXAM, 11)
    # Of ten points for homework that was handed in: but twenty were to be had.
    lms.score(completion_only, HOMEWORK_1, 10)
    grades = {"homework": "0.55", "exam": "0.55", "Total": "0.55"}

    with lms.installed():
        completed = eligible(source, COURSE, CompletionCriteria())
        graded = eligible(source, COURSE, GradeCriteria.model_validate({"required_grades": grades}))
        met_both = eligible(
            source, COURSE, CompletionAndGradeCriteria.model_validate({"required_grades": grades})
        )
        half = GradeCriteria.model_validate({"required_grades": {"Homework": 0.51}})
        above_half = eligible(source, COURSE, half)

    assert completed == {"1", "3"}
    assert graded == {"1", "2"}
    assert met_both == {"1"}
    assert above_half == {"1", "2"}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (KeyError("Ann Smith"), "the LMS gives no grades for this learner (KeyError)"),
        ("broken for Ann Smith", "the LMS gives no grades for this learner"),
        (None, "the LMS gives no grades for this learner"),
    ],
)
def test_a_learner_whose_grades_break_is_left_out_and_nobody_else(
    lms: StandInLms, source: OpenEdxPythonSource, error: Exception | str | None, reason: str
) -> None:
    add_algebra(lms)
    for user in add_learners(lms, 1, 2, 3):
        lms.score(user, EXAM, 20)
    lms.gradebook.breaks_in_iter[2] = error

    found = records(source, COURSE)

    assert [found[each].left_out for each in "123"] == [None, reason, None]
    assert found["2"].achievement.subsections == ()
    assert found["3"].achievement.subsections[2].earned == 20


@pytest.mark.parametrize("shape", ["method", "attribute"])
def test_a_learner_whose_subsections_break_when_they_are_read_is_left_out(
    shape: Shape, source: OpenEdxPythonSource
) -> None:
    lms = StandInLms(shape)
    add_algebra(lms)
    add_learners(lms, 1, 2)
    lms.gradebook.breaks_when_read[1] = ZeroDivisionError("for Ann Smith")

    with lms.installed():
        found = records(source, COURSE)

    reason = "the LMS gives no grades for this learner (ZeroDivisionError)"
    assert {key: each.left_out for key, each in found.items()} == {"1": reason, "2": None}


def test_whose_grades_break_matters_only_where_grades_are_needed(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    add_algebra(lms)
    add_learners(lms, 1)
    lms.gradebook.breaks_in_iter[1] = KeyError()

    assert records(source, COURSE, ONLY_COMPLETION)["1"].left_out is None


@pytest.mark.parametrize("where", ["breaks_in_iter", "breaks_when_read"])
def test_a_broken_database_is_nobodys_own_trouble(
    lms: StandInLms, source: OpenEdxPythonSource, where: str
) -> None:
    add_algebra(lms)
    add_learners(lms, 1, 2)
    getattr(lms.gradebook, where)[1] = OperationalError("gone, asked about Ann Smith")

    with pytest.raises(PlatformFailed, match=r"the grades of .*: OperationalError") as told:
        records(source, COURSE)

    assert "Ann Smith" not in told.value.for_the_record()


def test_a_broken_content_store_is_nobodys_own_trouble(
    lms: StandInLms, source: OpenEdxPythonSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = ModuleType("pymongo.errors")
    errors.__dict__["PyMongoError"] = type("PyMongoError", (Exception,), {})
    monkeypatch.setitem(sys.modules, "pymongo.errors", errors)
    add_algebra(lms)
    add_learners(lms, 1, 2)
    lms.gradebook.breaks_in_iter[1] = type("AutoReconnect", (errors.PyMongoError,), {})()

    with pytest.raises(PlatformFailed, match=r"the grades of .*: AutoReconnect"):
        records(source, COURSE)


def test_grades_that_break_for_everybody_are_nobodys_own_trouble(lms: StandInLms) -> None:
    add_algebra(lms)
    for user in add_learners(lms, *range(1, 11)):
        lms.gradebook.breaks_in_iter[user.id] = LookupError()
    source = OpenEdxPythonSource(OpenEdxPythonOptions())

    with pytest.raises(NobodyHasGrades, match=r"any of 10 learners of .* \(LookupError\)"):
        records(source, COURSE)


def test_a_learner_asked_for_alone_has_their_live_completion(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    add_algebra(lms)
    first, _, _ = add_learners(lms, 1, 2, 3)
    lms.complete(first, COURSE, 0.5)
    lms.stale.percents[1, COURSE, None] = 0.95

    alone = records(source, COURSE, learner_id="1")
    everybody = records(source, COURSE)

    assert {key: each.achievement.completion for key, each in alone.items()} == {
        "1": Decimal("0.95")
    }
    assert everybody["1"].achievement.completion == Decimal("0.5")


def test_a_learner_asked_for_alone_has_no_completion_where_there_is_none(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    add_algebra(lms)
    add_learners(lms, 1)

    assert records(source, COURSE, learner_id="1")["1"].achievement.completion is None


def test_a_learner_who_left_is_told_of_when_asked_for(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    add_algebra(lms)
    user = lms.add_user(1)
    lms.enrol(user, COURSE, active=False)
    lms.score(user, EXAM, 7)

    record = records(source, COURSE, learner_id="1")["1"]

    assert not record.enrolled
    assert record.achievement.subsections[2].earned == 7


@pytest.mark.parametrize("learner_id", ["2", "0", "-1", "01", "1.0", "ann", "", "١", "1" * 30])
def test_whom_the_course_does_not_know_has_no_record(
    lms: StandInLms, source: OpenEdxPythonSource, learner_id: str
) -> None:
    add_algebra(lms)
    add_learners(lms, 1)
    lms.add_user(2)

    assert pages(source, COURSE, learner_id=learner_id) == []


def test_a_custom_course_has_learners_of_its_own(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    add_algebra(lms)
    add_algebra(lms, CCX)
    lms.enrol(lms.add_user(1), COURSE)
    of_ccx = lms.add_user(2)
    lms.enrol(of_ccx, CCX)
    lms.complete(of_ccx, CCX, 0.4)

    found = records(source, CCX)

    assert list(found) == ["2"]
    assert found["2"].achievement.completion == Decimal("0.4")


def test_a_record_says_when_it_was_read(lms: StandInLms, source: OpenEdxPythonSource) -> None:
    add_algebra(lms)
    add_learners(lms, 1)
    before = datetime.now(UTC)

    read_at = records(source, COURSE)["1"].retrieved_at

    assert read_at is not None
    assert before <= read_at <= datetime.now(UTC)


@pytest.mark.parametrize("course", ["course-v1:Uni+Nothing+2026", "course-v1:uni+maths+2026"])
def test_an_unknown_course_is_refused_also_if_only_its_case_is_wrong(
    lms: StandInLms, source: OpenEdxPythonSource, course: str
) -> None:
    add_algebra(lms)
    add_learners(lms, 1)

    with pytest.raises(UnknownContext, match="the LMS has no such course"):
        pages(source, course)


def test_a_key_that_the_platform_does_not_allow_is_refused(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    with pytest.raises(UnknownContext, match="does not allow such a key"):
        pages(source, "course-v1:Uni%+Maths+2026")
