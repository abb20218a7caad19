"""Lines: where a paragraph may be broken, and breaking it into lines of a width.

A small part of the Unicode line breaking algorithm (UAX 14): after spaces and hyphens, and between
ideographs except where Japanese and Chinese typesetting forbid it.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from testamur.adapters.pdf.characters import clusters, script_of
from testamur.adapters.pdf.runs import Paragraph
from testamur.adapters.pdf.uniform import UniformParagraph

AnyParagraph = Paragraph | UniformParagraph

ZERO_WIDTH_SPACE: Final = "\u200b"

_NO_BREAK_SPACES: Final = frozenset("\u00a0\u202f\u2007")
_HYPHENS: Final = frozenset("-\u2010\u2013")
_IDEOGRAPHIC: Final = frozenset({"Hani", "Kana", "Bopo", "Yiii"})
_NOT_AT_LINE_START: Final = frozenset(
    "、。，．・：；？！％）」』】〕〉》］｝”’…ー々〻ゝゞヽヾぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ"
    ",.:;?!%)]}-‐–"
)
_NOT_AT_LINE_END: Final = frozenset("（「『【〔〈《［｛“‘([{")


def break_positions(text: str) -> Iterator[int]:
    """Yield the indexes at which a new line may start, never between a letter and its marks."""
    for position, _ in islice(clusters(text), 1, None):
        before, after = text[position - 1], text[position]
        if _is_space(after):
            continue
        hyphenated = before in _HYPHENS and position > 1 and text[position - 2].isalpha()
        if _is_space(before) or hyphenated or _between_ideographs(before, after):
            yield position


def broken(paragraph: AnyParagraph, room: float) -> list[tuple[int, int]]:
    """Return the lines of a paragraph, each as full as it can be.

    A word wider than the room keeps a line of its own: the caller sees that it does not fit.

    Args:
        paragraph: What to break.
        room: Width of a line, in sizes.

    Returns:
        Start and end of each line, without the spaces at its ends; an empty line for no text.
    """
    lines, start = list[tuple[int, int]](), 0
    candidates = [*break_positions(paragraph.text), len(paragraph.text)]
    last: int | None = None
    for position in candidates:
        if last is not None and paragraph.width(*_trimmed(paragraph.text, start, position)) > room:
            lines.append(_trimmed(paragraph.text, start, last))
            start = last
        last = position
    lines.append(_trimmed(paragraph.text, start, len(paragraph.text)))
    return [line for line in lines if line[0] < line[1]] or [(0, 0)]


def whole(paragraph: AnyParagraph) -> tuple[int, int]:
    """Return start and end of a paragraph without the spaces at its ends."""
    return _trimmed(paragraph.text, 0, len(paragraph.text))


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and _is_space(text[start]):
        start += 1
    while end > start and _is_space(text[end - 1]):
        end -= 1
    return start, end


def _is_space(character: str) -> bool:
    return character == ZERO_WIDTH_SPACE or (
        character.isspace() and character not in _NO_BREAK_SPACES
    )


def _between_ideographs(before: str, after: str) -> bool:
    if before in _NOT_AT_LINE_END or after in _NOT_AT_LINE_START:
        return False
    return _breaks_freely(before) or _breaks_freely(after)


def _breaks_freely(character: str) -> bool:
    return script_of(character) in _IDEOGRAPHIC or "\u3000" <= character <= "\u303f"
