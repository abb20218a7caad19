"""Port: the register, the set questions that single streams cannot answer.

It is changed in the same transaction as the events, by `testamur.application.registration`, so it
is never behind.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from testamur.domain.credentials import CredentialStatus, NotificationStatus
from testamur.domain.identifiers import (
    ConfigurationId,
    CredentialId,
    LearnerId,
    RunId,
    VerificationId,
)


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
    """

    run_id: RunId
    configuration_id: ConfigurationId
    slot: str
    scheduled_for: datetime | None
    started_at: datetime
    completed: bool = False
    failures: int = 0
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """One type, asset, configuration or erasure in the register.

    Args:
        stream_id: Id of the aggregate.
        kind: ``credential-type``, ``asset``, ``configuration`` or ``erasure``.
        label: Slug; for a configuration ``SLUG CONTEXT_KEY``; for an erasure the learner's id.
        active: For a configuration: enabled. For an erasure: not completed. For the others: not
            retired or removed.
    """

    stream_id: UUID
    kind: str
    label: str
    active: bool


@dataclass(frozen=True, slots=True)
class CredentialFilter:
    """Which credentials to list; None leaves a condition out."""

    configuration_id: ConfigurationId | None = None
    learner_id: LearnerId | None = None
    context_key: str | None = None
    run_id: UUID | None = None
    status: CredentialStatus | None = None
    type_slug: str | None = None


@dataclass(frozen=True, slots=True)
class CredentialTally:
    """How many credentials stand where.

    Args:
        by_status: All of them, by status.
        failing: Those awarded whose document could not be made or stored yet.
        notifications: Those issued, by how far telling the learner is.
    """

    by_status: Mapping[CredentialStatus, int] = field(default_factory=dict)
    failing: int = 0
    notifications: Mapping[NotificationStatus, int] = field(default_factory=dict)


class Register(Protocol):
    """Answers set questions about credentials, runs and the catalogue."""

    def holders(
        self, configuration_id: ConfigurationId, learner_ids: Sequence[LearnerId]
    ) -> set[LearnerId]:
        """Return who of these learners holds a credential of the configuration.

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
            open_only: Only those that have not completed.
        """
        ...

    def last_slot(self, configuration_id: ConfigurationId) -> datetime | None:
        """Return the latest scheduled slot that a run was started for."""
        ...

    def catalogue(self, kind: str, *, active_only: bool = False) -> Iterator[CatalogueRow]:
        """Yield what there is of a kind, by label."""
        ...
