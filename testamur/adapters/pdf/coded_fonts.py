"""Coded fonts: the fonts that a file draws with, as `drawing.GlyphCodes` asks for them."""

from collections.abc import Sequence
from typing import Self

from testamur.adapters.pdf.compiled import FontObjects
from testamur.adapters.pdf.font_files import refusing_damaged
from testamur.adapters.pdf.font_objects import EmbeddedFont
from testamur.adapters.pdf.fonts import Font


class CodedFonts:
    """Fonts with codes for the glyphs that were asked for so far.

    Args:
        letter: Begins the fonts' names among the page's resources.
        shared: Fonts that the file has anyway; they are taken where they have all of a run.

    Raises:
        RenderingError: Its methods, for a font that is damaged where it matters.
    """

    def __init__(self, letter: str, shared: Self | None = None) -> None:
        self._letter = letter
        self._shared = shared
        self._fonts: dict[Font, EmbeddedFont] = {}

    def codes(
        self, font: Font, glyphs: Sequence[tuple[int, str]]
    ) -> tuple[str, Sequence[tuple[int, int]]]:
        """Return the resource of a font, and code and width of glyphs that stand for texts."""
        if self._shared is not None:
            embedded = self._shared._fonts.get(font)  # noqa: SLF001 - of the same kind
            known = None if embedded is None else embedded.known(glyphs)
            if embedded is not None and known is not None:
                return embedded.resource, known
        own = self._fonts.get(font) or self._embedded(font)
        with refusing_damaged(font.name):
            return own.resource, [own.code(glyph, text) for glyph, text in glyphs]

    def objects(self) -> list[FontObjects]:
        """Return the objects of all fonts, for the codes given so far."""
        objects = []
        for font, embedded in self._fonts.items():
            with refusing_damaged(font.name):
                objects.append(embedded.objects())
        return objects

    def _embedded(self, font: Font) -> EmbeddedFont:
        resource = f"{self._letter}{len(self._fonts)}"
        embedded = self._fonts[font] = EmbeddedFont(resource, font.program)
        return embedded
