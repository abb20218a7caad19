"""The credential: what one learner was awarded in one learning context, and its whole life."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from testamur.domain.errors import DecisionRefused
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

#: Delay after the first failed attempt to issue or notify; it doubles with each further one.
FIRST_RETRY_AFTER: Final = timedelta(minutes=1)
LONGEST_RETRY_AFTER: Final = timedelta(hours=12)
#: Mails are given up after about four days, as mail servers do (RFC 5321, section 4.5.4.1).
MOST_NOTIFICATION_ATTEMPTS: Final = 18


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


# Events


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


class CredentialIssued(DomainEvent):
    """The document was made and is durably stored.

    Args:
        artifacts: Each file.
        rendering: SHA-256 over the options and assets that it was made with.
    """

    artifacts: Annotated[tuple[Artifact, ...], Field(min_length=1)]
    rendering: str


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


class NotificationSent(DomainEvent):
    """The learner was told, as far as the mail server's word goes.

    Args:
        message_id: Stable Message-ID (RFC 5322), the same for every attempt.
    """

    message_id: str


class NotificationFailed(DomainEvent):
    """The learner could not be told.

    Args:
        learner_id: Who.
        attempt: 1 for the first failure.
        reason: What kind of reason.
        detail: What went wrong (personal: it may quote the address).
        retry_at: When it is tried again; None: given up.
    """

    learner_id: LearnerId
    attempt: int
    reason: str
    detail: Personal[str]
    retry_at: Moment | None


class NotificationSkipped(DomainEvent):
    """The learner is not told, and why: ``no-address``, ``inactive-account``, ``switched-off``."""

    reason: str


class CredentialRevoked(DomainEvent):
    """The credential does not hold any more. It sticks until somebody reissues."""

    reason: str


class CredentialSuperseded(DomainEvent):
    """A newer edition took its place."""

    by: CredentialId


class PersonalDataErased(DomainEvent):
    """The learner's data key, files and personal rows are gone; the record stays."""

    reason: str


CredentialEvent = (
    CredentialAwarded
    | CredentialIssued
    | IssuanceFailed
    | NotificationSent
    | NotificationFailed
    | NotificationSkipped
    | CredentialRevoked
    | CredentialSuperseded
    | PersonalDataErased
)


# State


class CredentialStatus(StrEnum):
    """Where a credential stands."""

    AWARDED = "awarded"
    ISSUED = "issued"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"
    ERASED = "erased"


NotificationStatus = Literal["pending", "sent", "skipped", "given-up"]


@dataclass(frozen=True, slots=True)
class Credential:
    """A credential as its events left it."""

    awarded: CredentialAwarded
    status: CredentialStatus = CredentialStatus.AWARDED
    artifacts: tuple[Artifact, ...] = ()
    issue_failures: int = 0
    issue_retry_at: datetime | None = None
    notification: NotificationStatus = "pending"
    notification_failures: int = 0
    notification_retry_at: datetime | None = None
    revocation_reason: str | None = None
    superseded_by: CredentialId | None = None


def evolve(state: Credential | None, event: CredentialEvent) -> Credential:
    """Return the state after an event."""
    if isinstance(event, CredentialAwarded):
        return Credential(event)
    known = _awarded(state)
    match event:
        case CredentialIssued():
            return replace(
                known,
                status=CredentialStatus.ISSUED,
                artifacts=event.artifacts,
                issue_retry_at=None,
            )
        case IssuanceFailed():
            return replace(known, issue_failures=event.attempt, issue_retry_at=event.retry_at)
        case NotificationSent():
            return replace(known, notification="sent", notification_retry_at=None)
        case NotificationFailed():
            return replace(
                known,
                notification="given-up" if event.retry_at is None else "pending",
                notification_failures=event.attempt,
                notification_retry_at=event.retry_at,
            )
        case NotificationSkipped():
            return replace(known, notification="skipped", notification_retry_at=None)
        case CredentialRevoked():
            ended = _ended(known, CredentialStatus.REVOKED)
            return replace(ended, revocation_reason=event.reason)
        case CredentialSuperseded():
            return replace(_ended(known, CredentialStatus.SUPERSEDED), superseded_by=event.by)
        case PersonalDataErased():
            return replace(
                _ended(known, CredentialStatus.ERASED),
                awarded=known.awarded.model_copy(update={"person": None}),
                artifacts=(),
            )


def _ended(state: Credential, status: CredentialStatus) -> Credential:
    return replace(state, status=status, issue_retry_at=None, notification_retry_at=None)


# Decisions


def decide_award(state: Credential | None, award: CredentialAwarded) -> list[CredentialEvent]:
    """Award the credential.

    Raises:
        DecisionRefused: It was awarded before, or the person has no name.
    """
    subject = f"credential of learner {award.learner_id!r} for {award.context_key}"
    if state is not None:
        raise DecisionRefused(subject, "it was awarded already")
    if award.person is None or not award.person.full_name.strip():
        raise DecisionRefused(subject, "the learner has no name to put on it")
    return [award]


