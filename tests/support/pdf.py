"""PDFs in tests: templates to draw on, assets in memory, pages as pixels and as text."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pikepdf
import pypdfium2
import uharfbuzz as hb
from fontTools.pens.basePen import decomposeQuadraticSegment
from fontTools.pens.recordingPen import RecordingPen
from fpdf import FPDF
from PIL import Image, ImageChops

from testamur.adapters.pdf import PdfOptions, PdfRenderer, PreparedPdf
from testamur.application.ports.rendering import Document
from testamur.domain.errors import NotFound
from testamur.domain.identifiers import CredentialId, Slug, VerificationId

A4_LANDSCAPE: Final = (842.0, 595.0)

_FONT_FILES: Final = {
    "noto-sans": ("fontpkg_noto_sans", "files/NotoSans[wdth,wght].ttf"),
    "noto-sans-arabic": ("fontpkg_noto_sans_arabic", "files/NotoSansArabic[wdth,wght].ttf"),
    "noto-sans-devanagari": (
        "fontpkg_noto_sans_devanagari",
        "files/NotoSansDevanagari[wdth,wght].ttf",
    ),
    "noto-sans-thai": ("fontpkg_noto_sans_thai", "files/NotoSansThai[wdth,wght].ttf"),
    "open-sans": ("fontpkg_open_sans", "files/OpenSans[wdth,wght].ttf"),
    "noto-sans-jp": ("pylopdf_fonts_jp", "NotoSansJP-Regular.otf"),
    "noto-sans-kr": ("pylopdf_fonts_ko", "NotoSansKR-Regular.otf"),
    "noto-sans-sc": ("pylopdf_fonts_zh_cn", "NotoSansSC-Regular.otf"),
}

FONTS: Final = tuple(_FONT_FILES)
"""Slugs of the open fonts that `MemoryAssets` has, for all the scripts that tests draw."""


class MemoryAssets:
    """An asset library in memory that has the open fonts too."""

    def __init__(self, contents: Mapping[str, bytes] | None = None) -> None:
        self.contents = dict(contents or {})

    def content(self, slug: Slug) -> bytes:
        if slug in self.contents:
            return self.contents[slug]
        if slug in _FONT_FILES:
            return font_file(slug)
        raise NotFound("asset", slug)

    def sha256(self, slug: Slug) -> str:
        return hashlib.sha256(self.content(slug)).hexdigest()


@cache
def font_file(slug: str) -> bytes:
    """Return the content of one of `FONTS`."""
    package, file = _FONT_FILES[slug]
    found = find_spec(package)
    assert found is not None
    assert found.origin is not None
    return (Path(found.origin).parent / file).read_bytes()


def template(
    size: tuple[float, float] = A4_LANDSCAPE,
    draw: Callable[[FPDF], None] | None = None,
    pages: int = 1,
) -> bytes:
    """Return a template of blank pages; `draw` draws on each of them."""
    pdf = FPDF(unit="pt", format=size)
    pdf.set_creation_date(datetime(2026, 1, 1, tzinfo=UTC))
    for _ in range(pages):
        pdf.add_page()
        if draw is not None:
            draw(pdf)
    return bytes(pdf.output())


def changed(content: bytes, change: Callable[[pikepdf.Pdf], None], **saving: Any) -> bytes:
    """Return a PDF after a change to its objects."""
    file = BytesIO()
    with pikepdf.open(BytesIO(content)) as pdf:
        change(pdf)
        pdf.save(file, **saving)
    return file.getvalue()


def a_document(**values: Any) -> Document:
    """Return a document of an invented learner; `values` take the place of its own."""
    defaults: dict[str, Any] = {
        "credential_id": CredentialId(UUID("5d1f6f86-7d0b-5c5e-9d3b-2f6f0a3f5c11")),
        "verification_id": VerificationId("vK3mQ9xT2wLr"),
        "full_name": "Ada Lovelace",
        "context_name": "Analytical Engines",
        "type_name": "Certificate of Completion",
        "issuer_name": "Example Academy",
        "award_date": date(2026, 3, 12),
        "locale": "en",
        "verify_url": "https://learn.example.org/verify/vK3mQ9xT2wLr",
        "expiry_date": date(2028, 3, 12),
    }
    return Document(**{**defaults, **values})


def prepared(
    contents: Mapping[str, bytes] | None = None,
    renderer: PdfRenderer | None = None,
    **options: Any,
) -> PreparedPdf:
    """Return a prepared renderer for a blank template, with Noto Sans, unless told otherwise."""
    assets = MemoryAssets({"blank": template(), **(contents or {})})
    chosen = {"template": "blank", "fonts": ["noto-sans"], **options}
    return (renderer or PdfRenderer()).prepare(PdfOptions.model_validate(chosen), assets)


def text_of(content: bytes, page: int = 0) -> str:
    """Return the text of a page as a reader copies it."""
    document = pypdfium2.PdfDocument(content)
    try:
        return str(document[page].get_textpage().get_text_range()).replace("\r\n", "\n")
    finally:
        document.close()


def places_of(content: bytes, page: int = 0) -> dict[str, float]:
    """Return where characters of a page stand: the left edge of each one's last occurrence."""
    document = pypdfium2.PdfDocument(content)
    try:
        read = document[page].get_textpage()
        text = read.get_text_range()
        return {each: read.get_charbox(index)[0] for index, each in enumerate(text)}
    finally:
        document.close()


