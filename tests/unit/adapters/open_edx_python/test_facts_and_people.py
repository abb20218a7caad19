"""Facts of a course, and who learners are."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from testamur.adapters.open_edx_python.errors import UnknownContext
from testamur.adapters.open_edx_python.options import OpenEdxPythonOptions
from testamur.adapters.open_edx_python.source import OpenEdxPythonSource
from testamur.application.ports.retrieval import ONLY_DATES
from testamur.domain.identifiers import LearnerId
from testamur.domain.personal_data import Person
from tests.support.edx_platform import StandInLms
from tests.support.edx_platform.content import CourseBlock
from tests.support.edx_platform.lms import policy
from tests.support.records import COURSE
from tests.unit.adapters.open_edx_python.asking import facts

CCX = "ccx-v1:Uni+Maths+2026+ccx@3"
START = datetime(2026, 1, 5, tzinfo=UTC)


def people(source: OpenEdxPythonSource, *learner_ids: str) -> dict[str, Person]:
    found = source.people([LearnerId(each) for each in learner_ids])
    return {str(learner_id): person for learner_id, person in found.items()}


def test_a_course_has_its_names_dates_and_weights(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    lms.add_course(
        COURSE,
        name="Algebra <1>",
        certificate_name="Algebra,\nwith honours",
        start=START,
        weights={"Homework": 0.1, "Exam": 0.9, "Practice": 0, "Draft": None},
    )

    found = facts(source, COURSE)

    assert (found.key, found.name, found.certificate_name) == (
        COURSE,
        "Algebra <1>",
        "Algebra,\nwith honours",
    )
    assert (found.start, found.end) == (START, None)
    assert found.weights == {"Homework": Decimal("0.1"), "Exam": Decimal("0.9"), "Practice": 0}


def test_a_course_without_a_name_goes_by_its_key(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    lms.add_course(COURSE, name=None)

    assert facts(source, COURSE).shown_name == COURSE


def test_a_naive_date_is_taken_as_utc(lms: StandInLms, source: OpenEdxPythonSource) -> None:
    lms.add_course(COURSE, start=START.replace(tzinfo=None))

    assert facts(source, COURSE).start == START


def test_content_is_not_read_where_only_dates_are_needed(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    lms.add_course(COURSE, start=START, weights={"Exam": 1.0})
    del lms.modulestore.courses[COURSE]

    assert facts(source, COURSE, ONLY_DATES).start == START
    with pytest.raises(UnknownContext, match="no content of this course"):
        facts(source, COURSE)


@pytest.mark.parametrize("grading_policy", [{}, {"GRADER": []}, {"GRADER": None}])
def test_a_course_without_a_grading_policy_has_no_weights(
    lms: StandInLms, source: OpenEdxPythonSource, grading_policy: dict[str, object]
) -> None:
    lms.add_course(COURSE)
    lms.modulestore.courses[COURSE] = CourseBlock(grading_policy)

    assert facts(source, COURSE).weights == {}


def test_a_custom_course_has_its_own_grading_policy_and_not_its_parents(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    lms.add_course(CCX)
    lms.modulestore.courses[CCX] = CourseBlock(
        policy({"Exam": 0.7}), parents_policy=policy({"Exam": 0.2})
    )

    assert facts(source, CCX).weights == {"Exam": Decimal("0.7")}


def test_a_policy_that_was_changed_meanwhile_is_seen(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    lms.add_course(COURSE, weights={"Exam": 0.2})
    before = facts(source, COURSE).weights
    lms.modulestore.courses[COURSE] = CourseBlock(policy({"Exam": 0.3}))

    after = facts(source, COURSE).weights

    assert (before, after) == ({"Exam": Decimal("0.2")}, {"Exam": Decimal("0.3")})


def test_people_have_name_address_language_and_whether_they_are_mailed(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    lms.add_user(1, name="Zoë {Łucja}", email="zoe@example.org", preference="pl")
    lms.add_user(2, active=False)
    lms.add_user(3, password="!unusable")
    lms.add_user(4, name=None, email="")
    lms.add_user(5, preference="")

    found = people(source, "1", "2", "3", "4", "5")

    assert found["1"] == Person(
        full_name="Zoë {Łucja}", email="zoe@example.org", locale="pl", mailable=True
    )
    assert [found[each].mailable for each in "12345"] == [True, False, False, True, True]
    assert found["4"] == Person(full_name="", email=None, locale=None, mailable=True)
    assert found["5"].locale is None


def test_people_whom_the_lms_does_not_know_are_left_out(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    lms.add_user(1)
    lms.add_user(2)

    assert people(source, "1", "3", "ann", "02", "").keys() == {"1"}
    assert people(source) == {}


def test_the_language_can_be_the_only_one_of_the_profile(lms: StandInLms) -> None:
    lms.add_user(1, speaks=["de"], preference="pl")
    lms.add_user(2, speaks=["de", "fr"])
    lms.add_user(3)
    source = OpenEdxPythonSource(OpenEdxPythonOptions(language="profile"))

    found = people(source, "1", "2", "3")

    assert [found[each].locale for each in "123"] == ["de", None, None]
