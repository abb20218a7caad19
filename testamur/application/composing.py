"""Composing: what a message about a credential has in it, from the credential's events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from uuid import UUID

from testamur.application.aggregates import Loaded, fold
from testamur.application.installation import Installation
from testamur.application.ports.event_store import RecordedEvent
from testamur.application.ports.notification import Attachment, Notification, TemplateSet
from testamur.application.ports.storage import ArtifactStorage
from testamur.domain.credentials import (
    FIRST_MESSAGE,
    Credential,
    CredentialIssued,
    CredentialStatus,
    MessageKey,
    NotificationRequested,
    evolve,
    key_of,
    waiting_messages,
)
from testamur.domain.identifiers import ConfigurationId, CredentialId


@dataclass(frozen=True, slots=True)
class WaitingMessage:
    """A message that is to be dealt with now, and the credential that it is about.

    Args:
        credential: The credential, as it was loaded.
        state: Its state.
        key: Which message.
        asked_at: When it was asked for: when the credential was issued, or somebody asked.
        run_id: Correlation id of the award.
    """

    credential: Loaded[Credential]
    state: Credential
    key: MessageKey
    asked_at: datetime
    run_id: UUID

    @property
    def credential_id(self) -> CredentialId:
        """Which credential it is about."""
        return CredentialId(self.credential.stream_id)

    @property
    def configuration_id(self) -> ConfigurationId:
        """Which configuration the credential is of."""
        return self.state.awarded.configuration_id


def first_waiting(
    id_: UUID, recorded: Sequence[RecordedEvent], now: datetime
) -> WaitingMessage | None:
    """Return the message of a credential that is to be dealt with first, if any is now."""
    credential = fold(id_, recorded, evolve)
    state = credential.state
    if state is None:
        return None
    asked = _asked(recorded)
    for key in waiting_messages(state, now):
        # The award is the first event; what it belongs to is the run.
        run_id = recorded[0].attribution.correlation_id
        return WaitingMessage(credential, state, key, asked[key], run_id)
    return None


def _asked(recorded: Sequence[RecordedEvent]) -> Mapping[MessageKey, datetime]:
    asked = {}
    for each in recorded:
        if isinstance(each.event, CredentialIssued):
            asked[FIRST_MESSAGE] = each.attribution.at
        elif isinstance(each.event, NotificationRequested):
            asked[key_of(each.event)] = each.attribution.at
    return asked


@dataclass(frozen=True, slots=True)
class Composing:
    """Composes messages."""

    storage: ArtifactStorage
    installation: Installation

    def compose(self, waiting: WaitingMessage, templates: TemplateSet | None) -> Notification:
        """Return a message, ready to be put into words.

        Args:
            waiting: Which; its learner has an address.
            templates: Of the configuration, if it has some.

        Raises:
            StorageError: A document that goes with it cannot be read.
        """
        awarded = waiting.state.awarded
        person = awarded.person
        if person is None or not person.email:
            # decide_notification let it through, so this is a mistake of the program.
            raise AssertionError("a learner without an address cannot be told")
        # What was revoked is not handed out any more.
        holds = waiting.state.status is CredentialStatus.ISSUED
        expires = awarded.expires_at
        place = self.installation
        return Notification(
            credential_id=waiting.credential_id,
            message_id=place.message_id(waiting.credential_id, waiting.key),
            created_at=waiting.asked_at,
            email=person.email,
            full_name=person.full_name,
            locale=person.locale or place.default_language,
            type_name=awarded.type_name,
            context_name=" ".join(awarded.context_name.split()),
            issuer_name=awarded.issuer_name,
            award_date=awarded.award_date,
            download_url=place.download_url(awarded.verification_id) if holds else None,
            verify_url=place.verify_url(awarded.verification_id) if holds else None,
            attachments=self._attachments(waiting) if holds else (),
            notice=waiting.key.notice,
            expiry_date=place.date_of(expires) if expires else None,
            templates=templates,
        )

    def _attachments(self, waiting: WaitingMessage) -> tuple[Attachment, ...]:
        # A reminder is about a document that the learner has.
        if not self.installation.attach_documents or waiting.key.notice == "expiring":
            return ()
        return tuple(
            Attachment(
                filename=f"certificate{PurePosixPath(artifact.storage_key).suffix}",
                content=self.storage.get(artifact.storage_key),
                media_type=artifact.media_type,
            )
            for artifact in waiting.state.artifacts
        )
