"""Checking before anything is issued: names that cannot be drawn right are refused, with reason."""

import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testamur.adapters.pdf import PreparedPdf
from testamur.adapters.pdf.characters import is_ignorable, is_visible
from testamur.adapters.pdf.drawing import used_glyphs
from testamur.adapters.pdf.fonts import FontShelf
from testamur.adapters.pdf.layout import Line, PageSize, TextLayout
from testamur.adapters.pdf.options import TextElement
from testamur.application.errors import RenderingError
from tests.support.pdf import FONTS, MemoryAssets, a_document, ink_of, prepared, text_of


@cache
def renderer() -> PreparedPdf:
    return prepared(fonts=FONTS)


def refusal(renderer: PreparedPdf, **values: object) -> RenderingError:
    """The error that both checking and drawing a document end with."""
    with pytest.raises(RenderingError) as checked:
        renderer.check(a_document(**values))
    with pytest.raises(RenderingError) as drawn:
        renderer.render(a_document(**values))
    assert str(checked.value) == str(drawn.value)
    return checked.value


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "missing-value"),
        ("   ", "missing-value"),
        ("\u200b\u200d\ufeff", "missing-value"),
        ("\u3164", "missing-value"),
        ("\u0301\u0301", "missing-value"),
        ("Ada\x00Lovelace", "forbidden-character"),
        ("Ada\nLovelace", "forbidden-character"),
        ("Ada\u202eecalevoL", "forbidden-character"),
        ("Ada \u2067Lovelace\u2069", "forbidden-character"),
        ("Ada \ud83d", "forbidden-character"),
        ("Ada 😀 Lovelace", "missing-glyph"),
        ("Ada \U000130e1", "missing-glyph"),
        ("\u094dराम", "broken-text"),
        ("Ada " + "Lovelace " * 40, "too-long"),
        ("W" * 5000, "too-long"),
    ],
)
def test_a_name_that_cannot_be_drawn_right_is_refused(name: str, reason: str) -> None:
    error = refusal(renderer(), full_name=name)

    assert error.reason == reason
    assert error.detail.startswith("name: ")
    assert "Lovelace" not in error.detail


@pytest.mark.parametrize(
    "name",
    [
        "X Æ A-12",
        "Renée O’Connor-Müller, PhD (hon.)",
        "d\u2019\u200bArcy",
        "Ada\u00a0Lovelace",
        "\ufeffAda",
        "Z\u0323\u0301\u0302a",
        "ﬁ",
        "محمد\u200f",
    ],
)
def test_an_unusual_name_is_drawn(name: str) -> None:
    renderer().check(a_document(full_name=name))

    assert ink_of(renderer().render(a_document(full_name=name)).content, scale=1) is not None


def test_an_empty_name_is_refused_even_where_it_is_not_shown() -> None:
    assert refusal(prepared(elements={"name": False}), full_name="").reason == "missing-value"


def test_a_character_is_told_by_code_name_and_place_with_the_fonts_that_were_tried() -> None:
    error = refusal(prepared(fonts=["noto-sans", "open-sans"]), full_name="Ada ☃ Lovelace")

    assert error.detail.startswith("name: no font has U+2603 SNOWMAN, character 5 of the text")
    assert "tried: noto-sans, open-sans" in error.detail


def test_the_element_is_named_whose_text_cannot_be_drawn() -> None:
    assert refusal(renderer(), context_name="Fun 😀").detail.startswith("context: ")


def test_an_address_that_the_installation_lacks_is_asked_for() -> None:
    code = {"qr": "{verify_url}", "x": 1, "y": 1, "size": 50}

    error = refusal(prepared(elements={"code": code}), verify_url=None)

    assert error.reason == "missing-value"
    assert "set the installation's verification address" in error.detail


def test_a_language_without_any_dates_is_refused_where_a_date_is_drawn() -> None:
    assert refusal(renderer(), locale="tlh").reason == "unknown-language"

    prepared(elements={"date": False}).check(a_document(locale="tlh"))


@pytest.mark.parametrize("field", ["type_name", "issuer_name"])
def test_what_only_the_metadata_says_is_checked_too(field: str) -> None:
    assert refusal(renderer(), **{field: "Di\x00ploma"}).reason == "forbidden-character"


SCRIPTS = st.one_of(
    st.characters(exclude_categories=()),
    st.characters(min_codepoint=0x20, max_codepoint=0x24F),
    st.characters(min_codepoint=0x300, max_codepoint=0x36F),
    st.characters(min_codepoint=0x590, max_codepoint=0x6FF),
    st.characters(min_codepoint=0x900, max_codepoint=0x97F),
    st.characters(min_codepoint=0xE00, max_codepoint=0xE7F),
    st.characters(min_codepoint=0x1100, max_codepoint=0x11FF),
    st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF),
    st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3),
    st.sampled_from(" '’-.()\u00a0\u00ad\u034f\u0640\u200b\u200c\u200d\u200e\u200f\ufe0f"),
)
NAMES = st.text(SCRIPTS, max_size=20)
LANGUAGES = st.sampled_from(["en", "tr", "ar", "he", "hi", "th", "zh", "ja", "ko"])


@settings(max_examples=400, deadline=None)
@given(
    name=NAMES,
    language=LANGUAGES,
    look=st.fixed_dictionaries(
        {
            "upper_case": st.booleans(),
            "character_spacing": st.sampled_from([0, 2]),
            "wrap": st.booleans(),
            "width": st.sampled_from([150, 9000]),
        }
    ),
)
def test_any_name_is_either_refused_or_drawn_in_full_without_a_missing_glyph(
    name: str, language: str, look: dict[str, Any]
) -> None:
    shelf = shelf_of_all()
    element = TextElement.model_validate({"text": "{name}", "x": 0, "y": 0, **look})
    layout = TextLayout(
        "name", element, PageSize(9000, 9000), lambda *_: [shelf.font(each) for each in FONTS]
    )

    try:
        lines = layout.lines(a_document(full_name=name, locale=language))
    except RenderingError:
        return

    assert all(0 not in glyphs for glyphs in used_glyphs(lines).values())
    assert all(glyph.id for line in lines for run in line.runs for glyph in run.glyphs)
    if not look["upper_case"] and is_visible(name):
        assert marks_on_paper(shown_by(lines)) == marks_on_paper(name)


def shown_by(lines: Sequence[Line]) -> str:
    return "".join(run.text for line in lines for run in line.runs)


def marks_on_paper(text: str) -> list[str]:
    """The characters that can be seen, letters and accents apart, in no order."""
    apart = unicodedata.normalize("NFD", text.replace("\u2011", "-").replace("\u2010", "-"))
    return sorted(each for each in apart if not each.isspace() and not is_ignorable(each))


@cache
def shelf_of_all() -> FontShelf:
    return FontShelf(MemoryAssets())


@settings(max_examples=40, deadline=None)
@given(name=NAMES, language=LANGUAGES)
def test_what_passes_the_check_is_drawn_and_what_does_not_is_not(name: str, language: str) -> None:
    document = a_document(full_name=name, locale=language)
    try:
        renderer().check(document)
    except RenderingError:
        with pytest.raises(RenderingError):
            renderer().render(document)
    else:
        assert "Analytical Engines" in text_of(renderer().render(document).content)
