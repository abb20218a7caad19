"""Inspecting: what there is to look at in the way a document's elements stand on the page."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations, product
from typing import Final

from testamur.application.ports.samples import PlacedElement

#: Text that shrinks below this part of its size looks out of place beside the rest.
SMALL_PART: Final = 0.75

#: Sizes are cut to hundredths of a point: what differs by less has not shrunk.
_SAME_SIZE: Final = 0.005

#: Points by which boxes may share a place: they are no exact outlines of what is drawn.
_TOLERANCE: Final = 1.0

_POINTS_OF_MM: Final = 72 / 25.4


@dataclass(frozen=True, slots=True)
class PreviewWarning:
    """Something to look at before anything is issued.

    Args:
        reason: What kind of thing: ``context-name``, ``no-link``, ``not-marked``, ``overlap``,
            ``shrunk``, or what a `RenderingError` gives as its reason.
        detail: For people to read.
    """

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A text that is drawn smaller than its size, so that it fits.

    Args:
        element: The element's name.
        size: Points that it is drawn in.
        full_size: Points that it has where there is room.
    """

    element: str
    size: float
    full_size: float


def shrunk_texts(elements: Iterable[PlacedElement]) -> Iterator[Shrunk]:
    """Yield the texts that are drawn smaller than their size."""
    for each in elements:
        size, full_size = each.size, each.full_size
        if size is not None and full_size is not None and size < full_size - _SAME_SIZE:
            yield Shrunk(each.name, size, full_size)


def too_small(shrunk: Iterable[Shrunk]) -> Iterator[PreviewWarning]:
    """Warn of texts that shrink below `SMALL_PART` of their size."""
    for each in shrunk:
        part = each.size / each.full_size
        if part < SMALL_PART:
            yield PreviewWarning(
                "shrunk",
                f"{each.element} shrinks to {each.size:g} points, {part:.0%} of its size, to fit; "
                "give it more width, or let it wrap",
            )


def overlaps(elements: Iterable[PlacedElement]) -> Iterator[PreviewWarning]:
    """Warn of texts and codes that stand in each other's way.

    Images are left out: they lie under all else, often on purpose.
    """
    for one, other in combinations([each for each in elements if each.kind != "image"], 2):
        depth = _shared_height(one, other)
        if depth > _TOLERANCE:
            millimetres = depth / _POINTS_OF_MM
            yield PreviewWarning(
                "overlap", f"{one.name} and {other.name} overlap, {millimetres:.1f} mm high"
            )
        elif _reaches_into_margin(one, other):
            code, near = (one, other) if one.margin else (other, one)
            yield PreviewWarning(
                "overlap",
                f"{near.name} stands in the bright margin that scanners need around {code.name}",
            )


def _shared_height(one: PlacedElement, other: PlacedElement) -> float:
    shared = [
        min(mine.bottom, theirs.bottom) - max(mine.top, theirs.top)
        for mine, theirs in product(one.covers, other.covers)
        if mine.meets(theirs)
    ]
    return max(shared, default=0.0)


def _reaches_into_margin(one: PlacedElement, other: PlacedElement) -> bool:
    margin = max(one.margin, other.margin) - _TOLERANCE
    return margin > 0 and any(
        mine.with_margin(margin).meets(theirs) for mine, theirs in product(one.covers, other.covers)
    )
