"""Editions: the documents of one face, context, day and language, with what they share drawn once.

An edition's template, fonts and shared elements are compiled into one constant beginning. What one
document adds is laid out and drawn by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from testamur.adapters.pdf.base_glyphs import base_glyphs
from testamur.adapters.pdf.coded_fonts import CodedFonts
from testamur.adapters.pdf.compiled import CompiledPage, Part, Shared
from testamur.adapters.pdf.drawing import GlyphCodes, drawn_code, drawn_lines
from testamur.adapters.pdf.faces import Drawing, ElementLayout, Face, is_shared, laid_out
from testamur.adapters.pdf.layout import Code, TextLayout
from testamur.application.ports.rendering import Document

#: What stands for a QR code for those who cannot see it.
_LINK_CODE: Final = "QR code with the address at which this credential can be verified"
_OTHER_CODE: Final = "QR code"


@dataclass(frozen=True, slots=True)
class EditionKey:
    """What decides how the shared elements of a document look.

    Args:
        several_lines: Whether the face is the one for names of several lines.
        language: BCP 47 tag.
        context_name: Name of the course, lesson or pathway.
        type_name: What the credential is called.
        issuer_name: Who issues it.
        award_date: The date on it.
    """

    several_lines: bool
    language: str
    context_name: str
    type_name: str
    issuer_name: str
    award_date: date


class Edition:
    """Documents of one kind. For one thread.

    Args:
        face: What they are drawn on.
        document: One of them.

    Raises:
        RenderingError: A shared element cannot be drawn right.
    """

    def __init__(self, face: Face, document: Document) -> None:
        self.face = face
        self._document = document
        self._shared: dict[str, Drawing] = {}
        self._own: list[ElementLayout] = []
        for element in face.elements:
            if is_shared(element):
                self._shared[element.name] = laid_out(element, document)
            else:
                self._own.append(element)
        self._fonts = CodedFonts("F")
        self._page: CompiledPage | None = None

    def laid_out(self, document: Document) -> list[Drawing]:
        """Return what a document shows of the elements that it does not share.

        Raises:
            RenderingError: One of them cannot be drawn right.
        """
        return [laid_out(element, document) for element in self._own]

    def document(self, document: Document, drawings: Sequence[Drawing]) -> tuple[bytes, str]:
        """Return a document's file, and its SHA-256 in hexadecimal.

        Args:
            document: The document.
            drawings: What it shows of the elements that it does not share.

        Raises:
            RenderingError: The template or a font cannot be used after all.
        """
        if self._page is None:
            # Not before: those who only check documents need none.
            self._page = self._compiled()
        fonts = CodedFonts("D", self._fonts)
        contents = [self._drawn(drawing, fonts) for drawing in drawings]
        title = f"{document.type_name} – {document.full_name}"
        return self._page.document(contents, fonts.objects(), title, str(document.credential_id))

    def _compiled(self) -> CompiledPage:
        document = self._document
        for element in self._own:
            if isinstance(element, TextLayout):
                for font, glyphs in base_glyphs(element, document.locale):
                    self._fonts.codes(font, glyphs)
        parts = [self._part(element) for element in self.face.elements]
        shared = Shared(
            parts=parts,
            fonts=self._fonts.objects(),
            language=document.locale,
            subject=" ".join(document.context_name.split()),
            author=document.issuer_name,
            created=document.award_date,
            reading_text=self.face.reading_text,
            reading_text_language=self.face.reading_text_language,
            conformance=self.face.conformance,
            attachments=self.face.attachments,
        )
        return CompiledPage(self.face.artwork, shared)

    def _part(self, element: ElementLayout) -> Part:
        drawing = self._shared.get(element.name)
        content = None if drawing is None else self._drawn(drawing, self._fonts)
        if isinstance(element, TextLayout):
            return Part(element.name, "P", None, content, element.language)
        alt = _LINK_CODE if "verify_url" in element.placeholders else _OTHER_CODE
        x, y, side = element.square
        top = self.face.size.height - y
        return Part(element.name, "Figure", alt, content, "en", (x, top - side, x + side, top))

    def _drawn(self, drawing: Drawing, fonts: GlyphCodes) -> bytes:
        height = self.face.size.height
        if isinstance(drawing, Code):
            symbol = self.face.symbols.symbol(drawing.text)
            return drawn_code(drawing, symbol, height).encode("ascii")
        return drawn_lines(drawing, height, fonts).encode("ascii")
