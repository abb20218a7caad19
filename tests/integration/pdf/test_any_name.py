"""Any name at all: drawn in full and readable, or refused; judged by the file alone."""

import hashlib
import os
import unicodedata
from functools import cache
from io import BytesIO
from typing import Final

from fontTools.ttLib import TTFont
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from testamur.adapters.pdf import PreparedPdf
from testamur.application.errors import RenderingError
from tests.support.glyphs import DrawnGlyph, glyphs_of
from tests.support.pdf import (
    A4_LANDSCAPE,
    FONTS,
    a_document,
    difference,
    font_file,
    outlines,
    picture_of,
    prepared,
    text_of,
)

#: Fonts by the script of which a name is made, with that script's part of Unicode.
SCRIPTS: Final = {
    "Latin": ("noto-sans", [(0x41, 0x5A), (0x61, 0x7A), (0xC0, 0x24F), (0x1E00, 0x1EFF)]),
    "Greek": ("noto-sans", [(0x370, 0x3FF), (0x1F00, 0x1FFF)]),
    "Cyrillic": ("noto-sans", [(0x400, 0x52F)]),
    "Arabic": ("noto-sans-arabic", [(0x620, 0x6D3)]),
    "Hebrew": ("open-sans", [(0x5B0, 0x5F2)]),
    "Devanagari": ("noto-sans-devanagari", [(0x900, 0x963)]),
    "Thai": ("noto-sans-thai", [(0xE01, 0xE3A), (0xE40, 0xE4E)]),
    "Han": ("noto-sans-sc", [(0x4E00, 0x9FA5)]),
    "kana": ("noto-sans-jp", [(0x3041, 0x3096), (0x30A1, 0x30FC)]),
    "Hangul": ("noto-sans-kr", [(0xAC00, 0xD7A3)]),
}

#: Pieces that text stacks get wrong: what joins, parts, turns round, selects, stacks or is nothing.
NASTY: Final = (
    *("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u034f", "\u061c"),
    *("\u200e", "\u200f", "\u202a", "\u202d", "\u202e", "\u202c", "\u2066", "\u2067", "\u2069"),
    *("\ufe00", "\ufe0e", "\ufe0f", "\U000e0100", "\u180b"),
    *("\ufffe", "\ufdd0", "\U0001ffff", "\ufffd", "\ufffc", "\ufff9"),
    *("\ue000", "\U000f0000", "\U00010fff", "\u0378"),
    *("\U0001f3f4\U000e0067\U000e0062\U000e007f", "👩\u200d🚀", "👍🏽", "1\ufe0f\u20e3", "🇵🇱"),
    *("e\u0301\u0323\u0308", "q\u0307\u0323", "\u0301", "\u0e49", "\u094d", "\u0651\u064e"),
    *("ﬁ", "Ǆ", "ß", "İ", "Å", "Ω", "𝔄", "豈", "\u1112\u1161\u11ab", "לָֿ"),
    *(" ", "\u00a0", "\u202f", "\u3000", "\t", "\n", "\x00", "\x7f", "\u0085", "\u2028"),
    *("-", "\u2010", "\u2011", "’", "(", ")", "«", "»", ".", ",", "12", "٣", "३"),
)
#: In CI the same names every time: a new one that fails is for who tries here, not for who lands.
IN_CI: Final = os.environ.get("CI") == "true"

#: Brackets and quotation marks as one that stands for both of their kind: in words from right to
#: left PDFium exchanges them, quotation marks too, which Unicode does not mirror.
ONE_BRACKET: Final = str.maketrans(")]}»›>≥”’", "([{«‹<≤“‘")

BASELINE, SIZE = 250.0, 32.0

#: Part of the ink that antialiasing alone may change between text and outlines.
ALIKE: Final = 0.02

LANGUAGES: Final = ("en", "pl", "tr", "ar", "fa", "he", "hi", "th", "zh", "ja", "ko")


@cache
def letters(script: str) -> str:
    """The characters of a script that its font has."""
    slug, ranges = SCRIPTS[script]
    has = TTFont(BytesIO(font_file(slug)), lazy=True).getBestCmap()
    return "".join(
        chr(point)
        for first, last in ranges
        for point in range(first, last + 1)
        if point in has and unicodedata.category(chr(point))[0] in "LM"
    )


WORDS: Final = st.sampled_from(tuple(SCRIPTS)).flatmap(
    lambda script: st.text(st.sampled_from(letters(script)), min_size=1, max_size=8)
)
KINDS: Final = {
    "word": WORDS,
    "nasty": st.sampled_from(NASTY),
    "anything": st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=2),
}
PIECES: Final = st.sampled_from(("word",) * 8 + ("nasty",) * 4 + ("anything",)).flatmap(
    KINDS.__getitem__
)
NAMES: Final = st.lists(PIECES, min_size=1, max_size=4).map("".join)


