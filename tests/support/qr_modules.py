"""The modules of QR codes row by row: as Testamur draws them, and as segno makes them."""

from functools import lru_cache

import segno

from testamur.adapters.pdf.qr import MASK, QrSymbol


@lru_cache(maxsize=256)
def modules_of_segno(text: str) -> list[bytes]:
    """Return segno's symbol of a text, 1 where a module is dark."""
    matrix = segno.make(text, error="m", micro=False, mask=MASK).matrix
    return [bytes(row) for row in matrix]


def modules(symbol: QrSymbol) -> list[bytes]:
    """Return what the bars of a symbol fill, 1 where a module is dark."""
    rows = [bytearray(symbol.modules) for _ in range(symbol.modules)]
    for column, row, length in symbol.bars:
        rows[row][column : column + length] = b"\1" * length
    return [bytes(row) for row in rows]