def picture_of(content: bytes, page: int = 0, scale: float = 2.0) -> Image.Image:
    """Return a page as grey pixels, `scale` for each point."""
    document = pypdfium2.PdfDocument(content)
    try:
        image: Image.Image = document[page].render(scale=scale).to_pil().convert("L")
        return image
    finally:
        document.close()


@dataclass(frozen=True, slots=True)
class Ink:
    """Edges of what is inked, in points from the page's top left corner as it is seen."""

    left: float
    top: float
    right: float
    bottom: float


def ink_of(content: bytes, page: int = 0, scale: float = 4.0) -> Ink | None:
    """Return where a page that is white otherwise is inked, or None."""
    picture = picture_of(content, page, scale)
    box = ImageChops.invert(picture).point(lambda value: 255 if value > 40 else 0).getbbox()
    return None if box is None else Ink(*(edge / scale for edge in box))


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return the mean difference of two pictures' pixels, relative to the darker one's ink."""
    assert one.size == other.size
    total = sum(
        value * count for value, count in enumerate(ImageChops.difference(one, other).histogram())
    )
    inks = [
        sum((255 - value) * count for value, count in enumerate(each.histogram()))
        for each in (one, other)
    ]
    return total / max(*inks, 1)


def outlines(
    text: str, font: str, *, size: float, middle: float, baseline: float, language: str
) -> bytes:
    """Return an A4 page with a text's outlines, straight from HarfBuzz and the whole font file.

    Shares nothing with the renderer: no layout, no embedded font, no text operators.

    Args:
        text: One line of one script and font.
        font: Slug of the font.
        size: Points.
        middle: Where the middle of the text stands, from the left edge.
        baseline: From the top edge.
        language: BCP 47 tag.
    """
    face = hb.Face(hb.Blob(font_file(font)))
    shaped = hb.Buffer()
    shaped.add_str(text)
    shaped.guess_segment_properties()
    shaped.language = language
    hb_font = hb.Font(face)
    hb.shape(hb_font, shaped)
    scale = size / face.upem
    width, height = A4_LANDSCAPE
    x = middle - sum(each.x_advance for each in shaped.glyph_positions) * scale / 2
    drawn = []
    for info, at in zip(shaped.glyph_infos, shaped.glyph_positions, strict=True):
        assert info.codepoint != 0, f"{font} lacks a glyph of {text!r}"
        pen = RecordingPen()
        hb_font.draw_glyph_with_pen(info.codepoint, pen)
        left, up = x + at.x_offset * scale, height - baseline + at.y_offset * scale
        drawn.append(f"q {scale:.6f} 0 0 {scale:.6f} {left:.4f} {up:.4f} cm {_path(pen)} f Q")
        x += at.x_advance * scale
    content = "\n".join(drawn).encode()
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(width, height))
        page.contents_add(content)
        file = BytesIO()
        pdf.save(file)
        return file.getvalue()


def _path(recorded: RecordingPen) -> str:
    operators, last = [], (0.0, 0.0)
    for name, points in recorded.value:
        match name:
            case "moveTo" | "lineTo":
                operators.append(f"{points[0][0]} {points[0][1]} {'ml'[name == 'lineTo']}")
            case "curveTo":
                operators.append(" ".join(f"{x} {y}" for x, y in points) + " c")
            case "qCurveTo":
                for control, end in decomposeQuadraticSegment(points):
                    near = [(2 * c + e) / 3 for c, e in zip(control, last, strict=True)]
                    far = [(2 * c + e) / 3 for c, e in zip(control, end, strict=True)]
                    operators.append(" ".join(map(str, (*near, *far, *end))) + " c")
                    last = end
            case "closePath":
                operators.append("h")
        last = points[-1] if points else last
    return " ".join(operators)
