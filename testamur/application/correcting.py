"""Correcting: people accept or reject what reconciliations propose, and what they accept is done.

That it was accepted is recorded first, then it is carried out in the name of whoever accepted it.
What a crash leaves in between is finished by the next tick.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final
from uuid import UUID

from testamur.application.aggregates import append, fold, load
from testamur.application.carrying_out import CarryingOut
from testamur.application.choosing import PAGE
from testamur.application.errors import AlreadyRunning, ConcurrencyConflict, Unforeseen
from testamur.application.ports.event_store import EventStore, NewEvents
from testamur.application.ports.register import Register
from testamur.application.ports.system import Clock
from testamur.application.progress import Progress, Step, Unwatched
from testamur.application.requests import Request
from testamur.domain import corrections, credentials
from testamur.domain.corrections import (
    Correction,
    CorrectionAccepted,
    CorrectionEvent,
    CorrectionKind,
)
from testamur.domain.erasures import parse_reason
from testamur.domain.errors import (
    DecisionRefused,
    InvalidInput,
    InvalidOptions,
    NotFound,
    TestamurError,
)
from testamur.domain.identifiers import ConfigurationId, CorrectionId, CredentialId, LearnerId

#: A decision that loses against another writer this often in a row means that something is wrong.
MOST_CONFLICTS: Final = 20

#: So many that could not be carried out are told one by one.
SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class CorrectionFilter:
    """Which corrections; None leaves a condition out."""

    configuration_id: ConfigurationId | None = None
    kind: CorrectionKind | None = None
    learner_id: LearnerId | None = None


@dataclass(frozen=True, slots=True)
class NotDone:
    """A correction that was accepted and is not done.

    Args:
        correction_id: Which.
        learner_id: Whose credential it is about.
        why: For people to read.
    """

    correction_id: CorrectionId
    learner_id: LearnerId
    why: str


@dataclass(frozen=True, slots=True)
class Corrected:
    """What became of corrections that were accepted.

    Args:
        done: Those that were carried out.
        dropped: Those that cannot be any more, because something has changed since…
        waiting: …those that could not be yet: ticks try them again…
        not_done: …and the first of both.
        result: The credential that came of the last one that was carried out.
    """

    done: int = 0
    dropped: int = 0
    waiting: int = 0
    not_done: tuple[NotDone, ...] = ()
    result: CredentialId | None = None

    def __add__(self, other: "Corrected") -> "Corrected":
        return Corrected(
            self.done + other.done,
            self.dropped + other.dropped,
            self.waiting + other.waiting,
            (*self.not_done, *other.not_done)[:SHOWN],
            other.result or self.result,
        )


@dataclass(frozen=True, slots=True)
class Correcting:
    """Accepts, rejects and carries out corrections."""

    events: EventStore
    register: Register
    carrying_out: CarryingOut
    clock: Clock

    def get(self, id_: CorrectionId) -> Correction:
        """Return a correction.

        Raises:
            NotFound: There is no such correction.
        """
        state = load(self.events, id_, corrections.evolve).state
        if state is None:
            raise NotFound("correction", str(id_))
        return state

    def waiting(
        self, where: CorrectionFilter | None = None
    ) -> Iterator[tuple[CorrectionId, Correction]]:
        """Yield the corrections that wait for a decision, with their ids, page by page."""
        wanted = where or CorrectionFilter()
        rows = self.register.catalogue("correction", active_only=True)
        ids = (CorrectionId(row.stream_id) for row in rows if _may_be(row.label, wanted))
        while page := list(islice(ids, PAGE)):
            streams = self.events.load_many(page)
            for id_ in page:
                state = fold(id_, streams.get(id_, []), corrections.evolve).state
                if state is not None and state.status == "open" and _is_wanted(state, wanted):
                    yield id_, state

    def count_waiting(self) -> int:
        """Return how many corrections wait for a decision."""
        return sum(1 for _ in self.register.catalogue("correction", active_only=True))

    def accept(
        self, id_: CorrectionId, reason: str, request: Request, *, tell: bool = False
    ) -> Corrected:
        """Accept a correction, and carry it out.

        Args:
            id_: Which.
            reason: Why; it stays in the history, and whoever verifies a credential that is revoked
                is told, so it must not name anybody.
            request: Who accepts it; what is done is done in their name.
            tell: Whether the learner is to be told.

        Raises:
            NotFound: There is no such correction.
            InvalidInput: The reason is empty, holds an e-mail address or the learner's name.
            DecisionRefused: It was rejected, or does not apply any more.
            EventStoreError: The store cannot be read or written.
        """
        self._require_no_names(reason, [self.get(id_)])
        self._decide(
            id_, lambda state: corrections.decide_accept(state, reason.strip(), tell=tell), request
        )
        return self._carry_out(id_)

    def accept_many(
        self,
        where: CorrectionFilter,
        reason: str,
        request: Request,
        *,
        expect: int,
        tell: bool = False,
        progress: Progress | None = None,
    ) -> Corrected:
        """Accept the corrections that a filter lets through, and carry them out, page by page.

        Where it is interrupted, those that were accepted are finished by the next tick; calling it
        again accepts the others.

        Args:
            where: Which.
            reason: As for :meth:`accept`.
            request: Who accepts them.
            expect: How many it is to be; never more are accepted.
            tell: Whether the learners are to be told.
            progress: Is told how far it is.

        Raises:
            InvalidInput: As :meth:`accept`; or by now it is another number, and nothing was
                written.
            EventStoreError: The store cannot be read or written.
        """
        chosen = self._expected(where, expect, "accepted")
        watching = progress or Unwatched()
        watching.expect(Step.CORRECT, expect)
        done = Corrected()
        for ids in chosen:
            accepted = self._decide_together(
                ids,
                reason,
                lambda state: corrections.decide_accept(state, reason.strip(), tell=tell),
                request,
            )
            for id_ in accepted:
                done += self._carry_out(id_)
                watching.advance(Step.CORRECT, 1)
        return done

    def reject(self, id_: CorrectionId, reason: str, request: Request) -> None:
        """Reject a correction; it is not proposed again until something about it changes.

        Args:
            id_: Which.
            reason: Why; it stays in the history, so it must not name anybody.
            request: Who rejects it.

        Raises:
            NotFound: There is no such correction.
            InvalidInput: The reason is empty, holds an e-mail address or the learner's name.
            DecisionRefused: It was accepted, or does not apply any more.
        """
        self._require_no_names(reason, [self.get(id_)])
        self._decide(id_, lambda state: corrections.decide_reject(state, reason.strip()), request)

    def reject_many(
        self, where: CorrectionFilter, reason: str, request: Request, *, expect: int
    ) -> int:
        """Reject the corrections that a filter lets through, and return how many there were.

        Raises:
            InvalidInput: As :meth:`accept_many`.
            EventStoreError: The store cannot be read or written.
        """
        rejected = 0
        for ids in self._expected(where, expect, "rejected"):
            rejected += len(
                self._decide_together(
                    ids,
                    reason,
                    lambda state: corrections.decide_reject(state, reason.strip()),
                    request,
                )
            )
        return rejected

    def finish(self) -> Corrected:
        """Carry out what was accepted and is not done, as far as it is to be tried now."""
        done = Corrected()
        now = self.clock.now()
        for row in list(self.register.catalogue("accepted-correction", active_only=True)):
            id_ = CorrectionId(row.stream_id)
            state = self.get(id_)
            if state.status == "accepted" and (state.retry_at is None or state.retry_at <= now):
                done += self._carry_out(id_)
        return done

    # Carrying out

    def _carry_out(self, id_: CorrectionId) -> Corrected:
        recorded = self.events.load(id_)
        state = fold(id_, recorded, corrections.evolve).state
        accepted = next(
            (each for each in reversed(recorded) if isinstance(each.event, CorrectionAccepted)),
            None,
        )
        if state is None or accepted is None or not isinstance(accepted.event, CorrectionAccepted):
            raise NotFound("accepted correction", str(id_))
        if state.status == "done":
            return Corrected(done=1, result=state.result)
        by = Request(accepted.attribution.actor, accepted.attribution.correlation_id)
        learner_id = state.proposed.learner_id

        def record(decide: Callable[[Correction | None], list[CorrectionEvent]]) -> None:
            self._decide(id_, decide, by)

        try:
            result = self.carrying_out.do(state.proposed, accepted.event, by)
        except (AlreadyRunning, ConcurrencyConflict) as error:
            not_done = NotDone(id_, learner_id, str(error))
            return Corrected(waiting=1, not_done=(not_done,))
        except (DecisionRefused, NotFound, InvalidInput, InvalidOptions) as error:
            reason = error.for_the_record()
            record(lambda known: corrections.decide_drop(known, reason))
            return Corrected(dropped=1, not_done=(NotDone(id_, learner_id, reason),))
        except Exception as error:  # noqa: BLE001 - recorded, and tried again
            told = error if isinstance(error, TestamurError) else Unforeseen(error)
            why, now = told.for_the_record(), self.clock.now()
            record(lambda known: corrections.decide_fail(known, why, now))
            return Corrected(waiting=1, not_done=(NotDone(id_, learner_id, why),))
        record(lambda known: corrections.decide_carried_out(known, result))
        return Corrected(done=1, result=result)

    # Deciding

    def _expected(
        self, where: CorrectionFilter, expect: int, done: str
    ) -> Iterator[list[CorrectionId]]:
        """Return the ids that a filter lets through, in pages, if there are as many as expected."""
        ids = [id_ for id_, _ in self.waiting(where)]
        if len(ids) != expect:
            raise InvalidInput(
                "expect",
                expect,
                f"{len(ids)}: so many would be {done} now; look at them, and confirm that number",
            )
        return (ids[first : first + PAGE] for first in range(0, len(ids), PAGE))

    def _decide_together(
        self,
        ids: Sequence[CorrectionId],
        reason: str,
        decide: Callable[[Correction | None], list[CorrectionEvent]],
        request: Request,
    ) -> list[CorrectionId]:
        """Decide on those of some corrections that are open, in one transaction."""
        for _ in range(MOST_CONFLICTS):
            batch: list[NewEvents] = []
            streams = self.events.load_many(ids)
            known = [fold(id_, streams.get(id_, []), corrections.evolve) for id_ in ids]
            open_ = [each for each in known if each.state and each.state.status == "open"]
            self._require_no_names(reason, [each.state for each in open_ if each.state])
            batch = [each.followed_by(decide(each.state)) for each in open_]
            if not batch:
                return []
            try:
                self.events.append(batch, request.attribution(self.clock))
            except ConcurrencyConflict:
                continue  # somebody decided on one, or it was withdrawn, in this moment
            return [CorrectionId(new.stream_id) for new in batch]
        raise ConcurrencyConflict(list(ids))

    def _decide(
        self,
        id_: CorrectionId,
        decide: Callable[[Correction | None], list[CorrectionEvent]],
        request: Request,
    ) -> None:
        for _ in range(MOST_CONFLICTS):
            known = load(self.events, id_, corrections.evolve)
            try:
                append(self.events, known, decide(known.state), request.attribution(self.clock))
            except ConcurrencyConflict:
                continue  # somebody decided on it, or it was withdrawn, in this moment
            return
        raise ConcurrencyConflict([id_])

    def _require_no_names(self, reason: str, of: Sequence[Correction]) -> None:
        """Refuse a reason that names one of the learners: it stays in the history for good.

        Raises:
            InvalidInput: It does, is empty, or holds an e-mail address.
        """
        ids = [each.proposed.credential_id for each in of if each.proposed.credential_id]
        names = {each.proposed.full_name for each in of if each.proposed.full_name}
        for id_, recorded in (self.events.load_many(ids) if ids else {}).items():
            state = fold(id_, recorded, credentials.evolve).state
            if state is not None and state.awarded.person is not None:
                names.add(state.awarded.person.full_name)
        parse_reason(reason, names=tuple(names))


def _may_be(label: str, where: CorrectionFilter) -> bool:
    configuration, _, learner_id = label.partition(" ")
    return where.configuration_id in (None, ConfigurationId(UUID(configuration))) and (
        where.learner_id in (None, LearnerId(learner_id))
    )


def _is_wanted(state: Correction, where: CorrectionFilter) -> bool:
    return where.kind in (None, state.proposed.kind)
