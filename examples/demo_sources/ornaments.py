"""Vector ornaments of the certificate templates: curves, rosettes, laurel, rules and stars.

All lengths are in points, y grows downwards, and angles are in radians, clockwise from the right.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import cos, pi, sin, tau
from typing import NamedTuple

from fpdf import FPDF
from fpdf.drawing import PaintedPath
from fpdf.enums import PathPaintRule

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""A rectangle: x and y of its top left corner, width, height."""

Curve = Callable[[float], Point]
"""A curve: from a parameter between 0 and 1 to x and y."""


class Ink(NamedTuple):
    """How a path is painted: the colours as ``#rrggbb``, the line's width in points."""

    line: str | None = None
    width: float = 0.5
    fill: str | None = None


@contextmanager
def path(pdf: FPDF, ink: Ink) -> Iterator[PaintedPath]:
    """Paint the path that is built in the ``with`` block."""
    painted = PaintedPath()
    style = painted.style
    style.stroke_color, style.fill_color = ink.line, ink.fill
    style.stroke_width = ink.width
    style.stroke_join_style = "round"
    style.stroke_cap_style = "round"
    style.auto_close = False
    if ink.line and ink.fill:
        style.paint_rule = PathPaintRule.STROKE_FILL_NONZERO
    else:
        style.paint_rule = PathPaintRule.FILL_NONZERO if ink.fill else PathPaintRule.STROKE
    with pdf.drawing_context() as drawing:
        yield painted
        drawing.add_item(painted, clone=False)  # copying it takes longer than all else together


def trace(painted: PaintedPath, curve: Curve, segments: int, *, closed: bool = False) -> None:
    """Add a smooth curve to a path as cubic Béziers, with tangents taken from the curve."""
    step = 1 / segments
    nudge = step / 50

    def point_and_handle(at: float) -> tuple[float, float, float, float]:
        (x, y), (x0, y0), (x1, y1) = curve(at), curve(at - nudge), curve(at + nudge)
        scale = step / 3 / (2 * nudge)
        return x, y, (x1 - x0) * scale, (y1 - y0) * scale

    x0, y0, dx0, dy0 = point_and_handle(0)
    painted.move_to(round(x0, 2), round(y0, 2))
    for index in range(1, segments + 1):
        x1, y1, dx1, dy1 = point_and_handle(index * step)
        numbers = (x0 + dx0, y0 + dy0, x1 - dx1, y1 - dy1, x1, y1)
        painted.curve_to(*(round(number, 2) for number in numbers))
        x0, y0, dx0, dy0 = x1, y1, dx1, dy1
    if closed:
        painted.close()


def rosette(
    pdf: FPDF,
    centre: Point,
    inner: float,
    outer: float,
    ink: Ink,
    *,
    lobes: int,
    lines: int,
) -> None:
    """Draw a ring of interlaced waves, the guilloche of banknotes, between two radii."""
    middle, swing = (inner + outer) / 2, (outer - inner) / 2
    with path(pdf, ink) as painted:
        for line in range(lines):
            phase = tau * line / lines

            def wave(way: float, phase: float = phase) -> Point:
                angle = tau * way
                radius = middle + swing * sin(lobes * angle + phase)
                return centre[0] + radius * cos(angle), centre[1] + radius * sin(angle)

            trace(painted, wave, lobes * 4, closed=True)


def circle(pdf: FPDF, centre: Point, radius: float, ink: Ink) -> None:
    """Draw a circle."""
    with path(pdf, ink) as painted:
        painted.circle(*centre, radius)


def tapered_rule(pdf: FPDF, centre: Point, width: float, thick: float, colour: str) -> None:
    """Draw a rule that is thickest in its middle and runs out to both sides."""
    x, y = centre
    with path(pdf, Ink(fill=colour)) as painted:
        painted.move_to(x - width / 2, y)
        painted.curve_to(
            x - width / 4, y - thick / 8, x - width / 8, y - thick / 2, x, y - thick / 2
        )
        painted.curve_to(
            x + width / 8, y - thick / 2, x + width / 4, y - thick / 8, x + width / 2, y
        )
        painted.curve_to(
            x + width / 4, y + thick / 8, x + width / 8, y + thick / 2, x, y + thick / 2
        )
        painted.curve_to(
            x - width / 8, y + thick / 2, x - width / 4, y + thick / 8, x - width / 2, y
        )
        painted.close()


