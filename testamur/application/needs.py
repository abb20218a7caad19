"""What criteria need to be told by the data source."""

from datetime import datetime

from testamur.application.ports.retrieval import Needs
from testamur.domain.criteria import CompletionCriteria, GradeCriteria, PathwayCriteria
from testamur.domain.eligibility import AnyCriteria


def needs_of(
    criteria: AnyCriteria, not_before: datetime | None = None, *, dates: bool = False
) -> Needs:
    """Return which parts of the achievement criteria look at; of a pathway, in any step.

    Args:
        criteria: What learners must reach.
        not_before: What was read at this moment (aware) or later does. None: nothing does.
        dates: Whether it matters when something was achieved.
    """
    of_steps = (
        (criteria.every_step, *criteria.steps.values())
        if isinstance(criteria, PathwayCriteria)
        else (criteria,)
    )
    return Needs(
        completion=any(not isinstance(each, GradeCriteria) for each in of_steps),
        grades=any(not isinstance(each, CompletionCriteria) for each in of_steps),
        dates=dates,
        not_before=not_before,
    )
