"""Port: the ledger of deliveries, set questions about messages to learners.

It is told from the register, which changes in the same transaction as the events.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from testamur.application.ports.register import CredentialRow
from testamur.domain.credentials import MessageKey, Notice, NotificationStatus
from testamur.domain.identifiers import ConfigurationId, CredentialId, LearnerId


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One message to a learner, without anything personal but the opaque learner id.

    Args:
        credential_id: What it is about.
        notice: What it tells.
        sequence: Which of that kind.
        request: 1 for the first time; more where somebody had it sent again.
        configuration_id: The configuration of the credential.
        learner_id: Who is told.
        status: Where it stands.
        failures: How often it could not be sent.
        reason: Why it could not be sent, or was not; the last one.
        requested_at: When it was asked for.
        retry_at: Not to be tried before; None: at any time, or not at all.
        sent_at: When the mail server took it.
    """

    credential_id: CredentialId
    notice: Notice
    sequence: int
    request: int
    configuration_id: ConfigurationId
    learner_id: LearnerId
    status: NotificationStatus
    failures: int
    reason: str | None
    requested_at: datetime
    retry_at: datetime | None
    sent_at: datetime | None

    @property
    def key(self) -> MessageKey:
        """Which message of the credential it is."""
        return MessageKey(self.notice, self.sequence, self.request)

    @property
    def attempts(self) -> int:
        """How often it was tried."""
        return self.failures + (self.sent_at is not None)


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which messages to list; None leaves a condition out."""

    configuration_id: ConfigurationId | None = None
    learner_id: LearnerId | None = None
    notice: Notice | None = None
    status: NotificationStatus | None = None


class DeliveryLedger(Protocol):
    """Answers set questions about messages to learners."""

    def awaiting(
        self, now: datetime, limit: int, run_id: UUID | None = None
    ) -> Sequence[CredentialRow]:
        """Return credentials about which a message is to be sent now, the oldest first.

        That they were issued is not counted here, see `Register.awaiting_notification`; and what
        is to be told of a document waits until there is one.
        """
        ...

    def sent_since(self, moment: datetime) -> int:
        """Count the messages that were sent after a moment (aware)."""
        ...

    def deliveries(
        self, where: DeliveryFilter, limit: int, after: DeliveryRow | None = None
    ) -> list[DeliveryRow]:
        """Return messages by credential, in the order of the awards, page by page.

        Args:
            where: Which.
            limit: The most to return.
            after: The last message of the page before.

        Raises:
            NotFound: The credential to go on after is not in the register.
        """
        ...