def diamond(pdf: FPDF, centre: Point, width: float, height: float, ink: Ink) -> None:
    """Draw a diamond with sides that curve inwards."""
    x, y = centre
    with path(pdf, ink) as painted:
        painted.move_to(x, y - height / 2)
        painted.quadratic_curve_to(x + width / 12, y - height / 12, x + width / 2, y)
        painted.quadratic_curve_to(x + width / 12, y + height / 12, x, y + height / 2)
        painted.quadratic_curve_to(x - width / 12, y + height / 12, x - width / 2, y)
        painted.quadratic_curve_to(x - width / 12, y - height / 12, x, y - height / 2)
        painted.close()


def laurel(
    pdf: FPDF,
    centre: Point,
    radius: float,
    leaf: float,
    ink: Ink,
    *,
    leaves: int,
    opening: float,
) -> None:
    """Draw two laurel branches that meet below and leave an opening above.

    Args:
        pdf: Where to draw.
        centre: Of the circle that the branches follow.
        radius: Of that circle.
        leaf: Length of a leaf at its longest.
        ink: How leaves and stems are painted; the fill colour is the stems' too.
        leaves: Pairs of leaves on each branch.
        opening: Angle that stays open at the top.
    """
    x, y = centre
    bottom, reach = pi / 2, pi - opening / 2
    for side in (1, -1):
        with path(pdf, Ink(line=ink.fill, width=leaf / 14)) as stem:

            def branch(way: float, side: int = side) -> Point:
                angle = bottom - side * (way * (reach + 0.14) - 0.14)
                return x + radius * cos(angle), y + radius * sin(angle)

            trace(stem, branch, 12)
        with path(pdf, ink) as painted:
            for number in range(leaves):
                way = (number + 0.7) / (leaves + 0.4)
                angle = bottom - side * way * reach
                length = leaf * (0.7 + 0.3 * sin(pi * way))
                at_x, at_y = x + radius * cos(angle), y + radius * sin(angle)
                along = angle - side * pi / 2
                for turn in (-0.55, 0.5):
                    add_leaf(painted, at_x, at_y, along + turn * side, length)
            tip = bottom - side * reach
            add_leaf(
                painted,
                x + radius * cos(tip),
                y + radius * sin(tip),
                tip - side * pi / 2,
                leaf * 0.8,
            )


def add_leaf(painted: PaintedPath, x: float, y: float, heading: float, length: float) -> None:
    """Add one leaf to a path, from its stalk at x and y."""
    along_x, along_y = cos(heading) * length, sin(heading) * length
    across_x, across_y = -along_y * 0.21, along_x * 0.21
    painted.move_to(x, y)
    painted.curve_to(
        x + along_x * 0.25 + across_x,
        y + along_y * 0.25 + across_y,
        x + along_x * 0.65 + across_x,
        y + along_y * 0.65 + across_y,
        x + along_x,
        y + along_y,
    )
    painted.curve_to(
        x + along_x * 0.65 - across_x,
        y + along_y * 0.65 - across_y,
        x + along_x * 0.25 - across_x,
        y + along_y * 0.25 - across_y,
        x,
        y,
    )
    painted.close()


def star(pdf: FPDF, centre: Point, radius: float, colour: str, points: int = 5) -> None:
    """Draw a star that stands on two of its points."""
    x, y = centre
    with path(pdf, Ink(fill=colour)) as painted:
        for corner in range(2 * points):
            angle = -pi / 2 + corner * pi / points
            reach = radius if corner % 2 == 0 else radius * 0.4
            go = painted.line_to if corner else painted.move_to
            go(x + reach * cos(angle), y + reach * sin(angle))
        painted.close()
