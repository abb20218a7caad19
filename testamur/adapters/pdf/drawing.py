"""Drawing: a layout as the operators of a PDF content stream (ISO 32000-2, sections 8 and 9).

Text is written so that it can be copied and searched. A line from left to right says what it says
(`ActualText`). For a line with words from right to left readers go by the glyphs on the page, each
in their own way: there every cluster is one glyph of text that stands for all its characters, and
what else belongs to it, such as dots and vowel signs, is filled as an outline.
"""

from bisect import bisect_right
from codecs import BOM_UTF16_BE
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Final, NamedTuple, Protocol

from fpdf.bidi import BIDI_BRACKETS

from testamur.adapters.pdf.characters import is_ignorable
from testamur.adapters.pdf.fonts import Font, Glyph
from testamur.adapters.pdf.layout import Code, Line
from testamur.adapters.pdf.qr import QrSymbol
from testamur.adapters.pdf.runs import Run

#: Thousandths of the size that a glyph may be off its place: far less than can be seen.
_EXACT_ENOUGH: Final = 0.02

_MIRRORED: Final = {
    **{bracket: entry["pair"] for bracket, entry in BIDI_BRACKETS.items()},
    **dict(zip("<>«»‹›≤≥", "><»«›‹≥≤", strict=True)),
}


class GlyphCodes(Protocol):
    """Fonts as a PDF has them."""

    def codes(
        self, font: Font, glyphs: Sequence[tuple[int, str]]
    ) -> tuple[str, Sequence[tuple[int, int]]]:
        """Return how a PDF shows glyphs of a font, each of which stands for a text.

        Returns:
            The name under which the content refers to the font; then for each glyph its code, and
            its width as the PDF gives it, in thousandths of the size.
        """
        ...


class _Placed(NamedTuple):
    """A glyph with its origin in units of the font from the start of its run.

    Args:
        glyph: Its index in the font.
        x: To the right.
        y: Upwards.
        text: The characters that it stands for.
        is_text: Whether it is drawn as text; if not, as an outline.
    """

    glyph: int
    x: int
    y: int
    text: str
    is_text: bool


def drawn_lines(lines: Iterable[Line], page_height: float, codes: GlyphCodes) -> str:
    """Return the operators that draw lines on a page with its origin at the bottom left.

    Args:
        lines: What to draw.
        page_height: Points.
        codes: The PDF's fonts.
    """
    return "\n".join([_line(line, page_height, codes) for line in lines])


def used_glyphs(lines: Iterable[Line]) -> dict[Font, set[int]]:
    """Return the glyphs that lines need as text, by font."""
    used: dict[Font, set[int]] = {}
    for line in lines:
        for run in line.runs:
            glyphs = {each.glyph for each in _placed(run, _bundled(line)) if each.is_text}
            used.setdefault(run.font, set()).update(glyphs)
    return used


def glyph_texts(run: Run) -> list[tuple[int, str]]:
    """Return the glyphs of a run from left to right, and what text each stands for."""
    return [(each.glyph, each.text) for each in _placed_one_by_one(run)]


def _line(line: Line, page_height: float, codes: GlyphCodes) -> str:
    bundled = _bundled(line)
    runs = "\n".join(
        [
            _run(
                run,
                _placed(run, bundled),
                (line.x + run.x * line.size, page_height - line.y),
                line.size,
                codes,
            )
            for run in line.runs
        ]
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
    run: Run,
    placed: Sequence[_Placed],
    origin: tuple[float, float],
    size: float,
    codes: GlyphCodes,
) -> str:
    scale = size / run.font.units_per_em
    x, y = origin
    texts = [each for each in placed if each.is_text]
    resource, coded = codes.codes(run.font, [(each.glyph, each.text) for each in texts])
    shown = [f"BT /{resource} {size:.3f} Tf"]
    for stretch in _level_stretches(texts, coded):
        first = stretch[0][0]
        place = f"{x + first.x * scale:.3f} {y + first.y * scale:.3f}"
        shown.append(f"1 0 0 1 {place} Tm [{_shown(stretch, run.font)}] TJ")
    shown.append("ET")
    for each in placed:
        if not each.is_text and (path := run.font.outline(each.glyph)):
            place = f"{x + each.x * scale:.3f} {y + each.y * scale:.3f}"
            shown.append(f"q {scale:.6f} 0 0 {scale:.6f} {place} cm {path} f Q")
    return "\n".join(shown)


