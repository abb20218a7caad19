"""The pages of runs, on every kind of database."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

import pytest

from testamur.application.ports.run_pages import DivisionStanding, PagePlace
from testamur.domain.eligibility import Verdict
from testamur.domain.evidence import CriterionResult, Evidence
from testamur.domain.identifiers import LearnerId, RunId
from testamur.domain.run_results import RunCounts
from tests.support.databases import Database

RUN: Final = RunId(UUID(int=1))
OTHER_RUN: Final = RunId(UUID(int=2))
DIVISION: Final = UUID(int=3)
OTHER_DIVISION: Final = UUID(int=4)
COUNTS: Final = RunCounts(evaluated=2, already_held=1, eligible=1, awarded=1)


def verdict(learner_id: str) -> Verdict:
    """Return one with all that evidence may hold."""
    evidence = Evidence(
        criteria={"type": "grade", "required": {"exam": "0.5"}},
        results=(
            CriterionResult(criterion="enrolment", met=True),
            CriterionResult(
                criterion="grade",
                category="Prüfung “2”",
                required=Decimal("0.50"),
                achieved=Decimal("0.6666666666"),
                earned=Decimal("2.0"),
                possible=Decimal(3),
                met=True,
            ),
        ),
        unweighted_categories=("labs",),
        source="tests",
        retrieved_at=datetime(2026, 6, 1, 12, 0, 0, 123456, tzinfo=UTC),
    )
    return Verdict(LearnerId(learner_id), eligible=True, evidence=evidence)


def test_a_page_is_read_as_it_was_kept(database: Database) -> None:
    page = [verdict("a"), verdict("ł-学-😀"), verdict("c")]

    database.pages.keep(RUN, DIVISION, PagePlace(7, 1), page)

    read = database.pages.verdicts(DIVISION, 1)
    assert read == page
    # Decimals are equal whatever their digits; evidence keeps these, too.
    assert str(read[0].evidence.results[1].required) == "0.50"


def test_there_is_no_page_that_was_not_kept(database: Database) -> None:
    database.pages.keep(RUN, DIVISION, PagePlace(7, 1), [verdict("a")])

    assert database.pages.verdicts(DIVISION, 2) is None
    assert database.pages.verdicts(OTHER_DIVISION, 1) is None
    assert database.pages.standing(OTHER_DIVISION) == DivisionStanding(0, [], RunCounts())
    assert not database.pages.has_left(OTHER_DIVISION)


def test_of_a_page_that_is_awarded_only_the_counts_stay(database: Database) -> None:
    pages = database.pages
    for number in (1, 2, 3):
        pages.keep(RUN, DIVISION, PagePlace(number + 4, number), [verdict("a"), verdict("b")])

    pages.finish(DIVISION, 2, COUNTS)
    assert pages.verdicts(DIVISION, 2) is None
    assert pages.standing(DIVISION) == DivisionStanding(
        3, [PagePlace(5, 1), PagePlace(7, 3)], COUNTS
    )
    assert pages.has_left(DIVISION)
    pages.finish(DIVISION, 1, COUNTS)
    pages.finish(DIVISION, 3, COUNTS)

    assert pages.standing(DIVISION) == DivisionStanding(3, [], COUNTS + COUNTS + COUNTS)
    assert not pages.has_left(DIVISION)


def test_a_page_that_is_awarded_again_counts_once(database: Database) -> None:
    database.pages.keep(RUN, DIVISION, PagePlace(1, 1), [verdict("a"), verdict("b")])

    database.pages.finish(DIVISION, 1, RunCounts(evaluated=2, eligible=2, awarded=2))
    database.pages.finish(DIVISION, 1, COUNTS)

    assert database.pages.standing(DIVISION).counts == COUNTS


def test_a_page_that_was_dropped_is_not_finished(database: Database) -> None:
    database.pages.keep(RUN, DIVISION, PagePlace(1, 1), [verdict("a")])
    database.pages.drop(RUN)

    database.pages.finish(DIVISION, 1, COUNTS)

    assert database.pages.standing(DIVISION) == DivisionStanding(0, [], RunCounts())


@pytest.mark.parametrize("division", [None, DIVISION])
def test_pages_of_others_stay_when_those_of_a_run_are_dropped(
    database: Database, division: UUID | None
) -> None:
    pages = database.pages
    pages.keep(RUN, DIVISION, PagePlace(1, 1), [verdict("a")])
    pages.keep(RUN, OTHER_DIVISION, PagePlace(1, 1), [verdict("b")])
    pages.keep(OTHER_RUN, UUID(int=9), PagePlace(1, 1), [verdict("c")])

    pages.drop(RUN, division)

    assert pages.verdicts(DIVISION, 1) is None
    assert (pages.verdicts(OTHER_DIVISION, 1) is None) == (division is None)
    assert pages.verdicts(UUID(int=9), 1) == [verdict("c")]


def test_a_page_that_is_kept_again_is_as_it_was_kept_last(database: Database) -> None:
    database.pages.keep(RUN, DIVISION, PagePlace(1, 1), [verdict("a")])
    database.pages.finish(DIVISION, 1, COUNTS)

    database.pages.keep(RUN, DIVISION, PagePlace(2, 1), [verdict("b")])

    assert database.pages.verdicts(DIVISION, 1) == [verdict("b")]
    assert database.pages.standing(DIVISION) == DivisionStanding(1, [PagePlace(2, 1)], RunCounts())


def test_a_learner_is_taken_off_all_pages_that_wait(database: Database) -> None:
    pages = database.pages
    pages.keep(RUN, DIVISION, PagePlace(1, 1), [verdict("a"), verdict("b")])
    pages.keep(RUN, DIVISION, PagePlace(1, 2), [verdict("c")])
    pages.keep(OTHER_RUN, OTHER_DIVISION, PagePlace(1, 1), [verdict("b")])
    pages.keep(RUN, DIVISION, PagePlace(1, 3), [verdict("b")])
    pages.finish(DIVISION, 3, COUNTS)

    assert pages.forget(LearnerId("b")) == 2
    assert pages.forget(LearnerId("b")) == 0

    assert pages.verdicts(DIVISION, 1) == [verdict("a")]
    assert pages.verdicts(DIVISION, 2) == [verdict("c")]
    assert pages.verdicts(OTHER_DIVISION, 1) == []
    assert pages.standing(OTHER_DIVISION).left == [PagePlace(1, 1)]
