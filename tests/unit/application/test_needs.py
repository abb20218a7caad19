"""What criteria need: the source is asked for no more, and for all of it."""

import pytest

from testamur.application.needs import needs_of
from testamur.application.options import parse_criteria
from testamur.application.ports.retrieval import Needs
from testamur.domain.contexts import parse_context_key
from tests.support.records import COURSE, PATHWAY
from tests.support.world import MONDAY

GRADES = {"required_grades": {"Total": 0.5}}


@pytest.mark.parametrize("context", [COURSE, PATHWAY])
@pytest.mark.parametrize(
    ("kind", "options", "completion", "grades"),
    [
        ("completion", {}, True, False),
        ("grades", GRADES, False, True),
        ("completion-and-grades", GRADES, True, True),
    ],
)
def test_criteria_need_what_they_look_at(
    kind: str, options: dict[str, object], completion: bool, grades: bool, context: str
) -> None:
    criteria = parse_criteria(kind, options, parse_context_key(context))
    assert needs_of(criteria) == Needs(completion=completion, grades=grades)
    assert needs_of(criteria, MONDAY).not_before == MONDAY
