"""Font programs: what a PDF embeds of a font, cut by HarfBuzz to the glyphs that are shown.

A font is first freed of what only shaping needs and set to its weight, once; cutting a handful of
glyphs out of the rest then takes less than a tenth of a millisecond, with outlines of either kind.
"""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from typing import Final

import uharfbuzz as hb
from fontTools.ttLib import TTFont

from testamur.adapters.pdf.font_files import WEIGHT_AXIS, FontFile, FontPart, refusing_damaged

#: ISO 32000-2, section 9.9.1: the tables of a TrueType font that a CIDFont needs.
_TRUETYPE_TABLES: Final = ("glyf", "head", "hhea", "hmtx", "loca", "maxp")
#: Those that HarfBuzz needs to cut PostScript outlines; the PDF gets the first one alone.
_POSTSCRIPT_TABLES: Final = ("CFF ", "head", "hhea", "hmtx", "maxp")
#: What HarfBuzz needs to set a variable font to a weight.
_VARIATION_TABLES: Final = ("fvar", "gvar", "avar", "HVAR", "MVAR", "STAT")

_FLAGS: Final = (
    hb.SubsetFlags.NO_HINTING | hb.SubsetFlags.NOTDEF_OUTLINE | hb.SubsetFlags.NO_LAYOUT_CLOSURE
)


@dataclass(frozen=True, slots=True)
class CharacterCollection:
    """Names the numbering that a font's CIDs belong to (ISO 32000-2, section 9.7.3)."""

    registry: str = "Adobe"
    ordering: str = "Identity"
    supplement: int = 0


@dataclass(frozen=True, slots=True)
class Metrics:
    """What a font descriptor says, in thousandths of the size (ISO 32000-2, table 120).

    Args:
        box: Left, bottom, right and top of all glyphs together.
        ascent: Of the font, above the baseline.
        descent: Below it, negative.
        cap_height: Of flat capital letters.
        italic_angle: Degrees counterclockwise from upright.
        stem: Thickness of vertical stems.
    """

    box: tuple[int, int, int, int]
    ascent: int
    descent: int
    cap_height: int
    italic_angle: float
    stem: int


