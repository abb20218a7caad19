"""One learner of a stand-in LMS, asked about now: as a run sees them."""

from dataclasses import replace
from decimal import Decimal

import pytest

from testamur.adapters.open_edx.errors import NotPermitted
from testamur.domain.learning import LearnerRecord
from tests.support.open_edx import (
    COURSE_KEY,
    PATHWAY_KEY,
    Faults,
    a_course,
    a_learner,
    a_population,
    enrol,
    generate,
    stand_in,
)
from tests.support.open_edx_source import BOTH, GRADES_ONLY, NOW, points, records, source_of

OTHER = "course-v1:Example+Rowing+2026"
LESSON = "block-v1:Example+Sailing+2026+type@sequential+block@s2"


def comparable(record: LearnerRecord) -> LearnerRecord:
    """Leave out what may differ where it makes no difference: points of nothing earned."""
    earned = {each.category for each in record.achievement.subsections if each.earned}
    subsections = tuple(
        each if each.category in earned else replace(each, possible=Decimal(1))
        for each in record.achievement.subsections
    )
    return replace(record, achievement=replace(record.achievement, subsections=subsections))


@pytest.mark.parametrize(
    "faults",
    [
        Faults(),
        Faults(progress_enabled=False),
        Faults(gradebook_enabled=False),
        Faults(progress_prefix="/api/course_home/v1/"),
    ],
    ids=["all on", "progress off", "gradebook off", "another prefix"],
)
@pytest.mark.parametrize("varying_points", [False, True])
def test_one_learner_has_the_same_numbers_as_in_a_run(faults: Faults, varying_points: bool) -> None:
    population = generate(4, 25, varying_points=varying_points)
    with stand_in(population, faults) as lms, source_of(lms) as source:
        for course in population.courses.values():
            if not faults.gradebook_enabled and any(
                each.hidden_from_progress for each in course.graded
            ):
                continue
            of_run = records(source, course.key, GRADES_ONLY)
            for learner_id, record in of_run.items():
                (alone,) = records(source, course.key, GRADES_ONLY, learner_id).values()
                assert comparable(alone) == comparable(record)


def test_one_learner_is_left_out_where_only_others_know_what_a_hidden_subsection_is_worth() -> None:
    course = a_course()
    hidden = replace(course.subsections[1], hidden_from_progress=True)
    course = replace(course, subsections=(course.subsections[0], hidden, course.subsections[2]))
    population = a_population([course])
    enrol(population, a_learner(1001), ["10", "3", "20"])
    enrol(population, a_learner(1002), ["10", None, "20"])
    with stand_in(population, Faults(gradebook_enabled=False)) as lms, source_of(lms) as source:
        assert points(records(source, COURSE_KEY)["1002"].achievement)[1] == "0/10"
        alone = records(source, COURSE_KEY, BOTH, "1002")["1002"]
        assert hidden.block_key in str(alone.left_out)
        lms.faults = Faults()
        alone = records(source, COURSE_KEY, BOTH, "1002")["1002"]
        assert points(alone.achievement)[1] == "0/10"


def test_one_learner_of_a_lesson_has_the_same_numbers_as_in_a_run() -> None:
    population = a_population()
    enrol(population, a_learner(1001), ["10", "3", "20"], [10, 5, 0])
    enrol(population, a_learner(1002), ["10", None, "20"], [10, 0, 0])
    with stand_in(population) as lms, source_of(lms) as source:
        of_run = records(source, LESSON)
        assert [points(each.achievement) for each in of_run.values()] == [["3/10"], ["0/10"]]
        for learner_id, record in of_run.items():
            assert records(source, LESSON, BOTH, learner_id) == {learner_id: record}


def test_one_learner_of_a_pathway_has_the_same_numbers_as_in_a_run() -> None:
    population = a_population([a_course(), a_course(key=OTHER)], steps=[COURSE_KEY, OTHER])
    for user_id in (1001, 1002):
        enrol(population, a_learner(user_id), ["10", "3", "20"], [10, 5, 0])
        population.enrol(PATHWAY_KEY, user_id)
    enrol(population, a_learner(1001), ["1", "2", "3"], [1, 2, 3], course_key=OTHER)
    enrol(population, a_learner(1003), ["1", "2", "3"], [1, 2, 3])
    with stand_in(population) as lms, source_of(lms) as source:
        of_run = records(source, PATHWAY_KEY)
        assert set(of_run) == {"1001", "1002"}
        for learner_id, record in of_run.items():
            assert records(source, PATHWAY_KEY, BOTH, learner_id) == {learner_id: record}
        assert records(source, PATHWAY_KEY, BOTH, "1003") == {}


def test_completion_is_counted_now_for_one_learner() -> None:
    population = a_population()
    enrol(population, a_learner(1001), completed=[10, 10, 10], stored=[5, 5, 5])
    with stand_in(population) as lms, source_of(lms) as source:
        assert str(records(source, COURSE_KEY)["1001"].achievement.completion) == "0.5"
        alone = records(source, COURSE_KEY, BOTH, "1001")["1001"]
        assert str(alone.achievement.completion) == "1"
        assert alone.retrieved_at == NOW


@pytest.mark.parametrize("learner_id", ["9999", "kate", "01001", "-1", "9" * 18, "9" * 40])
def test_a_learner_whom_the_lms_does_not_know_has_no_record(learner_id: str) -> None:
    population = a_population()
    enrol(population, a_learner(1001))
    with stand_in(population) as lms, source_of(lms) as source:
        assert records(source, COURSE_KEY, BOTH, learner_id) == {}


def test_a_learner_who_was_never_enrolled_has_no_record() -> None:
    population = a_population()
    population.tell(a_learner(1001))
    with stand_in(population) as lms, source_of(lms) as source:
        assert records(source, COURSE_KEY, BOTH, "1001") == {}


def test_a_learner_who_left_is_not_enrolled() -> None:
    population = a_population()
    enrol(population, a_learner(1001), ["10", "10", "20"], active=False)
    with stand_in(population) as lms, source_of(lms) as source:
        (record,) = records(source, COURSE_KEY, BOTH, "1001").values()
        assert not record.enrolled


def test_one_learner_whose_grades_cannot_be_computed_is_left_out() -> None:
    population = a_population()
    enrol(population, a_learner(1001))
    faults = Faults(progress_enabled=False, missing_from_gradebook=frozenset({1001}))
    with stand_in(population, faults) as lms, source_of(lms, attempts=1) as source:
        (record,) = records(source, COURSE_KEY, BOTH, "1001").values()
        assert record.left_out == "the LMS gives no grades for this learner"


def test_one_learner_costs_few_requests() -> None:
    population = a_population()
    for user_id in range(1001, 1101):
        enrol(population, a_learner(user_id), ["10", "3", None])
    with stand_in(population) as lms, source_of(lms) as source:
        records(source, COURSE_KEY, BOTH, "1001")
        assert dict(lms.requests.counts) == {
            "token": 1,
            "accounts": 1,
            "enrollment": 1,
            "completion_of_one": 1,
            "grading_info": 1,
            "progress": 1,
        }


def test_who_is_not_staff_cannot_ask_about_one_learner() -> None:
    with stand_in(faults=Faults(is_staff=False)) as lms, source_of(lms) as source:
        course = next(iter(lms.population.courses))
        with pytest.raises(NotPermitted, match="make it global staff"):
            records(source, course, BOTH, "1001")
