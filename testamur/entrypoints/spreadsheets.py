"""Cells of tables that people open in a spreadsheet: text stays text."""

import re
from functools import lru_cache
from typing import Final

#: Where a spreadsheet may find a formula: at the beginning of a cell, and after what it may take
#: for the beginning of another one (OWASP, "CSV Injection"). Some take full-width signs too.
_FORMULA: Final = re.compile(r"(^|[;,|\t\r\n])(?=\s*[=+\-@\t\r\n＝＋－＠])")


@lru_cache(maxsize=10_000)
def harmless(text: str) -> str:
    """Return a text that a spreadsheet takes for nothing but text; most of them recur."""
    return _FORMULA.sub(r"\1'", text)
