"""Approving: somebody decides on a run that would award more than its guard lets pass."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from testamur.application.aggregates import append, load
from testamur.application.errors import ConcurrencyConflict
from testamur.application.ports.event_store import EventStore
from testamur.application.ports.system import Clock
from testamur.application.proposing import Proposals
from testamur.application.requests import Request
from testamur.domain import runs
from testamur.domain.errors import DecisionRefused, InvalidInput, NotFound
from testamur.domain.identifiers import LearnerId, RunId
from testamur.domain.runs import IssuanceRun, RunEvent

#: A decision that loses against another writer this often in a row means that something is wrong.
MOST_CONFLICTS: Final = 20


@dataclass(frozen=True, slots=True)
class Approvals:
    """Approves and rejects runs, and tells whom they would award."""

    events: EventStore
    proposals: Proposals
    clock: Clock

    def approve(self, id_: RunId, reason: str, request: Request) -> None:
        """Let a run award those on its list; whoever calls hands it over to be carried out.

        A run that was approved already stays approved, and nothing is recorded again.

        Args:
            id_: Which run.
            reason: Why; it is kept in the history.
            request: Who decides.

        Raises:
            NotFound: There is no such run.
            InvalidInput: The reason is empty.
            DecisionRefused: It does not need approval, or was rejected.
        """
        checked = _said(reason)
        self._decide(id_, request, lambda state: runs.decide_approve(state, checked))

    def reject(self, id_: RunId, reason: str, request: Request) -> None:
        """End a run without awarding anybody. One that was rejected already stays so.

        Args:
            id_: Which run.
            reason: Why; it is kept in the history.
            request: Who decides.

        Raises:
            NotFound: There is no such run.
            InvalidInput: The reason is empty.
            DecisionRefused: It does not need approval, or was approved.
        """
        checked = _said(reason)
        self._decide(id_, request, lambda state: runs.decide_reject(state, checked))

    def proposed(self, id_: RunId) -> Iterator[LearnerId]:
        """Yield the learners whom a run that needs approval, or needed it, would award.

        Raises:
            NotFound: There is no such run.
            DecisionRefused: It never needed approval.
            EventStoreError: The list cannot be read, or is not the one that was asked about.
        """
        run = load(self.events, id_, runs.evolve).state
        if run is None:
            raise NotFound("run", str(id_))
        if run.asked is None:
            raise DecisionRefused(f"run {id_}", "it needs no approval, and so has no list")
        return (learner_id for page in self.proposals.of(id_, run.asked) for learner_id in page)

    def _decide(
        self,
        id_: RunId,
        request: Request,
        decide: Callable[[IssuanceRun | None], list[RunEvent]],
    ) -> None:
        for _ in range(MOST_CONFLICTS):
            known = load(self.events, id_, runs.evolve)
            if known.state is None:
                raise NotFound("run", str(id_))
            try:
                append(self.events, known, decide(known.state), request.attribution(self.clock))
            except ConcurrencyConflict:
                continue  # somebody else decided in this very moment, and it is that which counts
            return
        raise ConcurrencyConflict([id_])


def _said(reason: str) -> str:
    if not reason.strip():
        raise InvalidInput("reason", reason, "a few words; they are kept in the history")
    return reason.strip()
