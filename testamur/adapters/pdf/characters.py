"""Characters: which are refused, which leave no mark, and which belong together."""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import uharfbuzz as hb

from testamur.application.errors import RenderingError

#: Embeddings, overrides and isolates: they can make a name read as another one, for all that
#: follows them (Unicode Technical Report 36, section 2.8).
_BIDI_FORMATTING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

#: General categories that leave no mark by themselves.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Mc", "Me", "Mn", "Zl", "Zp", "Zs"})

_NEVER_PRINTED: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})

#: They guide bidirectional order and line breaks; no font has to have them.
CONTROLS: Final = frozenset("\u061c\u200b\u200e\u200f\u2060\u00ad\ufeff") | _BIDI_FORMATTING

#: Letters and symbols by their category that are blank all the same.
_BLANK: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800")

_JOINERS: Final = frozenset("\u200c\u200d")
_OTHERS_IGNORABLE: Final = frozenset("\u034f\u17b4\u17b5\u180b\u180c\u180d\u180e\u180f")

#: The second half of a vowel sign that Thai and Lao fonts draw over the consonant before it.
_TRAILING_LETTERS: Final = frozenset("\u0e33\u0eb3")
_VIRAMA_CLASS: Final = 9


def described(character: str) -> str:
    """Return a character's code point and Unicode name."""
    return f"U+{ord(character):04X} {unicodedata.name(character, '(without a name)')}"


def refuse_forbidden(text: str, where: str, *, line_breaks: bool = True) -> None:
    """Refuse characters that no document may hold.

    These are control characters, lone surrogates, code points that are no characters, tags,
    deprecated format characters, what overrides or embeds the direction of text, and what stands
    for an object or for a character that was lost (U+FFFC, U+FFFD).

    Args:
        text: The text as it is to be drawn.
        where: Name of the element or value, for the error.
        line_breaks: Whether it may have several lines.

    Raises:
        RenderingError: Reason ``forbidden-character``.
    """
    if not any(map(is_forbidden, text)):
        return
    for position, character in enumerate(text, start=1):
        if is_forbidden(character) and not (character == "\n" and line_breaks):
            raise RenderingError(
                "forbidden-character",
                f"{where}: character {position} of the text is {described(character)}, "
                "which must not be in a document; correct the name or text where it comes from",
            )


@lru_cache(maxsize=4096)
def is_forbidden(character: str) -> bool:
    """Return whether no document may hold a character."""
    point = ord(character)
    return (
        unicodedata.category(character) in _NEVER_PRINTED
        or character in _BIDI_FORMATTING
        or 0x206A <= point <= 0x206F
        or 0xFDD0 <= point <= 0xFDEF
        or 0xFFF9 <= point <= 0xFFFD
        or point & 0xFFFE == 0xFFFE
        or 0xE0000 <= point <= 0xE007F
    )


def is_visible(text: str) -> bool:
    """Return whether anything of a text can be seen, or could be if a font had it."""
    return any(
        unicodedata.category(character) not in _UNSEEN and character not in _BLANK
        for character in text
    )


@lru_cache(maxsize=4096)
def is_ignorable(character: str) -> bool:
    """Return whether a font that lacks the character draws it right all the same: as nothing."""
    return (
        character in CONTROLS
        or character in _JOINERS
        or character in _OTHERS_IGNORABLE
        or "\ufe00" <= character <= "\ufe0f"
        or "\U000e0100" <= character <= "\U000e01ef"
    )


@lru_cache(maxsize=4096)
def stands_alone(character: str) -> bool:
    """Return whether a character is drawn by itself, whatever stands beside it.

    Such are visible letters, numbers, signs and spaces that never join what is before them.
    """
    category = unicodedata.category(character)
    if category[0] not in "LNPS" and category != "Zs":
        return False
    joins = character in _TRAILING_LETTERS or _is_inner_jamo(character)
    return not (joins or character in _BLANK or is_ignorable(character))


@lru_cache(maxsize=4096)
def script_of(character: str) -> str | None:
    """Return a character's script (ISO 15924), or None where several scripts share it.

    Hiragana counts as katakana: OpenType has one script, ``kana``, for both, so that fonts can kern
    one against the other.
    """
    buffer = hb.Buffer()
    buffer.add_str(character)
    buffer.guess_segment_properties()
    script: str | None = buffer.script
    return "Kana" if script == "Hira" else script


def clusters(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of what one font has to draw as a whole.

    That is a letter with its marks, joiners and variation selectors, a Hangul syllable in single
    letters, or a conjunct of consonants: extended grapheme clusters (Unicode Standard Annex 29)
    as far as names need them.
    """
    start = 0
    for position in range(1, len(text)):
        if not _continues(text[position - 1], text[position]):
            yield start, position
            start = position
    if text:
        yield start, len(text)


@lru_cache(maxsize=16384)
def _continues(before: str, character: str) -> bool:
    category = unicodedata.category(character)
    if before.isspace() or before in CONTROLS:
        return False
    if category[0] == "M" or character in _JOINERS or character in _TRAILING_LETTERS:
        return True
    if _is_inner_jamo(character):
        return "\u1100" <= before <= "\u11ff" or "\uac00" <= before <= "\ud7fb"
    joined = before == "\u200d" or unicodedata.combining(before) == _VIRAMA_CLASS
    return joined and category[0] == "L"


def _is_inner_jamo(character: str) -> bool:
    """Return whether it is a vowel or a final consonant of a Hangul syllable in single letters."""
    return "\u1160" <= character <= "\u11ff" or "\ud7b0" <= character <= "\ud7fb"
