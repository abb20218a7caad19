"""Reissuing: a new edition takes a credential's place, after a name change or a mistake.

The new document is made and durably stored first. Then one transaction begins the new edition, as
issued, and supersedes the one before: at no moment is there none, or two. Last, the superseded
document is put away. What a process that was killed before the transaction had stored is under a
key that nobody knows, and goes when the learner is erased; reissuing again makes another.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from testamur.application.aggregates import Loaded, fold, load
from testamur.application.dividing import (
    PATIENCE_OF_A_BATCH_SECONDS,
    share_of,
    work_on_share,
)
from testamur.application.editions import DrawnEdition, Editions, Naming, with_the_same_name
from testamur.application.errors import ConcurrencyConflict
from testamur.application.ports.event_store import EventStore, NewEvents
from testamur.application.ports.retrieval import RetrievalSource
from testamur.application.ports.storage import ArtifactStorage
from testamur.application.ports.system import Clock, WorkLocks
from testamur.application.requests import Request
from testamur.application.withdrawing import Withdrawal, Withdrawing
from testamur.domain import erasures
from testamur.domain.credentials import (
    Credential,
    NotificationSuppressed,
    decide_reissue,
    decide_supersede,
    evolve,
    require_reissuable,
)
from testamur.domain.credentials.state import require_living
from testamur.domain.erasures import parse_reason
from testamur.domain.errors import DecisionRefused, InvalidInput, NotFound
from testamur.domain.identifiers import (
    CredentialId,
    ErasureId,
    LearnerId,
    VerificationId,
    erasure_id,
)
from testamur.domain.personal_data import Person

#: A decision that loses against another writer this often in a row means that something is wrong.
MOST_CONFLICTS: Final = 20

LONGEST_NAME: Final = 255

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Reissue:
    """What became of a credential that was reissued.

    Args:
        credential_id: The new edition…
        edition: …which one it is…
        verification_id: …and its public id.
        replaced: The credential that it superseded.
        to_tell: Whether the learner is to be told.
        withdrawal: What became of the superseded document.
    """

    credential_id: CredentialId
    edition: int
    verification_id: VerificationId
    replaced: CredentialId
    to_tell: bool
    withdrawal: Withdrawal


@dataclass(frozen=True, slots=True)
class Reissuing:
    """Reissues a credential."""

    events: EventStore
    storage: ArtifactStorage
    source: RetrievalSource
    locks: WorkLocks
    clock: Clock
    editions: Editions
    withdrawing: Withdrawing

    def reissue(
        self,
        id_: CredentialId,
        reason: str,
        request: Request,
        *,
        full_name: str | None = None,
        name_from_lms: bool = False,
        tell: bool = True,
        only_living: bool = False,
    ) -> Reissue:
        """Make a new edition of a credential, and supersede the present one.

        It keeps the award date, the evidence, and until when it is valid. It looks as its
        configuration and type say now. One that is revoked is reinstated by this, and one that is
        not issued yet never will be: the new edition is.

        Args:
            id_: Which credential: the latest edition.
            reason: Why; it stays in the history, so it must not name anybody.
            request: Who asks.
            full_name: The name that goes on it; None: the one before, or the data source's.
            name_from_lms: Whether the data source is asked for the name. The e-mail address is
                then taken from it too; the language stays.
            tell: Whether the learner is to be told.
            only_living: Whether one that is revoked, by whoever is first, is to stay so.

        Raises:
            NotFound: There is no such credential; or the data source does not know the learner.
            InvalidInput: The reason or the name is not allowed, or there are two names.
            DecisionRefused: It is superseded or erased already, or is being erased.
            RenderingError: The document cannot be drawn right, such as for a letter that no font
                has; nothing was written.
            StorageError: The document cannot be stored; nothing was recorded.
            RetrievalError: The data source cannot be asked.
            AlreadyRunning: Documents of others in the learner's share are being made for too long.
            TestamurError: The configuration cannot be used.
            EventStoreError: The store cannot be written; or, once it is reissued, not be read.
        """
        before = _required(load(self.events, id_, evolve), id_)
        person, learner_id = before.awarded.person, before.awarded.learner_id
        naming = self._naming(learner_id, full_name, name_from_lms=name_from_lms)
        names = {each.full_name for each in (person, person and naming(person)) if each}
        checked = parse_reason(reason, names=tuple(names))
        # The lock keeps an erasure from ending between the document and its record.
        work = work_on_share("issue", share_of(learner_id))
        with self.locks.hold(work, PATIENCE_OF_A_BATCH_SECONDS):
            drawn, to_tell = self._replace(
                id_, naming, checked, request, tell=tell, only_living=only_living
            )
        return Reissue(
            credential_id=drawn.id,
            edition=drawn.award.edition,
            verification_id=drawn.award.verification_id,
            replaced=id_,
            to_tell=to_tell,
            withdrawal=self.withdrawing.withdraw([id_]),
        )

    def _replace(
        self,
        id_: CredentialId,
        naming: Naming,
        reason: str,
        request: Request,
        *,
        tell: bool,
        only_living: bool,
    ) -> tuple[DrawnEdition, bool]:
        drawn: DrawnEdition | None = None
        for _ in range(MOST_CONFLICTS):
            known = load(self.events, id_, evolve)
            try:
                state = _required(known, id_)
                if only_living:
                    require_living(state, "get a new edition for this")
                self._require_not_being_erased(state.awarded.learner_id)
            except DecisionRefused:
                take_back(self.events, self.storage, [drawn] if drawn else [])
                raise
            if drawn is None:
                ready = self.editions.ready(state.awarded.configuration_id)
                drawn = self.editions.draw(self.editions.next_of(state, ready, naming))
                self.storage.put([drawn.file])
            batch = replacement(known, drawn, reason, tell=tell)
            try:
                self.events.append(batch, request.attribution(self.clock))
            except ConcurrencyConflict:
                continue  # it was issued, revoked, reissued, or its learner told, in this moment
            return drawn, tells(batch[0].events)
        take_back(self.events, self.storage, [drawn] if drawn else [])
        raise ConcurrencyConflict([id_])

    def _require_not_being_erased(self, learner_id: LearnerId) -> None:
        if being_erased(self.events, [learner_id]):
            subject = f"credentials of learner {learner_id!r}"
            raise DecisionRefused(subject, "the learner is being erased")

    def _naming(
        self, learner_id: LearnerId, full_name: str | None, *, name_from_lms: bool
    ) -> Naming:
        if full_name is None and not name_from_lms:
            return with_the_same_name
        if full_name is None:
            known = self.source.people([learner_id])
            if learner_id not in known:
                raise NotFound("learner of the data source", learner_id)
            return named_as(known[learner_id])
        if name_from_lms:
            raise InvalidInput("name", "…", "a name, or the one that the data source has: not both")
        name = parse_full_name(full_name)
        return lambda person: person.model_copy(update={"full_name": name})


def parse_full_name(text: str) -> str:
    """Check and return the name of a person, without space at its ends.

    Raises:
        InvalidInput: It is empty, too long, or has line breaks or control characters.
    """
    name = text.strip()
    if not name or len(name) > LONGEST_NAME or _CONTROL.search(name):
        # It is not shown: errors get into logs, and a name is personal.
        raise InvalidInput(
            "name",
            f"text of {len(text)} characters",
            f"a name of 1 to {LONGEST_NAME} characters on one line",
        )
    return name


def named_as(known: Person) -> Naming:
    """Return what names people as the data source does, and tells them where it says.

    The language stays as it was, as somebody who reads the LMS in another does not want another
    certificate for that.

    Raises:
        InvalidInput: The data source has no name of the person, or one that is not allowed.
    """
    name = parse_full_name(known.full_name)

    def naming(person: Person) -> Person:
        return known.model_copy(update={"full_name": name, "locale": person.locale or known.locale})

    return naming


def replacement(
    known: Loaded[Credential], drawn: DrawnEdition, reason: str, *, tell: bool
) -> list[NewEvents]:
    """Return what begins the new edition, and what ends the one before, in this order.

    Raises:
        DecisionRefused: The credential cannot be reissued.
    """
    begun = decide_reissue(known.state, drawn.award, (drawn.artifact,), drawn.rendering, tell=tell)
    ended = decide_supersede(known.state, drawn.id, reason)
    return [NewEvents(drawn.id, 0, begun), known.followed_by(ended)]


def tells(begun: Sequence[object]) -> bool:
    """Tell whether the learner is to be told of a new edition, from how it begins."""
    return not any(isinstance(event, NotificationSuppressed) for event in begun)


def take_back(events: EventStore, storage: ArtifactStorage, drawn: Sequence[DrawnEdition]) -> None:
    """Delete documents of editions that were not to be; what was recorded all the same stays.

    Raises:
        StorageError: A file could not be deleted.
    """
    to_delete = []
    for each in drawn:
        state = load(events, each.id, evolve).state
        recorded = [artifact.storage_key for artifact in state.artifacts] if state else []
        if each.file.key not in recorded:
            to_delete.append(each.file.key)
    if to_delete:
        storage.delete(to_delete)


def being_erased(events: EventStore, learner_ids: Sequence[LearnerId]) -> set[LearnerId]:
    """Return for which of some learners an erasure was asked for that is not completed."""
    ids = {erasure_id(learner_id): learner_id for learner_id in learner_ids}
    found = set()
    for id_, recorded in (events.load_many(list(ids)) if ids else {}).items():
        erasure = fold(id_, recorded, erasures.evolve).state
        if erasure is not None and erasure.completed is None:
            found.add(ids[ErasureId(id_)])
    return found


def _required(known: Loaded[Credential], id_: CredentialId) -> Credential:
    if known.state is None:
        raise NotFound("credential", str(id_))
    return require_reissuable(known.state)
