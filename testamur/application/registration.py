"""Registration: what events change in the register. Both are written in one transaction."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, assert_never, get_args
from uuid import UUID

from pydantic import JsonValue

from testamur.application.ports.event_store import Attribution, NewEvents
from testamur.application.ports.register import CatalogueRow, RunRow
from testamur.application.reconcile_schedules import reconcile_options
from testamur.application.registering_credentials import register_credential
from testamur.application.row_changes import RegisterChanges
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
from testamur.domain.corrections import (
    CorrectionAccepted,
    CorrectionCarriedOut,
    CorrectionEvent,
    CorrectionFailed,
    CorrectionProposed,
    CorrectionRejected,
    CorrectionWithdrawn,
)
from testamur.domain.credential_types import (
    CredentialTypeDefined,
    CredentialTypeEvent,
    CredentialTypeRetired,
    CredentialTypeRevised,
)
from testamur.domain.credentials import CredentialEvent, CredentialStatus
from testamur.domain.deliveries import LearnerSilenced, SilenceEvent
from testamur.domain.digests import (
    DigestEvent,
    DigestFailed,
    DigestRequested,
    DigestSent,
    DigestSkipped,
)
from testamur.domain.erasures import ErasureCompleted, ErasureEvent, ErasureRequested
from testamur.domain.events import DomainEvent
from testamur.domain.identifiers import RunId
from testamur.domain.proposals import LearnersProposed
from testamur.domain.reconciliations import (
    ReconciliationCompleted,
    ReconciliationEvent,
    ReconciliationFailed,
    ReconciliationStarted,
)
from testamur.domain.runs import (
    LearnersLeftOut,
    LearnersRefused,
    RunApproved,
    RunCompleted,
    RunDivided,
    RunEvent,
    RunFailed,
    RunNeedsApproval,
    RunRejected,
    RunStarted,
)
from testamur.domain.serials import SerialsAssigned, SerialSequenceName


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
                narrowed=event.learner_id is not None or event.limit is not None,
            )
        case RunNeedsApproval():
            changes.runs.change(stream_id, approval="needed", failures=0, retry_at=None)
        case RunApproved():
            changes.runs.change(stream_id, approval="approved")
        case RunRejected():
            changes.runs.change(stream_id, approval="rejected")
        case RunCompleted():
            changes.runs.change(
                stream_id, completed=True, retry_at=None, awarded=event.counts.awarded
            )
        case RunFailed():
            changes.runs.change(stream_id, failures=event.attempt, retry_at=event.retry_at)
        case LearnersRefused() | LearnersLeftOut() | RunDivided():
            pass
        case _:
            assert_never(event)


def _register_catalogue(
    changes: RegisterChanges,
    stream_id: UUID,
    version: int,
    event: CredentialTypeEvent | AssetEvent | ConfigurationEvent,
    attribution: Attribution,
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
            changes.catalogue.change(
                stream_id, reconcile_at=_first_reconciliation(event.options, attribution)
            )
        case AssetReplaced():
            changes.catalogue.change(stream_id, active=True)
        case ConfigurationEnabled():
            changes.catalogue.change(stream_id, active=True, look_version=version, look_at=None)
        case ScheduleChanged():
            changes.catalogue.change(stream_id, look_version=version, look_at=None)
        case CredentialTypeRetired() | AssetRemoved():
            changes.catalogue.change(stream_id, active=False)
        case ConfigurationDisabled():
            changes.catalogue.change(stream_id, active=False)
        case ConfigurationRetired():
            changes.catalogue.change(stream_id, active=False, reconcile_at=None)
        case OptionsChanged():
            changes.catalogue.change(
                stream_id, reconcile_at=_first_reconciliation(event.options, attribution)
            )
        case CredentialTypeRevised():
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


def _register_silence(
    changes: RegisterChanges, stream_id: UUID, version: int, event: SilenceEvent, _: Attribution
) -> None:
    if version == 1:
        row = CatalogueRow(stream_id, "silence", event.learner_id, active=True)
        changes.catalogue.added[stream_id] = row
    else:
        changes.catalogue.change(stream_id, active=isinstance(event, LearnerSilenced))


def _register_digest(
    changes: RegisterChanges, stream_id: UUID, _: int, event: DigestEvent, __: Attribution
) -> None:
    match event:
        case DigestRequested():
            row = CatalogueRow(stream_id, "digest", str(event.run_id), active=True)
            changes.catalogue.added[stream_id] = row
        case DigestFailed():
            changes.catalogue.change(stream_id, active=event.retry_at is not None)
        case DigestSent() | DigestSkipped():
            changes.catalogue.change(stream_id, active=False)
        case _:
            assert_never(event)


def _register_serials(
    changes: RegisterChanges, stream_id: UUID, version: int, event: SerialsAssigned, _: Attribution
) -> None:
    if version == 1:
        label = str(SerialSequenceName(event.per, event.of, event.year))
        changes.catalogue.added[stream_id] = CatalogueRow(stream_id, "serials", label, active=True)
    changes.catalogue.change(stream_id, version=version, last_number=event.last)


def _first_reconciliation(
    options: Mapping[str, JsonValue], attribution: Attribution
) -> datetime | None:
    schedule = reconcile_options(options)
    return schedule.first(attribution.at) if schedule else None


def _register_reconciliation(
    changes: RegisterChanges, _: UUID, __: int, event: ReconciliationEvent, ___: Attribution
) -> None:
    # It is due until it is completed, so that one which a crash ended is found by the next tick.
    match event:
        case ReconciliationCompleted():
            at = event.next_at
        case ReconciliationFailed():
            at = event.retry_at
        case ReconciliationStarted():
            return
    if at is not None:
        changes.catalogue.change(event.configuration_id, reconcile_at=at)


def _register_correction(
    changes: RegisterChanges, stream_id: UUID, version: int, event: CorrectionEvent, _: Attribution
) -> None:
    match event:
        case CorrectionProposed() if version == 1:
            label = f"{event.configuration_id} {event.learner_id}"
            row = CatalogueRow(stream_id, "correction", label, active=True)
            changes.catalogue.added[stream_id] = row
        case CorrectionProposed():
            changes.catalogue.change(stream_id, kind="correction", active=True)
        case CorrectionAccepted():
            changes.catalogue.change(stream_id, kind="accepted-correction", active=True)
        case CorrectionRejected() | CorrectionCarriedOut() | CorrectionWithdrawn():
            changes.catalogue.change(stream_id, kind="correction", active=False)
        case CorrectionFailed():
            pass
        case _:
            assert_never(event)


def _register_nothing(
    changes: RegisterChanges, stream_id: UUID, version: int, event: object, _: Attribution
) -> None:
    """Leave the register as it is: a list that somebody may approve changes nothing yet."""


_REGISTRATIONS: Final[
    Mapping[type[DomainEvent], Callable[[RegisterChanges, UUID, int, Any, Attribution], None]]
] = {
    event_class: registration
    for events, registration in (
        (CredentialEvent, register_credential),
        (RunEvent, _register_run),
        (CredentialTypeEvent | AssetEvent | ConfigurationEvent, _register_catalogue),
        (ErasureEvent, _register_erasure),
        (SilenceEvent, _register_silence),
        (DigestEvent, _register_digest),
        (ReconciliationEvent, _register_reconciliation),
        (CorrectionEvent, _register_correction),
    )
    for event_class in get_args(events)
} | {LearnersProposed: _register_nothing, SerialsAssigned: _register_serials}
