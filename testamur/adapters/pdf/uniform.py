"""Uniform text: a paragraph that one font draws in one script and direction, laid out quickly.

Most names are like that. HarfBuzz shapes such a text as a whole; what `runs.Paragraph` looks for in
other texts is not there to be found, and both give the same runs.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from testamur.adapters.pdf.characters import script_of, stands_alone
from testamur.adapters.pdf.direction import is_right_to_left
from testamur.adapters.pdf.fonts import Font, Shaping
from testamur.adapters.pdf.placeholders import Piece
from testamur.adapters.pdf.runs import CONNECTED_SCRIPTS, Paragraph, Run, spaced_out

#: Of Latin letters, those that fonts commonly draw as one.
_LIGATURES: Final = ("ff", "fi", "fl", "ffi", "ffl", "fj", "ft", "tt")


class _Kind(NamedTuple):
    """How a character is drawn.

    Args:
        font: The first of the chain that has it; None where it takes a longer look.
        script: ISO 15924; None for what several scripts share.
    """

    font: Font | None
    script: str | None


class UniformTexts:
    """Finds the texts that one font of a chain draws in one script, from left to right.

    Args:
        chain: Fonts in the order in which they are tried.
        language: BCP 47 tag.
        spacing: Space added between characters, in sizes.
        where: Name of the element, for errors.
    """

    def __init__(self, chain: Sequence[Font], *, language: str, spacing: float, where: str) -> None:
        self._chain = chain
        self._language = language
        self.spacing = spacing
        self._where = where
        self._kinds: dict[str, _Kind] = {}
        self._shapings: dict[str | None, Shaping] = {}

    def paragraph(self, text: str) -> "UniformParagraph | None":
        """Return the paragraph of a text without line breaks, or None if it is not uniform."""
        kinds = self._kinds
        try:
            found = {kinds[character] for character in text}
        except KeyError:
            found = {self._kind(character) for character in text}
        if not found or text[0].isspace():
            return None
        fonts = {kind.font for kind in found}
        scripts = {kind.script for kind in found if kind.script is not None}
        if len(fonts) > 1 or len(scripts) > 1:
            return None
        font = fonts.pop()
        if font is None:
            return None
        return UniformParagraph(text, font, self._shaping(next(iter(scripts), None)), self)

    def samples(self, characters: str) -> list[Run]:
        """Return runs that have characters, apart, and the ligatures that fonts have of them.

        Args:
            characters: Left out are those that do not stand alone, and those that no font draws
                up to the first that has Latin letters: others need not be read for them.
        """
        tried = list(self._up_to_latin())
        by_kind: dict[_Kind, list[str]] = {}
        for character in filter(stands_alone, dict.fromkeys(characters)):
            kind = _Kind(self._font(character, tried), script_of(character))
            by_kind.setdefault(kind, []).append(character)
        runs = []
        for (font, script), members in by_kind.items():
            if font is not None and font.has(" "):
                joined = [each for each in _LIGATURES if set(each) <= set(members)]
                text = " ".join([*members, *joined])
                shaping = self._shaping(script)
                glyphs = font.shape(text, shaping)
                runs.append(Run(font, text, tuple(range(len(text))), shaping, glyphs, 0.0, 0.0))
        return runs

    def at_length(self, text: str) -> Paragraph:
        """Return the paragraph of a text as it is found for texts of any kind."""
        return Paragraph(
            [Piece(text)],
            self._chain,
            language=self._language,
            spacing=self.spacing,
            where=self._where,
        )

    def _up_to_latin(self) -> Iterator[Font]:
        for font in self._chain:
            yield font
            if font.has("a"):
                return

    def _shaping(self, script: str | None) -> Shaping:
        shaping = self._shapings.get(script)
        if shaping is None:
            apart = self.spacing != 0 and script not in CONNECTED_SCRIPTS
            shaping = Shaping(False, script, self._language, apart)
            self._shapings[script] = shaping
        return shaping

    def _kind(self, character: str) -> _Kind:
        kind = self._kinds.get(character)
        if kind is None:
            plain = stands_alone(character) and not is_right_to_left(character)
            font = self._font(character, self._chain) if plain else None
            kind = self._kinds[character] = _Kind(font, script_of(character))
        return kind

    def _font(self, character: str, tried: Iterable[Font]) -> Font | None:
        for font in tried:
            spelling = font.drawable(character)
            if spelling is not None:
                return font if spelling == character else None
        return None


class UniformParagraph:
    """A paragraph of one font, script and direction, with what `runs.Paragraph` offers.

    Args:
        text: Its text.
        font: What draws it.
        shaping: How it is shaped.
        texts: Where it was found.
    """

    def __init__(self, text: str, font: Font, shaping: Shaping, texts: UniformTexts) -> None:
        self.text = text
        self._font = font
        self._shaping = shaping
        self._texts = texts
        self._lines: dict[tuple[int, int], tuple[Run, ...]] = {}

    def runs(self, start: int = 0, end: int | None = None) -> tuple[Run, ...]:
        """Return the one run of a line of the paragraph; of an empty one, none.

        Raises:
            RenderingError: As `runs.Paragraph.runs`.
        """
        key = (start, len(self.text) if end is None else end)
        found = self._lines.get(key)
        if found is None:
            found = self._lines[key] = self._shaped(*key)
        return found

    def width(self, start: int = 0, end: int | None = None) -> float:
        """Return the width of a line of the paragraph, in sizes."""
        runs = self.runs(start, end)
        return runs[-1].x + runs[-1].width if runs else 0.0

    def _shaped(self, start: int, end: int) -> tuple[Run, ...]:
        if start >= end:
            return ()
        text = self.text[start:end]
        font = self._font
        glyphs = font.shape(text, self._shaping)
        ids = {glyph.id for glyph in glyphs}
        if 0 in ids or font.dotted_circle in ids:
            # Something is amiss: what it is, is found out the long way.
            return self._texts.at_length(self.text).runs(start, end)
        starts = tuple(range(len(text)))
        if self._shaping.spaced:
            space = round(self._texts.spacing * font.units_per_em)
            glyphs = spaced_out(glyphs, starts, space, is_last=True)
        width = sum([glyph.advance for glyph in glyphs]) / font.units_per_em
        return (Run(font, text, starts, self._shaping, glyphs, 0.0, width),)
