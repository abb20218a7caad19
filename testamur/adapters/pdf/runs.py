"""Runs: a line of text cut into stretches of one font, script and direction, shaped, in order."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from operator import attrgetter
from typing import Final

from testamur.adapters.pdf.characters import CONTROLS, clusters, described, script_of
from testamur.adapters.pdf.default_fonts import listed, remedy
from testamur.adapters.pdf.direction import Direction, embedding_levels, visual_order
from testamur.adapters.pdf.fonts import DOTTED_CIRCLE, Font, Glyph, Shaping
from testamur.adapters.pdf.placeholders import Piece
from testamur.application.errors import RenderingError

#: Written without spaces and without joining: each character may come from another font. In all
#: other scripts one font draws a whole word where one has all of it.
_LOOSE_SCRIPTS: Final = frozenset({"Hani", "Kana", "Hang", "Bopo", "Yiii"})

#: Letters that touch: spaced out they would come apart (CSS Text 3, section 8.2.1, and the
#: scripts whose letters hang from one line).
CONNECTED_SCRIPTS: Final = frozenset(
    {"Arab", "Syrc", "Mong", "Nkoo", "Phag", "Mand", "Rohg", "Adlm", "Sogd", "Ougr", "Aghb"}
    | {"Deva", "Beng", "Guru", "Modi", "Tirh", "Sylo"}
)


@dataclass(frozen=True, slots=True)
class Run:
    """A shaped stretch of text, from left to right.

    Args:
        font: What draws it.
        text: Its characters in the order in which they are read.
        starts: Index of the first character of each cluster of the text.
        shaping: How it was shaped.
        glyphs: What HarfBuzz made of it.
        x: Where it starts, in sizes (1 is the size of the text) from the start of the line.
        width: Its advance, in sizes.
    """

    font: Font
    text: str
    starts: tuple[int, ...]
    shaping: Shaping
    glyphs: tuple[Glyph, ...]
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Cluster:
    """Characters that one font has to draw as a whole.

    Args:
        start: Index of its first character in the paragraph.
        end: Index after its last one.
        shown: What is drawn of it; empty for characters that only guide the order.
        font: What draws it.
        script: ISO 15924, or None for what no script claims.
        level: Embedding level (UAX 9); odd ones run from right to left.
    """

    start: int
    end: int
    shown: str
    font: Font
    script: str | None
    level: int

    @property
    def run_key(self) -> tuple[int, str | None, int]:
        """Equal for neighbours that are shaped together."""
        return id(self.font), self.script, self.level


class Paragraph:
    """A paragraph whose characters have found their fonts.

    Args:
        pieces: Its text without line breaks; values put in for placeholders keep their own order
            and leave that of the text around them alone.
        chain: Fonts in the order in which they are tried.
        language: BCP 47 tag.
        direction: Of the paragraph.
        spacing: Space added between characters, in sizes.
        where: Name of the element, for errors.

    Raises:
        RenderingError: Reason ``missing-glyph``: no font of the chain has a character.
    """

    def __init__(
        self,
        pieces: Sequence[Piece],
        chain: Sequence[Font],
        *,
        language: str,
        direction: Direction = "auto",
        spacing: float = 0.0,
        where: str = "text",
    ) -> None:
        self.text = "".join(piece.text for piece in pieces)
        self._language = language
        self._spacing = spacing
        self._where = where
        self._clusters = self._with_fonts(chain, embedding_levels(pieces, direction))
        self._lines: dict[tuple[int, int], tuple[Run, ...]] = {}

    def runs(self, start: int = 0, end: int | None = None) -> tuple[Run, ...]:
        """Return the runs of a line of the paragraph, from left to right.

        Args:
            start: Index of the line's first character.
            end: Index after its last one; None is the paragraph's end.

        Raises:
            RenderingError: As the constructor; a mark without a letter: ``broken-text``.
        """
        key = (start, len(self.text) if end is None else end)
        if key not in self._lines:
            self._lines[key] = self._shaped(*key)
        return self._lines[key]

    def width(self, start: int = 0, end: int | None = None) -> float:
        """Return the width of a line of the paragraph, in sizes."""
        runs = self.runs(start, end)
        return runs[-1].x + runs[-1].width if runs else 0.0

    def _with_fonts(self, chain: Sequence[Font], levels: Sequence[int]) -> list[Cluster]:
        bounds = list(clusters(self.text))
        scripts = _scripts([self.text[start:end] for start, end in bounds])
        found: list[Cluster] = []
        words = groupby(
            zip(bounds, scripts, strict=True),
            key=lambda each: (
                self.text[each[0][0]].isspace(),
                each[1],
                levels[each[0][0]],
                each[0] if each[1] in _LOOSE_SCRIPTS else None,
            ),
        )
        for (is_space, script, level, _), members in words:
            word = [(start, end, _shown(self.text[start:end])) for (start, end), _ in members]
            shown_word = [shown for _, _, shown in word]
            # A space goes with the word before it, so that it does not cut a run in two.
            fonts = _fonts_for(shown_word, [found[-1].font]) if is_space and found else [None]
            if None in fonts:
                fonts = _fonts_for(shown_word, chain)
            for (start, end, _), choice in zip(word, fonts, strict=True):
                if choice is None:
                    raise self._missing(start, end, chain)
                font, shown = choice
                found.append(Cluster(start, end, shown, font, script, level))
        return found

    def _shaped(self, start: int, end: int) -> tuple[Run, ...]:
        line = [each for each in self._clusters if start <= each.start and each.end <= end]
        line = [each for each in line if each.shown]
        stretches = [list(run) for _, run in groupby(line, attrgetter("run_key"))]
        order = visual_order([stretch[0].level for stretch in stretches])
        x, runs = 0.0, []
        for index in order:
            run = self._shaped_run(stretches[index], x, is_last=index == order[-1])
            runs.append(run)
            x += run.width
        return tuple(runs)

    def _shaped_run(self, stretch: Sequence[Cluster], x: float, *, is_last: bool) -> Run:
        first = stretch[0]
        spaced = self._spacing != 0 and first.script not in CONNECTED_SCRIPTS
        shaping = Shaping(first.level % 2 == 1, first.script, self._language, spaced)
        text = "".join(each.shown for each in stretch)
        glyphs = first.font.shape(text, shaping)
        self._refuse_unshapable(stretch, text, glyphs)
        starts = (0, *accumulate(len(each.shown) for each in stretch))[:-1]
        if spaced:
            space = round(self._spacing * first.font.units_per_em)
            glyphs = spaced_out(glyphs, starts, space, is_last=is_last)
        width = sum(glyph.advance for glyph in glyphs) / first.font.units_per_em
        return Run(first.font, text, starts, shaping, glyphs, x, width)

    def _refuse_unshapable(
        self, stretch: Sequence[Cluster], text: str, glyphs: Iterable[Glyph]
    ) -> None:
        font = stretch[0].font
        circle = font.dotted_circle if DOTTED_CIRCLE not in text else None
        for glyph in glyphs:
            if glyph.id == 0:
                cluster = _cluster_at(stretch, glyph.cluster)
                raise self._missing(cluster.start, cluster.end, [font])
            if glyph.id == circle:
                cluster = _cluster_at(stretch, glyph.cluster)
                raise RenderingError(
                    "broken-text",
                    f"{self._where}: {described(self.text[cluster.start])}, character "
                    f"{cluster.start + 1} of the text, has no letter that it belongs to",
                )

    def _missing(self, start: int, end: int, chain: Sequence[Font]) -> RenderingError:
        position = next(
            (
                index
                for index in range(start, end)
                if not any(font.has(self.text[index]) for font in chain)
            ),
            start,
        )
        tried = [font.name for font in chain]
        return RenderingError(
            "missing-glyph",
            f"{self._where}: no font has {described(self.text[position])}, character "
            f"{position + 1} of the text, in its place there; tried: {listed(tried)}; "
            f"{remedy(self.text[position], tried)}",
        )


def _scripts(texts: Sequence[str]) -> list[str | None]:
    """Give what several scripts share to the script before it, at the start to the one after."""
    own = [next(filter(None, map(script_of, text)), None) for text in texts]
    latest = next(filter(None, own), None)
    resolved = []
    for script in own:
        latest = script or latest
        resolved.append(latest)
    return resolved


def _shown(cluster: str) -> str:
    return "".join(character for character in cluster if character not in CONTROLS)


def _fonts_for(word: Sequence[str], chain: Sequence[Font]) -> list[tuple[Font, str] | None]:
    for font in chain:
        spellings = [font.drawable(cluster) for cluster in word]
        if None not in spellings:
            return [(font, spelling or "") for spelling in spellings]
    return [_font_for(cluster, chain) for cluster in word]


def _font_for(cluster: str, chain: Sequence[Font]) -> tuple[Font, str] | None:
    for font in chain:
        spelling = font.drawable(cluster)
        if spelling is not None:
            return font, spelling
    return None


def _cluster_at(stretch: Sequence[Cluster], index: int) -> Cluster:
    ends = accumulate(len(each.shown) for each in stretch)
    return next((each for each, end in zip(stretch, ends, strict=True) if index < end), stretch[-1])


def spaced_out(
    glyphs: Sequence[Glyph], starts: Sequence[int], space: int, *, is_last: bool
) -> tuple[Glyph, ...]:
    """Widen the last glyph of each cluster, so that marks keep their letter.

    Args:
        glyphs: Of a run, from left to right.
        starts: Index of the first character of each cluster.
        space: What is added, in units of the font.
        is_last: Whether the run is the last of its line, so that its last cluster stays as it is.
    """
    clusters_of = [bisect_right(starts, glyph.cluster) for glyph in glyphs]
    after = [*clusters_of[1:], clusters_of[-1] if is_last else None]
    return tuple(
        glyph if cluster == next_cluster else glyph._replace(advance=glyph.advance + space)
        for glyph, cluster, next_cluster in zip(glyphs, clusters_of, after, strict=True)
    )
