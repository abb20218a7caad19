"""Embedding: fonts put into a PDF by fpdf2, for the plain way (`plain.PlainPdf`).

Each goes in as the small part that HarfBuzz cuts out of it, so that fpdf2 has next to nothing to
parse and to subset, and one document never touches the fonts of another. This is the only module
that knows fpdf2 from inside: how it gives a code to a glyph.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from fpdf import FPDF
from fpdf.fonts import TTFFont

from testamur.adapters.pdf.font_files import refusing_damaged
from testamur.adapters.pdf.fonts import Font
from testamur.adapters.pdf.outlines import with_truetype_outlines


class EmbeddedFonts:
    """The fonts of one document, as `drawing.GlyphCodes` asks for them. A context manager.

    Args:
        used: The glyphs that will be asked for, by font.

    Raises:
        RenderingError: A font is damaged where it matters; its methods raise it too.
    """

    def __init__(self, used: Mapping[Font, set[int]]) -> None:
        self._pdf = FPDF(unit="pt")
        self._pdf.add_page()
        self._embedded: dict[Font, TTFFont] = {}
        self._indexes: dict[Font, Mapping[int, int]] = {}
        self._codes: dict[tuple[Font, int, str], tuple[int, int]] = {}
        with ExitStack() as left_open:
            folder = TemporaryDirectory(prefix="testamur-", ignore_cleanup_errors=True)
            self._folder = Path(left_open.enter_context(folder))
            left_open.callback(self._close_fonts)
            for font, glyphs in used.items():
                with refusing_damaged(font.name):
                    self._add(font, glyphs)
            self._left_open = left_open.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._left_open.close()

    def resource(self, font: Font) -> str:
        """Return the name under which content refers to a font."""
        return f"F{self._embedded[font].i}"

    def code(self, font: Font, glyph: int, text: str) -> tuple[int, int]:
        """Return the code of a glyph that stands for a text, and the glyph's width."""
        key = (font, glyph, text)
        if key not in self._codes:
            with refusing_damaged(font.name):
                self._codes[key] = self._new_code(font, glyph, text)
        return self._codes[key]

    def codes(
        self, font: Font, glyphs: Sequence[tuple[int, str]]
    ) -> tuple[str, Sequence[tuple[int, int]]]:
        """Return the resource of a font, and code and width of glyphs that stand for texts."""
        return self.resource(font), [self.code(font, glyph, text) for glyph, text in glyphs]

    def output(self) -> bytes:
        """Return a PDF whose one page has the fonts among its resources. To be called once."""
        with refusing_damaged(", ".join(font.name for font in self._embedded)):
            return bytes(self._pdf.output())

    def _new_code(self, font: Font, glyph: int, text: str) -> tuple[int, int]:
        embedded, index = self._embedded[font], self._indexes[font][glyph]
        name = embedded.ttfont.getGlyphName(index)
        width = round(embedded.scale * embedded.ttfont["hmtx"][name][0])
        known = embedded.subset.get_glyph(index, tuple(map(ord, text)), name, width)
        code = embedded.subset.pick_glyph(known)
        if code is None:
            raise ValueError(f"glyph {glyph} has no code")
        return code, width

    def _close_fonts(self) -> None:
        for embedded in self._embedded.values():
            embedded.close()

    def _add(self, font: Font, glyphs: set[int]) -> None:
        family = f"font{len(self._embedded)}"
        part = font.part(glyphs)
        # fpdf2 reads fonts from files only.
        file = self._folder / f"{family}.ttf"
        named = font.has_named_outlines
        file.write_bytes(with_truetype_outlines(part.content) if named else part.content)
        self._pdf.add_font(family, fname=file)
        embedded = self._pdf.fonts[family]
        if not isinstance(embedded, TTFFont):
            raise TypeError(f"{font.name} was not read as a TrueType or OpenType font")
        # The boxes are right as HarfBuzz left them. To compute them again, fontTools would unpack
        # and pack every outline, which takes longer than all the rest of a document.
        embedded.ttfont.recalcBBoxes = False
        self._embedded[font] = embedded
        self._indexes[font] = part.glyphs
        self._pdf.set_font(family, size=1)
        self._pdf.cell(text=" ")  # makes it a resource of the page
