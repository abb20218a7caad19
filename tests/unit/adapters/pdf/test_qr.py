"""QR codes: the symbols are segno's, however they were found."""

import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st

from testamur.adapters.pdf.qr import MASK, QrSymbol, QrSymbols

BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def modules_of_segno(text: str) -> list[bytes]:
    matrix = segno.make(text, error="m", micro=False, mask=MASK).matrix
    return [bytes(row) for row in matrix]


def modules(symbol: QrSymbol) -> list[bytes]:
    rows = [bytearray(symbol.modules) for _ in range(symbol.modules)]
    for column, row, length in symbol.bars:
        rows[row][column : column + length] = b"\1" * length
    return [bytes(row) for row in rows]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(BASE64, min_size=6, max_size=6), min_size=30, max_size=60))
def test_symbols_of_links_are_those_that_segno_makes(ids: list[str]) -> None:
    symbols = QrSymbols()

    for each in ids:
        link = f"https://example.org/v/{each}"
        assert modules(symbols.symbol(link)) == modules_of_segno(link)


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
