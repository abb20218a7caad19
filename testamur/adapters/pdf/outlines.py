"""Outlines: as paths of PDF, and from PostScript (CFF) to TrueType, which fpdf2 can embed.

Fonts for Chinese, Japanese and Korean have their glyphs by number (CID) in their CFF table: those
fpdf2 embeds as they are. Where glyphs have names, as in most other .otf files, it puts the file
where a PDF may only have TrueType outlines, so that some readers show nothing.
"""

from io import BytesIO
from typing import Any, Final

import uharfbuzz as hb
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont, newTable

#: How far a curve may move, in sizes: at 100 points a twentieth of a point.
_MOST_MOVED: Final = 0.0005

_TRUETYPE_MAXP: Final = 0x00010000
_PLAIN_MAXP: Final = {
    "maxZones": 1,
    "maxTwilightPoints": 0,
    "maxStorage": 0,
    "maxFunctionDefs": 0,
    "maxInstructionDefs": 0,
    "maxStackElements": 0,
    "maxSizeOfInstructions": 0,
    "maxComponentElements": 0,
}


def _path_operators() -> Any:
    """Return what writes an outline into a list as PDF path operators."""
    last = [0.0, 0.0]

    def write(path: list[str], operator: str, *numbers: float) -> None:
        last[:] = numbers[-2:]
        path.append(" ".join(f"{number:g}" for number in numbers) + f" {operator}")

    def quadratic(x1: float, y1: float, x2: float, y2: float, path: list[str]) -> None:
        # PDF has cubic curves only; each is a quadratic one with its control point split in two.
        x0, y0 = last
        first = (x0 + (x1 - x0) * 2 / 3, y0 + (y1 - y0) * 2 / 3)
        second = (x2 + (x1 - x2) * 2 / 3, y2 + (y1 - y2) * 2 / 3)
        write(path, "c", *first, *second, x2, y2)

    functions = hb.DrawFuncs()
    functions.set_move_to_func(lambda x, y, path: write(path, "m", x, y))
    functions.set_line_to_func(lambda x, y, path: write(path, "l", x, y))
    functions.set_quadratic_to_func(quadratic)
    functions.set_cubic_to_func(
        lambda x1, y1, x2, y2, x3, y3, path: write(path, "c", x1, y1, x2, y2, x3, y3)
    )
    functions.set_close_path_func(lambda path: path.append("h"))
    return functions


PATH_OPERATORS: Final = _path_operators()
"""Draw functions that write a glyph into a list of strings."""


def has_named_outlines(content: bytes) -> bool:
    """Return whether a font has PostScript outlines whose glyphs have names."""
    with TTFont(BytesIO(content), lazy=True) as font:
        return "CFF " in font and not hasattr(font["CFF "].cff.topDictIndex[0], "ROS")


def with_truetype_outlines(content: bytes) -> bytes:
    """Return the same font with TrueType outlines in place of PostScript ones."""
    with TTFont(BytesIO(content), recalcTimestamp=False) as font:
        _convert(font)
        file = BytesIO()
        font.save(file)
        return file.getvalue()


def _convert(font: Any) -> None:
    order = font.getGlyphOrder()
    drawn = font.getGlyphSet()
    error = font["head"].unitsPerEm * _MOST_MOVED
    glyphs = {}
    for name in order:
        pen = TTGlyphPen(None)
        drawn[name].draw(Cu2QuPen(pen, error, reverse_direction=True))
        glyphs[name] = pen.glyph()
    outlines = newTable("glyf")
    outlines.glyphOrder = order
    outlines.glyphs = glyphs
    font["glyf"] = outlines
    font["loca"] = newTable("loca")
    del font["CFF "]
    maximums = font["maxp"]
    maximums.tableVersion = _TRUETYPE_MAXP
    for name, value in _PLAIN_MAXP.items():
        setattr(maximums, name, value)
    # Names of glyphs, which PostScript outlines had with them.
    font["post"].formatType = 3.0
    font.sfntVersion = "\x00\x01\x00\x00"
