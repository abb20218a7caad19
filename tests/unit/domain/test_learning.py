"""What a data source reports, where it says no more than it must."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from testamur.domain.identifiers import LearnerId
from testamur.domain.learning import (
    NOTHING_ACHIEVED,
    Achievement,
    GradedSubsection,
    LearnerRecord,
    since,
)
from tests.support.records import COURSE, RETRIEVED_AT, course


@pytest.mark.parametrize(
    ("certificate_name", "name", "shown"),
    [
        ("Higher\nMathematics", "Maths", "Higher\nMathematics"),
        (None, "Maths", "Maths"),
        ("", "Maths", "Maths"),
        (None, None, COURSE),
        ("", "", COURSE),
    ],
)
def test_the_name_on_the_document_is_the_best_that_there_is(
    certificate_name: str | None, name: str | None, shown: str
) -> None:
    assert course(name=name, certificate_name=certificate_name).shown_name == shown


def test_whoever_is_reported_is_enrolled_and_has_achieved_nothing_unless_told() -> None:
    record = LearnerRecord(LearnerId("1007"))

    assert record.enrolled
    assert record.achievement == NOTHING_ACHIEVED
    assert (NOTHING_ACHIEVED.completion, NOTHING_ACHIEVED.subsections) == (None, ())
    assert record.steps == {}


# What was achieved since a moment


OLD, NEW = RETRIEVED_AT - timedelta(days=1), RETRIEVED_AT + timedelta(days=1)


def worth_ten(earned: str, achieved_at: datetime | None) -> GradedSubsection:
    return GradedSubsection("a", "Exam", Decimal(earned), Decimal(10), achieved_at)


@pytest.mark.parametrize(
    ("achieved_at", "counts"), [(OLD, False), (RETRIEVED_AT, False), (None, False), (NEW, True)]
)
def test_only_what_is_known_to_be_newer_counts(achieved_at: datetime | None, counts: bool) -> None:
    achievement = Achievement(Decimal(1), (worth_ten("8", achieved_at),), achieved_at)

    found = since(LearnerRecord(LearnerId("a"), achievement=achievement), RETRIEVED_AT).achievement

    assert found.completion == (Decimal(1) if counts else None)
    assert [each.earned for each in found.subsections] == [Decimal(8 if counts else 0)]


def test_old_work_keeps_its_weight_so_that_one_new_piece_is_not_the_whole() -> None:
    achievement = Achievement(None, (worth_ten("10", OLD), worth_ten("10", NEW)))
    of_course = LearnerRecord(LearnerId("a"), achievement=achievement)
    of_pathway = LearnerRecord(LearnerId("a"), steps={COURSE: achievement})

    found = [
        since(of_course, RETRIEVED_AT).achievement,
        since(of_pathway, RETRIEVED_AT).steps[COURSE],
    ]

    for each in found:
        assert sum(work.earned for work in each.subsections) == 10
        assert sum(work.possible for work in each.subsections) == 20
