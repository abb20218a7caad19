"""The credential asset: a template, font or image that documents are made from.

Its content lives in storage under its SHA-256; the events say which content the asset has had when.
"""

from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict, Field

from testamur.domain.errors import DecisionRefused
from testamur.domain.events import DomainEvent
from testamur.domain.identifiers import Slug


class AssetContent(BaseModel):
    """What an asset holds.

    Args:
        sha256: Hash of the content, 64 lower-case hexadecimal digits.
        size: Length of the content in bytes.
        media_type: e.g. ``application/pdf``, ``font/ttf``.
        filename: Name of the file that it came from, without folders.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(gt=0)
    media_type: str
    filename: str


# Events


class AssetAdded(DomainEvent):
    """An asset came into being."""

    slug: Slug
    content: AssetContent


class AssetReplaced(DomainEvent):
    """The asset has other content from now on."""

    content: AssetContent


class AssetRemoved(DomainEvent):
    """The asset is not to be used any more. Its content stays for documents issued with it."""

    reason: str


AssetEvent = AssetAdded | AssetReplaced | AssetRemoved


# State


@dataclass(frozen=True, slots=True)
class CredentialAsset:
    """An asset as its events left it."""

    slug: Slug
    content: AssetContent
    removed: bool = False


def evolve(state: CredentialAsset | None, event: AssetEvent) -> CredentialAsset:
    """Return the state after an event."""
    match event:
        case AssetAdded():
            return CredentialAsset(event.slug, event.content)
        case AssetReplaced():
            return replace(_added(state), content=event.content, removed=False)
        case AssetRemoved():
            return replace(_added(state), removed=True)


# Decisions


def decide_add(
    state: CredentialAsset | None, slug: Slug, content: AssetContent
) -> list[AssetEvent]:
    """Add an asset under a slug that is free.

    Raises:
        DecisionRefused: The slug is taken.
    """
    if state is not None:
        raise DecisionRefused(
            f"asset {slug!r}", "it exists already; replace it, or choose another slug"
        )
    return [AssetAdded(slug=slug, content=content)]


def decide_replace(state: CredentialAsset | None, content: AssetContent) -> list[AssetEvent]:
    """Give the asset other content; a removed asset comes back by it.

    Nothing happens where it has this content already.
    """
    current = _added(state)
    if not current.removed and current.content == content:
        return []
    return [AssetReplaced(content=content)]


def decide_remove(state: CredentialAsset | None, reason: str) -> list[AssetEvent]:
    """Remove the asset.

    Raises:
        DecisionRefused: It is removed already.
    """
    current = _added(state)
    if current.removed:
        raise DecisionRefused(f"asset {current.slug!r}", "it is removed already")
    return [AssetRemoved(reason=reason)]


def _added(state: CredentialAsset | None) -> CredentialAsset:
    if state is None:
        raise DecisionRefused("asset", "it does not exist")
    return state
