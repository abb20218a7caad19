from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.domain.configurations import CredentialConfiguration
from testamur.domain.contexts import ContextKinds
from testamur.domain.credential_types import CredentialType, Issuer, TypeDefinition
from testamur.domain.criteria import GradeCriteria, PathwayCriteria
from testamur.domain.eligibility import judge
from testamur.domain.identifiers import Slug
from testamur.domain.schedules import Schedule
from testamur.entrypoints.cli.criteria_text import (
    achieved_percent,
    describe_criteria,
    required_percent,
    unmet,
)
from tests.support.records import (
    COURSE,
    OTHER_COURSE,
    PATHWAY,
    achievement,
    course,
    inquiry,
    learner,
    pathway,
)

KINDS = ContextKinds({"moodle-course": "course", "moodle-programme": "pathway"})


def described(kind: str, context: str = COURSE, **criteria: object) -> str:
    definition = TypeDefinition(
        name="Certificate",
        issuer=Issuer(name="University"),
        criteria=kind,
        renderer="pdf",
        options={"criteria": criteria},  # type: ignore[dict-item]
    )
    return describe_criteria(
        CredentialType(Slug("certificate"), 1, definition),
        CredentialConfiguration(Slug("certificate"), context, {}, Schedule()),
        KINDS,
    )


def test_criteria_are_told_in_percent() -> None:
    assert described("completion") == "completion 90 %"
    assert (
        described("completion-and-grades", required_grades={"Exam": 0.5, "Total": 0.555})
        == "completion 90 %, Exam 50 %, Total 55.5 %"
    )


def test_the_criteria_of_a_pathway_are_told_by_step() -> None:
    assert described(
        "completion",
        PATHWAY,
        required_completion=0.8,
        steps={COURSE: {"required_completion": 0.75}},
    ) == (f"in every step: completion 80 %; in {COURSE}: completion 75 %")


def test_a_configuration_of_a_plugins_context_is_described_too() -> None:
    assert described("completion", "moodle-course:42") == "completion 90 %"
    steps = {"moodle-course:42": {"required_completion": 0.75}}
    assert described("completion", "moodle-programme:7", steps=steps) == (
        "in every step: completion 90 %; in moodle-course:42: completion 75 %"
    )


def test_criteria_in_a_context_of_a_plugin_that_is_gone_say_why() -> None:
    assert described("completion", "canvas:42").startswith(
        "not usable: context_key: 'canvas:42' is not allowed; allowed: course-v1:"
    )


def test_criteria_that_do_not_do_any_more_say_why() -> None:
    assert "required_completion" in described("completion", required_completion=7)


def test_what_is_missing_is_told_with_what_is_needed() -> None:
    criteria = GradeCriteria.model_validate(
        {"required_grades": {"Exam": "0.5", "Lab": "0.1", "Homework": "0.4", "Total": "0.55"}}
    )
    verdict = judge(
        learner(grades={"Exam": ["12.5/40"], "Homework": ["9/10"]}),
        inquiry(criteria, course(weights={"Exam": "0.65", "Homework": "0.35"})),
    )
    assert unmet(verdict.evidence.results) == (
        "Exam 31.25 % (12.5/40), needs 50 %, Lab: no graded work, needs 10 %, "
        "total 51.81 %, needs 55 %"
    )


def test_what_is_missing_in_a_pathway_is_told_by_step() -> None:
    criteria = PathwayCriteria.model_validate({"every_step": {"kind": "completion"}})
    verdict = judge(
        learner(enrolled=False, steps={COURSE: achievement("0.4")}),
        inquiry(criteria, pathway(course(COURSE), course(OTHER_COURSE))),
    )
    assert unmet(verdict.evidence.results) == (
        f"not enrolled; {COURSE}: completion 40 %, needs 90 %; {OTHER_COURSE}: not enrolled"
    )


@pytest.mark.parametrize(
    ("fraction", "shown"),
    [("0.549999", "54.99 %"), ("0.55", "55 %"), ("1", "100 %"), ("0", "0 %"), ("1E-7", "0 %")],
)
def test_what_was_achieved_is_rounded_down(fraction: str, shown: str) -> None:
    assert achieved_percent(Decimal(fraction)) == shown


@given(st.decimals(0, 1, places=10), st.decimals(0, 1, places=10))
def test_a_near_miss_never_reads_as_if_it_were_enough(achieved: Decimal, required: Decimal) -> None:
    shown = Decimal(achieved_percent(achieved).removesuffix(" %"))
    needed = Decimal(required_percent(required).removesuffix(" %"))
    assert needed == required * 100
    if achieved < required:
        assert shown < needed