class FontProgram:
    """A font in one weight, ready to be cut.

    Args:
        file: The font's file.
        weight: Weight of a variable font; None is its default.

    Raises:
        RenderingError: It is damaged where it matters; reason ``bad-font``.
    """

    def __init__(self, file: FontFile, weight: int | None) -> None:
        self._file = file
        self._weight = weight
        self._thousandth: float = file.face.upem / 1000
        #: Whether its outlines are PostScript ones, so that it says itself what a CID leads to.
        self.is_postscript = "CFF " in file.face.table_tags
        with refusing_damaged(file.reference):
            self._face = hb.Face(hb.Blob(self._bare()))
            self._metrics_of = hb.Font(self._face)
        self._widths: dict[int, int] = {}

    @property
    def name(self) -> str:
        """The font's PostScript name."""
        return self._file.name

    def cut(self, glyphs: Iterable[int]) -> FontPart:
        """Return the program with only these glyphs, and with the missing one as glyph 0.

        In PostScript outlines whose glyphs have names a CID is a glyph's index, which then stays.
        """
        wanted = hb.SubsetInput()
        wanted.glyph_set.update(glyphs)
        wanted.flags = _FLAGS
        if self.is_postscript and self._cids is None:
            wanted.flags |= hb.SubsetFlags.RETAIN_GIDS
        plan = hb.SubsetPlan(self._face, wanted)
        face = plan.execute()
        program = face.reference_table("CFF ") if self.is_postscript else face.blob
        return FontPart(bytes(program.data), dict(plan.old_to_new_glyph_mapping))

    def width(self, glyph: int) -> int:
        """Return a glyph's advance in thousandths of the size.

        As a whole number: PDFium drops what is behind the point. It is at most half a thousandth
        off, which PDF/A allows; where glyphs stand does not depend on it.
        """
        found = self._widths.get(glyph)
        if found is None:
            advance: int = self._metrics_of.get_glyph_h_advance(glyph)
            found = self._widths[glyph] = round(advance / self._thousandth)
        return found

    def cid(self, glyph: int) -> int | None:
        """Return the only CID that leads to a glyph, or None where any can be made to."""
        if not self.is_postscript:
            return None
        return glyph if self._cids is None else self._cids[glyph]

    @cached_property
    def collection(self) -> CharacterCollection:
        """The numbering of its CIDs."""
        if not self.is_postscript or self._cids is None:
            return CharacterCollection()
        with self._opened() as font:
            return CharacterCollection(*font["CFF "].cff.topDictIndex[0].ROS)

    @cached_property
    def metrics(self) -> Metrics:
        """What its descriptor says."""
        # OpenType: tables head, hhea, OS/2 and post; all values but the angle in units of the font.
        left, bottom, right, top = struct.unpack_from(">4h", self._table("head"), 36)
        ascent, descent = struct.unpack_from(">2h", self._table("hhea"), 4)
        (angle,) = struct.unpack_from(">l", self._table("post"), 4)
        weight, cap_height = self._weight_and_cap_height()
        return Metrics(
            box=(
                self._scaled(left),
                self._scaled(bottom),
                self._scaled(right),
                self._scaled(top),
            ),
            ascent=self._scaled(ascent),
            descent=self._scaled(descent),
            cap_height=self._scaled(cap_height or ascent),
            italic_angle=angle / 65536,
            # No font says it; this is what writers of PDF commonly derive from the weight.
            stem=round(50 + (weight / 65) ** 2),
        )

    def _weight_and_cap_height(self) -> tuple[int, int]:
        os2 = self._table("OS/2")
        version: int = struct.unpack_from(">H", os2, 0)[0]
        weight: int = self._weight or struct.unpack_from(">H", os2, 4)[0]
        has_cap_height = version >= 2 and len(os2) >= 90
        cap_height: int = struct.unpack_from(">h", os2, 88)[0] if has_cap_height else 0
        return weight, max(cap_height, 0)

    def _scaled(self, units: int) -> int:
        return round(units / self._thousandth)

    def _table(self, tag: str) -> bytes:
        return bytes(self._file.face.reference_table(tag).data)

    def _bare(self) -> bytes:
        file = self._file
        wanted = _POSTSCRIPT_TABLES if self.is_postscript else _TRUETYPE_TABLES
        if not file.axes:
            present = set(file.face.table_tags)
            return _font_file({tag: self._table(tag) for tag in wanted if tag in present})
        whole = hb.SubsetInput()
        whole.glyph_set.update(range(file.face.glyph_count))
        whole.flags = _FLAGS | hb.SubsetFlags.RETAIN_GIDS
        whole.drop_table_tag_set.update(
            int.from_bytes(tag.encode("latin-1"), "big")
            for tag in file.face.table_tags
            if tag not in (*wanted, *_VARIATION_TABLES)
        )
        whole.pin_all_axes_to_default(file.face)
        if self._weight is not None:
            whole.pin_axis_location(file.face, WEIGHT_AXIS, self._weight)
        return bytes(hb.SubsetPlan(file.face, whole).execute().blob.data)

    @cached_property
    def _cids(self) -> Mapping[int, int] | None:
        """CIDs by glyph, or None where glyphs have names."""
        with self._opened() as font:
            top = font["CFF "].cff.topDictIndex[0]
            if not hasattr(top, "ROS"):
                return None
            # fontTools calls the glyph of CID 7 "cid00007", and the first one ".notdef".
            return {
                glyph: int(name.removeprefix("cid")) if glyph else 0
                for glyph, name in enumerate(top.charset)
            }

    def _opened(self) -> TTFont:
        return TTFont(BytesIO(self._face.blob.data), lazy=True)


def _font_file(tables: Mapping[str, bytes]) -> bytes:
    """Put tables into a file, without check sums (OpenType specification, "Font file")."""
    offset = 12 + 16 * len(tables)
    directory = [
        b"OTTO" if "CFF " in tables else b"\0\1\0\0",
        struct.pack(">4H", len(tables), 0, 0, 0),
    ]
    contents = []
    for tag, content in sorted(tables.items()):
        padded = content + bytes(-len(content) % 4)
        directory.append(struct.pack(">4s3L", tag.encode("latin-1"), 0, offset, len(content)))
        contents.append(padded)
        offset += len(padded)
    return b"".join((*directory, *contents))
