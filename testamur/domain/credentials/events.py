"""What happens to a credential."""

from datetime import date
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from testamur.domain.events import DomainEvent
from testamur.domain.evidence import Evidence
from testamur.domain.identifiers import (
    ConfigurationId,
    CredentialId,
    LearnerId,
    Slug,
    VerificationId,
)
from testamur.domain.personal_data import Person, Personal
from testamur.domain.schedules import Moment

#: What an imported document says it was made with.
IMPORTED: Final = "imported"


class Artifact(BaseModel):
    """A file that was issued.

    Args:
        format: Name of the renderer that made it, e.g. ``pdf``.
        storage_key: Where it lies in storage.
        media_type: e.g. ``application/pdf``.
        size: Length in bytes.
        sha256: Hash of its content, 64 lower-case hexadecimal digits.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: str
    storage_key: str
    media_type: str
    size: Annotated[int, Field(gt=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class CredentialAwarded(DomainEvent):
    """The learner has earned the credential; everything that the document shows is frozen here.

    Args:
        configuration_id: The configuration that it was awarded by.
        learner_id: Who earned it.
        person: Name, e-mail and locale at that time (personal).
        type_slug: The credential type…
        type_revision: …and which revision of it.
        type_name: What the credential is called.
        issuer_name: Who issues it.
        context_key: What it was earned in…
        context_name: …and the name of that on the document.
        award_date: The date on the document, in the issuer's time zone. A new edition keeps it.
        evidence: Why it was earned.
        edition: 1 for the first.
        replaces: The edition that this one supersedes, if any.
        expires_at: When it stops being valid, if ever.
        verification_id: Random public id.
        serial: Its number among those of the issuer or the configuration, as it is shown; None
            where they are not numbered. A new edition keeps it.
        imported_from: The system that issued it before, if one did…
        imported_id: …what it was called there…
        document_link: …and where its document lies, if that is not kept here (personal: addresses
            may hold names).
        reminders: When the learner is to be reminded that it expires, the earliest first.
    """

    configuration_id: ConfigurationId
    learner_id: LearnerId
    person: Personal[Person]
    type_slug: Slug
    type_revision: int
    type_name: str
    issuer_name: str
    context_key: str
    context_name: str
    award_date: date
    evidence: Evidence
    edition: Annotated[int, Field(ge=1)] = 1
    replaces: CredentialId | None = None
    expires_at: Moment | None = None
    verification_id: VerificationId
    serial: str | None = None
    imported_from: str | None = None
    imported_id: str | None = None
    document_link: Personal[str] = None
    reminders: tuple[Moment, ...] = ()


class CredentialIssued(DomainEvent):
    """The document was made and is durably stored.

    Args:
        artifacts: Each file; none where another system made the document and keeps it.
        rendering: SHA-256 over the options and assets that it was made with; ``imported`` where
            another system made it.
    """

    artifacts: tuple[Artifact, ...]
    rendering: str

    @model_validator(mode="after")
    def _has_a_document(self) -> Self:
        if not self.artifacts and self.rendering != IMPORTED:
            raise ValueError("at least one file, unless another system keeps it")
        return self


class IssuanceFailed(DomainEvent):
    """The document could not be made or stored; it is tried again.

    Args:
        learner_id: Whose it is.
        attempt: 1 for the first failure.
        reason: What kind of reason.
        detail: What went wrong, for people to read (personal: it may quote the name).
        retry_at: When it is tried again.
    """

    learner_id: LearnerId
    attempt: int
    reason: str
    detail: Personal[str]
    retry_at: Moment


Notice = Literal["issued", "revoked", "reissued", "expiring", "recertified"]
"""What a message tells a learner of a credential."""


class NotificationRequested(DomainEvent):
    """The learner is to be told something; that it was issued is to be told without this.

    Args:
        notice: What of.
        sequence: Tells several of one kind apart, such as reminders; 0 for the first.
        request: 1 for the first time; more where somebody had it sent again.
        reason: Why somebody had it sent again; None where it is told by itself.
        next_reminder_at: For a reminder, when the next one is due; None: there is none.
    """

    notice: Notice
    sequence: Annotated[int, Field(ge=0)] = 0
    request: Annotated[int, Field(ge=1)] = 1
    reason: str | None = None
    next_reminder_at: Moment | None = None


class NotificationSent(DomainEvent):
    """The learner was told, as far as the mail server's word goes.

    Args:
        message_id: Stable Message-ID (RFC 5322), the same for every attempt.
        notice: What the message tells…
        sequence: …which of that kind…
        request: …and at which request, see `NotificationRequested`.
    """

    message_id: str
    notice: Notice = "issued"
    sequence: int = 0
    request: int = 1


class NotificationFailed(DomainEvent):
    """The learner could not be told.

    Args:
        learner_id: Who.
        attempt: 1 for the first failure.
        reason: What kind of reason.
        detail: What went wrong (personal: it may quote the address).
        retry_at: When it is tried again; None: given up.
        notice: What the message tells…
        sequence: …which of that kind…
        request: …and at which request, see `NotificationRequested`.
    """

    learner_id: LearnerId
    attempt: int
    reason: str
    detail: Personal[str]
    retry_at: Moment | None
    notice: Notice = "issued"
    sequence: int = 0
    request: int = 1


class NotificationSkipped(DomainEvent):
    """The learner is not told.

    Args:
        reason: Why: ``no-address``, ``inactive-account``, ``switched-off``, ``suppressed`` (all
            messages to the learner are), ``bounced`` (an earlier one was), ``ended`` (what it
            tells of does not hold any more), ``expired`` (a reminder that came too late),
            ``told-otherwise`` (another message tells it too), ``never-told`` (it was revoked before
            the learner was told of it).
        notice: What the message would have told…
        sequence: …which of that kind…
        request: …and at which request, see `NotificationRequested`.
    """

    reason: str
    notice: Notice = "issued"
    sequence: int = 0
    request: int = 1


class NotificationSuppressed(DomainEvent):
    """Somebody decided that a message that waits is not sent.

    Args:
        reason: Why.
        notice: What the message would have told…
        sequence: …which of that kind…
        request: …and at which request, see `NotificationRequested`.
    """

    reason: str
    notice: Notice = "issued"
    sequence: int = 0
    request: int = 1


class NotificationBounced(DomainEvent):
    """A message that the mail server had taken came back undelivered.

    Args:
        reason: Why, without the address: a status (RFC 3463) or a word.
        notice: What the message tells…
        sequence: …which of that kind…
        request: …and at which request, see `NotificationRequested`.
    """

    reason: str
    notice: Notice = "issued"
    sequence: int = 0
    request: int = 1


class CredentialRevoked(DomainEvent):
    """The credential does not hold any more. It sticks until somebody reissues."""

    reason: str


class CredentialSuperseded(DomainEvent):
    """A newer edition took its place.

    Args:
        by: That edition.
        reason: Why somebody had it reissued; None where no person did.
    """

    by: CredentialId
    reason: str | None = None


class DocumentsWithdrawn(DomainEvent):
    """The files of a credential that has ended are out of their public places.

    Args:
        archived: Keys of those that were put away, and can be read in the archive.
        missing: Keys of those that were issued and found nowhere.
    """

    archived: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


class PersonalDataErased(DomainEvent):
    """The learner's data key, files and personal rows are gone; the record stays."""

    reason: str


CredentialEvent = (
    CredentialAwarded
    | CredentialIssued
    | IssuanceFailed
    | NotificationRequested
    | NotificationSent
    | NotificationFailed
    | NotificationSkipped
    | NotificationSuppressed
    | NotificationBounced
    | CredentialRevoked
    | CredentialSuperseded
    | DocumentsWithdrawn
    | PersonalDataErased
)
