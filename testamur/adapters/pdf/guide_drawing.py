"""Guides: rulers along a page's edges, and each element's box, baselines and name.

All of it is drawn with operators of a PDF content stream (ISO 32000-2, section 8) whose origin is
the bottom left corner of the page as a reader sees it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from testamur.adapters.pdf.layout import PageSize
from testamur.application.ports.samples import Box, PlacedElement

_MM: Final = 72 / 25.4

#: Elements take these colours in turn: far apart from each other, and dark enough to be read.
_COLORS: Final = (
    "0.78 0.00 0.42",
    "0.00 0.33 0.80",
    "0.00 0.45 0.20",
    "0.75 0.32 0.00",
    "0.42 0.15 0.72",
    "0.00 0.45 0.50",
)

_LABEL_SIZE: Final = 7.0
_NUMBER_SIZE: Final = 5.0
#: Width of a digit or small letter in Helvetica, in sizes; others are not far from it.
_LETTER_WIDTH: Final = 0.5

_RULER: Final = 5 * _MM
_TICKS: Final = {10: 3.0 * _MM, 5: 2.0 * _MM, 1: 1.2 * _MM}
"""Length of the ticks at every so many millimetres."""


def guides(elements: Iterable[PlacedElement], size: PageSize) -> str:
    """Return the operators that draw the guides for the elements of a page."""
    drawing = _Drawing(size)
    boxes = [
        operators
        for number, element in enumerate(elements)
        for operators in drawing.element(element, _COLORS[number % len(_COLORS)])
    ]
    return "\n".join([*boxes, *drawing.rulers(), ""])


@dataclass(frozen=True, slots=True)
class _Drawing:
    """Draws on a page of a size; takes places from the top left corner."""

    size: PageSize

    def element(self, element: PlacedElement, color: str) -> Iterator[str]:
        """Yield what shows one element."""
        yield f"q {color} rg {color} RG"
        yield "q /Clear gs"
        for box in element.covers:
            yield f"{self._rectangle(box)} f"
        yield "Q 0.35 w"
        for baseline in element.baselines:
            yield f"{self._line(element.room.left, baseline, element.room.right, baseline)} S"
        yield f"0.5 w [3 2] 0 d {self._rectangle(element.room)} S [] 0 d"
        if element.margin:
            margins = [box.with_margin(element.margin) for box in element.covers]
            yield f"[1 2] 0 d {' '.join(map(self._rectangle, margins))} S [] 0 d"
        yield from self._anchor(*element.anchor)
        yield from self._label(element, color)
        yield "Q"

    def rulers(self) -> Iterator[str]:
        """Yield rulers along the four edges, in millimetres from the top left corner."""
        width, height = self.size.width, self.size.height
        yield "q /Veil gs 1 1 1 rg"
        inner = Box(0, _RULER, _RULER, height - _RULER)
        for box in (
            Box(0, 0, width, _RULER),
            Box(0, height - _RULER, width, height),
            inner,
            Box(width - _RULER, inner.top, width, inner.bottom),
        ):
            yield f"{self._rectangle(box)} f"
        yield "Q q 0.2 0.2 0.2 RG 0.2 0.2 0.2 rg 0.25 w"
        for number in range(1, int(width / _MM) + 1):
            x, tick = number * _MM, _tick(number)
            yield f"{self._line(x, 0, x, tick)} {self._line(x, height - tick, x, height)} S"
            if number % 10 == 0 and _RULER < x < width - _RULER:
                yield self._number(number, x + 0.8, _TICKS[10] + 2.2)
                yield self._number(number, x + 0.8, height - _TICKS[10] + 1.2)
        for number in range(1, int(height / _MM) + 1):
            y, tick = number * _MM, _tick(number)
            yield f"{self._line(0, y, tick, y)} {self._line(width - tick, y, width, y)} S"
            if number % 10 == 0 and _RULER < y < height - _RULER:
                yield self._number(number, _TICKS[10] - 3.2, y - 1)
                yield self._number(number, width - _TICKS[10] - 4.2, y - 1)
        yield "Q"

    def _anchor(self, x: float, y: float) -> Iterator[str]:
        reach = 3.5
        yield f"1 w {self._line(x - reach, y, x + reach, y)} S"
        yield f"{self._line(x, y - reach, x, y + reach)} S 0.5 w"

    def _label(self, element: PlacedElement, color: str) -> Iterator[str]:
        x, y = element.anchor
        text = f"{element.name}  x {x / _MM:.1f} mm  y {y / _MM:.1f} mm{_sizes(element)}"
        room, width = element.room, len(text) * _LETTER_WIDTH * _LABEL_SIZE
        left = max(_RULER, min(room.left, self.size.width - _RULER - width))
        above = room.top - element.margin - _LABEL_SIZE - 2
        top = above if above > _RULER else room.bottom + element.margin + 1
        box = Box(left, top, left + width + 2, top + _LABEL_SIZE + 1.5)
        yield f"q /Veil gs 1 1 1 rg {self._rectangle(box)} f Q"
        yield self._text(text, left + 1, box.bottom - 2, _LABEL_SIZE, f"{color} rg")

    def _number(self, number: int, x: float, y: float) -> str:
        return self._text(str(number), x, y, _NUMBER_SIZE, "")

    def _text(self, text: str, x: float, baseline: float, size: float, color: str) -> str:
        place = f"{x:.2f} {self.size.height - baseline:.2f} Td"
        return f"BT {color} /Plain {size:g} Tf {place} ({text}) Tj ET"

    def _rectangle(self, box: Box) -> str:
        bottom = self.size.height - box.bottom
        return (
            f"{box.left:.2f} {bottom:.2f} {box.right - box.left:.2f} {box.bottom - box.top:.2f} re"
        )

    def _line(self, x0: float, y0: float, x1: float, y1: float) -> str:
        height = self.size.height
        return f"{x0:.2f} {height - y0:.2f} m {x1:.2f} {height - y1:.2f} l"


def _tick(number: int) -> float:
    return next(length for each, length in _TICKS.items() if number % each == 0)


def _sizes(element: PlacedElement) -> str:
    if element.size is None or element.full_size is None:
        return ""
    if element.size < element.full_size:
        return f"  {element.size:g} of {element.full_size:g} pt"
    return f"  {element.size:g} pt"
