"""QR codes: the symbols are segno's, however they were found."""

import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st

from testamur.adapters.pdf.qr import QrSymbols
from tests.support.qr_modules import modules, modules_of_segno


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=6))
def test_symbols_of_any_texts_are_those_that_segno_makes(texts: list[str]) -> None:
    symbols = QrSymbols()

    for each in texts:
        assert modules(symbols.symbol(each)) == modules_of_segno(each)


def test_texts_of_many_lengths_are_not_mixed_up() -> None:
    symbols = QrSymbols()

    for length in [*range(1, 60), *range(59, 0, -1)]:
        for letter in "ab":
            text = letter * length
            assert modules(symbols.symbol(text)) == modules_of_segno(text)


def test_a_link_that_is_like_others_needs_no_segno(monkeypatch: pytest.MonkeyPatch) -> None:
    symbols = QrSymbols()
    for number in range(256):
        symbols.symbol(f"https://example.org/v/{number:08b}")
    expected = modules_of_segno("https://example.org/v/10101010")

    monkeypatch.setattr(segno, "make", None)

    assert modules(symbols.symbol("https://example.org/v/10101010")) == expected
