"""Awardees: people who are to get a credential that no run awards, and what becomes of each."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Final, Literal, TypeVar

from testamur.application.ports.register import CredentialFilter, CredentialRow, Register
from testamur.application.registration import is_living
from testamur.application.reissuing import parse_full_name
from testamur.domain.credentials import CredentialStatus
from testamur.domain.errors import InvalidInput
from testamur.domain.identifiers import (
    ConfigurationId,
    CredentialId,
    LearnerId,
    parse_learner_id,
)

Entry = TypeVar("Entry")

#: Awards that are recorded together.
BATCH_SIZE: Final = 500

#: So many of those who would get none, or who would get one, are told one by one.
SHOWN: Final = 20

#: Of one line and without a name; whether it can be reached, only the mail server knows.
_ADDRESS: Final = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[^\s@<>,;:\"()\[\]\\]{1,255}")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")

Outcome = Literal["award", "already-held", "refused"]


@dataclass(frozen=True, slots=True)
class Awardee:
    """Somebody who is to get a credential by hand.

    Args:
        learner_id: The data source's own opaque id.
        full_name: The name that goes on the document.
        email: Where they are told; None: they are not.
        locale: Language tag (BCP 47); None: the installation's language.
        award_date: The date on the document; None: today.
        place: Where that was said, such as ``line 7``; for messages.
    """

    learner_id: LearnerId
    full_name: str
    email: str | None = None
    locale: str | None = None
    award_date: date | None = None
    place: str = ""

    @classmethod
    def parse(
        cls,
        learner_id: str,
        full_name: str,
        *,
        email: str | None = None,
        locale: str | None = None,
        award_date: date | None = None,
        place: str = "",
    ) -> "Awardee":
        """Check what came from outside.

        Raises:
            InvalidInput: The id, name, address or language is not allowed.
        """
        if email and not _ADDRESS.fullmatch(email.strip()):
            # It is not shown: errors get into logs.
            raise InvalidInput("email", "…", "an e-mail address such as ann@example.org, or none")
        if locale and not _LANGUAGE.fullmatch(locale.strip()):
            raise InvalidInput("locale", locale, "a language tag such as pl or pt-BR, or none")
        return cls(
            parse_learner_id(learner_id.strip()),
            parse_full_name(full_name),
            (email or "").strip() or None,
            (locale or "").strip() or None,
            award_date,
            place,
        )


@dataclass(frozen=True, slots=True)
class Prospective:
    """What becomes of one of them.

    Args:
        awardee: Who.
        outcome: ``award``; ``already-held``, which is no error; or ``refused``.
        detail: Why they are refused, or what they hold.
        credential_id: What they are awarded or hold.
    """

    awardee: Awardee
    outcome: Outcome
    detail: str | None = None
    credential_id: CredentialId | None = None


@dataclass(frozen=True, slots=True)
class AwardReport:
    """What was done, or would be, for a list of learners.

    Args:
        awarded: How many are awarded the credential.
        already_held: How many hold it already.
        refused: How many cannot be awarded it.
        first: The first of those who are awarded it.
        refusals: The first of those who are refused, and why.
    """

    awarded: int = 0
    already_held: int = 0
    refused: int = 0
    first: tuple[Prospective, ...] = ()
    refusals: tuple[Prospective, ...] = ()


@dataclass(slots=True)
class Tally:
    """Counts outcomes, and keeps the first few."""

    counts: Counter[str] = field(default_factory=Counter)
    first: list[Prospective] = field(default_factory=list)
    refusals: list[Prospective] = field(default_factory=list)

    def add(self, found: Iterable[Prospective]) -> None:
        """Count what became of some of them."""
        for each in found:
            self.counts[each.outcome] += 1
            kept = {"award": self.first, "refused": self.refusals}.get(each.outcome)
            if kept is not None and len(kept) < SHOWN:
                kept.append(each)

    def report(self) -> AwardReport:
        """Return what was counted."""
        return AwardReport(
            self.counts["award"],
            self.counts["already-held"],
            self.counts["refused"],
            tuple(self.first),
            tuple(self.refusals),
        )


def latest_of(
    register: Register, configuration: ConfigurationId, learner_id: LearnerId
) -> CredentialRow | None:
    """Return the latest edition that a learner holds or held."""
    where = CredentialFilter(configuration_id=configuration, learner_id=learner_id)
    rows = register.credentials(where, BATCH_SIZE)
    return max(rows, key=lambda row: row.edition, default=None)


def of_holder(awardee: Awardee, row: CredentialRow) -> Prospective:
    """Say what becomes of a learner who has, or had, a credential."""
    id_ = row.credential_id
    if is_living(row.status):
        return Prospective(awardee, "already-held", f"holds credential {id_}", id_)
    remedy = {
        CredentialStatus.REVOKED: (
            f"credential {id_} was revoked, and that stays so; where the learner is to have one "
            f"again, reissue it (testamur credential reissue {id_})"
        ),
        CredentialStatus.ERASED: (
            f"credential {id_} was erased at the learner's request; it cannot be awarded again"
        ),
    }
    detail = remedy.get(row.status, f"credential {id_} is {row.status}")
    return Prospective(awardee, "refused", detail, id_)


def batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Yield entries in lists of at most `BATCH_SIZE`."""
    remaining = iter(entries)
    while batch := list(islice(remaining, BATCH_SIZE)):
        yield batch
