"""QR codes: what they can say, and the symbol (segno) as bars to be filled."""

from dataclasses import dataclass
from typing import Final

import segno

from testamur.application.errors import RenderingError

#: What the largest symbol holds at error correction level M (ISO/IEC 18004, table 7).
MOST_BYTES: Final = 2331

#: The mask pattern (ISO/IEC 18004, table 10). The standard has encoders try all eight and take the
#: one of least penalty, which takes two thirds of the time of a symbol. Every reader undoes any of
#: them: of 300 links, OpenCV read 300 with this one, and 297 with the ones of least penalty.
MASK: Final = 1

#: Lengths of texts whose symbols are remembered.
_MOST_LENGTHS: Final = 16


@dataclass(frozen=True, slots=True)
class QrSymbol:
    """A symbol without its quiet zone.

    Args:
        modules: Number of modules along a side.
        rows: Its modules from the top left corner, row by row, the first one as the highest bit;
            1 is dark.
    """

    modules: int
    rows: int

    @property
    def bars(self) -> list[tuple[int, int, int]]:
        """Dark stretches as column, row and number of modules, from the top left corner."""
        side = self.modules
        modules = f"{self.rows:0{side * side}b}"
        bars = []
        for row in range(side):
            column = 0
            for dark in modules[row * side : (row + 1) * side].split("0"):
                if dark:
                    bars.append((column, row, len(dark)))
                column += len(dark) + 1
        return bars


class QrSymbols:
    """Gives symbols, more quickly the more it gave. For one thread.

    Texts of one length that are encoded as bytes have symbols of one size, in which each module is
    a sum (exclusive or) of bits of the text and a constant: so are the error correction's check
    symbols, and the mask is always the same. The symbol of a text whose bits are a sum of the bits
    of texts seen before is therefore the sum of their symbols, in which a link's random part is the
    same few bits again and again.
    """

    def __init__(self) -> None:
        self._seen: dict[int, _Sums] = {}

    def symbol(self, text: str) -> QrSymbol:
        """Return the symbol of a text, at error correction level M or better."""
        # Small letters are in no other mode than bytes, and ASCII needs no encoding declared.
        if not text.isascii() or text == text.upper():
            return _made(text)
        seen = self._seen.get(len(text))
        if seen is None:
            if len(self._seen) >= _MOST_LENGTHS:
                self._seen.clear()
            seen = self._seen[len(text)] = _Sums(text)
        return seen.symbol(text)


class _Sums:
    """Symbols of texts of one length, as sums of symbols that segno made.

    Args:
        text: The first of them.
    """

    def __init__(self, text: str) -> None:
        first = _made(text)
        self._modules = first.modules
        self._area = first.modules**2
        self._first = _joined(text, first)
        #: Differences of text and symbol from the first one's, by the text's highest bit: the text
        #: above the symbol. No two have the same highest bit, so that any sum is found bit by bit.
        self._differences: dict[int, int] = {}

    def symbol(self, text: str) -> QrSymbol:
        rest = (int.from_bytes(text.encode(), "big") << self._area) ^ self._first
        differences = self._differences
        while (highest := rest.bit_length()) > self._area:
            difference = differences.get(highest)
            if difference is None:
                return self._learned(text, rest)
            rest ^= difference
        return QrSymbol(self._modules, rest)

    def _learned(self, text: str, rest: int) -> QrSymbol:
        made = _made(text)
        self._differences[rest.bit_length()] = rest ^ made.rows
        return made


def _joined(text: str, symbol: QrSymbol) -> int:
    area = symbol.modules**2
    return (int.from_bytes(text.encode(), "big") << area) | symbol.rows


def _made(text: str) -> QrSymbol:
    matrix = segno.make(text, error="m", micro=False, mask=MASK).matrix
    rows = "".join("1" if module else "0" for row in matrix for module in row)
    return QrSymbol(len(matrix), int(rows, 2))


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
