"""Use cases of assets: templates, fonts and images that documents and messages are made from."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from testamur.application.aggregates import Loaded, append, load
from testamur.application.ports.event_store import EventStore
from testamur.application.ports.register import Register
from testamur.application.ports.storage import ArtifactStorage, StorableFile, StreamedFile
from testamur.application.ports.system import Clock
from testamur.application.requests import Request
from testamur.application.streams import Opened, pieces, store
from testamur.domain import assets
from testamur.domain.assets import AssetContent, CredentialAsset
from testamur.domain.errors import InvalidInput, NotFound
from testamur.domain.identifiers import Slug, asset_id, parse_slug

#: What an asset's content begins with, and what it is then.
_SIGNATURES: Final = (
    (b"%PDF-", "application/pdf"),
    (b"\x00\x01\x00\x00", "font/ttf"),
    (b"true", "font/ttf"),
    (b"OTTO", "font/otf"),
    (b"ttcf", "font/collection"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"PK\x03\x04", "application/zip"),
)


@dataclass(frozen=True, slots=True)
class Assets:
    """Keeps the assets; gives renderers their content."""

    events: EventStore
    register: Register
    storage: ArtifactStorage
    clock: Clock

    def add(
        self, slug: str, content: bytes | Opened, filename: str, request: Request
    ) -> CredentialAsset:
        """Add an asset.

        Args:
            slug: Short name, by which options refer to it.
            content: A PDF, TrueType or OpenType font, PNG, JPEG, or ZIP of mail templates; or what
                opens it, from its beginning and more than once, to be read piece by piece.
            filename: Name of the file that it came from.
            request: Who asks.

        Raises:
            InvalidInput: The slug is not allowed, the content is of no kind that is, or it changed
                while it was read.
            DecisionRefused: The slug is taken.
            StorageError: The content could not be stored, or not be read.
        """
        known = self._load(parse_slug(slug))
        described = describe(content, filename)
        decided = assets.decide_add(known.state, parse_slug(slug), described)
        self._store(content, described)
        append(self.events, known, decided, request.attribution(self.clock))
        return self.get(slug)

    def replace(
        self, slug: str, content: bytes | Opened, filename: str, request: Request
    ) -> CredentialAsset:
        """Give an asset other content; documents issued before stay as they are.

        Raises:
            NotFound: There is no such asset.
            InvalidInput, StorageError: As :meth:`add`.
        """
        known, state = self._existing(slug)
        described = describe(content, filename)
        decided = assets.decide_replace(state, described)
        self._store(content, described)
        append(self.events, known, decided, request.attribution(self.clock))
        return self.get(slug)

    def remove(self, slug: str, reason: str, request: Request) -> None:
        """Remove an asset from use; its content stays, for the record.

        Raises:
            NotFound: There is no such asset.
            DecisionRefused: It is removed already.
        """
        known, state = self._existing(slug)
        decided = assets.decide_remove(state, reason)
        append(self.events, known, decided, request.attribution(self.clock))

    def get(self, slug: str) -> CredentialAsset:
        """Return an asset, removed or not.

        Raises:
            NotFound: There is no such asset.
        """
        return self._existing(slug)[1]

    def all(self) -> Iterator[CredentialAsset]:
        """Yield all assets by slug, the removed ones too."""
        for row in self.register.catalogue("asset"):
            yield self.get(row.label)

    # AssetLibrary, for renderers

    def content(self, slug: Slug) -> bytes:
        """Return the present content of an asset in use.

        Raises:
            NotFound: There is no such asset, or it was removed.
            StorageError: Its content cannot be read.
        """
        return self.storage.get(_storage_key(self.sha256(slug)))

    def sha256(self, slug: Slug) -> str:
        """Return the hash of the present content of an asset in use.

        Raises:
            NotFound: There is no such asset, or it was removed.
        """
        asset = self.get(slug)
        if asset.removed:
            raise NotFound("asset", slug, self._in_use())
        return asset.content.sha256

    def _store(self, content: bytes | Opened, described: AssetContent) -> None:
        sha256, media_type = described.sha256, described.media_type
        key = _storage_key(sha256)
        if isinstance(content, bytes):
            self.storage.put([StorableFile(key, content, sha256, media_type)])
        else:
            store(self.storage, StreamedFile(key, content, described.size, sha256, media_type))

    def _load(self, slug: Slug) -> Loaded[CredentialAsset]:
        return load(self.events, asset_id(slug), assets.evolve)

    def _existing(self, slug: str) -> tuple[Loaded[CredentialAsset], CredentialAsset]:
        known = self._load(Slug(slug))
        if known.state is None:
            raise NotFound("asset", slug, self._in_use())
        return known, known.state

    def _in_use(self) -> Iterator[str]:
        return (row.label for row in self.register.catalogue("asset", active_only=True))


def describe(content: bytes | Opened, filename: str) -> AssetContent:
    """Describe the content of an asset.

    Raises:
        InvalidInput: It is none of the kinds that are allowed, told by its first bytes, or the
            file's name has folders in it or cannot be printed.
        StorageError: It cannot be read.
    """
    if not filename or not filename.isprintable() or "/" in filename or "\\" in filename:
        raise InvalidInput("filename", filename, "a printable name without folders")
    parts = iter([content] if isinstance(content, bytes) else pieces(content, filename))
    first = next(parts, b"")
    media_type = _media_type(first, filename)
    hashed, size = hashlib.sha256(first), len(first)
    for part in parts:
        hashed.update(part)
        size += len(part)
    return AssetContent(
        sha256=hashed.hexdigest(), size=size, media_type=media_type, filename=filename
    )


def _media_type(beginning: bytes, filename: str) -> str:
    for signature, media_type in _SIGNATURES:
        if beginning.startswith(signature):
            return media_type
    raise InvalidInput(
        "asset",
        filename,
        "a PDF, a TrueType or OpenType font, a PNG or a JPEG image, or a ZIP archive of mail "
        "templates",
    )


def _storage_key(sha256: str) -> str:
    return f"assets/{sha256[:2]}/{sha256}"
