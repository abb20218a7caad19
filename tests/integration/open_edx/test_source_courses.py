"""Runs over courses and lessons of a stand-in LMS: all learners, with all their points."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from testamur.adapters.open_edx.errors import FeatureMissing, LmsError, NotPermitted, UnknownContext
from testamur.adapters.open_edx.source import OpenEdxSource
from testamur.application.ports.retrieval import Needs
from testamur.domain.contexts import OpaqueKey
from tests.support.expected_verdicts import expected_of_course, expected_of_lesson
from tests.support.open_edx import (
    COURSE_KEY,
    Change,
    Faults,
    Outage,
    StandInLms,
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
    key,
    points,
    records,
    source_of,
    verdicts,
)

GRADES = {"required_grades": {"Homework": "0.55", "Total": "0.5"}}
COMPLETION = {"required_completion": "0.9"}


@pytest.fixture(scope="module")
def generated() -> Iterator[tuple[StandInLms, OpenEdxSource]]:
    with stand_in(generate(5, 250)) as lms, source_of(lms, page_size=50) as source:
        yield lms, source


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("options", [GRADES, COMPLETION, GRADES | COMPLETION])
def test_verdicts_are_those_worked_out_from_the_truth(
    generated: tuple[StandInLms, OpenEdxSource], number: int, options: dict[str, object]
) -> None:
    lms, source = generated
    course = list(lms.population.courses)[number]
    assert verdicts(source, course, options) == expected_of_course(lms.population, course, options)


@pytest.mark.parametrize("options", [{"required_grades": {"Total": "0.55"}}, COMPLETION])
def test_verdicts_of_a_lesson_are_those_worked_out_from_the_truth(
    generated: tuple[StandInLms, OpenEdxSource], options: dict[str, object]
) -> None:
    lms, source = generated
    course = list(lms.population.courses.values())[1]
    lesson = course.graded[0].block_key
    assert verdicts(source, lesson, options) == expected_of_lesson(
        lms.population, course.key, lesson, options
    )


def test_a_lesson_that_is_not_graded_has_completion_and_no_points(
    generated: tuple[StandInLms, OpenEdxSource],
) -> None:
    lms, source = generated
    course = next(iter(lms.population.courses.values()))
    lesson = course.subsections[0].block_key
    assert verdicts(source, lesson, COMPLETION) == expected_of_lesson(
        lms.population, course.key, lesson, COMPLETION
    )
    assert {points(each.achievement) == [] for each in records(source, lesson).values()} == {True}


def test_points_that_differ_by_learner_are_asked_for_where_they_matter() -> None:
    population = generate(7, 120, varying_points=True)
    course = next(iter(population.courses))
    with stand_in(population) as lms, source_of(lms) as source:
        assert verdicts(source, course, GRADES) == expected_of_course(population, course, GRADES)
        assert 0 < lms.requests["progress"] < 40


def test_work_not_attempted_counts_nothing_of_all_its_points() -> None:
    population = a_population()
    enrol(population, a_learner(1001), ["10", "5", "20"])
    enrol(population, a_learner(1002), ["10", None, None])
    with stand_in(population) as lms, source_of(lms) as source:
        found = records(source, COURSE_KEY, GRADES_ONLY)
        assert points(found["1002"].achievement) == ["10/10", "0/10", "0/20"]
        assert lms.requests["progress"] == 0


def test_what_nobody_attempted_is_asked_of_three_learners_at_most() -> None:
    population = a_population()
    for user_id in range(1001, 1031):
        enrol(population, a_learner(user_id), ["10", None, "20"])
    with stand_in(population) as lms, source_of(lms) as source:
        found = records(source, COURSE_KEY, GRADES_ONLY)
        assert {tuple(points(each.achievement)) for each in found.values()} == {
            ("10/10", "0/10", "20/20")
        }
        assert lms.requests["progress"] == 3


def test_what_is_worth_more_to_some_is_asked_of_those_to_whom_it_matters() -> None:
    population = a_population()
    enrol(population, a_learner(1001), ["10", "1", "20"], possible=["10", "8", "20"])
    enrol(population, a_learner(1002), ["10", "1", "20"], possible=["10", "9", "20"])
    enrol(population, a_learner(1003), ["10", None, "20"], possible=["10", "7", "20"])
    enrol(population, a_learner(1004), [None, None, "20"], possible=["10", "6", "20"])
    with stand_in(population) as lms, source_of(lms) as source:
        found = records(source, COURSE_KEY, GRADES_ONLY)
        assert points(found["1003"].achievement) == ["10/10", "0/7", "20/20"]
        assert found["1004"].achievement.subsections[1].earned == 0
        assert lms.requests["progress"] == 1


def test_without_progress_a_learner_whose_points_cannot_be_told_is_left_out() -> None:
    population = a_population()
    enrol(population, a_learner(1001), ["10", None, "20"])
    enrol(population, a_learner(1002), ["0", None, "20"])
    with stand_in(population, Faults(progress_enabled=False)) as lms, source_of(lms) as source:
        found = records(source, COURSE_KEY, GRADES_ONLY)
        assert "the points of block-v1:Example+Sailing+2026+type@sequential+block@s2" in str(
            found["1001"].left_out
        )
        assert points(found["1002"].achievement) == ["0/10", "20/20"]


def test_work_that_nobody_attempted_or_sees_does_not_count() -> None:
    course = a_course()
    unreleased = replace(course.subsections[1], hidden_from_progress=True)
    course = replace(course, subsections=(course.subsections[0], unreleased, course.subsections[2]))
    population = a_population([course])
    for user_id in range(1001, 1051):
        enrol(population, a_learner(user_id), ["10", None, "20"])
    enrol(population, a_learner(1051), ["0", None, "20"])
    with stand_in(population) as lms, source_of(lms) as source:
        found = records(source, COURSE_KEY, GRADES_ONLY)
        assert points(found["1001"].achievement) == ["10/10", "0/0", "20/20"]
        assert points(found["1051"].achievement) == ["0/10", "0/0", "20/20"]
        assert lms.requests["progress"] == 3
        for learner_id in ("1001", "1051"):
            alone = records(source, COURSE_KEY, GRADES_ONLY, learner_id)[learner_id]
            assert alone.achievement == found[learner_id].achievement
        lms.faults = Faults(gradebook_enabled=False)
        assert records(source, COURSE_KEY, GRADES_ONLY) == found


def test_progress_is_found_at_the_address_of_other_releases() -> None:
    population = a_population()
    for user_id in range(1001, 1011):
        enrol(population, a_learner(user_id), ["10", None, "20"])
    faults = Faults(progress_prefix="/api/course_home/v1/")
    with stand_in(population, faults) as lms, source_of(lms, concurrency=1) as source:
        found = records(source, COURSE_KEY, GRADES_ONLY)
        assert points(found["1001"].achievement) == ["10/10", "0/10", "20/20"]
        assert (lms.requests["progress"], lms.requests["unknown"]) == (3, 1)


def test_completion_keeps_every_digit_and_is_nothing_where_nothing_is_stored() -> None:
    population = a_population([a_course(units=[1, 1, 1])])
    enrol(population, a_learner(1001), completed=[1, 0, 0])
    enrol(population, a_learner(1002), completed=[1, 1, 1], aggregated=False)
    with stand_in(population) as lms, source_of(lms) as source:
        found = records(source, COURSE_KEY, COMPLETION_ONLY)
        assert found["1001"].achievement.completion == Decimal(repr(1 / 3))
        assert found["1002"].achievement.completion == 0


def test_who_left_is_not_among_the_learners() -> None:
    population = a_population()
    enrol(population, a_learner(1001))
    enrol(population, a_learner(1002), active=False)
    with stand_in(population) as lms, source_of(lms) as source:
        for needs in (BOTH, GRADES_ONLY, COMPLETION_ONLY):
            assert list(records(source, COURSE_KEY, needs)) == ["1001"]


def test_odd_usernames_find_their_owners() -> None:
    population = a_population()
    usernames = ["kate+1", "a b@example.org", "Łucja", "100@%".replace("%", "."), "-_-", "王小明"]
    for place, username in enumerate(usernames):
        enrol(population, a_learner(1001 + place, username=username), completed=[place, 0, 0])
    with stand_in(population) as lms, source_of(lms) as source:
        found = records(source, COURSE_KEY, COMPLETION_ONLY)
        assert [each.achievement.completion for each in found.values()] == [
            Decimal(repr(place / 30)) for place in range(len(usernames))
        ]


def test_a_proxy_that_takes_only_short_addresses_is_given_shorter_ones() -> None:
    population = a_population()
    for user_id in range(1001, 1201):
        enrol(population, a_learner(user_id))
    faults = Faults(longest_request_line=400)
    with stand_in(population, faults) as lms, source_of(lms) as source:
        assert len(records(source, COURSE_KEY, COMPLETION_ONLY)) == 200


@pytest.mark.parametrize("number", range(1, 5))
def test_nobody_is_skipped_when_learners_leave_while_the_list_is_read(number: int) -> None:
    population = generate(2, 80)
    course = next(iter(population.courses))
    active = [int(each) for each in expected_of_course(population, course, COMPLETION)]
    changes = tuple(Change(course, user_id, False, number) for user_id in active[: number * 2])
    with (
        stand_in(population, Faults(shifting_pages=changes)) as lms,
        source_of(lms, page_size=10) as source,
    ):
        found = set(records(source, course, COMPLETION_ONLY))
        assert found == set(expected_of_course(population, course, COMPLETION))


def test_nobody_is_skipped_on_a_list_that_never_holds_still() -> None:
    population = generate(2, 80)
    course = next(iter(population.courses))
    active = [int(each) for each in expected_of_course(population, course, COMPLETION)]
    changes = tuple(
        Change(course, user_id, False, 2 + place * 5) for place, user_id in enumerate(active[:8])
    )
    with (
        stand_in(population, Faults(shifting_pages=changes)) as lms,
        source_of(lms, page_size=10, concurrency=1) as source,
    ):
        found = set(records(source, course, COMPLETION_ONLY))
        assert found >= set(expected_of_course(population, course, COMPLETION))


def test_a_page_that_cannot_be_had_fails_the_whole_before_the_first_learner() -> None:
    population = generate(2, 60)
    course = next(iter(population.courses))
    outage = Outage("/api/grades/v1/gradebook/", after=3)
    with (
        stand_in(population, Faults(outages=(outage,))) as lms,
        source_of(lms, page_size=10, attempts=1) as source,
    ):
        pages = source.records(key(course), BOTH)
        with pytest.raises(LmsError, match="gradebook of course-v1"):
            next(pages)


def test_an_old_release_that_caps_its_pages_is_read_to_the_end() -> None:
    population = generate(2, 120)
    course = next(iter(population.courses))
    faults = Faults(
        generation="old",
        wrong_origin_links=True,
        page_size_cap={"completion": 7, "gradebook": 9},
    )
    with stand_in(population, faults) as lms, source_of(lms) as source:
        expected = expected_of_course(population, course, GRADES | COMPLETION)
        assert verdicts(source, course, GRADES | COMPLETION) == expected


def test_without_the_completion_plugin_only_grades_can_be_checked() -> None:
    population = generate(2, 40)
    course = next(iter(population.courses))
    with (
        stand_in(population, Faults(completion_installed=False)) as lms,
        source_of(lms) as source,
    ):
        assert verdicts(source, course, GRADES) == expected_of_course(population, course, GRADES)
        for needs in (BOTH, COMPLETION_ONLY):
            with pytest.raises(FeatureMissing, match="openedx-completion-aggregator"):
                records(source, course, needs)


@pytest.mark.parametrize("needs", [BOTH, GRADES_ONLY, COMPLETION_ONLY])
def test_who_is_not_staff_is_told_to_become_it(needs: Needs) -> None:
    with stand_in(faults=Faults(is_staff=False)) as lms, source_of(lms) as source:
        course = next(iter(lms.population.courses))
        with pytest.raises(NotPermitted, match="make it global staff"):
            records(source, course, needs)


@pytest.mark.parametrize("needs", [BOTH, GRADES_ONLY, COMPLETION_ONLY])
def test_an_unknown_course_is_refused_by_its_key(needs: Needs) -> None:
    with (
        stand_in() as lms,
        source_of(lms) as source,
        pytest.raises(UnknownContext, match=r"course-v1:No\+Such\+Course"),
    ):
        records(source, "course-v1:No+Such+Course", needs)


def test_a_course_without_learners_has_none() -> None:
    with stand_in(a_population()) as lms, source_of(lms) as source:
        for needs in (BOTH, GRADES_ONLY, COMPLETION_ONLY):
            assert records(source, COURSE_KEY, needs) == {}


def test_contexts_of_other_systems_are_refused() -> None:
    with stand_in(a_population()) as lms, source_of(lms) as source:
        other = OpaqueKey("course", "moodle-course:42")
        with pytest.raises(UnknownContext, match="course-v1:ORG"):
            list(source.records(other, BOTH))
        with pytest.raises(UnknownContext, match="course-v1:ORG"):
            source.facts(other)
