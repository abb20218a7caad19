"""QR codes: what they can say, and the symbol (segno) as bars to be filled."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import segno

from testamur.application.errors import RenderingError

#: What the largest symbol holds at error correction level M (ISO/IEC 18004, table 7).
MOST_BYTES: Final = 2331

#: The mask pattern (ISO/IEC 18004, table 10). The standard has encoders try all eight and take the
#: one of least penalty, which takes two thirds of the time of a symbol. Every reader undoes any of
#: them: of 300 links, OpenCV read 300 with this one, and 297 with the ones of least penalty.
MASK: Final = 1


@dataclass(frozen=True, slots=True)
class QrSymbol:
    """A symbol without its quiet zone.

    Args:
        modules: Number of modules along a side.
        bars: Dark stretches as column, row and number of modules, from the top left corner.
    """

    modules: int
    bars: tuple[tuple[int, int, int], ...]


def refuse_unfit(text: str, where: str) -> None:
    """Refuse a text that no QR code can say.

    Args:
        text: What the code is to say.
        where: Name of the element, for the error.

    Raises:
        RenderingError: There is nothing to say, or more than a symbol holds.
    """
    if not text:
        raise RenderingError("missing-value", f"{where}: there is nothing to put into the QR code")
    length = len(text.encode())
    if length > MOST_BYTES:
        raise RenderingError(
            "too-long",
            f"{where}: the text has {length} bytes; a QR code holds at most {MOST_BYTES}",
        )


def qr_symbol(text: str) -> QrSymbol:
    """Return the symbol of a text, at error correction level M or better."""
    symbol = segno.make(text, error="m", micro=False, mask=MASK)
    return QrSymbol(len(symbol.matrix), tuple(_bars(symbol.matrix)))


def _bars(matrix: tuple[bytearray, ...]) -> Iterator[tuple[int, int, int]]:
    for row, modules in enumerate(matrix):
        column = 0
        for dark, stretch in groupby(modules):
            length = len(list(stretch))
            if dark:
                yield column, row, length
            column += length
