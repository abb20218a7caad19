"""The proposal: whom a run would award the credential, page by page, for somebody to approve.

Each page is a stream of its own, so that a list of a million learners is read in flat memory, and
the run itself stays short. A run that is interrupted while it makes the list makes it anew, and the
last event of a page counts.
"""

import hashlib
from collections.abc import Iterable
from typing import Annotated, Final

from pydantic import Field

from testamur.domain.events import DomainEvent
from testamur.domain.identifiers import ConfigurationId, LearnerId, RunId

#: So many learners are on one page, but for the last.
LEARNERS_OF_A_PAGE: Final = 1000


class LearnersProposed(DomainEvent):
    """A run would award these learners, if it is approved.

    Args:
        run_id: The run.
        configuration_id: Whose run.
        page: 1 for the first page of the list.
        learner_ids: Who, in the order of the data source.
    """

    run_id: RunId
    configuration_id: ConfigurationId
    page: Annotated[int, Field(ge=1)]
    learner_ids: tuple[LearnerId, ...]


ProposalEvent = LearnersProposed


def evolve(state: LearnersProposed | None, event: ProposalEvent) -> LearnersProposed:
    """Return the page as the last event says it is."""
    return event


def decide_propose(state: LearnersProposed | None, page: LearnersProposed) -> list[ProposalEvent]:
    """Put learners on a page, in place of those that an interrupted attempt put there."""
    return [] if state == page else [page]


class ListDigest:
    """SHA-256 over a list of learners: each id in UTF-8, and a line feed after it."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()

    def add(self, learner_ids: Iterable[LearnerId]) -> None:
        """Go on with the list."""
        for learner_id in learner_ids:
            self._sha256.update(f"{learner_id}\n".encode())

    def hexdigest(self) -> str:
        """Return it in hexadecimal."""
        return self._sha256.hexdigest()
