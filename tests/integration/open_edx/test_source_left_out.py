"""Learners about whom the LMS does not answer, and courses whose gradebook is off."""

from dataclasses import replace

import pytest

from testamur.adapters.open_edx import fetching
from testamur.adapters.open_edx.errors import FeatureMissing, LmsUnavailable
from testamur.application.ports.retrieval import Needs
from tests.support.expected_verdicts import expected_of_course
from tests.support.open_edx import (
    COURSE_KEY,
    Course,
    Faults,
    Outage,
    Population,
    a_course,
    a_learner,
    a_population,
    enrol,
    generate,
    stand_in,
)
from tests.support.open_edx_source import (
    BOTH,
    COMPLETION_ONLY,
    GRADES_ONLY,
    NOW,
    points,
    records,
    source_of,
    verdicts,
)

GRADES = {"required_grades": {"Homework": "0.55", "Total": "0.5"}}
BOTH_OPTIONS = {"required_completion": "0.9", **GRADES}
NO_GRADES = "the LMS gives no grades for this learner"


def five(course: Course | None = None) -> Population:
    """Return a population of five learners, each with as many points as their place."""
    population = a_population([course or a_course()])
    for place in range(1, 6):
        enrol(population, a_learner(1000 + place), [str(place), str(place), str(place)])
    return population


@pytest.mark.parametrize("needs", [BOTH, GRADES_ONLY])
def test_a_learner_whose_grades_cannot_be_computed_is_left_out_and_nobody_else(
    needs: Needs,
) -> None:
    faults = Faults(missing_from_gradebook=frozenset({1002, 1004}))
    with stand_in(five(), faults) as lms, source_of(lms, attempts=1) as source:
        found = records(source, COURSE_KEY, needs)
        assert {each for each, record in found.items() if record.left_out} == {"1002", "1004"}
        assert found["1002"].left_out == NO_GRADES
        assert len(found) == 5


@pytest.mark.parametrize("needs", [BOTH, GRADES_ONLY])
def test_a_learner_missing_in_the_list_whom_the_gradebook_answers_for_is_judged(
    needs: Needs,
) -> None:
    faults = Faults(missing_from_gradebook=frozenset({1002}), missing_single="answers")
    with stand_in(five(), faults) as lms, source_of(lms) as source:
        found = records(source, COURSE_KEY, needs)
        assert points(found["1002"].achievement) == ["2/10", "2/10", "2/20"]


def test_without_the_completion_plugin_who_is_missing_is_found_among_the_enrolments() -> None:
    faults = Faults(missing_from_gradebook=frozenset({1002}), completion_installed=False)
    population = five()
    enrol(population, a_learner(1009), active=False)
    with stand_in(population, faults) as lms, source_of(lms, attempts=1) as source:
        found = records(source, COURSE_KEY, GRADES_ONLY)
        assert {each: record.left_out for each, record in found.items() if record.left_out} == {
            "1002": NO_GRADES
        }
        assert "1009" not in found


def test_grades_do_not_matter_where_completion_alone_is_needed() -> None:
    faults = Faults(missing_from_gradebook=frozenset({1002}))
    with stand_in(five(), faults) as lms, source_of(lms) as source:
        assert {
            each.left_out for each in records(source, COURSE_KEY, COMPLETION_ONLY).values()
        } == {None}


def test_when_nobody_is_missing_one_request_says_so() -> None:
    with stand_in(five()) as lms, source_of(lms) as source:
        records(source, COURSE_KEY, GRADES_ONLY)
        assert dict(lms.requests.counts) == {"token": 1, "gradebook": 1, "completion": 1}


def test_nobody_is_left_out_because_the_lms_is_down() -> None:
    faults = Faults(
        missing_from_gradebook=frozenset({1002}),
        outages=(Outage("/api/grades/v1/gradebook/", after=1),),
    )
    with (
        stand_in(five(), faults) as lms,
        source_of(lms, attempts=1) as source,
        pytest.raises(LmsUnavailable),
    ):
        records(source, COURSE_KEY, BOTH)


def test_who_left_while_the_lists_were_read_is_dropped() -> None:
    population = five()
    enrol(population, a_learner(1006), active=False)
    with stand_in(population) as lms, source_of(lms) as source:
        assert len(records(source, COURSE_KEY, BOTH)) == 5


