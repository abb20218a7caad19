"""Layout: what is drawn where. Pure: no PDF is read or written here.

Positions are points from the left and from the top edge of the page as a reader sees it; ``y`` of
text is its baseline.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import floor
from typing import Final

from testamur.adapters.pdf.characters import is_visible, refuse_forbidden
from testamur.adapters.pdf.fonts import Font
from testamur.adapters.pdf.lines import broken, whole
from testamur.adapters.pdf.options import QrElement, TextElement, in_points
from testamur.adapters.pdf.placeholders import Piece, TextPattern
from testamur.adapters.pdf.qr import refuse_unfit
from testamur.adapters.pdf.runs import Paragraph, Run
from testamur.application.errors import RenderingError
from testamur.application.ports.rendering import Document
from testamur.domain.errors import InvalidInput

#: Wrapped text shrinks in steps of this many points; other text goes to the largest size that fits.
SHRINKING_STEP: Final = 0.5

_TOLERANCE: Final = 1e-6
_TURKIC: Final = frozenset({"tr", "az", "crh", "tt"})

Chain = Callable[[TextElement, str], Sequence[Font]]
"""Returns the fonts of an element in a language, in the order in which they are tried."""


@dataclass(frozen=True, slots=True)
class PageSize:
    """Size of the page as a reader sees it, in points."""

    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text in its place.

    Args:
        text: What it says, in the order in which it is read.
        runs: Its runs from left to right; their places are in sizes.
        x: Left end.
        y: Baseline.
        size: Points.
        color: ``#rrggbb``.
    """

    text: str
    runs: tuple[Run, ...]
    x: float
    y: float
    size: float
    color: str


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code in its place; `x` and `y` are its top left corner, `side` is in points."""

    text: str
    x: float
    y: float
    side: float
    color: str


@dataclass(frozen=True, slots=True)
class Layout:
    """All that is drawn for one document."""

    lines: tuple[Line, ...] = ()
    codes: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True)
class _Span:
    """Where a text stands at `x`, and how wide it may get, in points."""

    x: float
    room: float


class TextLayout:
    """Lays out one text element on pages of one size.

    Args:
        name: The element's name.
        element: Its options.
        page: Size of the page.
        chain: Gives its fonts.

    Raises:
        InvalidInput: It lies off the page.
    """

    def __init__(self, name: str, element: TextElement, page: PageSize, chain: Chain) -> None:
        self._name = name
        self._element = element
        self._chain = chain
        self._pattern = TextPattern(element.text)
        self._page = page
        self._y = _on_page(element.y, page.height, f"elements.{name}.y")
        self._span = self._span_on(page)
        self._latest: tuple[tuple[tuple[Piece, ...], str], tuple[Line, ...]] | None = None

    def lines(self, document: Document) -> tuple[Line, ...]:
        """Return the lines of a document's text.

        Raises:
            RenderingError: A character that must not be or that no font has, text that does not
                fit, a value that is missing.
        """
        pieces = self._pattern.fill(document, self._element.date_format)
        key = (pieces, document.locale)
        if self._latest is None or self._latest[0] != key:
            # What a whole course shares, its name and the date, is laid out once.
            self._latest = key, self._laid_out(pieces, document.locale)
        return self._latest[1]

    def _span_on(self, page: PageSize) -> _Span:
        element = self._element
        field = f"elements.{self._name}"
        x = _on_page(element.x, page.width, f"{field}.x")
        left, right = x, page.width - x
        edge = {"left": right, "right": left, "center": 2 * min(left, right)}[element.align]
        if edge <= 0:
            raise InvalidInput(
                f"{field}.x", element.x, f"a place with room for text aligned {element.align}"
            )
        width = None if element.width is None else in_points(element.width, page.width)
        if width is not None and not 0 < width <= edge + _TOLERANCE:
            raise InvalidInput(
                f"{field}.width",
                element.width,
                f"more than 0, at most {edge:.1f} points: the room from x to the page's edge",
            )
        return _Span(x, edge if width is None else width)

    def _laid_out(self, pieces: Sequence[Piece], language: str) -> tuple[Line, ...]:
        element = self._element
        pieces = [Piece(self._spelled(piece.text, language), piece.placeholder) for piece in pieces]
        text = "".join(piece.text for piece in pieces)
        refuse_forbidden(text, self._name)
        if not is_visible(text):
            return ()
        chain = self._chain(element, language)
        paragraphs = [
            Paragraph(
                each,
                chain,
                language=language,
                direction=element.direction,
                spacing=element.character_spacing / element.size,
                where=self._name,
            )
            for each in _paragraphs(pieces)
        ]
        size, rows = self._fitted(paragraphs)
        return tuple(
            self._line(paragraph, start, end, size, index)
            for index, (paragraph, start, end) in enumerate(rows)
            if start < end
        )

    def _spelled(self, text: str, language: str) -> str:
        text = text.replace("\r\n", "\n")
        return _upper(text, language) if self._element.upper_case else text

    def _line(self, paragraph: Paragraph, start: int, end: int, size: float, index: int) -> Line:
        before = {"left": 0.0, "center": 0.5, "right": 1.0}[self._element.align]
        return Line(
            text=paragraph.text[start:end],
            runs=paragraph.runs(start, end),
            x=self._span.x - before * paragraph.width(start, end) * size,
            y=self._y + index * self._element.line_height * size,
            size=size,
            color=self._element.color,
        )

    def _fitted(
        self, paragraphs: Sequence[Paragraph]
    ) -> tuple[float, list[tuple[Paragraph, int, int]]]:
        for size in self._sizes(paragraphs):
            rows = self._rows(paragraphs, self._span.room / size)
            if self._fits(rows, size):
                return size, rows
        raise self._too_long(paragraphs)

    def _sizes(self, paragraphs: Sequence[Paragraph]) -> list[float]:
        size, smallest = self._element.size, self._element.smallest_size
        if self._element.wrap:
            steps = floor((size - smallest) / SHRINKING_STEP + _TOLERANCE)
            return [size - step * SHRINKING_STEP for step in range(steps + 1)]
        widest = max(paragraph.width(*whole(paragraph)) for paragraph in paragraphs)
        largest = floor(self._span.room / widest * 100) / 100 if widest else size
        return [min(size, largest)] if largest >= smallest - _TOLERANCE else []

    def _rows(
        self, paragraphs: Sequence[Paragraph], room: float
    ) -> list[tuple[Paragraph, int, int]]:
        return [
            (paragraph, start, end)
            for paragraph in paragraphs
            for start, end in (
                broken(paragraph, room) if self._element.wrap else [whole(paragraph)]
            )
        ]

    def _fits(self, rows: Sequence[tuple[Paragraph, int, int]], size: float) -> bool:
        if self._element.max_lines is not None and len(rows) > self._element.max_lines:
            return False
        lowest = self._y + (len(rows) - 1) * self._element.line_height * size
        widest = max(paragraph.width(start, end) for paragraph, start, end in rows)
        return (
            lowest <= self._page.height + _TOLERANCE
            and widest * size <= self._span.room + _TOLERANCE
        )

    def _too_long(self, paragraphs: Sequence[Paragraph]) -> RenderingError:
        smallest = self._element.smallest_size
        needed = max(paragraph.width(*whole(paragraph)) for paragraph in paragraphs) * smallest
        lines = self._element.max_lines
        most = "" if lines is None else f" and at most {lines} {'line' if lines == 1 else 'lines'}"
        return RenderingError(
            "too-long",
            f"{self._name}: the text does not fit: at its smallest size of {smallest:g} points it "
            f"needs {needed:.0f} points in one line, and there is room for {self._span.room:.0f}"
            f"{most}; make width or max_lines larger, min_size smaller, or let it wrap",
        )


class CodeLayout:
    """Lays out one QR code on pages of one size.

    Args:
        name: The element's name.
        element: Its options.
        page: Size of the page.

    Raises:
        InvalidInput: It lies off the page.
    """

    def __init__(self, name: str, element: QrElement, page: PageSize) -> None:
        self._name = name
        self._element = element
        self._pattern = TextPattern(element.qr)
        self._x = _on_page(element.x, page.width, f"elements.{name}.x")
        self._y = _on_page(element.y, page.height, f"elements.{name}.y")
        self._side = in_points(element.size, page.width)
        edge = min(page.width - self._x, page.height - self._y)
        if not 0 < self._side <= edge + _TOLERANCE:
            raise InvalidInput(
                f"elements.{name}.size",
                element.size,
                f"more than 0, at most {edge:.1f} points: the room up to the page's edge",
            )

    def code(self, document: Document) -> Code:
        """Return a document's code.

        Raises:
            RenderingError: A value is missing, or is too long for a code.
        """
        text = "".join(piece.text for piece in self._pattern.fill(document))
        refuse_forbidden(text, self._name)
        refuse_unfit(text, self._name)
        return Code(text, self._x, self._y, self._side, self._element.color)


def _on_page(length: float | str, whole_page: float, field: str) -> float:
    points = in_points(length, whole_page)
    if not 0 <= points <= whole_page + _TOLERANCE:
        raise InvalidInput(field, length, f"0 to {whole_page:.1f} points, where the page ends")
    return points


def _paragraphs(pieces: Sequence[Piece]) -> list[list[Piece]]:
    paragraphs: list[list[Piece]] = [[]]
    for piece in pieces:
        first, *others = piece.text.split("\n")
        paragraphs[-1].append(Piece(first, piece.placeholder))
        paragraphs += [[Piece(other, piece.placeholder)] for other in others]
    return paragraphs


def _upper(text: str, language: str) -> str:
    # Unicode, SpecialCasing.txt: in Turkic languages the capital of i keeps its dot.
    if language.lower().replace("_", "-").partition("-")[0] in _TURKIC:
        text = text.replace("i", "\u0130")
    return text.upper()
