"""Uniform text: what is laid out quickly comes out as it does the long way."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testamur.adapters.pdf.fonts import Font, FontShelf
from testamur.adapters.pdf.lines import AnyParagraph
from testamur.adapters.pdf.placeholders import Piece
from testamur.adapters.pdf.runs import Paragraph, Run
from testamur.adapters.pdf.uniform import UniformTexts
from testamur.application.errors import RenderingError
from tests.support.pdf import MemoryAssets

SHELF = FontShelf(MemoryAssets())


def texts(*references: str, language: str = "en", spacing: float = 0.0) -> UniformTexts:
    return UniformTexts(chain(*references), language=language, spacing=spacing, where="name")


def chain(*references: str) -> list[Font]:
    return [SHELF.font(reference) for reference in references]


@pytest.mark.parametrize(
    "text",
    ["Zoë O’Brien-Żółć 2nd", "Ελένη", "Жанна Ёлкина", "12 %", "Nguyễn Thị", "(AT&T)", "x"],
)
def test_a_text_of_one_font_and_script_is_uniform(text: str) -> None:
    assert texts("noto-sans").paragraph(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        " Ada",
        "Ada Ελένη",
        "Ada محمد",
        "محمد",
        "e\u0301",
        "Ada\u200bLovelace",
        "Ada\u00adLovelace",
        "Ada 山田",
        "น้ำ",
        "\u1112\u1161\u11ab",
        "\u3164",
        "Ada\nLovelace",
        "Ada 😀",
    ],
    ids=ascii,
)
def test_other_texts_are_left_to_the_long_way(text: str) -> None:
    assert texts("noto-sans", "noto-sans-arabic", "noto-sans-jp").paragraph(text) is None


def test_a_font_comes_first_that_has_only_some_of_the_letters() -> None:
    fonts = ("noto-sans-thai", "noto-sans")

    assert texts(*fonts).paragraph("Maida") is not None
    assert texts(*fonts).paragraph("Maiɗa") is None


LETTERS = st.one_of(
    st.characters(min_codepoint=0x20, max_codepoint=0x24F),
    st.characters(min_codepoint=0x370, max_codepoint=0x52F),
    st.characters(min_codepoint=0x900, max_codepoint=0x97F),
    st.characters(min_codepoint=0xE00, max_codepoint=0xE7F),
    st.characters(min_codepoint=0x1E00, max_codepoint=0x1FFF),
    st.characters(min_codepoint=0x3040, max_codepoint=0x30FF),
    st.characters(min_codepoint=0x4E00, max_codepoint=0x4EFF),
    st.sampled_from(" '’-.()fi\u00a0\u2010ـ"),
)
FONTS = ("noto-sans-thai", "noto-sans", "noto-sans-devanagari", "noto-sans-jp")


@settings(max_examples=400, deadline=None)
@given(
    text=st.text(LETTERS, min_size=1, max_size=12),
    spacing=st.sampled_from([0.0, 0.1, -0.05]),
    language=st.sampled_from(["en", "tr", "sr", "ja"]),
)
def test_both_ways_give_the_same_runs(text: str, spacing: float, language: str) -> None:
    found = texts(*FONTS, language=language, spacing=spacing).paragraph(text)
    if found is None:
        return

    try:
        at_length = lines_of(
            Paragraph([Piece(text)], chain(*FONTS), language=language, spacing=spacing)
        )
    except RenderingError:
        with pytest.raises(RenderingError):
            lines_of(found)
    else:
        assert lines_of(found) == at_length
        assert found.width() == pytest.approx(sum(run.width for run in at_length[0]))


def lines_of(paragraph: AnyParagraph) -> list[Sequence[Run]]:
    """The whole paragraph, and its two halves as lines of their own."""
    half = len(paragraph.text) // 2
    bounds = [(0, None), (0, half), (half, None)]
    return [paragraph.runs(*each) for each in bounds]


def test_samples_are_the_characters_that_the_fonts_up_to_the_first_latin_one_have() -> None:
    shown = {
        run.font.name: run.text.split()
        for run in texts("noto-sans-devanagari", "noto-sans-jp").samples("abfi山")
        if run.shaping.script == "Latn"
    }

    assert shown == {"noto-sans-devanagari": ["a", "b", "f", "i", "ff", "fi", "ffi"]}
