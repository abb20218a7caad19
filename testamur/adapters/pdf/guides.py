"""Marks over finished PDFs: that they are samples, and guides that show where elements stand."""

import hashlib
from dataclasses import replace
from decimal import Decimal
from io import BytesIO
from itertools import count
from math import atan2, cos, hypot, sin
from typing import Final

import pikepdf
from pikepdf import Array, Dictionary, Name, Page, Pdf

from testamur.adapters.pdf.guide_drawing import guides
from testamur.adapters.pdf.layout import PageSize
from testamur.adapters.pdf.pages import UnusablePage, VisiblePage, make_explicit, visible_page
from testamur.adapters.pdf.pictures import pictures_of
from testamur.application.errors import RenderingError
from testamur.application.ports.rendering import RenderedFile
from testamur.application.ports.samples import Arrangement

MEDIA_TYPE: Final = "application/pdf"

#: What stands across every page of a sample.
WORD: Final = "SAMPLE"

#: Width of the word and height of its capitals in Helvetica Bold, in sizes (Adobe's font metrics).
_WORD_WIDTH: Final = 4.167
_CAPITALS: Final = 0.718

#: Part of the page's diagonal that the word takes.
_PART_OF_DIAGONAL: Final = 0.6


class PdfSampleMarks:
    """Makes samples of PDF documents."""

    def can_mark(self, media_type: str) -> bool:
        """Return whether it is a PDF."""
        return media_type == MEDIA_TYPE

    def marked(self, file: RenderedFile, arrangement: Arrangement | None) -> RenderedFile:
        """Return the document with a word across each page, and guides if there is an arrangement.

        Raises:
            RenderingError: Reason ``bad-document``: it cannot be read.
        """
        try:
            with Pdf.open(BytesIO(file.content)) as pdf:
                _take_back_claims(pdf)
                for number, page in enumerate(pdf.pages, start=1):
                    make_explicit(page.obj)
                    visible = visible_page(page.obj)
                    drawn = _word(visible.size)
                    if arrangement is not None and arrangement.page == number:
                        drawn += guides(arrangement.elements, visible.size)
                    _draw_over(pdf, page, visible, drawn)
                content = _saved(pdf)
        except (pikepdf.PdfError, UnusablePage) as error:
            raise RenderingError(
                "bad-document", f"what the renderer makes is no PDF that can be read: {error}"
            ) from error
        return replace(file, content=content, sha256=hashlib.sha256(content).hexdigest())

    def pictures(self, file: RenderedFile, dpi: int) -> tuple[bytes, ...]:
        """Return the pages as PNG files.

        Raises:
            RenderingError: Reason ``no-pictures``: PDFium is not installed; or ``bad-document``.
        """
        return pictures_of(file.content, dpi)


def _take_back_claims(pdf: Pdf) -> None:
    """Remove what would vouch for the file: signatures, conformance, and attached credentials."""
    root = pdf.Root
    for key in (Name.AcroForm, Name.Perms, Name.DSS, Name.AF, Name.Metadata, Name.Extensions):
        if key in root:
            del root[key]
    if Name.Names in root and Name.EmbeddedFiles in root.Names:
        del root.Names[Name.EmbeddedFiles]
    for page in pdf.pages:
        if Name.Annots in page.obj:
            page.obj.Annots = Array(
                [each for each in page.obj.Annots if each.get(Name.Subtype) != Name.Widget]
            )
    title = str(pdf.docinfo.get(Name.Title, ""))
    pdf.docinfo[Name.Title] = f"{WORD}: {title}"


def _word(size: PageSize) -> str:
    """Return the operators that write the word from the lower left to the upper right corner.

    It is filled and outlined, so that it shows on a dark ground and on a bright one.
    """
    diagonal = hypot(size.width, size.height)
    font_size = _PART_OF_DIAGONAL * diagonal / _WORD_WIDTH
    angle = atan2(size.height, size.width)
    along, up = _WORD_WIDTH * font_size / 2, _CAPITALS * font_size / 2
    x = size.width / 2 - along * cos(angle) + up * sin(angle)
    y = size.height / 2 - along * sin(angle) - up * cos(angle)
    place = f"{cos(angle):.5f} {sin(angle):.5f} {-sin(angle):.5f} {cos(angle):.5f} {x:.2f} {y:.2f}"
    return (
        "q /Pale gs 0.80 0.10 0.10 rg 0.80 0.10 0.10 RG "
        f"{font_size / 90:.2f} w BT /Bold {font_size:.2f} Tf 2 Tr {place} Tm ({WORD}) Tj ET Q\n"
    )


def _draw_over(pdf: Pdf, page: Page, visible: VisiblePage, drawn: str) -> None:
    form = pdf.make_stream(f"/Artifact BMC\n{drawn}EMC\n".encode("latin-1"))
    form.Type = Name.XObject
    form.Subtype = Name.Form
    form.BBox = Array([0, 0, _real(visible.size.width), _real(visible.size.height)])
    form.Matrix = Array([_real(each) for each in visible.to_page])
    form.Resources = Dictionary(
        Font=Dictionary(Plain=_font("Helvetica"), Bold=_font("Helvetica-Bold")),
        ExtGState=Dictionary(
            Pale=Dictionary(Type=Name.ExtGState, ca=Decimal("0.14"), CA=Decimal("0.45")),
            Clear=Dictionary(Type=Name.ExtGState, ca=Decimal("0.12"), CA=Decimal("0.9")),
            Veil=Dictionary(Type=Name.ExtGState, ca=Decimal("0.78"), CA=Decimal("0.78")),
        ),
    )
    taken = set(page.resources.get(Name.XObject, Dictionary()).keys())
    free = next(name for name in (f"/Sample{number}" for number in count()) if name not in taken)
    name = page.add_resource(form, Name.XObject, Name(free))
    # Whatever state the page's own content ends in, it began in the one that the form needs.
    page.contents_add(b"q", prepend=True)
    page.contents_add(f"Q q {name} Do Q".encode())


def _font(name: str) -> Dictionary:
    # One of the fonts that every reader has (ISO 32000-1, section 9.6.2.2).
    return Dictionary(
        Type=Name.Font,
        Subtype=Name.Type1,
        BaseFont=Name(f"/{name}"),
        Encoding=Name.WinAnsiEncoding,
    )


def _saved(pdf: Pdf) -> bytes:
    file = BytesIO()
    # Encryption would keep nobody from a sample, and would have to be given anew.
    pdf.save(file, deterministic_id=True, encryption=False)
    return file.getvalue()


def _real(number: float) -> Decimal:
    return round(Decimal(number), 5)
