"""Reasons: why a learner was awarded a credential, gathered from everything that led to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import JsonValue

from testamur.application.aggregates import fold
from testamur.application.ports.event_store import EventStore, RecordedEvent
from testamur.application.ports.log import StoredLog
from testamur.domain import configurations, credentials
from testamur.domain.configurations import (
    ConfigurationDisabled,
    ConfigurationEnabled,
    OptionsChanged,
    ScheduleChanged,
)
from testamur.domain.credential_types import (
    CredentialTypeDefined,
    CredentialTypeRevised,
    TypeDefinition,
)
from testamur.domain.credentials import CredentialAwarded, CredentialStatus
from testamur.domain.criteria import merged_options
from testamur.domain.errors import NotFound
from testamur.domain.evidence import Evidence
from testamur.domain.identifiers import (
    Actor,
    ConfigurationId,
    CredentialId,
    LearnerId,
    RunId,
    Slug,
    VerificationId,
    credential_type_id,
)
from testamur.domain.runs import RunStarted


@dataclass(frozen=True, slots=True)
class Deed:
    """Who did what, and when.

    Args:
        event: Stable versioned name.
        actor: Who.
        at: When (aware, UTC).
        correlation_id: The run or request that it belongs to.
    """

    event: str
    actor: Actor
    at: datetime
    correlation_id: UUID


@dataclass(frozen=True, slots=True)
class RunReason:
    """The run that awarded it.

    Args:
        run_id: The run.
        trigger: Whether the schedule or a person started it.
        slot: What it was for.
        scheduled_for: The slot as a moment, for a scheduled run.
        started: Who started it, and when.
        only_learner: The one learner that it was limited to, if any.
        limit: The most credentials that it might award, if limited.
    """

    run_id: RunId
    trigger: Literal["schedule", "manual"]
    slot: str
    scheduled_for: datetime | None
    started: Deed
    only_learner: LearnerId | None
    limit: int | None


@dataclass(frozen=True, slots=True)
class ConfigurationReason:
    """The configuration that it was awarded by, as it stood then.

    Args:
        configuration_id: The configuration.
        created: Who put the type to use in the context.
        enabled: Who had last let the schedule start runs; None where nobody had.
        disabled: Who had stopped that since; None where it was enabled still, or never was.
        changed: Who had last changed its options or schedule; None where nobody had.
        changed_during_run: Changes between the start of the run and the award: learners judged
            before were judged without them.
        own_options: Its own options…
        options: …and with the type's beneath them, as they were in force.
    """

    configuration_id: ConfigurationId
    created: Deed
    enabled: Deed | None
    disabled: Deed | None
    changed: Deed | None
    changed_during_run: tuple[Deed, ...]
    own_options: dict[str, JsonValue]
    options: dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class TypeReason:
    """The revision of the credential type that it was awarded by.

    Args:
        slug: The type.
        revision: Which revision of it.
        written: Who defined the type, or revised it to this.
        definition: What it said.
    """

    slug: Slug
    revision: int
    written: Deed
    definition: TypeDefinition


@dataclass(frozen=True, slots=True)
class ReplacedEdition:
    """The edition that it took the place of.

    Args:
        credential_id: That edition.
        edition: Its number.
        awarded: Who awarded it, and when.
        status: Where it stands now.
        revocation_reason: Why it was revoked, if it was.
    """

    credential_id: CredentialId
    edition: int
    awarded: Deed
    status: CredentialStatus
    revocation_reason: str | None


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why a learner was awarded a credential; nothing in it is personal but the opaque learner id.

    Args:
        credential_id: The credential.
        verification_id: Its public id.
        learner_id: Who earned it.
        context_key: What it was earned in…
        context_name: …and what that was called.
        edition: 1 for the first.
        award_date: The date on the document.
        serial: Its number as it is shown; None where it has none.
        awarded: Who awarded it, and when.
        evidence: The criteria, what the learner had, and which data source said so when.
        run: The run that awarded it; None where it was a person's request.
        configuration: The configuration as it stood then.
        type: The credential type as it stood then.
        replaced: The edition that it replaced, if any.
    """

    credential_id: CredentialId
    verification_id: VerificationId
    learner_id: LearnerId
    context_key: str
    context_name: str
    edition: int
    award_date: date
    serial: str | None
    awarded: Deed
    evidence: Evidence
    run: RunReason | None
    configuration: ConfigurationReason
    type: TypeReason
    replaced: ReplacedEdition | None


