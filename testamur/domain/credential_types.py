"""The credential type: what is issued, by whom, for which criteria, and how it looks."""

from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from testamur.domain.errors import DecisionRefused
from testamur.domain.events import DomainEvent
from testamur.domain.identifiers import Slug


class Issuer(BaseModel):
    """Who issues the credential, as documents and verifiers show it.

    Args:
        name: The institution's name.
        url: Its web address (http or https), if it is to be shown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    url: Annotated[str, Field(pattern=r"^https?://[^\s]+$")] | None = None


class TypeDefinition(BaseModel):
    """What a credential type says; a revision replaces all of it.

    Args:
        name: What the credential is called, e.g. ``Certificate of Completion``.
        issuer: Who issues it.
        criteria: Name of the kind of criteria, e.g. ``completion``.
        renderer: Name of the renderer, e.g. ``pdf``.
        options: Options by part: ``criteria``, ``rendering``, ``notification``, ``context``. A
            configuration's options are merged over them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    issuer: Issuer
    criteria: str
    renderer: str
    options: dict[str, JsonValue] = Field(default_factory=dict)


# Events


class CredentialTypeDefined(DomainEvent):
    """A credential type came into being."""

    slug: Slug
    definition: TypeDefinition


class CredentialTypeRevised(DomainEvent):
    """What the type says was changed; credentials issued before keep what they were issued with."""

    revision: int
    definition: TypeDefinition


class CredentialTypeRetired(DomainEvent):
    """The type is not to be used for new configurations or runs."""

    reason: str


CredentialTypeEvent = CredentialTypeDefined | CredentialTypeRevised | CredentialTypeRetired


# State


@dataclass(frozen=True, slots=True)
class CredentialType:
    """A credential type as its events left it."""

    slug: Slug
    revision: int
    definition: TypeDefinition
    retired: bool = False

    def require_in_use(self) -> "CredentialType":
        """Return the type itself.

        Raises:
            DecisionRefused: It is retired.
        """
        if self.retired:
            raise DecisionRefused(f"credential type {self.slug!r}", "it is retired")
        return self


def evolve(state: CredentialType | None, event: CredentialTypeEvent) -> CredentialType:
    """Return the state after an event."""
    match event:
        case CredentialTypeDefined():
            return CredentialType(event.slug, 1, event.definition)
        case CredentialTypeRevised():
            return replace(_defined(state), revision=event.revision, definition=event.definition)
        case CredentialTypeRetired():
            return replace(_defined(state), retired=True)


# Decisions


def decide_define(
    state: CredentialType | None, slug: Slug, definition: TypeDefinition
) -> list[CredentialTypeEvent]:
    """Define a type under a slug that is free.

    Raises:
        DecisionRefused: The slug is taken.
    """
    if state is not None:
        raise DecisionRefused(
            f"credential type {slug!r}", "it is defined already; revise it, or choose another slug"
        )
    return [CredentialTypeDefined(slug=slug, definition=definition)]


def decide_revise(
    state: CredentialType | None, definition: TypeDefinition
) -> list[CredentialTypeEvent]:
    """Change what the type says; nothing happens where nothing differs.

    Raises:
        DecisionRefused: It is retired.
    """
    current = _defined(state).require_in_use()
    if definition == current.definition:
        return []
    return [CredentialTypeRevised(revision=current.revision + 1, definition=definition)]


def decide_retire(state: CredentialType | None, reason: str) -> list[CredentialTypeEvent]:
    """Retire the type.

    Raises:
        DecisionRefused: It is retired already.
    """
    _defined(state).require_in_use()
    return [CredentialTypeRetired(reason=reason)]


def _defined(state: CredentialType | None) -> CredentialType:
    if state is None:
        raise DecisionRefused("credential type", "it is not defined")
    return state
