"""Base glyphs: most names in Latin, Greek and Cyrillic letters need no others."""

import pytest

from testamur.adapters.pdf.base_glyphs import base_glyphs
from testamur.adapters.pdf.drawing import glyph_texts
from testamur.adapters.pdf.fonts import FontShelf
from testamur.adapters.pdf.layout import PageSize, TextLayout
from testamur.adapters.pdf.options import TextElement
from tests.support.pdf import MemoryAssets, a_document

SHELF = FontShelf(MemoryAssets())


def layout(text: str, *fonts: str, **options: object) -> TextLayout:
    element = TextElement.model_validate({"text": text, "x": 0, "y": 0, **options})
    chain = [SHELF.font(each) for each in (fonts or ("noto-sans",))]
    return TextLayout("name", element, PageSize(9000, 9000), lambda *_: chain)


def lacking(name: str, language: str, text: TextLayout) -> list[str]:
    """Texts of a name's glyphs that are not among the base glyphs."""
    base = {(font, glyph) for font, glyphs in base_glyphs(text, language) for glyph in glyphs}
    return [
        glyph[1]
        for line in text.lines(a_document(full_name=name, locale=language))
        for run in line.runs
        for glyph in glyph_texts(run)
        if (run.font, glyph) not in base
    ]


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("en", "Renée O’Connor-Müller, PhD (hon.) “Office”"),
        ("pl", "Grzegorz Brzęczyszczykiewicz"),
        ("tr", "İsmail Fikri Çağrı Öğüş"),
        ("ro", "Ștefan Țepeș"),
        ("az", "Əhməd Şıxəliyev"),
        ("is", "Þórður Guðmundsson"),
        ("vi", "Nguyễn Thị Hồng Đào"),
        ("ru", "Жанна Ёлкина"),
        ("uk", "Ґалаґан Їжак"),
        ("sr", "Ђорђе Љубичић"),
        ("kk", "Нұрсұлтан Әбішұлы"),
        ("el", "Ελευθερία Παπαδοπούλου"),
    ],
)
@pytest.mark.parametrize("options", [{}, {"upper_case": True}, {"character_spacing": 1}], ids=str)
def test_names_of_many_languages_are_drawn_with_base_glyphs_alone(
    language: str, name: str, options: dict[str, object]
) -> None:
    assert lacking(name, language, layout("{name}", **options)) == []


def shown(text: str) -> set[str]:
    found = base_glyphs(layout(text), "en")
    return {shown for _, glyphs in found for _, shown in glyphs if len(shown) == 1}


def test_links_and_ids_bring_along_no_more_than_they_are_made_of() -> None:
    assert shown("{verify_url}") == set(map(chr, range(0x20, 0x7F)))
    assert shown("{name}") > shown("{verify_url}") | {"ж"}


def test_what_a_text_says_itself_is_among_them() -> None:
    assert lacking("", "ru", layout("Оценка: {verify_id}")) == []


def test_fonts_behind_the_first_with_latin_letters_are_not_asked() -> None:
    text = layout("{name}", "noto-sans-thai", "noto-sans")

    assert {font.name for font, _ in base_glyphs(text, "en")} == {"noto-sans-thai"}


def test_a_font_before_them_draws_what_it_has() -> None:
    fonts = {font.name for font, _ in base_glyphs(layout("{name}", "open-sans"), "en")}

    assert fonts == {"open-sans"}
