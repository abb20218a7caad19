"""Names in every script: drawn as HarfBuzz shapes them, and readable from the file."""

import unicodedata
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from testamur.adapters.pdf import PreparedPdf
from tests.support.pdf import (
    A4_LANDSCAPE,
    FONTS,
    a_document,
    difference,
    outlines,
    picture_of,
    places_of,
    prepared,
    text_of,
)
from tests.support.poppler import poppler


class Sample(NamedTuple):
    """A name, and the font that is to draw all of it."""

    language: str
    name: str
    font: str


SAMPLES = {
    "Polish": Sample("pl", "Grzegorz Brzęczyszczykiewicz", "noto-sans"),
    "Turkish": Sample("tr", "İsmail Çağrı Öğüş", "noto-sans"),
    "Icelandic": Sample("is", "Þórður Guðmundsson", "noto-sans"),
    "Vietnamese": Sample("vi", "Nguyễn Thị Hồng Đào", "noto-sans"),
    "decomposed": Sample("vi", "Nguye\u0302\u0303n Thi\u0323 A\u0301nh", "noto-sans"),
    "Cyrillic": Sample("ru", "Жанна Ёлкина", "noto-sans"),
    "Greek": Sample("el", "Ελευθερία Παπαδοπούλου", "noto-sans"),
    "Arabic": Sample("ar", "فاطمة عبد الله الأحمد", "noto-sans-arabic"),
    "Persian": Sample("fa", "پگاه می\u200cخواهم", "noto-sans-arabic"),
    "Hebrew": Sample("he", "משה כהן-לוי", "open-sans"),
    "Devanagari": Sample("hi", "श्रीमती लक्ष्मी क्षत्रिय", "noto-sans-devanagari"),
    "Thai": Sample("th", "สมชาย ปู่ น้ำใจ", "noto-sans-thai"),
    "Chinese": Sample("zh", "王小明骨直", "noto-sans-sc"),
    "Japanese": Sample("ja", "山田太郎骨直", "noto-sans-jp"),
    "Korean": Sample("ko", "김민준", "noto-sans-kr"),
    "Korean in Hanja": Sample("ko", "骨直", "noto-sans-kr"),
}
VOWELLED = {
    "Arabic with vowel signs": Sample("ar", "مُحَمَّد", "noto-sans-arabic"),
    "Hebrew with vowel signs": Sample("he", "מֹשֶׁה", "open-sans"),
}

CENTRE, BASELINE, SIZE = A4_LANDSCAPE[0] / 2, 250.0, 48.0

#: Part of the ink that antialiasing alone may change between text and outlines.
ALIKE = 0.02


@cache
def renderer() -> PreparedPdf:
    """A renderer that draws nothing but the name."""
    return prepared(
        fonts=FONTS,
        font_for_language={"ja": "noto-sans-jp", "ko": "noto-sans-kr", "zh": "noto-sans-sc"},
        elements={"name": {"y": BASELINE, "size": SIZE}, "context": False, "date": False},
    )


def certificate(sample: Sample) -> bytes:
    document = a_document(full_name=sample.name, locale=sample.language)
    return renderer().render(document).content


@pytest.mark.parametrize("sample", (SAMPLES | VOWELLED).values(), ids=SAMPLES | VOWELLED)
def test_a_name_is_drawn_as_its_script_wants_it(sample: Sample) -> None:
    expected = outlines(
        sample.name,
        sample.font,
        size=SIZE,
        middle=CENTRE,
        baseline=BASELINE,
        language=sample.language,
    )

    assert difference(picture_of(certificate(sample)), picture_of(expected)) < ALIKE


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
def test_a_name_can_be_copied_and_searched(sample: Sample) -> None:
    # What only joins or parts letters is not among what a reader copies.
    assert text_of(certificate(sample)) == sample.name.replace("\u200c", "")


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
def test_another_reader_finds_the_name_in_the_order_in_which_it_is_read(
    sample: Sample, tmp_path: Path
) -> None:
    file = tmp_path / "certificate.pdf"
    file.write_bytes(certificate(sample))
    read = poppler("pdftotext", "-enc", "UTF-8", file, "-")
    # Poppler puts what it read from right to left between embedding controls (UAX 9).
    plain = "".join(each for each in read if unicodedata.category(each) != "Cf")
    assert plain.strip() == sample.name.replace("\u200c", "")


@pytest.mark.parametrize("sample", VOWELLED.values(), ids=VOWELLED)
def test_the_letters_of_a_name_with_vowel_signs_can_be_copied_in_order(sample: Sample) -> None:
    read = text_of(certificate(sample))

    assert _letters(read) == _letters(sample.name)
    assert sorted(read) == sorted(sample.name)


def _letters(text: str) -> str:
    return "".join(each for each in text if not unicodedata.combining(each))


def test_the_language_decides_which_font_draws_characters_that_languages_share() -> None:
    chinese, japanese = (certificate(Sample(language, "骨直", "")) for language in ("zh", "ja"))

    assert difference(picture_of(chinese), picture_of(japanese)) > ALIKE


def test_words_of_both_directions_stand_in_one_line() -> None:
    places = places_of(certificate(Sample("ar", "محمد Ali 12", "")))

    from_the_left = sorted(filter(str.isalnum, places), key=lambda each: places[each])
    assert "".join(from_the_left) == "Ali12" + "دمح"


def test_an_arabic_name_is_drawn_alike_in_a_latin_line() -> None:
    places = places_of(certificate(Sample("en", "Ali محمد", "")))

    from_the_left = sorted(filter(str.isalnum, places), key=lambda each: places[each])
    assert "".join(from_the_left) == "Ali" + "دمح"


def test_a_name_is_the_same_composed_or_in_parts() -> None:
    parts = certificate(SAMPLES["decomposed"])
    composed = certificate(
        Sample("vi", unicodedata.normalize("NFC", SAMPLES["decomposed"].name), "noto-sans")
    )

    assert difference(picture_of(parts), picture_of(composed)) < ALIKE
