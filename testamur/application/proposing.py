"""Proposals: the lists of those whom runs would award, written and read page by page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from testamur.application.aggregates import append, load
from testamur.application.errors import EventStoreError
from testamur.application.ports.event_store import EventStore
from testamur.application.run_journal import RunJournal
from testamur.domain import proposals
from testamur.domain.identifiers import ConfigurationId, LearnerId, RunId, proposal_page_id
from testamur.domain.proposals import LEARNERS_OF_A_PAGE, LearnersProposed, ListDigest
from testamur.domain.runs import RunNeedsApproval

#: Pages that are read together.
_READ_TOGETHER = 10


class ProposalBeingMade:
    """Writes the list of a run, a page as soon as it is full; no more is kept in memory.

    What an interrupted attempt left is overwritten, so that the list is as the last attempt has it.

    Args:
        events: Where it is recorded.
        journal: Of the run.
        run_id: The run.
        configuration_id: Whose run.
    """

    def __init__(
        self,
        events: EventStore,
        journal: RunJournal,
        run_id: RunId,
        configuration_id: ConfigurationId,
    ) -> None:
        self._events = events
        self._journal = journal
        self._run_id = run_id
        self._configuration_id = configuration_id
        self._waiting: list[LearnerId] = []
        self._digest = ListDigest()
        self.pages = 0
        self.learners = 0

    def add(self, learner_ids: Sequence[LearnerId]) -> None:
        """Put learners on the list.

        Raises:
            EventStoreError: The store cannot be written.
        """
        self._waiting += learner_ids
        whole = len(self._waiting) // LEARNERS_OF_A_PAGE * LEARNERS_OF_A_PAGE
        for first in range(0, whole, LEARNERS_OF_A_PAGE):
            self._write(self._waiting[first : first + LEARNERS_OF_A_PAGE])
        del self._waiting[:whole]

    def finish(self) -> str:
        """Write what is left, and return the SHA-256 of the list.

        Raises:
            EventStoreError: The store cannot be written.
        """
        if self._waiting:
            self._write(self._waiting)
            self._waiting = []
        return self._digest.hexdigest()

    def _write(self, learner_ids: Sequence[LearnerId]) -> None:
        self.pages += 1
        self.learners += len(learner_ids)
        self._digest.add(learner_ids)
        page = LearnersProposed(
            run_id=self._run_id,
            configuration_id=self._configuration_id,
            page=self.pages,
            learner_ids=tuple(learner_ids),
        )
        id_ = proposal_page_id(self._run_id, self.pages)
        known = load(self._events, id_, proposals.evolve)
        decided = proposals.decide_propose(known.state, page)
        append(self._events, known, decided, self._journal.attribution())


@dataclass(frozen=True, slots=True)
class Proposals:
    """Reads the lists of runs."""

    events: EventStore

    def of(self, id_: RunId, asked: RunNeedsApproval) -> Iterator[tuple[LearnerId, ...]]:
        """Yield the learners on the list of a run, page by page.

        Raises:
            EventStoreError: The store cannot be read; or, after the last page, the list is not the
                one that approval was asked for.
        """
        digest = ListDigest()
        for first in range(1, asked.pages + 1, _READ_TOGETHER):
            last = min(first + _READ_TOGETHER, asked.pages + 1)
            ids = [proposal_page_id(id_, page) for page in range(first, last)]
            streams = self.events.load_many(ids)
            for page_id in ids:
                event = streams[page_id][-1].event if page_id in streams else None
                if not isinstance(event, LearnersProposed):
                    raise EventStoreError(f"run {id_}: a page of its list is missing")
                digest.add(event.learner_ids)
                yield event.learner_ids
        if digest.hexdigest() != asked.sha256:
            raise EventStoreError(
                f"run {id_}: its list is not the one that approval was asked for; nobody is "
                "awarded by it. Reject it and start another run"
            )

    def all_of(self, id_: RunId, asked: RunNeedsApproval) -> frozenset[LearnerId]:
        """Return everybody on the list of a run, to look learners up in it.

        Raises:
            EventStoreError: As :meth:`of`.
        """
        return frozenset(learner_id for page in self.of(id_, asked) for learner_id in page)
