"""Font files: read once, and refused where they are damaged or must not be embedded."""

import re
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import uharfbuzz as hb
from fontTools.ttLib import TTFont, TTLibError
from fpdf.errors import FPDFException

from testamur.adapters.pdf.options import font_parts
from testamur.application.errors import RenderingError

_REQUIRED_TABLES: Final = frozenset(
    {"OS/2", "cmap", "head", "hhea", "hmtx", "maxp", "name", "post"}
)
#: What fontTools, fpdf2 and uharfbuzz raise over tables that are damaged or do not fit together.
_TROUBLE: Final = (
    *(TTLibError, FPDFException, struct.error, RuntimeError, AssertionError),
    *(LookupError, NameError, AttributeError, TypeError, ValueError, ArithmeticError),
)
#: OpenType specification, table head.
_UNITS_PER_EM: Final = range(16, 16385)

_RESTRICTED_LICENCE: Final = 0x0002

#: The axis of a variable font that makes it lighter or bolder.
WEIGHT_AXIS: Final = "wght"


@dataclass(frozen=True, slots=True)
class FontPart:
    """A part of a font.

    Args:
        content: The file.
        glyphs: Index in the part by index in the whole font.
    """

    content: bytes
    glyphs: Mapping[int, int]


@contextmanager
def refusing_damaged(reference: str) -> Iterator[None]:
    """Turn what libraries raise over a damaged font into an error that names the font.

    Raises:
        RenderingError: Reason ``bad-font``.
    """
    try:
        yield
    except _TROUBLE as error:
        raise _bad_font(
            reference,
            f"it is damaged, or of a kind that cannot be embedded ({type(error).__name__}: {error})"
            "; use another file of it, or another font",
        ) from error


class FontFile:
    """A font file, or one font of a collection, read once.

    Args:
        reference: The asset's slug, for a collection followed by ``#`` and the font's number.
        content: The file.

    Raises:
        RenderingError: It cannot be used; reason ``bad-font``.
    """

    def __init__(self, reference: str, content: bytes) -> None:
        self.reference = reference
        with refusing_damaged(reference):
            self._read(content)

    @property
    def name(self) -> str:
        """Its PostScript name, as far as a PDF's name can hold it."""
        found: str | None = self.face.get_name(hb.OTNameIdPredefined.POSTSCRIPT_NAME)
        return re.sub(r"[^A-Za-z0-9_-]", "", found or "") or "Font"

    def _read(self, content: bytes) -> None:
        reference = self.reference
        _, number = font_parts(reference)
        self.face = hb.Face(hb.Blob(content), number)
        if self.face.count and number >= self.face.count:
            raise _bad_font(reference, f"it holds {self.face.count} fonts, counted from 0")
        tables = set(self.face.table_tags)
        if missing := _REQUIRED_TABLES - tables:
            raise _bad_font(
                reference,
                f"it has no {', '.join(sorted(missing))}; allowed: TrueType and OpenType files "
                "(.ttf, .otf, .ttc), not WOFF",
            )
        if not tables & {"glyf", "CFF "}:
            raise _bad_font(reference, "it has no outlines that PDF knows (glyf or CFF)")
        # OpenType, table head: unitsPerEm at offset 18.
        units = int.from_bytes(bytes(self.face.reference_table("head").data)[18:20], "big")
        if units not in _UNITS_PER_EM:
            raise _bad_font(
                reference,
                f"it is damaged: it is drawn in {units} units; allowed: {_UNITS_PER_EM[0]} to "
                f"{_UNITS_PER_EM[-1]} (head)",
            )
        self._refuse_damaged(content, number)
        self._refuse_restricted()
        characters = self.face.unicodes
        if not characters:
            raise _bad_font(reference, "it maps no characters (cmap)")
        self.some_character: int = characters.min
        self.axes = {axis.tag: axis for axis in self.face.axis_infos}

    def _refuse_damaged(self, content: bytes, number: int) -> None:
        with TTFont(BytesIO(content), fontNumber=number, lazy=True) as font:
            end = max(entry.offset + entry.length for entry in font.reader.tables.values())
            if end > len(content):
                # HarfBuzz would leave out what lies beyond the end: those glyphs would be blank.
                raise _bad_font(
                    self.reference, f"it is cut off: it has {len(content)} bytes of {end}"
                )
            if not font["name"].getBestFullName():
                raise _bad_font(self.reference, "it does not say its own name")

    def _refuse_restricted(self) -> None:
        # OS/2 table, field fsType at offset 8: the lowest four bits are the usage permissions.
        permissions = bytes(self.face.reference_table("OS/2").data)[8:10]
        if int.from_bytes(permissions, "big") & 0x000F == _RESTRICTED_LICENCE:
            raise _bad_font(self.reference, "its licence forbids embedding (OS/2 fsType 2)")


def _bad_font(reference: str, why: str) -> RenderingError:
    return RenderingError("bad-font", f"font {reference!r} cannot be used: {why}")
