"""Verdicts over real sockets, with faults, equal those worked out from the LMS's own data."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import pytest

from examples.stand_in_lms.faults import Change, Faults
from examples.stand_in_lms.population import FIRST_USER_ID, Population, generate
from examples.stand_in_lms.server import StandInLms
from testamur.adapters.open_edx import retries
from testamur.adapters.open_edx.source import OpenEdxSource
from testamur.application.needs import needs_of
from testamur.application.options import parse_criteria
from testamur.application.ports.retrieval import EVERYTHING, Needs
from testamur.domain.contexts import parse_context_key
from testamur.domain.eligibility import Inquiry, judge
from testamur.domain.identifiers import LearnerId
from tests.support.expected_verdicts import (
    expected_of_course,
    expected_of_lesson,
    expected_of_pathway,
)
from tests.support.open_edx_source import NOW, source_of

LEARNERS: Final = 12_000
SEED: Final = 20_261

COMPLETION: Final = {"required_completion": "0.9"}
GRADES: Final = {"required_grades": {"homework": "0.55", "Lab": "0.2"}}
TOTAL: Final = {"required_grades": {"Total": "0.45"}}
BOTH: Final = {"required_completion": "0.6", "required_grades": {"Homework": "0.5", "Total": "0.4"}}

#: Everything that may go wrong and pass, each often enough to be met several times.
TROUBLE: Final = Faults(
    seed=SEED,
    most_in_a_row=2,
    rate_429=0.03,
    retry_after="none",
    rate_503=0.03,
    rate_cut=0.03,
    rate_html_200=0.03,
    rate_dropped_connection=0.03,
    token_life_seconds=1.5,
    wrong_origin_links=True,
    page_size_cap={"gradebook": 700, "completion": 900},
)


@pytest.fixture(scope="module", autouse=True)
def short_waits() -> Iterator[None]:
    """Wait less before a request is sent again: here it happens hundreds of times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retries, "FIRST_WAIT", 0.02)
        yield


@pytest.fixture(scope="module")
def population() -> Population:
    return generate(SEED, LEARNERS)


@pytest.fixture(scope="module")
def lms(population: Population) -> Iterator[StandInLms]:
    with StandInLms(population, TROUBLE) as served:
        yield served


@pytest.fixture(scope="module")
def source(lms: StandInLms) -> Iterator[OpenEdxSource]:
    """Give a source that reads a course once, and gives it again to every test."""
    with asking(lms) as asked:
        yield asked


@contextmanager
def asking(lms: StandInLms, page_size: int = 1_000) -> Iterator[OpenEdxSource]:
    with source_of(lms, page_size=page_size, requests_per_minute=100_000) as asked:
        yield asked


def verdicts(
    source: OpenEdxSource,
    context_key: str,
    kind: str,
    options: Mapping[str, Any],
    *,
    anew: bool = False,
) -> dict[str, bool]:
    """Judge everybody in a context; those who are left out fail the test.

    Unless ``anew``, the source may give what it read before; it then reads grades and completion,
    whatever the criteria look at.
    """
    context = parse_context_key(context_key)
    criteria = parse_criteria(kind, options, context)
    needs = needs_of(criteria) if anew else Needs(not_before=NOW)
    inquiry = Inquiry(criteria, source.facts(context, needs), source.name, NOW)
    found: dict[str, bool] = {}
    for page in source.records(context, needs):
        for record in page:
            assert record.left_out is None
            assert record.learner_id not in found
            if record.enrolled:
                found[record.learner_id] = judge(record, inquiry).eligible
    return found


def assert_equal(found: Mapping[str, bool], expected: Mapping[str, bool]) -> None:
    """Compare tens of thousands of verdicts, and show a few that differ."""
    assert {id_ for id_, eligible in expected.items() if eligible}
    assert {id_ for id_, eligible in expected.items() if not eligible}
    differing = {
        id_: (found.get(id_), expected.get(id_))
        for id_ in found.keys() | expected.keys()
        if found.get(id_) != expected.get(id_)
    }
    assert not dict(list(differing.items())[:5]), f"{len(differing)} differ (found, expected)"


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("completion", COMPLETION),
        ("grades", GRADES),
        ("grades", TOTAL),
        ("completion-and-grades", BOTH),
    ],
    ids=["completion", "grades", "total", "completion-and-grades"],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_verdicts_of_a_course_equal_those_of_the_raw_data(
    population: Population,
    source: OpenEdxSource,
    place: int,
    kind: str,
    options: Mapping[str, Any],
) -> None:
    course = list(population.courses)[place]
    found = verdicts(source, course, kind, options)
    assert_equal(found, expected_of_course(population, course, options))


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("completion", {"required_completion": "1"}),
        ("grades", {"required_grades": {"Total": "0.55"}}),
        ("completion-and-grades", {**COMPLETION, "required_grades": {"homework": "0.7"}}),
    ],
    ids=["completion", "grades", "completion-and-grades"],
)
def test_verdicts_of_a_lesson_equal_those_of_the_raw_data(
    population: Population, source: OpenEdxSource, kind: str, options: Mapping[str, Any]
) -> None:
    course = next(iter(population.courses.values()))
    lesson = course.graded[0].block_key
    found = verdicts(source, lesson, kind, options)
    assert_equal(found, expected_of_lesson(population, course.key, lesson, options))


