"""Use cases of credential types: define, revise, retire, look up."""

from collections.abc import Iterator
from dataclasses import dataclass

from testamur.application.aggregates import Loaded, append, load
from testamur.application.options import Renderers, effective_options
from testamur.application.ports.event_store import EventStore
from testamur.application.ports.register import Register
from testamur.application.ports.system import Clock
from testamur.application.preparing import PreparedRenderers
from testamur.application.requests import Request
from testamur.domain import credential_types
from testamur.domain.contexts import ContextKinds
from testamur.domain.credential_types import CredentialType, TypeDefinition
from testamur.domain.errors import NotFound
from testamur.domain.identifiers import Slug, credential_type_id, parse_slug


@dataclass(frozen=True, slots=True)
class CredentialTypes:
    """Keeps the credential types."""

    events: EventStore
    register: Register
    renderers: Renderers
    prepared: PreparedRenderers
    context_kinds: ContextKinds
    clock: Clock

    def define(self, slug: str, definition: TypeDefinition, request: Request) -> CredentialType:
        """Define a credential type.

        Everything is tried before anything is written: options are validated, and the template,
        fonts and images that they name are read.

        Args:
            slug: Short name, e.g. ``completion``.
            definition: What the type says.
            request: Who asks.

        Raises:
            InvalidInput: The slug, the kind of criteria or the renderer is not allowed.
            InvalidOptions: Some options are not allowed.
            NotFound: An asset that the options name does not exist.
            RenderingError: A template, font or image cannot be used.
            DecisionRefused: The slug is taken.
        """
        known = self._load(parse_slug(slug))
        decided = credential_types.decide_define(known.state, parse_slug(slug), definition)
        self._check(definition)
        append(self.events, known, decided, request.attribution(self.clock))
        return self.get(slug)

    def revise(self, slug: str, definition: TypeDefinition, request: Request) -> CredentialType:
        """Change what a type says; credentials issued before stay as they are.

        Raises:
            NotFound: There is no such type, or no such asset.
            InvalidInput, InvalidOptions, RenderingError: As :meth:`define`.
            DecisionRefused: The type is retired.
        """
        known, state = self._existing(slug)
        decided = credential_types.decide_revise(state, definition)
        self._check(definition)
        append(self.events, known, decided, request.attribution(self.clock))
        return self.get(slug)

    def retire(self, slug: str, reason: str, request: Request) -> None:
        """Retire a type: it starts no run any more.

        Raises:
            NotFound: There is no such type.
            DecisionRefused: It is retired already.
        """
        known, state = self._existing(slug)
        decided = credential_types.decide_retire(state, reason)
        append(self.events, known, decided, request.attribution(self.clock))

    def get(self, slug: str) -> CredentialType:
        """Return a type.

        Raises:
            NotFound: There is no such type.
        """
        return self._existing(slug)[1]

    def all(self) -> Iterator[CredentialType]:
        """Yield all types by slug, the retired ones too."""
        for row in self.register.catalogue("credential-type"):
            yield self.get(row.label)

    def _check(self, definition: TypeDefinition) -> None:
        options = effective_options(definition, {}, None, self.renderers, self.context_kinds)
        self.prepared.prepare(self.renderers.named(definition.renderer), options.rendering)

    def _load(self, slug: Slug) -> Loaded[CredentialType]:
        return load(self.events, credential_type_id(slug), credential_types.evolve)

    def _existing(self, slug: str) -> tuple[Loaded[CredentialType], CredentialType]:
        known = self._load(Slug(slug))
        if known.state is None:
            there_are = (row.label for row in self.register.catalogue("credential-type"))
            raise NotFound("credential type", slug, there_are)
        return known, known.state
