"""Port: the register, the set questions that single streams cannot answer.

It is changed in the same transaction as the events, by `testamur.application.registration`, so it
is never behind.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from testamur.domain.credentials import CredentialStatus, Notice, NotificationStatus
from testamur.domain.identifiers import (
    ConfigurationId,
    CredentialId,
    LearnerId,
    RunId,
    VerificationId,
)
from testamur.domain.runs import Approval


@dataclass(frozen=True, slots=True)
class CredentialRow:
    """One credential in the register; without anything personal but the opaque learner id.

    Args:
        credential_id: The credential.
        configuration_id: The configuration that it was awarded by.
        learner_id: Who earned it.
        edition: 1 for the first.
        context_key: What it was earned in.
        type_slug: The credential type.
        verification_id: Random public id.
        run_id: Correlation id of the award: the run, or a request.
        awarded_at: When it was awarded.
        status: Where it stands.
        issue_failures: Failed attempts to issue it.
        issue_retry_at: Not to be tried before; None: at any time.
        notification: Where telling the learner stands.
        notification_failures: Failed attempts to tell.
        notification_retry_at: Not to be tried before; None: at any time.
        notification_reason: Why the learner could not be told, or was not; the last one.
        issued_at: When it was issued, if it was.
        notified_at: When the mail server took the message that tells of it.
        withdrawal_pending: Whether it has ended, and its files are not known yet to have left
            their public places.
        serial: Its number as it is shown; None where it has none.
        expires_at: When it stops being valid by itself; None: never.
        remind_at: When the learner is next to be reminded of that, if it is issued then; None: not
            any more.
    """

    credential_id: CredentialId
    configuration_id: ConfigurationId
    learner_id: LearnerId
    edition: int
    context_key: str
    type_slug: str
    verification_id: VerificationId
    run_id: UUID
    awarded_at: datetime
    status: CredentialStatus = CredentialStatus.AWARDED
    issue_failures: int = 0
    issue_retry_at: datetime | None = None
    notification: NotificationStatus = "pending"
    notification_failures: int = 0
    notification_retry_at: datetime | None = None
    notification_reason: str | None = None
    issued_at: datetime | None = None
    notified_at: datetime | None = None
    withdrawal_pending: bool = False
    serial: str | None = None
    expires_at: datetime | None = None
    remind_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One message to a learner, other than the first that tells of the issue.

    Args:
        credential_id: What it is about.
        notice: What it tells.
        sequence: Which of that kind.
        request: 1 for the first time; more where somebody had it sent again.
        requested_at: When it was asked for.
        status: Where it stands.
        failures: How often it could not be sent.
        retry_at: Not to be tried before; None: at any time.
        reason: Why it could not be sent, or was not; the last one.
        sent_at: When the mail server took it.
    """

    credential_id: CredentialId
    notice: Notice
    sequence: int
    request: int
    requested_at: datetime
    status: NotificationStatus = "pending"
    failures: int = 0
    retry_at: datetime | None = None
    reason: str | None = None
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run in the register.

    Args:
        run_id: The run.
        configuration_id: Whose run.
        slot: What it is for.
        scheduled_for: The slot as a moment, for a scheduled run.
        started_at: When it was first started.
        completed: Whether it has gone over all learners.
        failures: How often it failed.
        retry_at: When a failed one is tried again; None: not by itself.
        approval: Whether it needs approval, and what became of that.
        narrowed: Whether it was for one learner only, or for so many at most.
        awarded: How many it has awarded, once it is completed.
    """

    run_id: RunId
    configuration_id: ConfigurationId
    slot: str
    scheduled_for: datetime | None
    started_at: datetime
    completed: bool = False
    failures: int = 0
    retry_at: datetime | None = None
    approval: Approval = "not-needed"
    narrowed: bool = False
    awarded: int = 0


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """One aggregate in the register that is no credential, run or message.

    Args:
        stream_id: Id of the aggregate.
        kind: ``credential-type``, ``asset``, ``configuration``, ``erasure``, ``serials``,
            ``correction``, or ``accepted-correction`` while one is to be carried out.
        label: Slug; for a configuration ``SLUG CONTEXT_KEY``; for an erasure the learner's id; for
            a correction the configuration's id and the learner's.
        active: For a configuration: enabled. For an erasure: not completed. For a correction: it
            waits for a person, or to be carried out. For the others: not retired or removed.
        look_version: For a configuration: version of the last event that says when it runs.
        look_at: For a configuration: when a tick is to look at it again; None: at once. Ticks move
            it on (see `testamur.application.ports.agenda`), so it is no part of what events say.
        version: For a sequence of serials: version of its last event.
        last_number: For a sequence of serials: the last number that was given.
        reconcile_at: For a configuration: when its credentials are to be compared with today's
            verdicts; None: not by itself. Events of reconciliations move it on, so it is no part
            of what the configuration's own events say.
    """

    stream_id: UUID
    kind: str
    label: str
    active: bool
    look_version: int = 0
    look_at: datetime | None = field(default=None, compare=False)
    version: int = 0
    last_number: int = 0
    reconcile_at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class CredentialFilter:
    """Which credentials to list; None leaves a condition out, and so does False.

    Of those that ever expire, ``expires_after`` and ``expires_until`` (aware) say between which
    moments, the second one included.
    """

    configuration_id: ConfigurationId | None = None
    learner_id: LearnerId | None = None
    context_key: str | None = None
    run_id: UUID | None = None
    status: CredentialStatus | None = None
    type_slug: str | None = None
    serial: str | None = None
    withdrawal_pending: bool = False
    expires_after: datetime | None = None
    expires_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class CredentialTally:
    """How many credentials stand where.

    Args:
        by_status: All of them, by status.
        failing: Those awarded whose document could not be made or stored yet.
        notifications: Those issued, by how far telling the learner is.
        expired: Those issued that have expired, where a moment was given.
    """

    by_status: Mapping[CredentialStatus, int] = field(default_factory=dict)
    failing: int = 0
    notifications: Mapping[NotificationStatus, int] = field(default_factory=dict)
    expired: int = 0


class Register(Protocol):
    """Answers set questions about credentials, runs and the catalogue."""

    def not_holding(
        self, configuration_id: ConfigurationId, learner_ids: Sequence[LearnerId]
    ) -> set[LearnerId]:
        """Return who of these learners holds no credential of the configuration.

        A revoked one is held too, so that a revocation sticks; so is one awarded and not issued.
        """
        ...

    def awaiting_issue(
        self, now: datetime, limit: int, run_id: UUID | None = None
    ) -> list[CredentialRow]:
        """Return credentials awarded and not issued whose retry time has come, oldest first."""
        ...

    def awaiting_notification(
        self, now: datetime, limit: int, run_id: UUID | None = None
    ) -> list[CredentialRow]:
        """Return credentials issued whose learner is to be told now, oldest first."""
        ...

    def awaiting_reminder(self, now: datetime, limit: int) -> list[CredentialRow]:
        """Return issued credentials whose learner is to be reminded now, longest due first."""
        ...

    def renewable(
        self,
        configuration_id: ConfigurationId,
        learner_ids: Sequence[LearnerId],
        until: datetime,
    ) -> dict[LearnerId, CredentialId]:
        """Return the issued credentials of these learners that expire up to a moment (aware)."""
        ...

    def credentials(
        self, where: CredentialFilter, limit: int, after: CredentialId | None = None
    ) -> list[CredentialRow]:
        """Return credentials in a fixed order, page by page.

        Args:
            where: Which.
            limit: The most to return.
            after: The last credential of the page before.
        """
        ...

    def tally(self, where: CredentialFilter) -> CredentialTally:
        """Count credentials by where they stand."""
        ...

    def credential_by_verification_id(
        self, verification_id: VerificationId
    ) -> CredentialRow | None:
        """Return the credential with this public id, if there is one."""
        ...

    def runs(
        self, configuration_id: ConfigurationId | None = None, *, open_only: bool = False
    ) -> list[RunRow]:
        """Return runs, latest first.

        Args:
            configuration_id: Only those of this configuration.
            open_only: Only those that are neither completed nor rejected.
        """
        ...

    def recent_awards(self, configuration_id: ConfigurationId, limit: int) -> list[int]:
        """Return how many each of the last runs awarded that awarded anybody, latest first.

        Only completed runs count, and of these only those that went over everybody.
        """
        ...

    def runs_to_approve(self, configuration_id: ConfigurationId | None = None) -> list[RunRow]:
        """Return runs that wait until somebody has approved or rejected them, latest first.

        Args:
            configuration_id: Only those of this configuration.
        """
        ...

    def last_slot(self, configuration_id: ConfigurationId) -> datetime | None:
        """Return the latest scheduled slot that a run was started for."""
        ...

    def catalogue(self, kind: str, *, active_only: bool = False) -> Iterator[CatalogueRow]:
        """Yield what there is of a kind, by label."""
        ...

    def catalogue_row(self, stream_id: UUID) -> CatalogueRow | None:
        """Return the row of one aggregate of the catalogue, if it is there."""
        ...
