"""Pages: their visible part as a reader sees it, in the page's own coordinates (ISO 32000-2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from pikepdf import Array, Dictionary, Name, Object

from testamur.adapters.pdf.layout import PageSize

#: ISO 32000-2, table 31: what a page takes from the nodes above it.
INHERITABLE: Final = (Name.Resources, Name.MediaBox, Name.CropBox, Name.Rotate)

_LONGEST_WAY_UP: Final = 100
_LETTER: Final = (0.0, 0.0, 612.0, 792.0)

#: Points; options cannot name places beyond.
LONGEST_SIDE: Final = 1_000_000

Matrix = tuple[float, float, float, float, float, float]
Box = tuple[float, float, float, float]


class UnusablePage(ValueError):
    """A page's entries make no sense; the message says which."""


@dataclass(frozen=True, slots=True)
class VisiblePage:
    """The visible part of a page.

    Args:
        size: Its size as a reader sees it, turned and scaled.
        to_page: Matrix from points, counted from its bottom left corner as the reader sees it, to
            the page's own coordinates.
    """

    size: PageSize
    to_page: Matrix


def make_explicit(page: Dictionary) -> None:
    """Write into a page what it takes from the nodes above it.

    Raises:
        UnusablePage: The nodes above it go round in a circle.
    """
    for key in INHERITABLE:
        node: Object | None = page
        for _ in range(_LONGEST_WAY_UP):
            if not isinstance(node, Dictionary):
                break
            if key in node:
                page[key] = node[key]
                break
            node = node.get(Name.Parent)
        else:
            raise UnusablePage("the page tree has no end")


def visible_page(page: Dictionary) -> VisiblePage:
    """Return the visible part of a page whose inherited entries were made explicit.

    That is the crop box as far as it lies in the media box, turned by ``Rotate`` clockwise, in
    units of ``UserUnit`` points.

    Raises:
        UnusablePage: A box or number is malformed, or nothing of the page is visible.
    """
    media = _box(page, Name.MediaBox, _LETTER)
    crop = _box(page, Name.CropBox, media)
    left, bottom = max(media[0], crop[0]), max(media[1], crop[1])
    right, top = min(media[2], crop[2]), min(media[3], crop[3])
    if right - left < 1 or top - bottom < 1:
        raise UnusablePage("nothing of the page is visible: its boxes are empty or do not meet")
    unit = _number(page.get(Name.UserUnit, 1), "UserUnit")
    turn = _number(page.get(Name.Rotate, 0), "Rotate") % 360
    if unit <= 0 or turn % 90:
        raise UnusablePage("UserUnit must be more than 0, and Rotate a multiple of 90")
    s = 1 / unit
    matrices: dict[float, Matrix] = {
        0: (s, 0, 0, s, left, bottom),
        90: (0, s, -s, 0, right, bottom),
        180: (-s, 0, 0, -s, right, top),
        270: (0, -s, s, 0, left, top),
    }
    width, height = (right - left) * unit, (top - bottom) * unit
    if max(width, height) > LONGEST_SIDE:
        raise UnusablePage(f"the page is more than {LONGEST_SIDE:,} points wide or high")
    size = PageSize(height, width) if turn % 180 else PageSize(width, height)
    return VisiblePage(size, matrices[turn])


def _box(page: Dictionary, key: Name, default: Box) -> Box:
    if key not in page:
        return default
    corners = page[key]
    if not isinstance(corners, Array) or len(corners) != 4:
        raise UnusablePage(f"{key} is no rectangle")
    x0, y0, x1, y1 = (_number(corner, str(key)) for corner in _items(corners))
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _items(array: Array) -> Sequence[object]:
    return [array[index] for index in range(len(array))]


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise UnusablePage(f"{name} is no number")
    return float(value)
