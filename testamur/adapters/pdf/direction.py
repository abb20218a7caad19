"""Direction: words from right to left among words from left to right.

The Unicode Bidirectional Algorithm (UAX 9), of which fpdf2 has the part that gives each character
its embedding level.
"""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import count
from typing import Final, Literal

from fpdf.bidi import BidiParagraph, auto_detect_base_direction
from fpdf.enums import TextDirection

from testamur.adapters.pdf.placeholders import Piece

Direction = Literal["auto", "ltr", "rtl"]

_FIRST_STRONG_ISOLATE: Final = "\u2068"
_POP_DIRECTIONAL_ISOLATE: Final = "\u2069"

_RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN"})
#: Letters from right to left, and what takes their direction where there are neither others nor
#: numbers (rules W1 to W7, N1 and N2).
_GOING_ALONG: Final = frozenset({"R", "AL", "NSM", "WS", "ON", "CS", "ES", "ET"})
_STRONG: Final = frozenset({"L", "R", "AL"})


def embedding_levels(pieces: Sequence[Piece], direction: Direction) -> list[int]:
    """Return the embedding level of each character of a paragraph; odd is from right to left.

    Values beside other words are isolated, as ``<bdi>`` would do it: the digits of a date do not
    join a name before it.

    Args:
        pieces: The paragraph's text without line breaks.
        direction: Of the paragraph; ``auto`` goes by the first letter of its own words, and if it
            has none, of the values put into it.
    """
    text = "".join(piece.text for piece in pieces)
    if direction != "rtl" and (text.isascii() or not any(map(is_right_to_left, text))):
        return [0] * len(text)
    isolated = any(not piece.placeholder and piece.text.strip() for piece in pieces)
    if direction != "ltr" and not isolated and all(map(_goes_along, text)):
        return [1] * len(text)
    indexes = count()
    guided: list[tuple[str, int | None]] = []
    for piece in pieces:
        own: list[tuple[str, int | None]] = [(each, next(indexes)) for each in piece.text]
        if isolated and piece.placeholder:
            own = [(_FIRST_STRONG_ISOLATE, None), *own, (_POP_DIRECTIONAL_ISOLATE, None)]
        guided += own
    paragraph = BidiParagraph(
        "".join(character for character, _ in guided),
        base_direction=_base_direction(pieces, text, direction),
    )
    levels = [paragraph.base_embedding_level] * len(text)
    for character in paragraph.get_characters():
        index = guided[character.character_index][1]
        if index is not None:
            levels[index] = character.embedding_level
    return levels


def visual_order(levels: Sequence[int]) -> list[int]:
    """Return the indexes of a line's runs from left to right, given the level of each (rule L2)."""
    order = list(range(len(levels)))
    for level in range(max(levels, default=0), 0, -1):
        start = 0
        for end in range(len(order) + 1):
            if end == len(order) or levels[order[end]] < level:
                order[start:end] = order[start:end][::-1]
                start = end + 1
    return order


def _base_direction(pieces: Sequence[Piece], text: str, direction: Direction) -> TextDirection:
    if direction != "auto":
        return TextDirection.RTL if direction == "rtl" else TextDirection.LTR
    literal = "".join(piece.text for piece in pieces if not piece.placeholder)
    has_letters = any(unicodedata.bidirectional(character) in _STRONG for character in literal)
    return auto_detect_base_direction(literal if has_letters else text)


@lru_cache(maxsize=4096)
def is_right_to_left(character: str) -> bool:
    """Return whether a character turns the text around it: letters and numbers of such scripts."""
    return unicodedata.bidirectional(character) in _RIGHT_TO_LEFT


@lru_cache(maxsize=4096)
def _goes_along(character: str) -> bool:
    return unicodedata.bidirectional(character) in _GOING_ALONG
