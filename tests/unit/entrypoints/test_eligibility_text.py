import io
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len

from testamur.application.standing import (
    ConfigurationStanding,
    HeldCredential,
    LearnerStanding,
    StepStanding,
)
from testamur.domain.credentials import CredentialStatus
from testamur.domain.evidence import CriterionResult
from testamur.domain.identifiers import (
    ConfigurationId,
    CredentialId,
    LearnerId,
    Slug,
    VerificationId,
)
from testamur.entrypoints.cli.eligibility import show_standing
from testamur.entrypoints.cli.output import Screen
from tests.support.records import COURSE

ENROLLED = CriterionResult(criterion="enrolment", met=True)
NOT_ENROLLED = CriterionResult(criterion="enrolment", met=False)


def completion(required: str, achieved: str) -> CriterionResult:
    return CriterionResult(
        criterion="completion",
        required=Decimal(required),
        achieved=Decimal(achieved),
        met=Decimal(achieved) >= Decimal(required),
    )


def grade(required: str) -> CriterionResult:
    return CriterionResult(
        criterion="grade", category="Exam", required=Decimal(required), met=False
    )


def configuration(
    *results: CriterionResult,
    eligible: bool | None = False,
    retired: bool = False,
    steps: tuple[StepStanding, ...] = (),
    left_out: str | None = None,
    credential: HeldCredential | None = None,
) -> ConfigurationStanding:
    return ConfigurationStanding(
        ConfigurationId(UUID(int=1)),
        Slug("completion"),
        "Certificate of Completion",
        enabled=not retired,
        retired=retired,
        eligible=eligible,
        results=results,
        steps=steps,
        left_out=left_out,
        credential=credential,
    )


def held(status: CredentialStatus, reason: str | None = None) -> HeldCredential:
    return HeldCredential(
        CredentialId(UUID(int=2)),
        1,
        status,
        date(2026, 6, 1),
        VerificationId("k3y"),
        revocation_reason=reason,
    )


def shown(configuration: ConfigurationStanding, width: int | None = None) -> list[str]:
    """Return what is shown of one configuration, by line."""
    standing = LearnerStanding(
        COURSE,
        None,
        LearnerId("learner-1"),
        "files:data",
        datetime(2026, 6, 1, 12, tzinfo=UTC),
        (configuration,),
    )
    stream = io.StringIO()
    show_standing(Screen(stream, width), standing, ZoneInfo("UTC"))
    return stream.getvalue().splitlines()[4:]


def verdict(configuration: ConfigurationStanding) -> str:
    return shown(configuration)[2]


@pytest.fixture(autouse=True)
def without_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")


@pytest.mark.parametrize(
    ("required", "achieved", "bar"),
    [
        ("0.9", "0", "░░░░░░░░░░"),
        ("0.9", "0.45", "█████░░░░░"),
        ("0.9", "0.8999999999", "█████████░"),
        ("0.9", "0.9", "██████████"),
        ("0.5", "1", "██████████"),
        ("0", "0", "██████████"),
    ],
)
def test_a_bar_is_full_only_where_what_is_required_is_reached(
    required: str, achieved: str, bar: str
) -> None:
    line = shown(configuration(ENROLLED, completion(required, achieved)))[-1]
    assert line.split()[-2] == bar


def test_a_category_without_graded_work_is_empty_even_if_nothing_is_required_of_it() -> None:
    for required in ("0", "0.5"):
        line = shown(configuration(ENROLLED, grade(required)))[-1]
        assert line.split()[-3:] == ["none", "░░░░░░░░░░", "no"]


def test_who_is_not_enrolled_is_told_that_first() -> None:
    left = configuration(NOT_ENROLLED, completion("0.9", "1"))
    assert verdict(left) == "Not eligible yet: not enrolled, 1 of 1 criterion met."


def test_a_pathway_without_steps_is_said_to_have_none() -> None:
    assert verdict(configuration(ENROLLED)) == "Not eligible yet: the pathway has no steps."


def test_what_a_learner_holds_goes_before_what_they_have_reached_now() -> None:
    below = (ENROLLED, completion("0.9", "0.5"))
    issued = configuration(*below, credential=held(CredentialStatus.ISSUED))
    assert verdict(issued) == "Awarded on 2026-06-01. Now: 0 of 1 criterion met."
    awarded = configuration(*below, credential=held(CredentialStatus.AWARDED))
    assert verdict(awarded).startswith("Awarded on 2026-06-01, and not issued yet.")
    revoked = held(CredentialStatus.REVOKED, "issued by mistake")
    lines = shown(configuration(*below, credential=revoked))
    assert lines[2] == "Revoked: issued by mistake. Now: 0 of 1 criterion met."
    assert "status        revoked: issued by mistake" in lines


def test_what_cannot_be_told_is_said_with_the_reason() -> None:
    untold = configuration(eligible=None, left_out="the LMS does not show their grades")
    assert verdict(untold) == (
        "What is reached cannot be told: the LMS does not show their grades."
    )
    retired = configuration(eligible=None, retired=True, credential=held(CredentialStatus.ISSUED))
    assert shown(retired)[1:3] == [
        "type completion, retired",
        "Awarded on 2026-06-01. Nobody is awarded it any more.",
    ]


@pytest.mark.parametrize("width", [50, 80, 120])
def test_a_card_keeps_to_the_width_of_the_terminal(width: int) -> None:
    step = StepStanding(
        COURSE,
        "Advanced Quantitative Methods for the Social and Behavioural Sciences, Part One",
        met=False,
        results=(ENROLLED, completion("0.9", "0.4512")),
    )
    lines = shown(configuration(ENROLLED, steps=(step, step)), width)
    assert all(cell_len(line) <= width for line in lines)
    assert "Not eligible yet: 0 of 2 steps met." in [line.strip() for line in lines]
    assert "45.12 %  █████░░░░░  no" in lines[-1]
