"""Certificates without a font of one's own: every script, the right one for a language."""

from typing import Any

import pytest

from testamur.adapters.pdf import PreparedPdf
from testamur.application.errors import RenderingError
from tests.support.pdf import a_document, difference, font_file, picture_of, prepared, text_of

NAMES = {
    "vi": "Nguyễn Thị Ánh",
    "el": "Ελένη Παπαδοπούλου",
    "uk": "Юлія Ґавриленко",
    "ar": "فاطمة الزهراء",
    "he": "נועה",
    "hi": "अनन्या",
    "th": "กัญญารัตน์",
    "ka": "გიორგი",
    "hy": "Արմեն",
    "am": "አበበ",
    "bn": "রবি",
    "ta": "தமிழ்",
    "zh": "王伟",
    "ja": "佐藤さくら",
    "ko": "김민준",
}


def with_default_fonts(**options: Any) -> PreparedPdf:
    return prepared(**{"fonts": [], **options})


@pytest.fixture(scope="module")
def everything() -> PreparedPdf:
    return with_default_fonts()


@pytest.mark.parametrize("language", NAMES)
def test_a_name_of_any_common_script_is_drawn_without_a_font_being_named(
    language: str, everything: PreparedPdf
) -> None:
    file = everything.render(a_document(full_name=NAMES[language], locale=language)).content

    # Readers give text that runs from right to left in one order or the other.
    lines = [sorted(line) for line in text_of(file).splitlines()]
    assert sorted(NAMES[language]) in lines


@pytest.mark.parametrize(
    ("language", "font"),
    [
        ("ja", "noto-sans-jp"),
        ("ko", "noto-sans-kr"),
        ("zh", "noto-sans-sc"),
        ("pl", "noto-sans-sc"),
    ],
)
def test_ideographs_are_drawn_as_the_language_draws_them(
    language: str, font: str, everything: PreparedPdf
) -> None:
    document = a_document(full_name="直骨角海", locale=language)
    own = prepared(fonts=["noto-sans", font])

    assert picture_of(everything.render(document).content) == picture_of(
        own.render(document).content
    )


def test_traditional_chinese_has_a_font_of_its_own(everything: PreparedPdf) -> None:
    simplified, traditional = (
        a_document(full_name="直骨角海", locale=each) for each in ("zh-CN", "zh-Hant-HK")
    )

    pictures = [picture_of(everything.render(each).content) for each in (simplified, traditional)]
    assert difference(*pictures) > 0.03


def test_named_fonts_stand_alone_unless_the_others_are_asked_for() -> None:
    document = a_document(full_name="נועה")

    with pytest.raises(RenderingError) as caught:
        prepared(fonts=["noto-sans"]).check(document)
    assert caught.value.reason == "missing-glyph"
    assert "U+05E0 HEBREW LETTER NUN" in caught.value.detail
    assert "set default_fonts = true" in caught.value.detail

    prepared(fonts=["noto-sans"], default_fonts=True).check(document)


def test_named_fonts_come_before_those_that_come_along() -> None:
    document = a_document(full_name="Ada")
    alone = prepared(fonts=["open-sans"]).render(document).content
    first = prepared(fonts=["open-sans"], default_fonts=True).render(document).content

    assert picture_of(first) == picture_of(alone)


@pytest.mark.parametrize("name", ["Ada 😀", "ཀརྨ"])
def test_a_character_that_no_font_has_is_refused_by_name(
    name: str, everything: PreparedPdf
) -> None:
    with pytest.raises(RenderingError) as caught:
        everything.check(a_document(full_name=name))

    assert caught.value.reason == "missing-glyph"
    assert "tried: the fonts that come with Testamur; add a font" in caught.value.detail


def test_a_weight_of_any_script_is_drawn() -> None:
    light, bold = (
        with_default_fonts(elements={"name": {"weight": weight, "size": 60}})
        for weight in (100, 900)
    )

    for name in ("Ada", "نور", "אבא", "तारा", "สุดา", "ანა"):
        document = a_document(full_name=name)
        pictures = [picture_of(each.render(document).content) for each in (light, bold)]
        assert difference(*pictures) > 0.05, name


def test_a_bundled_font_can_be_named_for_an_element() -> None:
    serif = with_default_fonts(elements={"name": {"font": "bundled:eb-garamond"}})
    document = a_document(full_name="Ada נועה")

    other = picture_of(with_default_fonts().render(document).content)
    assert difference(picture_of(serif.render(document).content), other) > 0.05


def test_the_digest_tells_which_fonts_come_along() -> None:
    named = prepared(fonts=["noto-sans"])
    both = prepared(fonts=["noto-sans"], default_fonts=True)

    assert len({named.digest, both.digest, with_default_fonts().digest}) == 3
    assert with_default_fonts().digest == with_default_fonts().digest


def test_another_edition_of_a_bundled_font_gives_another_digest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = with_default_fonts().digest
    monkeypatch.setattr(
        "testamur.adapters.pdf.default_fonts._content", lambda _: font_file("open-sans")
    )
    monkeypatch.setattr("testamur.adapters.pdf.default_fonts._sha256", lambda _: "0" * 64)

    assert with_default_fonts().digest != before


# The language of an element


def test_an_element_in_a_language_of_its_own_has_its_dates_in_it() -> None:
    english = with_default_fonts(elements={"date": {"language": "en"}})

    text = text_of(english.render(a_document(locale="pl")).content)

    assert "March 12, 2026" in text


def test_an_element_in_a_language_of_its_own_has_its_capitals_and_letters() -> None:
    elements = {
        "name": {"language": "tr", "upper_case": True},
        "context": {"language": "ja"},
    }
    document = a_document(full_name="ilgi", context_name="直骨角海", locale="en")
    file = with_default_fonts(elements=elements).render(document).content

    assert "İLGİ" in text_of(file)
    japanese = prepared(fonts=["noto-sans", "noto-sans-jp"], elements=elements)
    assert picture_of(file) == picture_of(japanese.render(document).content)