@cache
def renderer(*fonts: str) -> PreparedPdf:
    """A renderer that draws nothing but the name."""
    return prepared(
        fonts=fonts,
        elements={
            "name": {"y": BASELINE, "size": SIZE, "min_size": 1},
            "context": False,
            "date": False,
        },
    )


@settings(max_examples=150, deadline=None, derandomize=IN_CI)
@given(name=NAMES, language=st.sampled_from(LANGUAGES))
@example(name="-\u05b0\ufe00", language="en")  # the glyph of its selector comes first
@example(name="\u180b\u064b\u0620", language="en")
def test_a_name_is_refused_or_drawn_in_full_and_readable(name: str, language: str) -> None:
    document = a_document(full_name=name, locale=language)
    try:
        file = renderer(*FONTS).render(document)
    except RenderingError as error:
        event(error.reason)
        return

    event("drawn")
    glyphs, read = glyphs_of(file.content), text_of(file.content)
    assert all(glyph.id for glyph in glyphs), "glyph 0 stands for what is missing"
    assert all(glyph.is_visible for glyph in glyphs)
    assert marks(read) == marks(name)
    if not has_right_to_left(name):
        # In other lines, marks are drawn as outlines beside the text.
        assert [each.text for each in glyphs if not is_inked_as_its_text_wants(each)] == []
        assert in_order("".join(each.text for each in glyphs)) == in_order(name)
        assert in_order(compatible(read)) == in_order(compatible(name))
    assert file.sha256 == hashlib.sha256(file.content).hexdigest()
    assert renderer(*FONTS).render(document) == file


@settings(max_examples=60, deadline=None, derandomize=IN_CI)
@given(script=st.sampled_from(tuple(SCRIPTS)), words=st.data())
def test_a_name_of_one_script_is_drawn_as_harfbuzz_shapes_it(
    script: str, words: st.DataObject
) -> None:
    font, _ = SCRIPTS[script]
    word = st.text(st.sampled_from(letters(script)), min_size=1, max_size=7)
    name = " ".join(words.draw(st.lists(word, min_size=1, max_size=2)))
    try:
        drawn = renderer(font).render(a_document(full_name=name)).content
    except RenderingError as error:
        event(error.reason)
        return

    event("drawn")
    assert_drawn_as_shaped(drawn, name, font)


def test_hiragana_is_kerned_against_katakana() -> None:
    name = "ぁ ーノ"

    drawn = renderer("noto-sans-jp").render(a_document(full_name=name)).content

    assert_drawn_as_shaped(drawn, name, "noto-sans-jp")


def assert_drawn_as_shaped(drawn: bytes, name: str, font: str) -> None:
    """See that a document looks as the outlines do that HarfBuzz places for the whole name."""
    middle = A4_LANDSCAPE[0] / 2
    expected = outlines(name, font, size=SIZE, middle=middle, baseline=BASELINE, language="en")
    # PDFium puts glyphs on whole pixels. Of small ones that may be seen, but not from nearer.
    assert any(
        difference(picture_of(drawn, scale=scale), picture_of(expected, scale=scale)) < ALIKE
        for scale in (2, 8)
    )


def is_inked_as_its_text_wants(glyph: DrawnGlyph) -> bool:
    return glyph.is_inked or not marks(glyph.text)


def has_right_to_left(text: str) -> bool:
    return any(unicodedata.bidirectional(each) in {"R", "AL", "AN"} for each in text)


def in_order(text: str) -> str:
    """What can be seen of a text, in the order of canonical composition.

    Fonts that lack the hyphens of Unicode draw the one on the keyboard.
    """
    hyphenated = text.replace("\u2010", "-").replace("\u2011", "-")
    seen = filter(is_seen, unicodedata.normalize("NFC", hyphenated))
    # What is not seen may have stood between marks whose order is then free.
    return unicodedata.normalize("NFC", "".join(seen))


def marks(text: str) -> list[str]:
    """What can be seen of a text, letters and accents apart, in no order.

    Readers may put a vowel sign of a line from right to left before its letter, and guess the
    order of words of both directions and the brackets between them (decision 21).
    """
    apart = unicodedata.normalize("NFD", in_order(compatible(text)))
    return sorted(apart.translate(ONE_BRACKET))


def compatible(text: str) -> str:
    """What PDFium makes of a text: it takes ligatures apart, and leaves the question mark out."""
    return unicodedata.normalize("NFKC", text).replace("\ufffd", "")


def is_seen(character: str) -> bool:
    return not (
        character.isspace() or unicodedata.category(character) == "Cf" or is_selector(character)
    )


def is_selector(character: str) -> bool:
    return character == "\u034f" or "VARIATION SELECTOR" in unicodedata.name(character, "")
