"""Who the learners are and what a context is called, from a stand-in LMS."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from testamur.adapters.open_edx.errors import LmsError, NotPermitted, UnknownContext
from testamur.adapters.open_edx.source import OpenEdxSource
from testamur.application.ports.retrieval import EVERYTHING, ONLY_DATES, Needs
from testamur.domain.identifiers import LearnerId
from testamur.domain.personal_data import Person
from tests.support.lms_connections import options_for
from tests.support.open_edx import (
    COURSE_KEY,
    PATHWAY_KEY,
    Faults,
    Outage,
    a_course,
    a_learner,
    a_population,
    enrol,
    generate,
    stand_in,
)
from tests.support.open_edx_source import NOW, key, records, source_of

LESSON = "block-v1:Example+Sailing+2026+type@sequential+block@s3"


def people(source: OpenEdxSource, *learner_ids: str) -> dict[str, Person]:
    return {str(each): who for each, who in source.people([*map(LearnerId, learner_ids)]).items()}


def test_people_have_name_address_language_and_whether_to_write_to_them() -> None:
    population = a_population()
    population.tell(a_learner(1001, "Łucja Żak", languages=("pl",)))
    population.tell(a_learner(1002, "", languages=("en", "pl"), is_active=False))
    population.tell(replace(a_learner(1003), name=None))
    with stand_in(population) as lms, source_of(lms) as source:
        assert people(source, "1001", "1002", "1003", "1004", "kate") == {
            "1001": Person(full_name="Łucja Żak", email="learner1001@example.org", locale="pl"),
            "1002": Person(full_name="", email="learner1002@example.org", mailable=False),
            "1003": Person(full_name="", email="learner1003@example.org"),
        }


def test_people_of_a_course_that_was_read_are_asked_for_together() -> None:
    population = generate(8, 300)
    course = next(iter(population.courses))
    with stand_in(population) as lms, source_of(lms) as source:
        found = records(source, course)
        lms.requests.clear()
        who = people(source, *found)
        assert set(who) == set(found)
        assert lms.requests["accounts"] < 10
        for learner_id, person in who.items():
            account = population.people.of_id(int(learner_id))
            assert account is not None
            assert person.full_name == (account.name or "")


def test_one_learner_asked_about_before_is_found_by_username() -> None:
    population = a_population()
    enrol(population, a_learner(1001))
    with stand_in(population) as lms, source_of(lms) as source:
        records(source, COURSE_KEY, EVERYTHING, "1001")
        assert people(source, "1001")["1001"].full_name == "Learner 1001"


def test_a_renamed_learner_is_found_and_nobody_gets_the_name_of_another() -> None:
    population = a_population()
    enrol(population, a_learner(1001, "Kate Before", username="kate"))
    with stand_in(population) as lms, source_of(lms) as source:
        records(source, COURSE_KEY)
        population.tell(a_learner(1001, "Kate Before", username="kate_2"))
        population.tell(a_learner(1002, "Somebody Else", username="kate"))
        assert people(source, "1001")["1001"].full_name == "Kate Before"


def test_the_language_chosen_for_the_site_goes_before_that_of_the_profile() -> None:
    population = a_population()
    population.tell(a_learner(1001, languages=("pl",), preferred_language="zh-cn"))
    population.tell(a_learner(1002, languages=("pl",)))
    population.tell(a_learner(1003, username="a b@example.org", preferred_language="pt-br"))
    with stand_in(population) as lms, source_of(lms, language="preference") as source:
        found = people(source, "1001", "1002", "1003")
        assert {each: who.locale for each, who in found.items()} == {
            "1001": "zh-CN",
            "1002": "pl",
            "1003": "pt-BR",
        }


def test_names_that_are_not_served_are_never_taken_for_empty_ones() -> None:
    population = a_population()
    enrol(population, a_learner(1001))
    with stand_in(population) as lms, source_of(lms) as source:
        records(source, COURSE_KEY)
        lms.faults = Faults(is_staff=False)
        with pytest.raises(NotPermitted, match="make it global staff"):
            people(source, "1001")


def test_a_course_has_its_name_its_dates_and_its_weights() -> None:
    course = a_course(
        name="Knots & <Splices>\nfor all", weights={"Homework": "0.25", "Exam": None, "Lab": "0"}
    )
    with stand_in(a_population([course])) as lms, source_of(lms) as source:
        facts = source.facts(key(COURSE_KEY))
        assert facts.name == "Knots & <Splices>\nfor all"
        assert facts.start == datetime(2026, 1, 15, 8, tzinfo=UTC)
        assert facts.end == datetime(2026, 6, 30, 22, tzinfo=UTC)
        assert facts.weights == {"Homework": Decimal("0.25"), "Lab": Decimal(0)}
        assert facts.certificate_name is None


def test_dates_alone_cost_one_request() -> None:
    with stand_in(a_population()) as lms, source_of(lms) as source:
        assert source.facts(key(COURSE_KEY), ONLY_DATES).end is not None
        assert source.facts(key(LESSON), ONLY_DATES).end is not None
        assert dict(lms.requests.counts) == {"token": 1, "enrollment_course": 2}


def test_facts_are_asked_for_once_where_that_will_do() -> None:
    with stand_in(a_population()) as lms, source_of(lms) as source:
        first = source.facts(key(COURSE_KEY), Needs(not_before=NOW))
        assert source.facts(key(COURSE_KEY), Needs(not_before=NOW)) == first
        assert dict(lms.requests.counts) == {"token": 1, "enrollment_course": 1, "policy": 1}
        source.facts(key(COURSE_KEY))
        assert lms.requests["policy"] == 2


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (datetime(2030, 1, 1, tzinfo=UTC), None),
        (datetime(1970, 1, 1, tzinfo=UTC), None),
        (datetime(9999, 1, 1, tzinfo=UTC), None),
        (None, None),
        (datetime(2031, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_start_that_was_never_set_is_not_known(
    start: datetime | None, expected: datetime | None
) -> None:
    population = a_population([replace(a_course(end=None), start=start)])
    with stand_in(population) as lms, source_of(lms) as source:
        facts = source.facts(key(COURSE_KEY), ONLY_DATES)
        assert (facts.start, facts.end) == (expected, None)


def test_an_unknown_course_is_refused_by_its_key() -> None:
    with (
        stand_in(a_population()) as lms,
        source_of(lms) as source,
        pytest.raises(UnknownContext, match=r"course-v1:No\+Such\+Course"),
    ):
        source.facts(key("course-v1:No+Such+Course"))


def test_a_lesson_has_its_own_name_and_its_score_for_a_total() -> None:
    with stand_in(a_population()) as lms, source_of(lms) as source:
        facts = source.facts(key(LESSON))
        assert (facts.key, facts.name) == (LESSON, "Exam 3")
        assert facts.weights == {"Exam": Decimal(1)}
        assert facts.start == datetime(2026, 1, 15, 8, tzinfo=UTC)


def test_a_lesson_that_is_not_graded_has_a_name_and_no_weights() -> None:
    with stand_in() as lms, source_of(lms) as source:
        course = next(iter(lms.population.courses.values()))
        facts = source.facts(key(course.subsections[0].block_key))
        assert (facts.name, facts.weights) == ("Welcome", {})


def test_a_pathway_has_the_facts_of_its_courses_in_order() -> None:
    other = a_course(key="course-v1:Example+Rowing+2026", name="Rowing")
    population = a_population([a_course(), other], steps=[other.key, COURSE_KEY])
    with stand_in(population) as lms, source_of(lms) as source:
        facts = source.facts(key(PATHWAY_KEY))
        assert facts.name == "The Seven Seas"
        assert [each.name for each in facts.steps] == ["Rowing", "Sailing"]


def test_a_custom_course_has_its_own_facts() -> None:
    with stand_in() as lms, source_of(lms) as source:
        custom = next(each for each in lms.population.courses if each.startswith("ccx-v1:"))
        assert str(source.facts(key(custom)).name).endswith("(evening group)")


def test_the_source_is_named_by_its_site() -> None:
    with stand_in() as lms, source_of(lms) as source:
        assert source.name == f"open-edx:{lms.url.removeprefix('http://')}"


@pytest.mark.parametrize(("is_staff", "expected"), [(True, "is global"), (False, "is not global")])
def test_a_check_says_who_asks_and_whether_they_may(is_staff: bool, expected: str) -> None:
    with stand_in(faults=Faults(is_staff=is_staff)) as lms, source_of(lms) as source:
        told = source.check()
        assert f"signed in as credentials_worker, who {expected} staff" in told
        assert "\n" not in told


def test_a_check_fails_where_the_client_is_unknown() -> None:
    with (
        stand_in() as lms,
        OpenEdxSource(options_for(lms.url)) as source,
        pytest.raises(LmsError, match="access token"),
    ):
        source.check()


def test_where_the_enrolment_interface_refuses_the_course_list_is_asked() -> None:
    course = a_course(name="Knots & <Splices> &amp;", hidden=True)
    outage = Outage("/api/enrollment/v1/course/", status=403)
    with (
        stand_in(a_population([course]), Faults(outages=(outage,))) as lms,
        source_of(lms) as source,
    ):
        facts = source.facts(key(COURSE_KEY), ONLY_DATES)
        assert facts.name == "Knots & <Splices> &amp;"
        assert facts.end == datetime(2026, 6, 30, 22, tzinfo=UTC)