@pytest.mark.parametrize("completion_installed", [True, False])
def test_where_the_gradebook_is_off_grades_come_learner_by_learner(
    completion_installed: bool,
) -> None:
    population = generate(11, 60)
    faults = Faults(gradebook_enabled=False, completion_installed=completion_installed)
    with stand_in(population, faults) as lms, source_of(lms) as source:
        for course in population.courses:
            expected = expected_of_course(population, course, GRADES)
            found = verdicts(source, course, GRADES)
            assert found == expected
            if completion_installed:
                expected = expected_of_course(population, course, BOTH_OPTIONS)
                assert verdicts(source, course, BOTH_OPTIONS) == expected


def test_where_the_gradebook_is_off_a_hidden_subsection_is_asked_for_by_itself() -> None:
    population = generate(11, 60)
    course = list(population.courses.values())[1]
    assert any(each.hidden_from_progress for each in course.graded)
    with (
        stand_in(population, Faults(gradebook_enabled=False)) as lms,
        source_of(lms) as source,
    ):
        found = records(source, course.key, GRADES_ONLY)
        for learner_id, record in found.items():
            work = population.work(course.key, int(learner_id))
            assert [(each.earned, each.possible) for each in record.achievement.subsections] == [
                (earned or 0, possible)
                for earned, possible in zip(work.earned, work.possible, strict=True)
            ]


def test_where_grades_are_told_in_no_way_the_flag_is_named() -> None:
    faults = Faults(gradebook_enabled=False, progress_enabled=False)
    with stand_in(five(), faults) as lms, source_of(lms) as source:
        for needs in (BOTH, GRADES_ONLY):
            with pytest.raises(FeatureMissing, match=r"grades\.writable_gradebook") as off:
                records(source, COURSE_KEY, needs)
            assert "Completion can be checked" in str(off.value)
        assert len(records(source, COURSE_KEY, COMPLETION_ONLY)) == 5


def test_where_grades_are_told_in_no_way_a_single_learner_changes_nothing() -> None:
    population = a_population()
    enrol(population, a_learner(1001))
    faults = Faults(gradebook_enabled=False, progress_enabled=False)
    with stand_in(population, faults) as lms, source_of(lms) as source:
        with pytest.raises(FeatureMissing):
            records(source, COURSE_KEY, GRADES_ONLY)
        with pytest.raises(FeatureMissing):
            records(source, COURSE_KEY, GRADES_ONLY, "1001")


def test_where_the_gradebook_is_off_what_was_read_can_be_added_to() -> None:
    population = five()
    with (
        stand_in(population, Faults(gradebook_enabled=False)) as lms,
        source_of(lms) as source,
    ):
        needs = Needs(completion=False, not_before=NOW)
        assert len(records(source, COURSE_KEY, needs)) == 5
        asked = lms.requests["progress"]
        both = replace(needs, completion=True)
        assert len(records(source, COURSE_KEY, both)) == 5
        assert lms.requests["progress"] == asked
        enrol(population, a_learner(1006), ["6", "6", "6"])
        lesson = population.courses[COURSE_KEY].graded[0].block_key
        assert points(records(source, lesson, both)["1006"].achievement) == ["6/10"]


def test_where_the_gradebook_is_off_an_empty_course_has_no_learners() -> None:
    with (
        stand_in(a_population(), Faults(gradebook_enabled=False)) as lms,
        source_of(lms) as source,
    ):
        assert records(source, COURSE_KEY, GRADES_ONLY) == {}


def test_the_gradebook_is_asked_for_some_of_the_missing_and_the_others_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fetching, "MOST_SINGLE_TRIES", 2)
    faults = Faults(missing_from_gradebook=frozenset({1001, 1002, 1003}), missing_single="answers")
    with stand_in(five(), faults) as lms, source_of(lms) as source:
        found = records(source, COURSE_KEY, BOTH)
        assert lms.requests["gradebook_of_one"] == 2
        assert {each for each, record in found.items() if record.left_out} == {"1003"}


def test_a_grade_that_staff_set_by_hand_counts_where_it_is_asked_for_alone() -> None:
    course = a_course()
    hidden = replace(course.subsections[1], hidden_from_progress=True)
    course = replace(course, subsections=(course.subsections[0], hidden, course.subsections[2]))
    population = five(course)
    work = population.work(COURSE_KEY, 1003)._replace(overridden=frozenset({1}))
    population.record(COURSE_KEY, 1003, work)
    with (
        stand_in(population, Faults(gradebook_enabled=False)) as lms,
        source_of(lms) as source,
    ):
        assert points(records(source, COURSE_KEY)["1003"].achievement) == ["3/10", "3/10", "3/20"]
