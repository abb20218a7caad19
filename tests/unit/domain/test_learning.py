"""What a data source reports, where it says no more than it must."""

import pytest

from testamur.domain.identifiers import LearnerId
from testamur.domain.learning import NOTHING_ACHIEVED, LearnerRecord
from tests.support.records import COURSE, course


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
