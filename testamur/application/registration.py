"""Registration: what events change in the register. Both are written in one transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Generic, TypeVar, assert_never, get_args
from uuid import UUID

from testamur.application.ports.event_store import Attribution, NewEvents
from testamur.application.ports.register import CatalogueRow, CredentialRow, RunRow
from testamur.domain.assets import AssetAdded, AssetEvent, AssetRemoved, AssetReplaced
from testamur.domain.configurations import (
    ConfigurationCreated,
    ConfigurationDisabled,
    ConfigurationEnabled,
    ConfigurationEvent,
    ConfigurationRetired,
    OptionsChanged,
    ScheduleChanged,
)
from testamur.domain.credential_types import (
    CredentialTypeDefined,
    CredentialTypeEvent,
    CredentialTypeRetired,
    CredentialTypeRevised,
)
from testamur.domain.credentials import (
    CredentialAwarded,
    CredentialEvent,
    CredentialIssued,
    CredentialRevoked,
    CredentialStatus,
    CredentialSuperseded,
    IssuanceFailed,
    NotificationFailed,
    NotificationSent,
    NotificationSkipped,
    PersonalDataErased,
)
from testamur.domain.erasures import ErasureCompleted, ErasureEvent, ErasureRequested
from testamur.domain.events import DomainEvent
from testamur.domain.identifiers import CredentialId, RunId
from testamur.domain.runs import (
    LearnersLeftOut,
    LearnersRefused,
    RunCompleted,
    RunEvent,
    RunFailed,
    RunStarted,
)

Row = TypeVar("Row", CredentialRow, RunRow, CatalogueRow)


@dataclass(slots=True)
class TableChanges(Generic[Row]):
    """What changes in one table of the register.

    Args:
        added: New rows as the batch leaves them, by the id of their stream.
        changed: New values in rows that were there before: by the id of their stream, then by
            the name of the row's field.
    """

    added: dict[UUID, Row] = field(default_factory=dict)
    changed: dict[UUID, dict[str, Any]] = field(default_factory=dict)

    def change(self, stream_id: UUID, **values: Any) -> None:
        """Give a row new values, whether the batch added it or not."""
        if stream_id in self.added:
            self.added[stream_id] = replace(self.added[stream_id], **values)
        else:
            self.changed.setdefault(stream_id, {}).update(values)


@dataclass(frozen=True, slots=True)
class RegisterChanges:
    """What a batch of events changes in the register.

    No change makes a credential living that was not. A store that changes rows first and adds
    the new ones then never sees two living credentials where the batch leaves one.
    """

    credentials: TableChanges[CredentialRow] = field(default_factory=TableChanges)
    runs: TableChanges[RunRow] = field(default_factory=TableChanges)
    catalogue: TableChanges[CatalogueRow] = field(default_factory=TableChanges)


def register_changes(batch: Sequence[NewEvents], attribution: Attribution) -> RegisterChanges:
    """Work out what a batch of events changes in the register.

    Raises:
        KeyError: An event belongs to no aggregate, which is a mistake in the program.
    """
    changes = RegisterChanges()
    for new in batch:
        for version, event in enumerate(new.events, start=new.after_version + 1):
            _REGISTRATIONS[type(event)](changes, new.stream_id, version, event, attribution)
    return changes


def is_living(status: CredentialStatus) -> bool:
    """Tell whether a credential of this status holds; a learner has one such at most."""
    return status is CredentialStatus.AWARDED or status is CredentialStatus.ISSUED


# Each case below says what the `evolve` of the aggregate says; a property test compares the two.


def _register_credential(
    changes: RegisterChanges,
    stream_id: UUID,
    _: int,
    event: CredentialEvent,
    attribution: Attribution,
) -> None:
    credentials = changes.credentials
    match event:
        case CredentialAwarded():
            credentials.added[stream_id] = CredentialRow(
                credential_id=CredentialId(stream_id),
                configuration_id=event.configuration_id,
                learner_id=event.learner_id,
                edition=event.edition,
                context_key=event.context_key,
                type_slug=event.type_slug,
                verification_id=event.verification_id,
                run_id=attribution.correlation_id,
                awarded_at=attribution.at,
            )
        case CredentialIssued():
            credentials.change(stream_id, status=CredentialStatus.ISSUED, issue_retry_at=None)
        case IssuanceFailed():
            credentials.change(
                stream_id, issue_failures=event.attempt, issue_retry_at=event.retry_at
            )
        case NotificationSent():
            credentials.change(stream_id, notification="sent", notification_retry_at=None)
        case NotificationSkipped():
            credentials.change(stream_id, notification="skipped", notification_retry_at=None)
        case NotificationFailed():
            credentials.change(
                stream_id,
                notification="given-up" if event.retry_at is None else "pending",
                notification_failures=event.attempt,
                notification_retry_at=event.retry_at,
            )
        case CredentialRevoked():
            _end(changes, stream_id, CredentialStatus.REVOKED)
        case CredentialSuperseded():
            _end(changes, stream_id, CredentialStatus.SUPERSEDED)
        case PersonalDataErased():
            _end(changes, stream_id, CredentialStatus.ERASED)
        case _:
            assert_never(event)


def _end(changes: RegisterChanges, stream_id: UUID, status: CredentialStatus) -> None:
    changes.credentials.change(
        stream_id, status=status, issue_retry_at=None, notification_retry_at=None
    )


def _register_run(
    changes: RegisterChanges, stream_id: UUID, _: int, event: RunEvent, attribution: Attribution
) -> None:
    match event:
        case RunStarted():
            changes.runs.added[stream_id] = RunRow(
                run_id=RunId(stream_id),
                configuration_id=event.configuration_id,
                slot=event.slot,
                scheduled_for=event.scheduled_for,
                started_at=attribution.at,
            )
        case RunCompleted():
            changes.runs.change(stream_id, completed=True, retry_at=None)
        case RunFailed():
            changes.runs.change(stream_id, failures=event.attempt, retry_at=event.retry_at)
        case LearnersRefused() | LearnersLeftOut():
            pass
        case _:
            assert_never(event)


def _register_catalogue(
    changes: RegisterChanges,
    stream_id: UUID,
    _version: int,
    event: CredentialTypeEvent | AssetEvent | ConfigurationEvent,
    _attribution: Attribution,
) -> None:
    def add(kind: str, label: str, *, active: bool) -> None:
        changes.catalogue.added[stream_id] = CatalogueRow(stream_id, kind, label, active)

    match event:
        case CredentialTypeDefined():
            add("credential-type", event.slug, active=True)
        case AssetAdded():
            add("asset", event.slug, active=True)
        case ConfigurationCreated():
            add("configuration", f"{event.type_slug} {event.context_key}", active=False)
        case AssetReplaced() | ConfigurationEnabled():
            changes.catalogue.change(stream_id, active=True)
        case CredentialTypeRetired() | AssetRemoved():
            changes.catalogue.change(stream_id, active=False)
        case ConfigurationDisabled() | ConfigurationRetired():
            changes.catalogue.change(stream_id, active=False)
        case CredentialTypeRevised() | OptionsChanged() | ScheduleChanged():
            pass
        case _:
            assert_never(event)


def _register_erasure(
    changes: RegisterChanges, stream_id: UUID, version: int, event: ErasureEvent, _: Attribution
) -> None:
    match event:
        case ErasureRequested() if version == 1:
            row = CatalogueRow(stream_id, "erasure", event.learner_id, active=True)
            changes.catalogue.added[stream_id] = row
        case ErasureRequested():  # of somebody who was erased before and came back
            changes.catalogue.change(stream_id, active=True)
        case ErasureCompleted():
            changes.catalogue.change(stream_id, active=False)
        case _:
            assert_never(event)


_REGISTRATIONS: Final[
    Mapping[type[DomainEvent], Callable[[RegisterChanges, UUID, int, Any, Attribution], None]]
] = {
    event_class: registration
    for events, registration in (
        (CredentialEvent, _register_credential),
        (RunEvent, _register_run),
        (CredentialTypeEvent | AssetEvent | ConfigurationEvent, _register_catalogue),
        (ErasureEvent, _register_erasure),
    )
    for event_class in get_args(events)
}
