"""Dates in words: by language, style and pattern."""

from datetime import date

import pytest

from testamur.adapters.pdf.dates import check_date_format, date_in_words
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