def decide_issue(
    state: Credential | None, artifacts: tuple[Artifact, ...], rendering: str
) -> list[CredentialEvent]:
    """Record that the document is durably stored; nothing happens where it was issued before.

    Raises:
        DecisionRefused: It is revoked, superseded or erased.
    """
    known = _awarded(state)
    if known.status is CredentialStatus.ISSUED:
        return []
    _require(known, CredentialStatus.AWARDED, "be issued")
    return [CredentialIssued(artifacts=artifacts, rendering=rendering)]


def decide_fail_issuance(
    state: Credential | None, reason: str, detail: str, now: datetime
) -> list[CredentialEvent]:
    """Record that the document could not be made, to be tried again with doubling delays.

    Raises:
        DecisionRefused: It is not waiting to be issued.
    """
    known = _awarded(state)
    _require(known, CredentialStatus.AWARDED, "fail to be issued")
    attempt = known.issue_failures + 1
    return [
        IssuanceFailed(
            learner_id=known.awarded.learner_id,
            attempt=attempt,
            reason=reason,
            detail=detail,
            retry_at=now + _retry_after(attempt),
        )
    ]


def decide_notification(state: Credential | None, *, switched_on: bool) -> str | None:
    """Decide whether the learner is to be told: None for yes, else the reason why not.

    Raises:
        DecisionRefused: The credential is not issued, or the learner was dealt with before.
    """
    known = _to_notify(state)
    person = known.awarded.person
    if not switched_on:
        return "switched-off"
    if person is None or not person.email:
        return "no-address"
    return None if person.mailable else "inactive-account"


def decide_skip_notification(state: Credential | None, reason: str) -> list[CredentialEvent]:
    """Record that the learner is not told.

    Raises:
        DecisionRefused: The credential is not issued, or the learner was dealt with before.
    """
    _to_notify(state)
    return [NotificationSkipped(reason=reason)]


def decide_notified(state: Credential | None, message_id: str) -> list[CredentialEvent]:
    """Record that the mail server took the message.

    Raises:
        DecisionRefused: The credential is not issued, or the learner was dealt with before.
    """
    _to_notify(state)
    return [NotificationSent(message_id=message_id)]


def decide_fail_notification(
    state: Credential | None, reason: str, detail: str, now: datetime, *, permanent: bool
) -> list[CredentialEvent]:
    """Record that the learner could not be told, to be tried again with doubling delays.

    Args:
        state: The credential.
        reason: What kind of reason.
        detail: For people to read.
        now: The moment of failing (aware).
        permanent: Whether trying again is pointless.

    Raises:
        DecisionRefused: The credential is not issued, or the learner was dealt with before.
    """
    known = _to_notify(state)
    attempt = known.notification_failures + 1
    given_up = permanent or attempt >= MOST_NOTIFICATION_ATTEMPTS
    return [
        NotificationFailed(
            learner_id=known.awarded.learner_id,
            attempt=attempt,
            reason=reason,
            detail=detail,
            retry_at=None if given_up else now + _retry_after(attempt),
        )
    ]


def decide_revoke(state: Credential | None, reason: str) -> list[CredentialEvent]:
    """Revoke the credential, whether its document was made yet or not.

    Raises:
        DecisionRefused: It is revoked, superseded or erased.
    """
    known = _awarded(state)
    _require_living(known, "be revoked")
    return [CredentialRevoked(reason=reason)]


def decide_supersede(state: Credential | None, by: CredentialId) -> list[CredentialEvent]:
    """Let a newer edition take its place; a revoked one may be superseded too, by a reissue.

    Raises:
        DecisionRefused: It is superseded or erased.
    """
    known = _awarded(state)
    if known.status is not CredentialStatus.REVOKED:
        _require_living(known, "be superseded")
    return [CredentialSuperseded(by=by)]


def decide_erase(state: Credential | None, reason: str) -> list[CredentialEvent]:
    """Record that the learner's personal data is gone, whatever the credential's status was.

    Nothing happens where it was erased before.
    """
    known = _awarded(state)
    if known.status is CredentialStatus.ERASED:
        return []
    return [PersonalDataErased(reason=reason)]


def _retry_after(attempt: int) -> timedelta:
    # The exponent is bounded because timedelta overflows long before anybody stops retrying.
    return min(FIRST_RETRY_AFTER * (1 << min(attempt - 1, 20)), LONGEST_RETRY_AFTER)


def _awarded(state: Credential | None) -> Credential:
    if state is None:
        raise DecisionRefused("credential", "it was never awarded")
    return state


def _require(state: Credential, status: CredentialStatus, verb: str) -> None:
    if state.status is not status:
        raise DecisionRefused(_subject(state), f"it is {state.status} and cannot {verb}")


def _require_living(state: Credential, verb: str) -> None:
    if state.status not in (CredentialStatus.AWARDED, CredentialStatus.ISSUED):
        raise DecisionRefused(_subject(state), f"it is {state.status} and cannot {verb}")


def _to_notify(state: Credential | None) -> Credential:
    known = _awarded(state)
    _require(known, CredentialStatus.ISSUED, "be told of")
    if known.notification != "pending":
        raise DecisionRefused(_subject(known), "the learner was dealt with already")
    return known


def _subject(state: Credential) -> str:
    awarded = state.awarded
    return f"credential of learner {awarded.learner_id!r} for {awarded.context_key}"
