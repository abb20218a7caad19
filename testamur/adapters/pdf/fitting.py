"""Fitting: the size at which a text fits its place, and the lines that it has then. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor
from typing import Final

from testamur.adapters.pdf.lines import AnyParagraph, broken, whole
from testamur.adapters.pdf.options import TextElement
from testamur.application.errors import RenderingError

#: Wrapped text shrinks in steps of this many points; other text goes to the largest size that fits.
SHRINKING_STEP: Final = 0.5

#: Points that a length may be over, for what arithmetic rounds.
TOLERANCE: Final = 1e-6

Row = tuple[AnyParagraph, int, int]
"""A line of a text: a paragraph, and where in it the line starts and ends."""


@dataclass(frozen=True, slots=True)
class Fitting:
    """Fits texts of one element into its place.

    Args:
        name: The element's name, for the error.
        element: Its options.
        room: How wide a line may get, in points.
        depth: From the baseline of the first line to the lower edge of the page, in points.
    """

    name: str
    element: TextElement
    room: float
    depth: float

    def fitted(self, paragraphs: Sequence[AnyParagraph]) -> tuple[float, list[Row]]:
        """Return the size in points, the element's own if that fits, and the lines at that size.

        Raises:
            RenderingError: The text does not fit even at the smallest size.
        """
        for size in self._sizes(paragraphs):
            rows = self._rows(paragraphs, self.room / size)
            if self._fits(rows, size):
                return size, rows
        raise self._too_long(paragraphs)

    def _sizes(self, paragraphs: Sequence[AnyParagraph]) -> list[float]:
        size, smallest = self.element.size, self.element.smallest_size
        if self.element.wrap:
            steps = floor((size - smallest) / SHRINKING_STEP + TOLERANCE)
            return [size - step * SHRINKING_STEP for step in range(steps + 1)]
        widest = max(paragraph.width(*whole(paragraph)) for paragraph in paragraphs)
        largest = floor(self.room / widest * 100) / 100 if widest else size
        return [min(size, largest)] if largest >= smallest - TOLERANCE else []

    def _rows(self, paragraphs: Sequence[AnyParagraph], room: float) -> list[Row]:
        return [
            (paragraph, start, end)
            for paragraph in paragraphs
            for start, end in (broken(paragraph, room) if self.element.wrap else [whole(paragraph)])
        ]

    def _fits(self, rows: Sequence[Row], size: float) -> bool:
        if self.element.max_lines is not None and len(rows) > self.element.max_lines:
            return False
        deepest = (len(rows) - 1) * self.element.line_height * size
        widest = max(paragraph.width(start, end) for paragraph, start, end in rows)
        return deepest <= self.depth + TOLERANCE and widest * size <= self.room + TOLERANCE

    def _too_long(self, paragraphs: Sequence[AnyParagraph]) -> RenderingError:
        smallest = self.element.smallest_size
        needed = max(paragraph.width(*whole(paragraph)) for paragraph in paragraphs) * smallest
        lines = self.element.max_lines
        most = "" if lines is None else f" and at most {lines} {'line' if lines == 1 else 'lines'}"
        return RenderingError(
            "too-long",
            f"{self.name}: the text does not fit: at its smallest size of {smallest:g} points it "
            f"needs {needed:.0f} points in one line, and there is room for {self.room:.0f}"
            f"{most}; make width or max_lines larger, min_size smaller, or let it wrap",
        )
