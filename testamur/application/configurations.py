"""Use cases of configurations: create, change, enable, disable, retire, look up."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from testamur.application.aggregates import Loaded, append, fold, load
from testamur.application.credential_types import CredentialTypes
from testamur.application.cron import check_cron
from testamur.application.mail_templates import MailTemplateSets
from testamur.application.options import (
    EffectiveOptions,
    NotificationOptions,
    Renderers,
    effective_options,
    validated,
)
from testamur.application.ports.event_store import EventStore
from testamur.application.ports.register import Register
from testamur.application.ports.rendering import PreparedRenderer
from testamur.application.ports.system import Clock
from testamur.application.preparing import PreparedRenderers
from testamur.application.requests import Request
from testamur.domain import configurations
from testamur.domain.configurations import CredentialConfiguration
from testamur.domain.contexts import ContextKinds, LearningContextKey
from testamur.domain.credential_types import CredentialType
from testamur.domain.criteria import merged_options
from testamur.domain.errors import NotFound
from testamur.domain.identifiers import (
    ConfigurationId,
    Slug,
    configuration_id,
    credential_type_id,
)
from testamur.domain.schedules import CronRule, Schedule


@dataclass(frozen=True, slots=True)
class PreparedConfiguration:
    """A configuration with its options merged and checked, and its renderer ready.

    Args:
        id: The configuration's id.
        configuration: The configuration.
        type: Its type.
        context: Its context, parsed.
        options: Its effective options.
        renderer: Ready to draw.
    """

    id: ConfigurationId
    configuration: CredentialConfiguration
    type: CredentialType
    context: LearningContextKey
    options: EffectiveOptions
    renderer: PreparedRenderer


@dataclass(frozen=True, slots=True)
class Configurations:
    """Keeps the configurations."""

    events: EventStore
    register: Register
    types: CredentialTypes
    prepared: PreparedRenderers
    renderers: Renderers
    context_kinds: ContextKinds
    clock: Clock
    mail_templates: MailTemplateSets

    def create(
        self,
        type_slug: str,
        context_key: str,
        request: Request,
        *,
        options: Mapping[str, JsonValue] | None = None,
        schedule: Schedule | None = None,
    ) -> ConfigurationId:
        """Put a credential type to use in a learning context; it starts disabled.

        Args:
            type_slug: Which type.
            context_key: Key of the course, lesson or pathway.
            request: Who asks.
            options: Merged over the type's.
            schedule: When it runs; by default every ten days.

        Raises:
            NotFound: There is no such type, or an asset that the options name does not exist.
            InvalidInput: The key or the cron expression is malformed.
            InvalidOptions: Some options are not allowed.
            RenderingError: A template, font or image cannot be used.
            DecisionRefused: The type is retired, or there is such a configuration already.
        """
        context = self.context_kinds.parse(context_key)
        type_ = self.types.get(type_slug)
        slug = type_.slug
        chosen = schedule or Schedule()
        own = dict(options or {})
        known = self._load(configuration_id(credential_type_id(slug), str(context)))
        decided = configurations.decide_create(known.state, slug, str(context), own, chosen)
        type_.require_in_use()
        _check_schedule(chosen)
        self._check(type_, own, context)
        append(self.events, known, decided, request.attribution(self.clock))
        return ConfigurationId(known.stream_id)

    def change_options(
        self, id_: ConfigurationId, options: Mapping[str, JsonValue], request: Request
    ) -> None:
        """Change the options that are merged over the type's.

        Raises:
            NotFound: There is no such configuration or asset.
            InvalidOptions, RenderingError: As :meth:`create`.
            DecisionRefused: It is retired.
        """
        known, state = self._existing(id_)
        decided = configurations.decide_change_options(state, dict(options))
        self._check(
            self.types.get(state.type_slug), options, self.context_kinds.parse(state.context_key)
        )
        append(self.events, known, decided, request.attribution(self.clock))

    def change_schedule(self, id_: ConfigurationId, schedule: Schedule, request: Request) -> None:
        """Change when it runs.

        Raises:
            NotFound: There is no such configuration.
            InvalidInput: The cron expression is malformed.
            DecisionRefused: It is retired.
        """
        known, state = self._existing(id_)
        _check_schedule(schedule)
        decided = configurations.decide_change_schedule(state, schedule)
        append(self.events, known, decided, request.attribution(self.clock))

    def enable(self, id_: ConfigurationId, request: Request) -> None:
        """Let the schedule start runs.

        Raises:
            NotFound: There is no such configuration, or an asset that it needs is gone.
            InvalidOptions, RenderingError: The type changed so that its options do not do any more.
            DecisionRefused: It is retired, or its type is.
        """
        known, state = self._existing(id_)
        self.types.get(state.type_slug).require_in_use()
        decided = configurations.decide_enable(state, self.clock.now())
        self.prepare(id_)
        append(self.events, known, decided, request.attribution(self.clock))

    def disable(self, id_: ConfigurationId, reason: str, request: Request) -> None:
        """Stop the schedule from starting runs.

        Raises:
            NotFound: There is no such configuration.
            DecisionRefused: It is retired.
        """
        known, state = self._existing(id_)
        decided = configurations.decide_disable(state, reason)
        append(self.events, known, decided, request.attribution(self.clock))

    def retire(self, id_: ConfigurationId, reason: str, request: Request) -> None:
        """End the configuration for good; what it issued stays.

        Raises:
            NotFound: There is no such configuration.
            DecisionRefused: It is retired already.
        """
        known, state = self._existing(id_)
        decided = configurations.decide_retire(state, reason)
        append(self.events, known, decided, request.attribution(self.clock))

    def get(self, id_: ConfigurationId) -> CredentialConfiguration:
        """Return a configuration.

        Raises:
            NotFound: There is no such configuration.
        """
        return self._existing(id_)[1]

    def many(
        self, ids: Sequence[ConfigurationId]
    ) -> dict[ConfigurationId, CredentialConfiguration]:
        """Return those of some configurations that there are, all loaded at once."""
        found: dict[ConfigurationId, CredentialConfiguration] = {}
        for id_, recorded in self.events.load_many(ids).items():
            state = fold(id_, recorded, configurations.evolve).state
            if state is not None:
                found[ConfigurationId(id_)] = state
        return found

    def find(self, type_slug: str, context_key: str) -> ConfigurationId:
        """Return the id of the configuration of a type for a context.

        Raises:
            NotFound: There is no such configuration.
        """
        id_ = configuration_id(credential_type_id(Slug(type_slug)), context_key)
        if self._load(id_).state is None:
            raise NotFound("configuration", f"{type_slug} {context_key}", self._labels())
        return id_

    def all(
        self, *, enabled_only: bool = False
    ) -> Iterator[tuple[ConfigurationId, CredentialConfiguration]]:
        """Yield configurations with their ids, by type and context."""
        for row in self.register.catalogue("configuration", active_only=enabled_only):
            id_ = ConfigurationId(row.stream_id)
            yield id_, self.get(id_)

    def of_context(
        self, context_key: str
    ) -> Iterator[tuple[ConfigurationId, CredentialConfiguration]]:
        """Yield the configurations of one context with their ids, by type; retired ones too.

        Raises:
            InvalidInput: The key is malformed.
        """
        context = str(self.context_kinds.parse(context_key))
        # Told by their labels, so that of ten thousand only these few are loaded.
        ids = [
            ConfigurationId(row.stream_id)
            for row in self.register.catalogue("configuration")
            if row.label.partition(" ")[2] == context
        ]
        return ((id_, self.get(id_)) for id_ in ids)

    def prepare(self, id_: ConfigurationId) -> PreparedConfiguration:
        """Make a configuration ready to judge and draw.

        Raises:
            NotFound: There is no such configuration, or an asset that it needs is gone.
            InvalidInput, InvalidOptions: Its options do not do any more.
            RenderingError: A template, font or image cannot be used.
        """
        configuration = self.get(id_)
        type_ = self.types.get(configuration.type_slug)
        context = self.context_kinds.parse(configuration.context_key)
        options = effective_options(
            type_.definition, configuration.options, context, self.renderers, self.context_kinds
        )
        renderer = self.renderers.named(type_.definition.renderer)
        prepared = self.prepared.prepare(renderer, options.rendering)
        return PreparedConfiguration(id_, configuration, type_, context, options, prepared)

    def notification(self, id_: ConfigurationId) -> NotificationOptions:
        """Return how a configuration's learners are told.

        Raises:
            NotFound: There is no such configuration.
            InvalidInput, InvalidOptions: Its options do not do any more.
        """
        configuration = self.get(id_)
        type_ = self.types.get(configuration.type_slug)
        merged = merged_options(type_.definition.options, configuration.options)
        return validated(NotificationOptions, merged.get("notification", {}), "notification")

    def _check(
        self, type_: CredentialType, own: Mapping[str, JsonValue], context: LearningContextKey
    ) -> None:
        options = effective_options(
            type_.definition, own, context, self.renderers, self.context_kinds
        )
        self.prepared.prepare(self.renderers.named(type_.definition.renderer), options.rendering)
        self.mail_templates.check(options.notification)

    def _load(self, id_: ConfigurationId) -> Loaded[CredentialConfiguration]:
        return load(self.events, id_, configurations.evolve)

    def _existing(
        self, id_: ConfigurationId
    ) -> tuple[Loaded[CredentialConfiguration], CredentialConfiguration]:
        known = self._load(id_)
        if known.state is None:
            raise NotFound("configuration", str(id_), self._labels())
        return known, known.state

    def _labels(self) -> Iterator[str]:
        return (row.label for row in self.register.catalogue("configuration"))


def _check_schedule(schedule: Schedule) -> None:
    if isinstance(schedule.rule, CronRule):
        check_cron(schedule.rule.expression, "schedule.rule.expression")
