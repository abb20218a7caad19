"""Serials: numbers for credentials, taken in the transaction in which they are awarded.

How far a sequence has counted stands in the register, so that nothing is folded. Two writers who
take the same numbers append to the same version of the sequence's stream, and the event store lets
one of them through; the other takes the next ones. So there are no gaps, and no number is double.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from testamur.application.errors import AlreadyRunning
from testamur.application.ports.event_store import NewEvents
from testamur.application.ports.register import Register
from testamur.application.ports.system import WorkLocks
from testamur.domain.credentials import CredentialAwarded
from testamur.domain.identifiers import CredentialId
from testamur.domain.serials import (
    SerialRule,
    SerialSequence,
    SerialSequenceName,
    decide_assign,
)

#: How long to wait for others who number by the same sequence, before trying all the same.
PATIENCE_SECONDS: Final = 30.0

Awards = Mapping[CredentialId, CredentialAwarded]


@dataclass(frozen=True, slots=True)
class Numbered:
    """Awards with their serials.

    Args:
        awards: In the order in which they were given.
        taken: What is to be appended together with them.
    """

    awards: Awards
    taken: tuple[NewEvents, ...] = ()


@dataclass(frozen=True, slots=True)
class Serials:
    """Numbers awards."""

    register: Register
    locks: WorkLocks

    def number(self, awards: Awards, rule: SerialRule | None) -> Numbered:
        """Give awards the next serials, in their order; those that have one keep it.

        Args:
            awards: By credential.
            rule: How they are numbered; None: not at all.

        Raises:
            DecisionRefused: A sequence is at its end.
        """
        if rule is None:
            return Numbered(awards)
        waiting: dict[SerialSequenceName, list[CredentialId]] = {}
        for id_, award in awards.items():
            if award.serial is None:
                waiting.setdefault(_sequence(award, rule), []).append(id_)
        numbered = dict(awards)
        taken = []
        for name, ids in waiting.items():
            row = self.register.catalogue_row(name.id)
            state = None if row is None else SerialSequence(row.last_number)
            decided = decide_assign(state, name, rule, len(ids))
            for number, id_ in enumerate(ids, start=decided[0].first):
                award = awards[id_]
                serial = rule.written(number, award.award_date)
                numbered[id_] = award.model_copy(update={"serial": serial})
            taken.append(NewEvents(name.id, 0 if row is None else row.version, decided))
        return Numbered(numbered, tuple(taken))

    @contextmanager
    def taking_turns(self, awards: Awards, rule: SerialRule | None) -> Iterator[None]:
        """Wait until nobody else numbers by the same sequences.

        It only saves work: those who did not wait would take the same numbers, and all but one of
        them would have to take others.
        """
        with ExitStack() as turns:
            names = {_sequence(award, rule) for award in awards.values()} if rule else set()
            for name in sorted(map(str, names)):
                try:
                    turns.enter_context(self.locks.hold(f"serials {name}", PATIENCE_SECONDS))
                except AlreadyRunning:
                    continue  # the event store refuses what is double
            yield


def _sequence(award: CredentialAwarded, rule: SerialRule) -> SerialSequenceName:
    configuration = f"{award.type_slug} {award.context_key}"
    return rule.sequence(award.issuer_name, configuration, award.award_date)
