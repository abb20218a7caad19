"""Considering: which of many credentials get a new edition, as something on it would change."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from testamur.application.aggregates import Loaded, fold
from testamur.application.configurations import PreparedConfiguration
from testamur.application.editions import Editions, Naming, NextEdition, with_the_same_name
from testamur.application.errors import RetrievalError
from testamur.application.ports.event_store import EventStore, RecordedEvent
from testamur.application.ports.retrieval import RetrievalSource
from testamur.application.registration import is_living
from testamur.application.reissuing import being_erased, named_as
from testamur.domain.credentials import Credential, CredentialIssued, evolve
from testamur.domain.errors import NotFound, TestamurError
from testamur.domain.identifiers import ConfigurationId, CredentialId, LearnerId
from testamur.domain.personal_data import Person


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of new editions.

    Args:
        names_from_lms: Whether the data source is asked for the learners' names.
        issued_before: Credentials that were issued before this moment (aware) get a new edition
            even where nothing on it changes. New editions are issued later, so that asking again
            goes on with the others. None: only those that change.
    """

    names_from_lms: bool = False
    issued_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A credential that cannot be reissued.

    Args:
        credential_id: Which.
        learner_id: Whose.
        why: For people to read; without the learner's name.
    """

    credential_id: CredentialId
    learner_id: LearnerId
    why: str


@dataclass(frozen=True, slots=True)
class Living:
    """A credential that holds, or will.

    Args:
        known: The credential…
        state: …as it is.
        issued_at: When it was issued, if it was.
    """

    known: Loaded[Credential]
    state: Credential
    issued_at: datetime | None

    @property
    def id(self) -> CredentialId:
        """Its id."""
        return CredentialId(self.known.stream_id)

    @property
    def learner_id(self) -> LearnerId:
        """Whose it is."""
        return self.state.awarded.learner_id

    def failed(self, why: str) -> Failure:
        """Return that it cannot be reissued."""
        return Failure(self.id, self.learner_id, why)


@dataclass(slots=True)
class Considering:
    """Considers credentials, for one pass: each configuration is made ready once.

    Args:
        events: Where they are.
        source: Asked for names, where they are wanted of it.
        editions: Makes next editions.
        wish: What is wanted.
    """

    events: EventStore
    source: RetrievalSource
    editions: Editions
    wish: Wish
    _ready: dict[ConfigurationId, PreparedConfiguration | TestamurError] = field(
        default_factory=dict
    )

    def living(self, ids: Sequence[CredentialId]) -> list[Living]:
        """Return those of some credentials that hold or will; not of who is being erased."""
        found = []
        streams = self.events.load_many(ids) if ids else {}
        for id_ in ids:
            recorded = streams.get(id_, [])
            known = fold(id_, recorded, evolve)
            if known.state is not None and is_living(known.state.status):
                found.append(Living(known, known.state, _issued_at(recorded)))
        erased = being_erased(self.events, [each.learner_id for each in found])
        return [each for each in found if each.learner_id not in erased]

    def consider(
        self, living: Sequence[Living]
    ) -> Iterator[tuple[Living, NextEdition | Failure | None]]:
        """Yield the edition that follows on each of some credentials.

        Or why none can follow; or None, if nothing on it would change.

        Raises:
            RetrievalError: The data source cannot be asked.
        """
        people = self._people(living)
        for each in living:
            try:
                edition = self._edition(each, people)
            except RetrievalError:
                raise
            except TestamurError as error:
                yield each, each.failed(str(error))
                continue
            is_wanted = self._is_old(each) or self.editions.changes(each.state, edition)
            yield each, edition if is_wanted else None

    def _edition(self, living: Living, people: Mapping[LearnerId, Person] | None) -> NextEdition:
        naming: Naming = with_the_same_name
        if people is not None:
            if living.learner_id not in people:
                raise NotFound("learner of the data source", living.learner_id)
            naming = named_as(people[living.learner_id])
        ready = self._prepared(living.state.awarded.configuration_id)
        return self.editions.next_of(living.state, ready, naming)

    def _prepared(self, id_: ConfigurationId) -> PreparedConfiguration:
        if id_ not in self._ready:
            try:
                self._ready[id_] = self.editions.ready(id_)
            except TestamurError as error:
                self._ready[id_] = error
        ready = self._ready[id_]
        if isinstance(ready, TestamurError):
            raise ready
        return ready

    def _people(self, living: Sequence[Living]) -> Mapping[LearnerId, Person] | None:
        if not self.wish.names_from_lms:
            return None
        learner_ids = list(dict.fromkeys(each.learner_id for each in living))
        return self.source.people(learner_ids) if learner_ids else {}

    def _is_old(self, living: Living) -> bool:
        before, issued_at = self.wish.issued_before, living.issued_at
        return before is not None and issued_at is not None and issued_at < before


def _issued_at(recorded: Sequence[RecordedEvent]) -> datetime | None:
    issued = (each.attribution.at for each in recorded if isinstance(each.event, CredentialIssued))
    return next(issued, None)