def _placed(run: Run, bundled: bool) -> list[_Placed]:
    """Place a run's glyphs, and give all characters of a cluster to one glyph of it.

    Args:
        run: The run.
        bundled: Whether only that glyph is drawn as text. Clusters are then whole ones; if not,
            they are as small as HarfBuzz makes them, which for a mark is the mark alone.
    """
    return list(_placed_in_bundles(run)) if bundled else _placed_one_by_one(run)


def _placed_one_by_one(run: Run) -> list[_Placed]:
    starts = list(dict.fromkeys([glyph.cluster for glyph in run.glyphs]))
    texts = {
        start: run.text[start:end]
        for start, end in zip(starts, [*starts[1:], len(run.text)], strict=True)
    }
    placed: list[_Placed] = []
    pen = 0
    bearers = _bearers(run) if len(starts) < len(run.glyphs) else ()
    for glyph, cluster, advance, dx, dy in run.glyphs:
        # One glyph of a cluster stands for its text; others that it has, for none.
        bears = not bearers or len(placed) in bearers
        placed.append(_Placed(glyph, pen + dx, dy, texts[cluster] if bears else "", True))
        pen += advance
    return placed


def _bearers(run: Run) -> set[int]:
    """Return the places of the glyphs that stand for the text of their clusters."""
    by_cluster: dict[int, list[int]] = {}
    for place, glyph in enumerate(run.glyphs):
        by_cluster.setdefault(glyph.cluster, []).append(place)
    return {
        places[_bearer([run.glyphs[place] for place in places], run.font)]
        for places in by_cluster.values()
    }


def _bearer(cluster: Sequence[Glyph], font: Font) -> int:
    """Return the place of the glyph that stands for the text of a cluster: the widest.

    Where none has a width, it is the first that can be seen. HarfBuzz leaves empty glyphs where
    variation selectors were, and may put them first; readers pass over those, and their text.
    """
    widest = max(range(len(cluster)), key=lambda place: cluster[place].advance)
    if cluster[widest].advance or len(cluster) == 1:
        return widest
    seen = (place for place, glyph in enumerate(cluster) if font.outline(glyph.id))
    return next(seen, widest)


def _placed_in_bundles(run: Run) -> Iterator[_Placed]:
    starts = sorted({run.starts[bisect_right(run.starts, each.cluster) - 1] for each in run.glyphs})
    ends = [*starts[1:], len(run.text)]
    pen = 0
    for index, group in groupby(run.glyphs, lambda glyph: bisect_right(starts, glyph.cluster) - 1):
        cluster = list(group)
        text = run.text[starts[index] : ends[index]]
        bearer = _bearer(cluster, run.font)
        if run.shaping.right_to_left:
            text = "".join(each for each in text if not is_ignorable(each))
            text = _MIRRORED.get(text, text)
        for place, glyph in enumerate(cluster):
            bears = place == bearer
            x = pen + glyph.dx
            yield _Placed(glyph.id, x, glyph.dy, text if bears else "", is_text=bears)
            pen += glyph.advance


def _level_stretches(
    placed: Sequence[_Placed], coded: Sequence[tuple[int, int]]
) -> Iterator[list[tuple[_Placed, tuple[int, int]]]]:
    stretches = groupby(zip(placed, coded, strict=True), lambda each: each[0].y)
    return (list(stretch) for _, stretch in stretches)


def _shown(stretch: Sequence[tuple[_Placed, tuple[int, int]]], font: Font) -> str:
    parts: list[str] = []
    thousandth = font.units_per_em / 1000
    pen = stretch[0][0].x / thousandth
    for placed, (code, width) in stretch:
        gap = pen - placed.x / thousandth
        if not -_EXACT_ENOUGH <= gap <= _EXACT_ENOUGH:
            parts.append(f">{gap:.2f}<")
            pen -= gap
        parts.append(f"{code:04X}")
        pen += width
    return f"<{''.join(parts)}>"


def drawn_code(code: Code, symbol: QrSymbol, page_height: float) -> str:
    """Return the operators that draw a QR code on a page with its origin at the bottom left.

    Args:
        code: What to draw where.
        symbol: The symbol of its text.
        page_height: Points.
    """
    module = code.side / symbol.modules
    place = f"{module:.5f} 0 0 {-module:.5f} {code.x:.3f} {page_height - code.y:.3f} cm"
    bars = "\n".join([f"{column} {row} {length} 1 re" for column, row, length in symbol.bars])
    return f"q {_rgb(code.color)} rg {place}\n{bars}\nf Q"


@lru_cache(maxsize=256)
def _rgb(color: str) -> str:
    return " ".join(f"{part / 255:.4f}" for part in bytes.fromhex(color[1:]))
