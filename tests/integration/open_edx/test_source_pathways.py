"""Pathways of a stand-in LMS, and what is read once for several who need it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from testamur.adapters.open_edx.errors import FeatureMissing, LmsError, UnknownContext
from testamur.application.ports.retrieval import Needs
from tests.support.expected_verdicts import expected_of_pathway
from tests.support.open_edx import (
    COURSE_KEY,
    PATHWAY_KEY,
    Faults,
    Outage,
    Pathway,
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
    key,
    pathway_verdicts,
    points,
    records,
    source_of,
)

OTHER = "course-v1:Example+Rowing+2026"
OTHER_PATHWAY = "path-v1:Example+Lakes+2026+all"
GRADES = {"required_grades": {"Homework": "0.5"}}
COMPLETION = {"required_completion": "0.5"}


def two_pathways() -> Population:
    """Return a population of three learners in two pathways that share a course."""
    population = Population(
        0,
        None,
        [a_course(), a_course(key=OTHER)],
        [
            Pathway(PATHWAY_KEY, "The Seven Seas", (COURSE_KEY, OTHER), 1),
            Pathway(OTHER_PATHWAY, "All Lakes", (OTHER,), 2),
        ],
    )
    for user_id in (1001, 1002, 1003):
        for course_key in (COURSE_KEY, OTHER):
            enrol(population, a_learner(user_id), ["1", "2", "3"], course_key=course_key)
        population.enrol(PATHWAY_KEY, user_id)
        population.enrol(OTHER_PATHWAY, user_id)
    return population


def ticking(start: datetime = NOW) -> Callable[[], datetime]:
    """Return a clock that goes on by a second whenever it is read."""
    seconds = iter(range(10_000))
    return lambda: start + timedelta(seconds=next(seconds))


@pytest.mark.parametrize("concurrency", [1, 2, 4])
def test_verdicts_of_pathways_are_those_worked_out_from_the_truth(concurrency: int) -> None:
    population = generate(6, 150)
    first = next(iter(population.courses))
    with stand_in(population) as lms, source_of(lms, concurrency=concurrency) as source:
        for pathway in population.pathways:
            found = pathway_verdicts(source, pathway, GRADES, {first: COMPLETION})
            expected = expected_of_pathway(population, pathway, GRADES, {first: COMPLETION})
            assert found == expected
            assert any(expected.values())


def test_steps_are_those_courses_that_a_learner_is_enrolled_in() -> None:
    population = two_pathways()
    population.enrol(OTHER, 1002, active=False)
    with stand_in(population) as lms, source_of(lms) as source:
        found = records(source, PATHWAY_KEY)
        assert {each: set(record.steps) for each, record in found.items()} == {
            "1001": {COURSE_KEY, OTHER},
            "1002": {COURSE_KEY},
            "1003": {COURSE_KEY, OTHER},
        }


def test_who_is_left_out_in_a_step_is_left_out_of_the_pathway() -> None:
    faults = Faults(missing_from_gradebook=frozenset({1002}))
    with stand_in(two_pathways(), faults) as lms, source_of(lms, attempts=1) as source:
        found = records(source, PATHWAY_KEY)
        assert {each for each, record in found.items() if record.left_out} == {"1002"}
        assert OTHER in str(found["1002"].left_out)


def test_a_course_that_two_pathways_share_is_read_once() -> None:
    with stand_in(two_pathways()) as lms, source_of(lms) as source:
        needs = Needs(not_before=NOW)
        records(source, PATHWAY_KEY, needs)
        assert (lms.requests["gradebook"], lms.requests["completion"]) == (2, 2)
        records(source, OTHER_PATHWAY, needs)
        records(source, OTHER, needs)
        assert (lms.requests["gradebook"], lms.requests["completion"]) == (2, 2)


def test_what_was_read_too_early_is_read_again() -> None:
    with stand_in(two_pathways()) as lms, source_of(lms) as source:
        records(source, COURSE_KEY, Needs(not_before=NOW))
        records(source, COURSE_KEY, Needs(not_before=NOW + timedelta(seconds=1)))
        assert lms.requests["gradebook"] == 2


def test_without_a_moment_everything_is_read_anew() -> None:
    with stand_in(two_pathways()) as lms, source_of(lms) as source:
        records(source, COURSE_KEY, BOTH)
        records(source, COURSE_KEY, BOTH)
        assert lms.requests["gradebook"] == 2


def test_what_is_missing_in_what_was_read_is_read_in_addition() -> None:
    with stand_in(two_pathways()) as lms, source_of(lms) as source:
        records(source, COURSE_KEY, Needs(completion=False, not_before=NOW))
        assert (lms.requests["gradebook"], lms.requests["completion"]) == (1, 1)
        found = records(source, COURSE_KEY, Needs(grades=False, not_before=NOW))
        assert (lms.requests["gradebook"], lms.requests["completion"]) == (1, 2)
        assert len(found) == 3
        both = records(source, COURSE_KEY, Needs(not_before=NOW))
        lesson = "block-v1:Example+Sailing+2026+type@sequential+block@s1"
        of_lesson = records(source, lesson, Needs(not_before=NOW))
        assert (lms.requests["gradebook"], lms.requests["completion"]) == (1, 3)
        assert set(both) == set(of_lesson) == {"1001", "1002", "1003"}
        # Their user ids were known from the gradebook.
        assert lms.requests["accounts"] == 0


def test_records_say_when_the_oldest_part_of_them_was_read() -> None:
    with stand_in(two_pathways()) as lms, source_of(lms, now=ticking()) as source:
        first = records(source, OTHER, Needs(not_before=NOW))["1001"].retrieved_at
        again = records(source, OTHER, Needs(not_before=NOW))["1001"].retrieved_at
        of_pathway = records(source, PATHWAY_KEY, Needs(not_before=NOW))["1001"].retrieved_at
        anew = records(source, OTHER, BOTH)["1001"].retrieved_at
        assert first == again == of_pathway
        assert first is not None
        assert anew is not None
        assert anew > first


def test_several_threads_that_need_a_course_read_it_once() -> None:
    with (
        stand_in(two_pathways()) as lms,
        source_of(lms) as source,
        ThreadPoolExecutor(6) as threads,
    ):
        found = list(
            threads.map(
                lambda context: records(source, context, Needs(not_before=NOW)),
                [PATHWAY_KEY, OTHER_PATHWAY, COURSE_KEY, OTHER, PATHWAY_KEY, COURSE_KEY],
            )
        )
        assert {len(each) for each in found} == {3}
        assert (lms.requests["gradebook"], lms.requests["completion"]) == (2, 2)


def test_only_what_the_criteria_need_is_read() -> None:
    with stand_in(two_pathways()) as lms, source_of(lms) as source:
        records(source, PATHWAY_KEY, COMPLETION_ONLY)
        assert (lms.requests["gradebook"], lms.requests["completion"]) == (0, 2)
        assert lms.requests["accounts"] == 2


def test_a_read_that_failed_is_begun_again_next_time() -> None:
    outage = Outage("/completion-aggregator/", status=503)
    with (
        stand_in(two_pathways(), Faults(outages=(outage,))) as lms,
        source_of(lms, attempts=1) as source,
    ):
        with pytest.raises(LmsError):
            records(source, PATHWAY_KEY, Needs(not_before=NOW))
        lms.faults = Faults()
        assert len(records(source, PATHWAY_KEY, Needs(not_before=NOW))) == 3


def test_pages_already_begun_can_be_finished_when_the_course_is_read_anew() -> None:
    with stand_in(two_pathways()) as lms, source_of(lms) as source:
        pages = source.records(key(COURSE_KEY), BOTH)
        (first,) = next(pages)[:1]
        records(source, COURSE_KEY, BOTH)
        assert first.learner_id == "1001"
        assert list(pages) == []


def test_many_courses_can_be_read_one_after_another() -> None:
    courses = [a_course(key=f"course-v1:Example+C{number}+2026") for number in range(12)]
    population = a_population(courses, steps=[course.key for course in courses])
    for course in courses:
        enrol(population, a_learner(1001), course_key=course.key)
    population.enrol(PATHWAY_KEY, 1001)
    with stand_in(population) as lms, source_of(lms) as source:
        found = records(source, PATHWAY_KEY, Needs(not_before=NOW))
        assert list(found["1001"].steps) == [course.key for course in courses]
        assert [each.key for each in source.facts(key(PATHWAY_KEY)).steps] == [
            course.key for course in courses
        ]


def test_without_the_plugin_there_are_no_pathways() -> None:
    faults = Faults(learning_paths_installed=False)
    with stand_in(two_pathways(), faults) as lms, source_of(lms) as source:
        for ask in (
            lambda: records(source, PATHWAY_KEY),
            lambda: source.facts(key(PATHWAY_KEY)),
            lambda: records(source, PATHWAY_KEY, GRADES_ONLY, "1001"),
        ):
            with pytest.raises(FeatureMissing, match="learning-paths-plugin"):
                ask()


@pytest.mark.parametrize("unknown", ["path-v1:No+Such+Path+x", "path-v1:No+Such1.5+Path+x"])
def test_an_unknown_pathway_is_refused_by_its_key(unknown: str) -> None:
    with stand_in(two_pathways()) as lms, source_of(lms) as source:
        with pytest.raises(UnknownContext) as refused:
            records(source, unknown)
        assert refused.value.key == unknown


def test_a_pathway_without_steps_is_refused() -> None:
    population = Population(0, None, [], [Pathway(PATHWAY_KEY, "Nothing", (), 1)])
    with (
        stand_in(population) as lms,
        source_of(lms) as source,
        pytest.raises(UnknownContext, match="no steps"),
    ):
        source.facts(key(PATHWAY_KEY))


def test_a_closed_source_says_so() -> None:
    with stand_in(two_pathways()) as lms, source_of(lms) as source:
        pages = source.records(key(COURSE_KEY), BOTH)
        next(pages)
        source.close()
        assert list(pages) == []
        with pytest.raises(LmsError, match="closed"):
            records(source, COURSE_KEY)


def test_who_enrolled_or_left_between_the_lists_is_asked_about_one_by_one() -> None:
    population = two_pathways()
    with stand_in(population) as lms, source_of(lms) as source:
        records(source, COURSE_KEY, Needs(completion=False, not_before=NOW))
        population.enrol(COURSE_KEY, 1002, active=False)
        enrol(population, a_learner(1004), ["4", "4", "4"], [1, 0, 0])
        found = records(source, COURSE_KEY, Needs(not_before=NOW))
        assert set(found) == {"1001", "1003", "1004"}
        assert points(found["1004"].achievement) == ["4/10", "4/10", "4/20"]
        assert (lms.requests["gradebook_of_one"], lms.requests["completion_of_one"]) == (1, 1)
