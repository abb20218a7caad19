"""What a refusal means where the staff of a course may ask."""

import pytest

from testamur.adapters.open_edx.errors import LmsError, LmsRefused, NotPermitted, UnknownContext
from testamur.adapters.open_edx.refusals import explained
from tests.support.records import COURSE


@pytest.mark.parametrize(
    ("status", "meaning"),
    [(403, NotPermitted), (404, UnknownContext), (400, LmsRefused), (409, LmsRefused)],
)
def test_a_refusal_tells_of_a_missing_role_an_unknown_course_or_neither(
    status: int, meaning: type[LmsError]
) -> None:
    refused = LmsRefused("grading policy", status, None, "no")
    with pytest.raises(LmsError) as raised, explained("grading policy", COURSE, unknown={404}):
        raise refused
    assert type(raised.value) is meaning
    assert refused in (raised.value, raised.value.__cause__)
