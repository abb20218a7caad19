"""The credential configuration: a credential type put to use in one learning context."""

from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import JsonValue

from testamur.domain.errors import DecisionRefused
from testamur.domain.events import DomainEvent
from testamur.domain.identifiers import Slug
from testamur.domain.schedules import Moment, Schedule

# Events


class ConfigurationCreated(DomainEvent):
    """A type was put to use in a context; disabled until somebody enables it."""

    type_slug: Slug
    context_key: str
    options: dict[str, JsonValue]
    schedule: Schedule


class OptionsChanged(DomainEvent):
    """The configuration's own options, merged over the type's, are others from now on."""

    options: dict[str, JsonValue]


class ScheduleChanged(DomainEvent):
    """The schedule is another from now on."""

    schedule: Schedule


class ConfigurationEnabled(DomainEvent):
    """From now on the schedule starts runs."""

    enabled_at: Moment


class ConfigurationDisabled(DomainEvent):
    """The schedule starts no runs until somebody enables it again."""

    reason: str


class ConfigurationRetired(DomainEvent):
    """The configuration is over for good; credentials issued by it stay as they are."""

    reason: str


ConfigurationEvent = (
    ConfigurationCreated
    | OptionsChanged
    | ScheduleChanged
    | ConfigurationEnabled
    | ConfigurationDisabled
    | ConfigurationRetired
)


# State


@dataclass(frozen=True, slots=True)
class CredentialConfiguration:
    """A configuration as its events left it."""

    type_slug: Slug
    context_key: str
    options: dict[str, JsonValue]
    schedule: Schedule
    enabled_at: datetime | None = None
    retired: bool = False

    @property
    def enabled(self) -> bool:
        """Whether the schedule starts runs."""
        return self.enabled_at is not None

    def require_in_use(self) -> "CredentialConfiguration":
        """Return the configuration itself.

        Raises:
            DecisionRefused: It is retired.
        """
        if self.retired:
            raise DecisionRefused(
                f"configuration of {self.type_slug!r} for {self.context_key}", "it is retired"
            )
        return self


def evolve(
    state: CredentialConfiguration | None, event: ConfigurationEvent
) -> CredentialConfiguration:
    """Return the state after an event."""
    match event:
        case ConfigurationCreated():
            return CredentialConfiguration(
                event.type_slug, event.context_key, event.options, event.schedule
            )
        case OptionsChanged():
            return replace(_created(state), options=event.options)
        case ScheduleChanged():
            return replace(_created(state), schedule=event.schedule)
        case ConfigurationEnabled():
            return replace(_created(state), enabled_at=event.enabled_at)
        case ConfigurationDisabled():
            return replace(_created(state), enabled_at=None)
        case ConfigurationRetired():
            return replace(_created(state), enabled_at=None, retired=True)


# Decisions


def decide_create(
    state: CredentialConfiguration | None,
    type_slug: Slug,
    context_key: str,
    options: dict[str, JsonValue],
    schedule: Schedule,
) -> list[ConfigurationEvent]:
    """Put a type to use in a context; there is one configuration for each such pair.

    Raises:
        DecisionRefused: There is one already.
    """
    if state is not None:
        raise DecisionRefused(
            f"configuration of {type_slug!r} for {context_key}",
            "it exists already; change its options or schedule instead",
        )
    return [
        ConfigurationCreated(
            type_slug=type_slug, context_key=context_key, options=options, schedule=schedule
        )
    ]


def decide_change_options(
    state: CredentialConfiguration | None, options: dict[str, JsonValue]
) -> list[ConfigurationEvent]:
    """Change the configuration's own options; nothing happens where nothing differs.

    Raises:
        DecisionRefused: It is retired.
    """
    current = _in_use(state)
    return [] if options == current.options else [OptionsChanged(options=options)]


def decide_change_schedule(
    state: CredentialConfiguration | None, schedule: Schedule
) -> list[ConfigurationEvent]:
    """Change the schedule; nothing happens where nothing differs.

    Raises:
        DecisionRefused: It is retired.
    """
    current = _in_use(state)
    return [] if schedule == current.schedule else [ScheduleChanged(schedule=schedule)]


def decide_enable(state: CredentialConfiguration | None, now: datetime) -> list[ConfigurationEvent]:
    """Let the schedule start runs; nothing happens where it is enabled.

    Raises:
        DecisionRefused: It is retired.
    """
    current = _in_use(state)
    return [] if current.enabled else [ConfigurationEnabled(enabled_at=now)]


def decide_disable(state: CredentialConfiguration | None, reason: str) -> list[ConfigurationEvent]:
    """Stop the schedule from starting runs; nothing happens where it is disabled.

    Raises:
        DecisionRefused: It is retired.
    """
    current = _in_use(state)
    return [ConfigurationDisabled(reason=reason)] if current.enabled else []


def decide_retire(state: CredentialConfiguration | None, reason: str) -> list[ConfigurationEvent]:
    """End the configuration for good.

    Raises:
        DecisionRefused: It is retired already.
    """
    _in_use(state)
    return [ConfigurationRetired(reason=reason)]


def _created(state: CredentialConfiguration | None) -> CredentialConfiguration:
    if state is None:
        raise DecisionRefused("configuration", "it does not exist")
    return state


def _in_use(state: CredentialConfiguration | None) -> CredentialConfiguration:
    return _created(state).require_in_use()