@dataclass(frozen=True, slots=True)
class Reasoning:
    """Gathers reasons. What came before the award is told by the log's order, not by clocks."""

    events: EventStore
    log: StoredLog

    def of(self, credential_id: CredentialId) -> Reasons:
        """Return why a credential was awarded.

        Raises:
            NotFound: There is no such credential, or something that led to it is not in the log.
            EventStoreError: The store cannot be read.
        """
        first, awarded = self._award(credential_id)
        run = self._run(first.attribution.correlation_id)
        type_ = self._type(awarded)
        return Reasons(
            credential_id=credential_id,
            verification_id=awarded.verification_id,
            learner_id=awarded.learner_id,
            context_key=awarded.context_key,
            context_name=awarded.context_name,
            edition=awarded.edition,
            award_date=awarded.award_date,
            serial=awarded.serial,
            awarded=_deed(first),
            evidence=awarded.evidence,
            run=None if run is None else _run_reason(*run),
            configuration=self._configuration(
                awarded.configuration_id, first, None if run is None else run[0], type_.definition
            ),
            type=type_,
            replaced=None if awarded.replaces is None else self._replaced(awarded.replaces),
        )

    def _award(self, credential_id: CredentialId) -> tuple[RecordedEvent, CredentialAwarded]:
        for each in self.events.load(credential_id):
            if isinstance(each.event, CredentialAwarded):
                return each, each.event
        raise NotFound("credential", str(credential_id))

    def _run(self, correlation_id: UUID) -> tuple[RecordedEvent, RunStarted] | None:
        """Return the start of the run of this id; a request is no run, and has no stream."""
        for each in self.events.load(correlation_id):
            if isinstance(each.event, RunStarted):
                return each, each.event
        return None

    def _configuration(
        self,
        id_: ConfigurationId,
        award: RecordedEvent,
        run: RecordedEvent | None,
        definition: TypeDefinition,
    ) -> ConfigurationReason:
        before = self._before(self.events.load(id_), award)
        state = fold(id_, before, configurations.evolve).state
        if state is None:
            raise NotFound("configuration", str(id_))
        since_start = before[len(self._before(before, run)) :] if run is not None else []
        enabled = _last(before, ConfigurationEnabled)
        return ConfigurationReason(
            configuration_id=id_,
            created=_deed(before[0]),
            enabled=enabled,
            disabled=None if state.enabled or enabled is None else _last(before, _DISABLING),
            changed=_last(before, _CHANGES),
            changed_during_run=tuple(
                _deed(each) for each in since_start if isinstance(each.event, _CHANGES)
            ),
            own_options=state.options,
            options=merged_options(definition.options, state.options),
        )

    def _type(self, awarded: CredentialAwarded) -> TypeReason:
        slug, revision = awarded.type_slug, awarded.type_revision
        for each in self.events.load(credential_type_id(slug)):
            match each.event:
                case CredentialTypeDefined(definition=definition) if revision == 1:
                    return TypeReason(slug, revision, _deed(each), definition)
                case CredentialTypeRevised(revision=number, definition=definition):
                    if number == revision:
                        return TypeReason(slug, revision, _deed(each), definition)
        raise NotFound("revision of a credential type", f"{slug} {revision}")

    def _replaced(self, id_: CredentialId) -> ReplacedEdition:
        recorded = self.events.load(id_)
        state = fold(id_, recorded, credentials.evolve).state
        if state is None:
            raise NotFound("credential", str(id_))
        return ReplacedEdition(
            id_,
            state.awarded.edition,
            _deed(recorded[0]),
            state.status,
            state.revocation_reason,
        )

    def _before(
        self, recorded: Sequence[RecordedEvent], event: RecordedEvent
    ) -> Sequence[RecordedEvent]:
        """Return those events of a stream that stand before another event in the log."""
        position = self._position(event)
        return [each for each in recorded if self._position(each) < position]

    def _position(self, recorded: RecordedEvent) -> int:
        record = self.log.record(recorded.stream_id, recorded.version)
        if record is None:
            raise NotFound("event", f"{recorded.version} of {recorded.stream_id}")
        return record.position


_CHANGES = (OptionsChanged, ScheduleChanged)
_DISABLING = (ConfigurationDisabled,)


def _last(recorded: Sequence[RecordedEvent], kinds: type | tuple[type, ...]) -> Deed | None:
    found = [each for each in recorded if isinstance(each.event, kinds)]
    return _deed(found[-1]) if found else None


def _deed(recorded: RecordedEvent) -> Deed:
    by = recorded.attribution
    return Deed(recorded.name, by.actor, by.at, by.correlation_id)


def _run_reason(recorded: RecordedEvent, started: RunStarted) -> RunReason:
    return RunReason(
        RunId(recorded.stream_id),
        started.trigger,
        started.slot,
        started.scheduled_for,
        _deed(recorded),
        started.learner_id,
        started.limit,
    )
