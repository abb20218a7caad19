"""A renderer that tells where its elements stand, and marks for its files, without any PDF."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from pydantic import BaseModel, ConfigDict

from testamur.application.errors import RenderingError
from testamur.application.ports.rendering import AssetLibrary, Document, RenderedFile
from testamur.application.ports.samples import Arrangement, Box, PlacedElement

MEDIA_TYPE: Final = "text/x-design"

#: Letters that fit into a line at full size.
LINE_LETTERS: Final = 25


class DesignOptions(BaseModel):
    """Options of the renderer.

    Args:
        shows: Values of documents that are drawn, one below the other: ``full_name``,
            ``context_name``, ``verify_url``, or one of ``values``.
        code_beside: Points from the name to a code on its right; None: there is no code.
        spacing: Points from line to line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    shows: tuple[str, ...] = ("full_name", "context_name")
    code_beside: float | None = None
    spacing: float = 40


@dataclass
class PreparedDesign:
    """Writes values one below the other, in letters of 32 points or less; Thai it refuses.

    Args:
        options: What it shows.
        drawn: The documents that it has drawn.
    """

    options: DesignOptions
    drawn: list[Document] = field(default_factory=list)
    vouched_for: list[Document] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """Hash of the options."""
        return hashlib.sha256(self.options.model_dump_json().encode()).hexdigest()

    def check(self, document: Document) -> None:
        """Refuse what is missing, and Thai."""
        if document.full_name == "broken":
            raise ZeroDivisionError("division by zero")
        if any("\u0e00" <= letter <= "\u0e7f" for letter in document.full_name):
            raise RenderingError("missing-glyph", "name: no font has U+0E19")
        for name in self.options.shows:
            if self._value(document, name) is None:
                raise RenderingError("missing-value", f"there is no value for {{{name}}}")

    def render(self, document: Document) -> RenderedFile:
        """Write the values, and vouch for them."""
        self.vouched_for.append(document)
        return self.draft(document)

    def draft(self, document: Document) -> RenderedFile:
        """Write the values."""
        self.check(document)
        self.drawn.append(document)
        lines = [self._value(document, name) or "" for name in self.options.shows]
        content = "\n".join([*lines, document.award_date.isoformat()]).encode()
        return RenderedFile(content, hashlib.sha256(content).hexdigest(), MEDIA_TYPE, ".design")

    def arrangement(self, document: Document) -> Arrangement:
        """Tell where the values stand."""
        elements = [
            self._placed(name, self._value(document, name) or "", number)
            for number, name in enumerate(self.options.shows)
        ]
        if self.options.code_beside is not None:
            left = elements[0].covers[0].right + self.options.code_beside
            box = Box(left, 70, left + 80, 150)
            elements.append(PlacedElement("code", "code", (left, 70), box, (box,), margin=10))
        return Arrangement(1, tuple(elements))

    def _placed(self, name: str, text: str, number: int) -> PlacedElement:
        size = min(32.0, round(32.0 * LINE_LETTERS / len(text), 2))
        baseline = 100 + number * self.options.spacing
        box = Box(50, baseline - size, 50 + len(text) * size / 2, baseline)
        return PlacedElement(
            name, "text", (50, baseline), box, (box,), (baseline,), size, full_size=32.0
        )

    def _value(self, document: Document, name: str) -> str | None:
        found = document.values.get(name) or getattr(document, name, None)
        return found if isinstance(found, str) else None


@dataclass
class DesignRenderer:
    """A renderer of text with places."""

    name: str = "design"
    options_model: type[BaseModel] = DesignOptions
    prepared: list[PreparedDesign] = field(default_factory=list)

    def prepare(self, options: DesignOptions, assets: AssetLibrary) -> PreparedDesign:
        """Return it ready."""
        self.prepared.append(PreparedDesign(options))
        return self.prepared[-1]


@dataclass
class DesignMarks:
    """Marks for the files of the renderer: lines at their end."""

    before_pictures: Callable[[], object] | None = None

    def can_mark(self, media_type: str) -> bool:
        """Return whether it is a file of the renderer."""
        return media_type == MEDIA_TYPE

    def marked(self, file: RenderedFile, arrangement: Arrangement | None) -> RenderedFile:
        """Add a line, and one for each element that there are guides for."""
        elements = arrangement.elements if arrangement else ()
        lines = ["", "SAMPLE", *(f"guide: {each.name}" for each in elements)]
        return replace(file, content=file.content + "\n".join(lines).encode())

    def pictures(self, file: RenderedFile, dpi: int) -> tuple[bytes, ...]:
        """Return one page."""
        return (f"{dpi} dpi of ".encode() + file.content,)