@pytest.mark.parametrize(("kind", "options"), [("completion", COMPLETION), ("grades", TOTAL)])
def test_what_is_read_for_one_kind_of_criteria_alone_gives_the_same_verdicts(
    population: Population, lms: StandInLms, kind: str, options: Mapping[str, Any]
) -> None:
    course = next(iter(population.courses))
    with asking(lms) as source:
        found = verdicts(source, course, kind, options, anew=True)
    assert_equal(found, expected_of_course(population, course, options))


def test_points_that_differ_between_learners_are_those_of_each_learner() -> None:
    population = generate(SEED, 1_500, varying_points=True)
    course = next(iter(population.courses))
    with StandInLms(population) as lms, asking(lms) as source:
        found = verdicts(source, course, "grades", GRADES, anew=True)
        assert lms.requests["progress"] > 0
    assert_equal(found, expected_of_course(population, course, GRADES))


def test_verdicts_of_a_pathway_equal_those_of_the_raw_data(
    population: Population, source: OpenEdxSource
) -> None:
    pathway = next(iter(population.pathways.values()))
    every_step = {"required_completion": "0.6", "required_grades": {"Homework": "0.3"}}
    steps = {pathway.steps[1]: {"required_completion": "0.3", "required_grades": {"Total": "0.2"}}}
    options = {**every_step, "steps": steps}
    found = verdicts(source, pathway.key, "completion-and-grades", options)
    assert_equal(found, expected_of_pathway(population, pathway.key, every_step, steps))


def test_the_trouble_was_met(lms: StandInLms) -> None:
    with asking(lms) as source:
        course = parse_context_key(next(iter(lms.population.courses)))
        assert sum(len(page) for page in source.records(course, EVERYTHING)) > 0
    outcomes = lms.requests.outcomes
    assert {"429", "503", "cut", "html_200", "dropped"} <= {outcome for _, outcome in outcomes}


def test_whoever_is_missing_in_the_gradebook_is_left_out_and_nobody_else(
    population: Population,
) -> None:
    course = next(iter(population.courses))
    missing = frozenset(range(FIRST_USER_ID + 100, FIRST_USER_ID + 160))
    present = {
        LearnerId(str(user_id))
        for user_id in missing
        if population.enrolment(course, user_id) == "active"
    }
    with (
        StandInLms(population, Faults(missing_from_gradebook=missing)) as lms,
        asking(lms) as source,
    ):
        context = parse_context_key(course)
        criteria = parse_criteria("completion-and-grades", BOTH, context)
        needs = needs_of(criteria)
        found = [each for page in source.records(context, needs) for each in page]
        left_out = {each.learner_id for each in found if each.left_out is not None}
        inquiry = Inquiry(criteria, source.facts(context, needs), source.name, NOW)
        judged = {
            str(each.learner_id): judge(each, inquiry).eligible
            for each in found
            if each.left_out is None
        }
    assert left_out == present
    expected = expected_of_course(population, course, BOTH)
    assert_equal(judged, {id_: met for id_, met in expected.items() if id_ not in left_out})


def test_nobody_is_missed_while_others_leave_and_enrol() -> None:
    population = generate(SEED, 5_000)
    course = next(iter(population.courses))
    leaving = [
        user_id
        for user_id in range(FIRST_USER_ID, FIRST_USER_ID + 900)
        if population.enrolment(course, user_id) == "active"
    ][::150]
    changes = tuple(
        Change(course, user_id, active=False, after_pages=number)
        for number, user_id in enumerate(leaving, start=1)
    )
    with (
        StandInLms(population, Faults(shifting_pages=changes)) as lms,
        asking(lms, page_size=200) as source,
    ):
        found = verdicts(source, course, "completion", COMPLETION, anew=True)
    assert_equal(
        {id_: met for id_, met in found.items() if int(id_) not in leaving},
        expected_of_course(population, course, COMPLETION),
    )
