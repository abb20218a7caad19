"""QR codes of many links, most of them found without segno: they are the ones that it makes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from testamur.adapters.pdf.qr import QrSymbols
from tests.support.qr_modules import modules, modules_of_segno

BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(BASE64, min_size=6, max_size=6), min_size=30, max_size=60))
def test_symbols_of_links_are_those_that_segno_makes(ids: list[str]) -> None:
    symbols = QrSymbols()

    for each in ids:
        link = f"https://example.org/v/{each}"
        assert modules(symbols.symbol(link)) == modules_of_segno(link)
