"""Port: the document of a credential, from options and assets prepared once, drawn many times."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from pydantic import BaseModel

from testamur.domain.identifiers import CredentialId, Slug, VerificationId


@dataclass(frozen=True, slots=True)
class Document:
    """Everything that one document shows.

    Args:
        credential_id: Whose document it is; goes into the file's metadata.
        verification_id: Random public id.
        full_name: The learner's name, in any script.
        context_name: Name of the course, lesson or pathway; may have line breaks.
        type_name: What the credential is called.
        issuer_name: Who issues it.
        award_date: The date on the document.
        locale: Language tag (BCP 47) for dates and words.
        verify_url: Link to the verification, or None where the installation has none.
        values: Further values by placeholder, e.g. ``grade``.
        serial: Its number as it is shown, or None where it has none.
        expiry_date: The last day on which it is valid, or None where it does not expire.
    """

    credential_id: CredentialId
    verification_id: VerificationId
    full_name: str
    context_name: str
    type_name: str
    issuer_name: str
    award_date: date
    locale: str
    verify_url: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    serial: str | None = None
    expiry_date: date | None = None


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """A finished document in memory.

    Args:
        content: The bytes; the same document gives the same bytes, unless the options ask for what
            differs each time, such as a signature.
        sha256: Their hash, lower-case hexadecimal.
        media_type: e.g. ``application/pdf``.
        suffix: File name suffix with the dot, e.g. ``.pdf``.
    """

    content: bytes
    sha256: str
    media_type: str
    suffix: str


class AssetLibrary(Protocol):
    """Gives renderers the content of assets."""

    def content(self, slug: Slug) -> bytes:
        """Return an asset's present content.

        Raises:
            NotFound: There is no such asset, or it was removed.
            StorageError: Its content cannot be read.
        """
        ...

    def sha256(self, slug: Slug) -> str:
        """Return the hash of an asset's present content without reading it.

        Raises:
            NotFound: There is no such asset, or it was removed.
        """
        ...


class PreparedRenderer(Protocol):
    """A renderer with its template, fonts and options read and checked. Used by one thread."""

    @property
    def digest(self) -> str:
        """SHA-256 over everything but the document that decides what the output looks like."""
        ...

    def check(self, document: Document) -> None:
        """Refuse a document that cannot be drawn right; cheaper than drawing it.

        Raises:
            RenderingError: A character that no font has, text that does not fit, a missing value.
        """
        ...

    def render(self, document: Document) -> RenderedFile:
        """Draw the document.

        Raises:
            RenderingError: As :meth:`check`.
        """
        ...


class Renderer(Protocol):
    """A way of making documents, found by name."""

    @property
    def name(self) -> str:
        """Name under which types choose it, e.g. ``pdf``."""
        ...

    @property
    def options_model(self) -> type[BaseModel]:
        """Model of its options; validates them and documents them."""
        ...

    def prepare(self, options: Any, assets: AssetLibrary) -> PreparedRenderer:
        """Read and check template, fonts and options, once for many documents.

        Args:
            options: An instance of :attr:`options_model`.
            assets: Where templates, fonts and images come from.

        Raises:
            InvalidInput: An option is not allowed together with the template.
            NotFound: An asset that the options name does not exist.
            RenderingError: A template, font or image cannot be used.
        """
        ...
