"""Names of events: what is written into the database in place of Python classes.

A name is stable and versioned, ``credential.awarded.1``. When the shape of an event changes, the
class moves to the next version, and an upcast says how what was stored under the old name is read.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, get_args

from pydantic import BaseModel, JsonValue
from pydantic.fields import FieldInfo

from testamur.application.errors import EventStoreError
from testamur.domain.assets import AssetAdded, AssetRemoved, AssetReplaced
from testamur.domain.configurations import (
    ConfigurationCreated,
    ConfigurationDisabled,
    ConfigurationEnabled,
    ConfigurationRetired,
    OptionsChanged,
    ScheduleChanged,
)
from testamur.domain.corrections import (
    CorrectionAccepted,
    CorrectionCarriedOut,
    CorrectionFailed,
    CorrectionProposed,
    CorrectionRejected,
    CorrectionWithdrawn,
)
from testamur.domain.credential_types import (
    CredentialTypeDefined,
    CredentialTypeRetired,
    CredentialTypeRevised,
)
from testamur.domain.credentials import (
    CredentialAwarded,
    CredentialIssued,
    CredentialRevoked,
    CredentialSuperseded,
    DocumentsWithdrawn,
    IssuanceFailed,
    NotificationBounced,
    NotificationFailed,
    NotificationRequested,
    NotificationSent,
    NotificationSkipped,
    NotificationSuppressed,
    PersonalDataErased,
)
from testamur.domain.deliveries import LearnerSilenced, SilenceLifted
from testamur.domain.digests import DigestFailed, DigestRequested, DigestSent, DigestSkipped
from testamur.domain.erasures import ErasureCompleted, ErasureRequested
from testamur.domain.events import DomainEvent
from testamur.domain.personal_data import PERSONAL
from testamur.domain.proposals import LearnersProposed
from testamur.domain.reconciliations import (
    ReconciliationCompleted,
    ReconciliationFailed,
    ReconciliationStarted,
)
from testamur.domain.runs import (
    LearnersLeftOut,
    LearnersRefused,
    RunApproved,
    RunCompleted,
    RunDivided,
    RunFailed,
    RunNeedsApproval,
    RunRejected,
    RunStarted,
)
from testamur.domain.serials import SerialsAssigned

EVENTS: Final[Mapping[str, type[DomainEvent]]] = {
    "credential-type.defined.1": CredentialTypeDefined,
    "credential-type.revised.1": CredentialTypeRevised,
    "credential-type.retired.1": CredentialTypeRetired,
    "asset.added.1": AssetAdded,
    "asset.replaced.1": AssetReplaced,
    "asset.removed.1": AssetRemoved,
    "configuration.created.1": ConfigurationCreated,
    "configuration.options-changed.1": OptionsChanged,
    "configuration.schedule-changed.1": ScheduleChanged,
    "configuration.enabled.1": ConfigurationEnabled,
    "configuration.disabled.1": ConfigurationDisabled,
    "configuration.retired.1": ConfigurationRetired,
    "run.started.1": RunStarted,
    "run.learners-refused.1": LearnersRefused,
    "run.learners-left-out.1": LearnersLeftOut,
    "run.divided.1": RunDivided,
    "run.needs-approval.1": RunNeedsApproval,
    "run.approved.1": RunApproved,
    "run.rejected.1": RunRejected,
    "run.completed.1": RunCompleted,
    "run.failed.1": RunFailed,
    "proposal.learners-proposed.1": LearnersProposed,
    "serials.assigned.1": SerialsAssigned,
    "reconciliation.started.1": ReconciliationStarted,
    "reconciliation.completed.1": ReconciliationCompleted,
    "reconciliation.failed.1": ReconciliationFailed,
    "correction.proposed.1": CorrectionProposed,
    "correction.accepted.1": CorrectionAccepted,
    "correction.rejected.1": CorrectionRejected,
    "correction.carried-out.1": CorrectionCarriedOut,
    "correction.failed.1": CorrectionFailed,
    "correction.withdrawn.1": CorrectionWithdrawn,
    "credential.awarded.1": CredentialAwarded,
    "credential.issued.1": CredentialIssued,
    "credential.issuance-failed.1": IssuanceFailed,
    "credential.notification-requested.1": NotificationRequested,
    "credential.notification-sent.1": NotificationSent,
    "credential.notification-failed.1": NotificationFailed,
    "credential.notification-skipped.1": NotificationSkipped,
    "credential.notification-suppressed.1": NotificationSuppressed,
    "credential.notification-bounced.1": NotificationBounced,
    "credential.revoked.1": CredentialRevoked,
    "credential.superseded.1": CredentialSuperseded,
    "credential.documents-withdrawn.1": DocumentsWithdrawn,
    "credential.personal-data-erased.1": PersonalDataErased,
    "silence.learner-silenced.1": LearnerSilenced,
    "silence.lifted.1": SilenceLifted,
    "digest.requested.1": DigestRequested,
    "digest.sent.1": DigestSent,
    "digest.failed.1": DigestFailed,
    "digest.skipped.1": DigestSkipped,
    "erasure.requested.1": ErasureRequested,
    "erasure.completed.1": ErasureCompleted,
}
"""Every event by the name that it is written under now."""

_NAME = re.compile(r"[a-z]+(?:-[a-z]+)*\.[a-z]+(?:-[a-z]+)*\.[1-9][0-9]*")

Payload = dict[str, JsonValue]
"""An event's fields as JSON; what is personal is decrypted, or None once the key is gone."""


