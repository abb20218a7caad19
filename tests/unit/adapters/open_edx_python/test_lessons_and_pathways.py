"""Lessons and pathways: records, facts, and how learners are judged by them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from testamur.adapters.open_edx_python.errors import PlatformPluginMissing, UnknownContext
from testamur.adapters.open_edx_python.source import OpenEdxPythonSource
from testamur.application.ports.retrieval import EVERYTHING
from testamur.domain.contexts import OpaqueKey
from testamur.domain.criteria import (
    CompletionAndGradeCriteria,
    CompletionCriteria,
    GradeCriteria,
    PathwayCriteria,
)
from testamur.domain.learning import GradedSubsection
from tests.support.edx_platform import StandInLms
from tests.support.edx_platform.content import SequenceBlock
from tests.support.edx_platform.querysets import Row
from tests.support.records import COURSE, OTHER_COURSE, PATHWAY
from tests.unit.adapters.open_edx_python.asking import (
    EXAM,
    HOMEWORK_1,
    HOMEWORK_2,
    LESSONS,
    eligible,
    facts,
    pages,
    records,
)

START = datetime(2026, 1, 5, tzinfo=UTC)
END = datetime(2026, 6, 30, tzinfo=UTC)
UNGRADED = LESSONS + "reading4"


def add_algebra(lms: StandInLms) -> None:
    lms.add_course(
        COURSE,
        start=START,
        end=END,
        weights={"Homework": 0.4, "Exam": 0.6},
        lessons={HOMEWORK_1: ("Homework", 10), HOMEWORK_2: ("Homework", 10), EXAM: ("Exam", 20)},
    )
    lms.modulestore.items[UNGRADED] = SequenceBlock("Reading", None, graded=False)


def add_sciences(lms: StandInLms) -> Row:
    add_algebra(lms)
    lms.add_course(OTHER_COURSE, name="Physics")
    return lms.add_pathway(PATHWAY, {COURSE: None, OTHER_COURSE: 0})


def test_a_lesson_has_its_own_completion_and_grade_only(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    add_algebra(lms)
    user = lms.add_user(1)
    lms.enrol(user, COURSE)
    lms.score(user, HOMEWORK_2, 4)
    lms.complete(user, COURSE, 0.1)
    lms.complete(user, COURSE, 0.3, lesson=HOMEWORK_1)
    lms.complete(user, COURSE, 0.8, lesson=HOMEWORK_2)

    achievement = records(source, HOMEWORK_2)["1"].achievement

    assert achievement.completion == Decimal("0.8")
    assert achievement.subsections == (
        GradedSubsection(HOMEWORK_2, "Homework", Decimal(4), Decimal(10)),
    )


def test_learners_are_judged_by_a_lesson(lms: StandInLms, source: OpenEdxPythonSource) -> None:
    add_algebra(lms)
    for user_id, earned, completion in ((1, 20, 1.0), (2, 9, 1.0), (3, 20, 0.5)):
        user = lms.add_user(user_id)
        lms.enrol(user, COURSE)
        lms.score(user, EXAM, earned)
        lms.complete(user, COURSE, completion, lesson=EXAM)
    total = {"required_grades": {"Total": 0.5}}

    assert eligible(source, EXAM, CompletionCriteria()) == {"1", "2"}
    assert eligible(source, EXAM, GradeCriteria.model_validate(total)) == {"1", "3"}
    assert eligible(source, EXAM, CompletionAndGradeCriteria.model_validate(total)) == {"1"}


def test_a_learner_asked_for_alone_has_their_live_completion_of_the_lesson(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    add_algebra(lms)
    for user_id in (1, 2):
        user = lms.add_user(user_id)
        lms.enrol(user, COURSE)
        lms.complete(user, COURSE, 0.5, lesson=EXAM)
    lms.stale.percents[1, COURSE, HOMEWORK_1] = 0.1
    lms.stale.percents[1, COURSE, EXAM] = 0.7

    found = [records(source, EXAM, learner_id=each)[each] for each in ("1", "2")]

    assert [each.achievement.completion for each in found] == [Decimal("0.7"), Decimal("0.5")]


def test_a_lesson_is_named_by_itself_and_dated_by_its_course(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    add_algebra(lms)

    found = facts(source, EXAM)

    assert (found.key, found.shown_name, found.start, found.end) == (EXAM, "Lesson 3", START, END)
    assert found.weights == {"Exam": 1}


def test_an_ungraded_lesson_has_no_weights_and_no_grades(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    add_algebra(lms)
    lms.enrol(lms.add_user(1), COURSE)

    assert facts(source, UNGRADED).weights == {}
    assert records(source, UNGRADED)["1"].achievement.subsections == ()


def test_an_unknown_lesson_is_refused(lms: StandInLms, source: OpenEdxPythonSource) -> None:
    add_algebra(lms)
    gone = LESSONS + "gone"

    for ask in (facts, pages):
        with pytest.raises(UnknownContext, match="the course has no such lesson") as told:
            ask(source, gone)
        assert told.value.key == gone


def test_a_pathway_has_its_courses_in_order_those_without_a_number_last(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    add_sciences(lms)

    found = facts(source, PATHWAY)

    assert (found.key, found.shown_name, found.start, found.end) == (
        PATHWAY,
        "Sciences",
        None,
        None,
    )
    assert [(step.key, step.name, step.start) for step in found.steps] == [
        (OTHER_COURSE, "Physics", None),
        (COURSE, "Algebra", START),
    ]
    assert found.steps[1].weights == {"Homework": Decimal("0.4"), "Exam": Decimal("0.6")}


def test_a_step_is_reached_only_by_who_is_enrolled_in_its_course_and_in_the_pathway(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    pathway = add_sciences(lms)
    for user_id in (1, 2, 3, 4):
        user = lms.add_user(user_id)
        lms.enrol_in_pathway(user, pathway, active=user_id != 4)
        lms.enrol(user, COURSE)
        lms.enrol(user, OTHER_COURSE, active=user_id != 2)
        lms.complete(user, COURSE, 1.0)
        lms.complete(user, OTHER_COURSE, 1.0 if user_id != 3 else 0.8)
    in_courses_only = lms.add_user(5)
    for course in (COURSE, OTHER_COURSE):
        lms.enrol(in_courses_only, course)
        lms.complete(in_courses_only, course, 1.0)

    found = records(source, PATHWAY)

    assert list(found) == ["1", "2", "3"]
    assert found["2"].steps.keys() == {COURSE}
    assert found["3"].steps[OTHER_COURSE].completion == Decimal("0.8")
    assert eligible(source, PATHWAY, PathwayCriteria(every_step=CompletionCriteria())) == {"1"}


def test_a_pathway_is_judged_by_the_grades_of_each_step(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    pathway = add_sciences(lms)
    for user_id in (1, 2):
        user = lms.add_user(user_id)
        lms.enrol_in_pathway(user, pathway)
        lms.enrol(user, COURSE)
        lms.enrol(user, OTHER_COURSE)
        lms.score(user, EXAM, 10 * user_id)
        lms.complete(user, OTHER_COURSE, 1.0)
    criteria = PathwayCriteria(
        every_step=CompletionCriteria(),
        steps={COURSE: GradeCriteria.model_validate({"required_grades": {"Exam": 0.6}})},
    )

    assert eligible(source, PATHWAY, criteria) == {"2"}


def test_a_learner_whose_grades_break_in_one_step_is_left_out_of_the_pathway(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    pathway = add_sciences(lms)
    user = lms.add_user(1)
    lms.enrol_in_pathway(user, pathway)
    lms.enrol(user, COURSE)
    lms.gradebook.breaks_in_iter[1] = KeyError()

    record = records(source, PATHWAY)["1"]

    assert record.left_out == f"the LMS gives no grades for this learner in {COURSE} (KeyError)"
    assert record.steps == {}


def test_a_learner_of_a_pathway_can_be_asked_for_alone(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    pathway = add_sciences(lms)
    for user_id, active in ((1, True), (2, False)):
        user = lms.add_user(user_id)
        lms.enrol_in_pathway(user, pathway, active=active)
        lms.enrol(user, COURSE)
        lms.complete(user, COURSE, 0.5)
    lms.stale.percents[1, COURSE, None] = 0.75

    current, left = (records(source, PATHWAY, learner_id=each)[each] for each in ("1", "2"))

    assert (current.enrolled, left.enrolled) == (True, False)
    assert current.steps[COURSE].completion == Decimal("0.75")
    assert pages(source, PATHWAY, learner_id="3") == []


def test_a_pathway_that_is_not_there_or_has_no_courses_is_refused(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    lms.add_pathway(PATHWAY, {})

    for ask in (facts, pages):
        with pytest.raises(UnknownContext, match="the pathway has no courses"):
            ask(source, PATHWAY)
        with pytest.raises(UnknownContext, match="the LMS has no such pathway"):
            ask(source, "path-v1:Uni+Science+2026+B")
        with pytest.raises(UnknownContext, match="the LMS has no such pathway"):
            ask(source, PATHWAY.replace("Uni", "uni"))


def test_a_pathway_with_a_course_that_is_not_there_is_refused(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    lms.add_pathway(PATHWAY, {COURSE: 1})

    for ask in (facts, pages):
        with pytest.raises(UnknownContext, match="the LMS has no such course") as told:
            ask(source, PATHWAY)
        assert told.value.key == COURSE


def test_a_pathway_with_a_step_that_is_no_course_of_ours_is_refused(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    lms.add_pathway(PATHWAY, {"course-v1:Uni+Maths 2+2026": 1})

    for ask in (facts, pages):
        with pytest.raises(UnknownContext, match=r"Maths 2.* is not a course as we know them"):
            ask(source, PATHWAY)


def test_without_the_plugin_pathways_are_refused_and_courses_work(
    source: OpenEdxPythonSource,
) -> None:
    lms = StandInLms()
    add_sciences(lms)
    lms.enrol(lms.add_user(1), COURSE)

    with lms.installed(without={"learning_paths"}):
        assert list(records(source, COURSE)) == ["1"]
        with pytest.raises(PlatformPluginMissing, match="learning_paths is needed for pathways"):
            facts(source, PATHWAY)


def test_a_context_of_another_platform_is_refused(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    context = OpaqueKey("course", "moodle-course:42")

    with pytest.raises(UnknownContext, match="moodle-course:42: Open edX has only contexts with"):
        source.facts(context)
    with pytest.raises(UnknownContext, match="moodle-course:42: Open edX has only contexts with"):
        list(source.records(context, EVERYTHING))
