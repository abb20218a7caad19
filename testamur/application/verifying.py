"""Verifying: what the public may know of a credential, and whether it holds, now or on a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from testamur.application.aggregates import fold
from testamur.application.installation import Installation
from testamur.application.moments import until
from testamur.application.ports.event_store import EventStore, RecordedEvent
from testamur.application.ports.register import Register
from testamur.application.ports.system import Clock
from testamur.domain.credentials import Credential, CredentialIssued, CredentialStatus, evolve
from testamur.domain.errors import InvalidInput
from testamur.domain.identifiers import CredentialId, VerificationId
from testamur.domain.validity import Validity, ValidityStatus, validity_at

PublicStatus = Literal[
    "valid", "expired", "revoked", "superseded", "erased", "not-yet-issued", "unknown"
]


@dataclass(frozen=True, slots=True)
class Verification:
    """What anybody may know of a credential.

    Args:
        status: Whether it holds, and if not, why not. ``unknown`` is all that is said of one that
            was never issued: its document could not be made, so nobody can have it.
        sentence: The same for people to read, in English.
        at: For which moment that is said (aware).
        verification_id: Its public id; None where it is unknown.
        type_name: What it is called.
        context_name: What it was earned in, on one line.
        issuer_name: Who issued it.
        award_date: The date on the document.
        full_name: Whose it is; None once the learner is erased.
        expires_at: When it stops being valid by itself, or did; None: never.
        reason: Why it was revoked, if that is its status: a newer edition clears it.
        superseded_by: Public id of the newer edition, if there is one.
        serial: Its number as it is shown; None where it has none.
    """

    status: PublicStatus
    sentence: str
    at: datetime
    verification_id: VerificationId | None = None
    type_name: str | None = None
    context_name: str | None = None
    issuer_name: str | None = None
    award_date: date | None = None
    full_name: str | None = None
    expires_at: datetime | None = None
    reason: str | None = None
    superseded_by: VerificationId | None = None
    serial: str | None = None

    @property
    def holds(self) -> bool:
        """Whether the credential is valid."""
        return self.status == "valid"


@dataclass(frozen=True, slots=True)
class Verifying:
    """Answers whoever was shown a credential."""

    events: EventStore
    register: Register
    clock: Clock
    installation: Installation

    def verify(
        self, reference: VerificationId | CredentialId, at: datetime | None = None
    ) -> Verification:
        """Tell whether a credential holds. There is an answer to any reference.

        Args:
            reference: Its public verification id. Its own id (a UUID) does too, but can be worked
                out from a learner's id: do not take it from the public.
            at: For which moment (aware, not to come); None: now. Then only what was recorded until
                then counts.

        Raises:
            InvalidInput: The moment is to come, or has no time zone.
            EventStoreError: The store cannot be read.
        """
        now = self.clock.now()
        moment = at or now
        if moment.tzinfo is None or moment > now:
            raise InvalidInput(
                "at", moment.isoformat(), "a moment until now, with an offset: later ones are open"
            )
        recorded = self._recorded(reference)
        present = fold(UUID(int=0), recorded, evolve).state
        issued = any(isinstance(each.event, CredentialIssued) for each in recorded)
        if present is None or not issued:
            return Verification("unknown", "No credential of this id was issued here.", moment)
        until_then = until(moment, recorded)
        validity = validity_at(fold(UUID(int=0), until_then, evolve).state, moment)
        return self._answer(present, validity, moment, is_now=at is None)

    def _recorded(self, reference: VerificationId | CredentialId) -> Sequence[RecordedEvent]:
        if isinstance(reference, UUID):
            return self.events.load(reference)
        row = self.register.credential_by_verification_id(VerificationId(reference.strip()))
        return [] if row is None else self.events.load(row.credential_id)

    def _answer(
        self, present: Credential, validity: Validity, moment: datetime, *, is_now: bool
    ) -> Verification:
        awarded = present.awarded
        erased = present.status is CredentialStatus.ERASED
        newer = self._verification_id(validity.superseded_by) if validity.superseded_by else None
        status = _PUBLIC[validity.status]
        sentence = self._sentence(validity, None if is_now else moment)
        if erased and status != "erased":
            sentence += " The learner's personal data was erased since, at the learner's request."
        return Verification(
            status,
            sentence,
            moment,
            verification_id=awarded.verification_id,
            type_name=awarded.type_name,
            context_name=" ".join(awarded.context_name.split()),
            issuer_name=awarded.issuer_name,
            award_date=awarded.award_date,
            full_name=None if erased or awarded.person is None else awarded.person.full_name,
            expires_at=awarded.expires_at,
            reason=validity.reason if status == "revoked" and not erased else None,
            superseded_by=newer,
            serial=awarded.serial,
        )

    def _verification_id(self, id_: CredentialId) -> VerificationId | None:
        state = fold(id_, self.events.load(id_), evolve).state
        return None if state is None else state.awarded.verification_id

    def _sentence(self, validity: Validity, moment: datetime | None) -> str:
        was, had = ("is", "has") if moment is None else ("was", "had")
        on = "" if moment is None else f" on {self._told(moment)}"
        match validity.status:
            case ValidityStatus.VALID:
                return f"This credential {was} valid{on}."
            case ValidityStatus.EXPIRED:
                expired = "" if validity.expires_at is None else self._told(validity.expires_at)
                return f"This credential {was} not valid{on}: it expired on {expired}."
            case ValidityStatus.REVOKED:
                return f"This credential {was} not valid{on}: it {had} been revoked."
            case ValidityStatus.SUPERSEDED:
                newer = f"a newer edition {had} taken its place"
                return f"This credential {was} not valid{on}: {newer}."
            case ValidityStatus.ERASED:
                before = "" if validity.reason is None else " It had been revoked before that."
                return (
                    "The personal data of this credential was erased at the learner's request; "
                    f"whose it was can no longer be told.{before}"
                )
            case ValidityStatus.NOT_YET_AWARDED | ValidityStatus.AWARDED_NOT_ISSUED:
                return f"This credential had not been issued yet{on}."

    def _told(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.installation.time_zone):%Y-%m-%d %H:%M %Z}"


_PUBLIC: dict[ValidityStatus, PublicStatus] = {
    ValidityStatus.NOT_YET_AWARDED: "not-yet-issued",
    ValidityStatus.AWARDED_NOT_ISSUED: "not-yet-issued",
    ValidityStatus.VALID: "valid",
    ValidityStatus.EXPIRED: "expired",
    ValidityStatus.REVOKED: "revoked",
    ValidityStatus.SUPERSEDED: "superseded",
    ValidityStatus.ERASED: "erased",
}