@dataclass(frozen=True, slots=True)
class Upcast:
    """How an event that was stored under an old name is read.

    Args:
        to: The name that the result has: the present one, or one that is upcast further.
        convert: Returns the payload as it would have been stored under that name.
    """

    to: str
    convert: Callable[[Payload], Payload]


UPCASTS: Final[Mapping[str, Upcast]] = {}
"""Every old name with how it is read. An entry is never removed: the log keeps old events."""


@dataclass(frozen=True, slots=True)
class EventKind:
    """One kind of event.

    Args:
        name: The name that it is written under.
        event_class: Its class.
        personal_fields: Names of the fields that are encrypted under the learner's key.
    """

    name: str
    event_class: type[DomainEvent]
    personal_fields: frozenset[str]


class EventNames:
    """Finds the name of an event to write, and the class of an event that was read.

    Args:
        events: Every event class by its present name.
        upcasts: Every old name with how it is read.

    Raises:
        EventStoreError: The two do not fit together, or an event marks a field as personal that
            could not be encrypted, or not be read once the key is gone.
    """

    def __init__(
        self,
        events: Mapping[str, type[DomainEvent]] = EVENTS,
        upcasts: Mapping[str, Upcast] = UPCASTS,
    ) -> None:
        self._kinds = {name: _kind(name, event_class) for name, event_class in events.items()}
        self._by_class = {kind.event_class: kind for kind in self._kinds.values()}
        self._upcasts = dict(upcasts)
        if len(self._by_class) != len(self._kinds):
            raise EventStoreError("an event class has two names; allowed: one, and upcasts to it")
        for name in self._upcasts:
            self._check_upcast(name)

    def __iter__(self) -> Iterator[EventKind]:
        """Iterate over every kind of event, in the order of registration."""
        return iter(self._kinds.values())

    def kind_of(self, event: DomainEvent) -> EventKind:
        """Return what kind of event it is.

        Raises:
            EventStoreError: Its class has no name.
        """
        try:
            return self._by_class[type(event)]
        except KeyError:
            raise EventStoreError(
                f"{type(event).__name__} has no name to be stored under; register it"
            ) from None

    def present(self, name: str) -> EventKind | None:
        """Return the kind of event that is written under this name now, if there is one."""
        return self._kinds.get(name)

    def upcast(self, name: str, payload: Payload) -> tuple[EventKind, Payload]:
        """Return the present kind of a stored event, and its payload as that kind has it.

        Raises:
            EventStoreError: The name is unknown.
        """
        while name in self._upcasts:
            upcast = self._upcasts[name]
            name, payload = upcast.to, upcast.convert(payload)
        try:
            return self._kinds[name], payload
        except KeyError:
            raise EventStoreError(
                f"no event is called {name!r}; was it written by a newer release?"
            ) from None

    def _check_upcast(self, first: str) -> None:
        seen: set[str] = set()
        name = first
        while name in self._upcasts:
            if name in seen:
                raise EventStoreError(f"the upcast of {first!r} leads in a circle")
            if name in self._kinds or not _NAME.fullmatch(name):
                raise EventStoreError(
                    f"{name!r} cannot be upcast; allowed: an old name, such as run.started.1, "
                    "that no event is written under any more"
                )
            seen.add(name)
            name = self._upcasts[name].to
        if name not in self._kinds:
            raise EventStoreError(f"the upcast of {first!r} leads to {name!r}, which is no event")


@cache  # a process may open many databases, all with the same events
def _kind(name: str, event_class: type[DomainEvent]) -> EventKind:
    if not _NAME.fullmatch(name):
        raise EventStoreError(
            f"an event cannot be called {name!r}; allowed: aggregate.what-happened.version in "
            "lower case, such as credential.awarded.1"
        )
    fields = event_class.model_fields
    personal = {each for each, field in fields.items() if PERSONAL in field.metadata}
    for each, field in fields.items():
        if each in personal and type(None) not in get_args(field.annotation):
            raise EventStoreError(
                f"{name}: the personal field {each!r} must allow None, "
                "which it is once the learner's key is gone"
            )
        if any(_has_personal_field(model) for model in _models_in(field)):
            raise EventStoreError(
                f"{name}: a personal field is hidden inside {each!r}; mark {each!r} as a whole"
            )
    if personal and "learner_id" not in fields:
        raise EventStoreError(
            f"{name}: an event with personal fields must carry learner_id, whose key encrypts them"
        )
    return EventKind(name, event_class, frozenset(personal))


def _models_in(annotated: FieldInfo | Any) -> Iterator[type[BaseModel]]:
    annotation = annotated.annotation if isinstance(annotated, FieldInfo) else annotated
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _has_personal_field(model: type[BaseModel]) -> bool:
    return any(
        PERSONAL in field.metadata or any(_has_personal_field(inner) for inner in _models_in(field))
        for field in model.model_fields.values()
    )
