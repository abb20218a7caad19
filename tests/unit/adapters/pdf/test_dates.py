"""Dates in words: by language, style and pattern."""

import pickle
import unicodedata
from datetime import date
from pathlib import Path

import pytest
from babel import localedata

from testamur.adapters.pdf.dates import ZEROS, check_date_format, date_in_words
from testamur.application.errors import RenderingError

DAY = date(2026, 3, 12)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "March 12, 2026"),
        ("en-GB", "12 March 2026"),
        ("pl", "12 marca 2026"),
        ("pt-BR", "12 de março de 2026"),
        ("zh-Hant-TW", "2026年3月12日"),
        ("zh_CN", "2026年3月12日"),
        ("ar", "12 مارس 2026"),
        ("ar-EG", "١٢ مارس ٢٠٢٦"),
        ("fa", "۱۲ مارس ۲۰۲۶"),
        ("bn", "১২ মার্চ, ২০২৬"),
        ("th", "12 มีนาคม ค.ศ. 2026"),
        ("pl-x-private", "12 marca 2026"),
    ],
)
def test_a_date_is_written_in_the_documents_language(language: str, words: str) -> None:
    assert date_in_words(DAY, "long", language) == words


@pytest.mark.parametrize(
    ("date_format", "words"),
    [
        ("short", "3/12/26"),
        ("medium", "Mar 12, 2026"),
        ("full", "Thursday, March 12, 2026"),
        ("d MMMM y", "12 March 2026"),
        ("y-MM-dd", "2026-03-12"),
    ],
)
def test_a_date_is_written_in_a_style_or_by_a_pattern(date_format: str, words: str) -> None:
    check_date_format(date_format)

    assert date_in_words(DAY, date_format, "en") == words


def test_a_style_follows_the_languages_own_order_and_digits() -> None:
    assert date_in_words(DAY, "short", "de") == "12.03.26"
    assert date_in_words(DAY, "short", "hu") == "2026. 03. 12."
    assert date_in_words(DAY, "full", "mr") == "गुरुवार, १२ मार्च, २०२६"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("ar-u-nu-arab", "١٢ مارس ٢٠٢٦"),
        ("ar-u-nu-native", "١٢ مارس ٢٠٢٦"),
        ("fa-u-nu-latn", "12 مارس 2026"),
        ("th-u-ca-buddhist", "12 มีนาคม พ.ศ. 2569"),
        ("TH-u-ca-buddhist-nu-thai", "๑๒ มีนาคม พ.ศ. ๒๕๖๙"),
        ("th-u-ca-gregory", "12 มีนาคม ค.ศ. 2026"),
        ("pl-u-co-phonebk", "12 marca 2026"),
        ("pl-u-nu-latn-x-u-ca", "12 marca 2026"),
    ],
)
def test_a_languages_extension_chooses_digits_and_calendar(language: str, words: str) -> None:
    assert date_in_words(DAY, "long", language) == words


def test_buddhist_years_are_written_by_a_pattern_too() -> None:
    assert date_in_words(DAY, "d/M/yy G", "en-u-ca-buddhist") == "12/3/69 BE"
    assert date_in_words(date(2024, 2, 29), "EEEE d MMMM y", "en-u-ca-buddhist") == (
        "Thursday 29 February 2567"
    )


@pytest.mark.parametrize(
    ("language", "named"),
    [("fa-u-ca-persian", "calendar 'persian'"), ("en-u-nu-roman", "digits 'roman'")],
)
def test_a_calendar_or_digits_that_cannot_be_written_are_refused(language: str, named: str) -> None:
    with pytest.raises(RenderingError) as caught:
        date_in_words(DAY, "long", language)

    assert caught.value.reason == "unknown-language"
    assert named in caught.value.detail
    assert "allowed: " in caught.value.detail


def test_a_date_can_be_written_in_every_language_that_cldr_knows() -> None:
    # Regional ones differ from their language only in choosing between the same digits.
    languages = [name for name in localedata.locale_identifiers() if "_" not in name]

    # What a language does not say is as in the root; put together, each would take its time.
    # The files are read by ourselves: Babel would keep what is not put together for everybody.
    files = [Path(localedata.resolve_locale_filename(name)) for name in ("root", *languages)]
    said = [pickle.loads(file.read_bytes()) for file in files]
    systems = {own["default_numbering_system"] for own in said if "default_numbering_system" in own}

    assert {"latn", "arab", "beng"} < systems
    assert systems <= ZEROS.keys()


def test_the_digits_of_every_numbering_system_follow_its_zero() -> None:
    for zero in ZEROS.values():
        digits = [chr(ord(zero) + digit) for digit in range(10)]
        assert [unicodedata.digit(each) for each in digits] == list(range(10))


@pytest.mark.parametrize("date_format", ["", "HH:mm", "longg", "MMMMMMM", "' '"])
def test_what_gives_no_date_is_refused_as_a_format(date_format: str) -> None:
    with pytest.raises(ValueError, match="allowed: short, medium, long, full"):
        check_date_format(date_format)


@pytest.mark.parametrize("language", ["tlh", "", "rtl"])
def test_a_language_without_any_dates_is_refused(language: str) -> None:
    with pytest.raises(RenderingError) as caught:
        date_in_words(DAY, "long", language)

    assert caught.value.reason == "unknown-language"
    assert repr(language) in caught.value.detail
