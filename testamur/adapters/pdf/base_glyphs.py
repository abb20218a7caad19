"""Base glyphs: those that every document brings along, so that most need no font of their own.

They are the letters of Latin, Greek and Cyrillic names. With them in the part of the file that all
documents share, a name in one of these scripts costs nothing but its codes.
"""

from collections.abc import Iterator
from typing import Final

from testamur.adapters.pdf.drawing import glyph_texts
from testamur.adapters.pdf.fonts import Font
from testamur.adapters.pdf.layout import TextLayout


def _between(*ranges: tuple[int, int]) -> str:
    return "".join(chr(point) for first, last in ranges for point in range(first, last + 1))


#: What codes, links and numbers are made of.
PLAIN_CHARACTERS: Final = _between((0x20, 0x7E))

#: What names are made of, by Unicode's blocks: Basic Latin, Latin-1 and Latin Extended-A; of
#: Extended-B and IPA the letters of Vietnamese, Romanian, Azerbaijani and the large languages of
#: West Africa; Greek with one accent; Cyrillic as far as it is used by living languages' alphabets
#: in Europe; Vietnamese; dashes, quotation marks and their like.
NAME_CHARACTERS: Final = PLAIN_CHARACTERS + _between(
    (0xA0, 0xAC),
    (0xAE, 0x17F),
    (0x18F, 0x18F),
    (0x1A0, 0x1A1),
    (0x1AF, 0x1B0),
    (0x218, 0x21B),
    (0x259, 0x259),
    (0x2BB, 0x2BC),
    (0x386, 0x386),
    (0x388, 0x38A),
    (0x38C, 0x38C),
    (0x38E, 0x3A1),
    (0x3A3, 0x3CE),
    (0x400, 0x45F),
    (0x490, 0x493),
    (0x49A, 0x49B),
    (0x4A2, 0x4A3),
    (0x4AE, 0x4B1),
    (0x4BA, 0x4BB),
    (0x4D8, 0x4D9),
    (0x4E8, 0x4E9),
    (0x1E9E, 0x1E9E),
    (0x1EA0, 0x1EF9),
    (0x2010, 0x2014),
    (0x2018, 0x201A),
    (0x201C, 0x201E),
    (0x2022, 0x2022),
    (0x2026, 0x2026),
    (0x2116, 0x2116),
    (0x2122, 0x2122),
)

#: Placeholders whose values are made of `PLAIN_CHARACTERS`; of others nothing is known.
_PLAIN_VALUES: Final = frozenset(
    {"verify_url", "verify_id", "credential_id", "grade", "completion", "serial"}
)


def base_glyphs(text: TextLayout, language: str) -> Iterator[tuple[Font, list[tuple[int, str]]]]:
    """Yield fonts with the glyphs that documents in a language are likely to need for a text.

    Args:
        text: The element.
        language: BCP 47 tag.

    Yields:
        A font, and its glyphs with the text that each stands for.
    """
    names = not text.placeholders <= _PLAIN_VALUES
    characters = (NAME_CHARACTERS if names else PLAIN_CHARACTERS) + text.own_text
    for run in text.samples(characters, language):
        yield run.font, [(glyph, shown) for glyph, shown in glyph_texts(run) if glyph]
