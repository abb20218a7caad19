"""Drawing: a layout as the operators of a PDF content stream (ISO 32000-2, sections 8 and 9).

Text is written so that it can be copied and searched. A line from left to right says what it says
(`ActualText`). For a line with words from right to left readers go by the glyphs on the page, each
in their own way: there every cluster is one glyph of text that stands for all its characters, and
what else belongs to it, such as dots and vowel signs, is filled as an outline.
"""

from bisect import bisect_right
from codecs import BOM_UTF16_BE
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Protocol

from fpdf.bidi import BIDI_BRACKETS

from testamur.adapters.pdf.characters import is_ignorable
from testamur.adapters.pdf.fonts import Font, Glyph
from testamur.adapters.pdf.layout import Code, Layout, Line
from testamur.adapters.pdf.qr import qr_symbol
from testamur.adapters.pdf.runs import Run

#: Thousandths of the size that a glyph may be off its place: far less than can be seen.
_EXACT_ENOUGH: Final = 0.02

_MIRRORED: Final = {
    **{bracket: entry["pair"] for bracket, entry in BIDI_BRACKETS.items()},
    **dict(zip("<>«»‹›≤≥", "><»«›‹≥≤", strict=True)),
}


class GlyphCodes(Protocol):
    """Fonts as a PDF has them."""

    def resource(self, font: Font) -> str:
        """Return the name under which the content refers to a font."""
        ...

    def code(self, font: Font, glyph: int, text: str) -> tuple[int, int]:
        """Return the code of a glyph that stands for a text, and the glyph's width.

        The width is the one that the PDF gives, in thousandths of the size.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Placed:
    """A glyph with its origin in units of the font from the start of its run.

    Args:
        text: The characters that it stands for.
        is_text: Whether it is drawn as text; if not, as an outline.
    """

    glyph: Glyph
    x: int
    y: int
    text: str
    is_text: bool


def content(layout: Layout, page_height: float, codes: GlyphCodes) -> bytes:
    """Return the content stream that draws a layout on a page with its origin at the bottom left.

    Args:
        layout: What to draw.
        page_height: Points.
        codes: The PDF's fonts.
    """
    return "\n".join(
        [
            *(_line(line, page_height, codes) for line in layout.lines),
            *(_code(code, page_height) for code in layout.codes),
        ]
    ).encode("ascii")


def used_glyphs(lines: Iterable[Line]) -> dict[Font, set[int]]:
    """Return the glyphs that lines need as text, by font."""
    used: dict[Font, set[int]] = {}
    for line in lines:
        for run in line.runs:
            glyphs = {each.glyph.id for each in _placed(run, _bundled(line)) if each.is_text}
            used.setdefault(run.font, set()).update(glyphs)
    return used


def _line(line: Line, page_height: float, codes: GlyphCodes) -> str:
    bundled = _bundled(line)
    runs = "\n".join(
        _run(
            list(_placed(run, bundled)),
            run.font,
            (line.x + run.x * line.size, page_height - line.y),
            line.size,
            codes,
        )
        for run in line.runs
    )
    drawn = f"q {_rgb(line.color)} rg\n{runs}\nQ"
    if bundled:
        return drawn
    # Section 14.9.4: what is read, copied and searched in place of the marked content.
    actual = (BOM_UTF16_BE + line.text.encode("utf-16-be")).hex()
    return f"/Span <</ActualText <{actual}>>> BDC\n{drawn}\nEMC"


def _bundled(line: Line) -> bool:
    return any(run.shaping.right_to_left for run in line.runs)


def _run(
    placed: Sequence[_Placed],
    font: Font,
    origin: tuple[float, float],
    size: float,
    codes: GlyphCodes,
) -> str:
    scale = size / font.units_per_em
    x, y = origin
    shown = [f"BT /{codes.resource(font)} {size:.3f} Tf"]
    for stretch in _level_stretches([each for each in placed if each.is_text]):
        place = f"{x + stretch[0].x * scale:.3f} {y + stretch[0].y * scale:.3f}"
        shown.append(f"1 0 0 1 {place} Tm [{_shown(stretch, font, codes)}] TJ")
    shown.append("ET")
    for each in placed:
        if not each.is_text and (path := font.outline(each.glyph.id)):
            place = f"{x + each.x * scale:.3f} {y + each.y * scale:.3f}"
            shown.append(f"q {scale:.6f} 0 0 {scale:.6f} {place} cm {path} f Q")
    return "\n".join(shown)


def _placed(run: Run, bundled: bool) -> Iterator[_Placed]:
    """Place a run's glyphs, and give all characters of a cluster to one glyph of it.

    Args:
        run: The run.
        bundled: Whether only that glyph is drawn as text. Clusters are then whole ones; if not,
            they are as small as HarfBuzz makes them, which for a mark is the mark alone.
    """
    anchored = {glyph.cluster for glyph in run.glyphs}
    if bundled:
        anchored = {run.starts[bisect_right(run.starts, each) - 1] for each in anchored}
    starts = sorted(anchored)
    ends = [*starts[1:], len(run.text)]
    pen = 0
    for index, group in groupby(run.glyphs, lambda glyph: bisect_right(starts, glyph.cluster) - 1):
        cluster = list(group)
        text = run.text[starts[index] : ends[index]]
        bearer = cluster[0]
        if bundled:
            bearer = max(cluster, key=lambda glyph: glyph.advance)
        if run.shaping.right_to_left:
            text = "".join(each for each in text if not is_ignorable(each))
            text = _MIRRORED.get(text, text)
        for glyph in cluster:
            bears = glyph is bearer
            yield _Placed(
                glyph, pen + glyph.dx, glyph.dy, text if bears else "", bears or not bundled
            )
            pen += glyph.advance


def _level_stretches(placed: Sequence[_Placed]) -> Iterator[list[_Placed]]:
    return (list(stretch) for _, stretch in groupby(placed, lambda each: each.y))


def _shown(stretch: Sequence[_Placed], font: Font, codes: GlyphCodes) -> str:
    parts: list[str] = []
    thousandth = font.units_per_em / 1000
    pen = stretch[0].x / thousandth
    for each in stretch:
        code, width = codes.code(font, each.glyph.id, each.text)
        gap = pen - each.x / thousandth
        if abs(gap) > _EXACT_ENOUGH:
            parts.append(f">{gap:.2f}<")
            pen -= gap
        parts.append(f"{code:04X}")
        pen += width
    return f"<{''.join(parts)}>"


def _code(code: Code, page_height: float) -> str:
    symbol = qr_symbol(code.text)
    module = code.side / symbol.modules
    place = f"{module:.5f} 0 0 {-module:.5f} {code.x:.3f} {page_height - code.y:.3f} cm"
    bars = "\n".join(f"{column} {row} {length} 1 re" for column, row, length in symbol.bars)
    return f"q {_rgb(code.color)} rg {place}\n{bars}\nf Q"


def _rgb(color: str) -> str:
    return " ".join(f"{part / 255:.4f}" for part in bytes.fromhex(color[1:]))
