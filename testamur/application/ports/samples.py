"""Ports of previews: where a document's elements stand, and marks over it that make it a sample.

Lengths are points from the top left corner of the page as a reader sees it.
"""

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from testamur.application.ports.rendering import Document, PreparedRenderer, RenderedFile


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of the page."""

    left: float
    top: float
    right: float
    bottom: float

    def with_margin(self, margin: float) -> "Box":
        """Return it with a margin on all sides."""
        return Box(self.left - margin, self.top - margin, self.right + margin, self.bottom + margin)

    def meets(self, other: "Box") -> bool:
        """Return whether the two have any place in common."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


@dataclass(frozen=True, slots=True)
class PlacedElement:
    """An element of a document in its place.

    Args:
        name: The element's name.
        kind: What it is.
        anchor: The point that its options name.
        room: What it may cover at most.
        covers: What it covers: of a text, a box for each line.
        baselines: Of a text, where its lines stand.
        size: Of a text, the size it is drawn in…
        full_size: …and the one that it has where there is room.
        margin: What has to stay free around it.
    """

    name: str
    kind: Literal["text", "image", "code"]
    anchor: tuple[float, float]
    room: Box
    covers: tuple[Box, ...] = ()
    baselines: tuple[float, ...] = ()
    size: float | None = None
    full_size: float | None = None
    margin: float = 0.0


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Where the elements of one document stand.

    Args:
        page: The page that they are on, counted from 1.
        elements: In the order in which they are drawn.
    """

    page: int
    elements: tuple[PlacedElement, ...]


@runtime_checkable
class ArrangingRenderer(PreparedRenderer, Protocol):
    """A prepared renderer that shows its design to those who work on it."""

    def draft(self, document: Document) -> RenderedFile:
        """Draw the document without anything that would vouch for it, such as a signature.

        Raises:
            RenderingError: As `PreparedRenderer.check`.
        """
        ...

    def arrangement(self, document: Document) -> Arrangement:
        """Return where the elements of a document stand.

        Raises:
            RenderingError: As `PreparedRenderer.check`.
        """
        ...


class SampleMarks(Protocol):
    """Makes samples of finished documents."""

    def can_mark(self, media_type: str) -> bool:
        """Return whether it can draw on files of this type."""
        ...

    def marked(self, file: RenderedFile, arrangement: Arrangement | None) -> RenderedFile:
        """Return a document that nobody can mistake for a credential.

        It says on every page that it is a sample, and it claims nothing: no signature, no
        conformance, no attached file.

        Args:
            file: The document, of a type that it can mark.
            arrangement: Guides are drawn for it; None: no guides.

        Raises:
            RenderingError: The file cannot be read.
        """
        ...

    def pictures(self, file: RenderedFile, dpi: int) -> tuple[bytes, ...]:
        """Return the pages of a document that it can mark, each as a PNG file.

        Args:
            file: The document.
            dpi: Pixels to the inch, `samples.LEAST_DPI` to `samples.MOST_DPI`.

        Raises:
            RenderingError: What makes pictures is not installed, or the file cannot be read.
        """
        ...
