"""Ornamental frames of the certificate templates: guilloche and braid.

All lengths are in points, and y grows downwards.
"""

from collections.abc import Callable
from math import cos, pi, sin, tau

from fpdf import FPDF

from examples.demo_sources.ornaments import Box, Ink, Point, path, trace


def rectangle(pdf: FPDF, box: Box, ink: Ink) -> None:
    """Draw a rectangle."""
    with path(pdf, ink) as painted:
        painted.rectangle(*box)


def rounded_frame(box: Box, radius: float) -> Callable[[float], tuple[float, float, float, float]]:
    """Return a rounded rectangle as a function of the way around it, from 0 to 4.

    The function gives a point and the outward normal there. Whole numbers are the middles of the
    corners, the top left one first.
    """
    x, y, width, height = box
    corner = radius * pi / 2
    corners = (
        (x + width - radius, y + radius),
        (x + width - radius, y + height - radius),
        (x + radius, y + height - radius),
        (x + radius, y + radius),
    )

    def at(way: float) -> tuple[float, float, float, float]:
        side = int(way // 1) % 4
        straight = (width if side % 2 == 0 else height) - 2 * radius
        along = way % 1 * (straight + corner) - corner / 2
        heading = side * pi / 2
        if 0 <= along <= straight:
            centre, back, normal = corners[side], straight - along, heading - pi / 2
        else:
            after = along > straight
            centre, back = corners[side if after else side - 1], 0.0
            normal = heading - pi / 2 + ((along - straight) if after else along) / radius
        return (
            centre[0] + radius * cos(normal) - back * cos(heading),
            centre[1] + radius * sin(normal) - back * sin(heading),
            cos(normal),
            sin(normal),
        )

    return at


def turns(way: float, across: int, down: int) -> float:
    """Return how often a pattern has repeated on the way around a frame.

    Args:
        way: From 0 to 4, as `rounded_frame` has it.
        across: Repeats on the upper and the lower side.
        down: Repeats on the right and the left side.
    """
    side = int(way // 1)
    return sum((across, down)[number % 2] for number in range(side)) + (
        way % 1 * (across, down)[side % 2]
    )


def guilloche_frame(
    pdf: FPDF, box: Box, radius: float, ink: Ink, *, waves: tuple[int, int], height: float
) -> None:
    """Draw a band of six interlaced waves around a box.

    Args:
        pdf: Where to draw.
        box: The band's middle line.
        radius: Radius of that line's corners.
        ink: How the lines are painted.
        waves: How many waves there are on a side across and on a side down.
        height: From the middle line to the crests.
    """
    frame = rounded_frame(box, radius)
    with path(pdf, ink) as painted:
        for line in range(6):
            phase = tau * line / 6

            def wave(way: float, phase: float = phase) -> Point:
                x, y, normal_x, normal_y = frame(4 * way)
                angle = tau * turns(4 * way, *waves) + phase
                offset = height * (0.8 * sin(angle) + 0.2 * sin(3 * angle - 2 * phase))
                return x + normal_x * offset, y + normal_y * offset

            trace(painted, wave, sum(waves) * 2 * 7, closed=True)


def braid_frame(
    pdf: FPDF,
    box: Box,
    radius: float,
    strand: Ink,
    pearl: str,
    ground: str,
    *,
    twists: tuple[int, int],
    height: float,
) -> None:
    """Draw a braid of two strands around a box, with a pearl in each eye.

    Args:
        pdf: Where to draw.
        box: The braid's middle line.
        radius: Radius of that line's corners.
        strand: How the strands are painted.
        pearl: Colour of the pearls.
        ground: Colour of what is behind, which sets crossing strands apart.
        twists: How many full twists there are on a side across and on a side down.
        height: From the middle line to the crests.
    """
    frame = rounded_frame(box, radius)
    around = 2 * sum(twists)
    starts = [
        (side + number / twists[side % 2], 1 / twists[side % 2])
        for side in range(4)
        for number in range(twists[side % 2])
    ]

    def lay(side: int, begin: float, end: float, segments: int) -> None:
        def run(way: float) -> Point:
            at = begin + way * (end - begin)
            x, y, normal_x, normal_y = frame(at)
            offset = side * height * cos(tau * turns(at, *twists))
            return x + normal_x * offset, y + normal_y * offset

        for ink in (Ink(ground, strand.width + 1.6), strand):
            with path(pdf, ink) as painted:
                trace(painted, run, segments)

    lay(1, 0, 4, around * 8)
    lay(-1, 0, 4, around * 8)
    for start, twist in starts:
        lay(1, start + 0.14 * twist, start + 0.36 * twist, 2)
    with path(pdf, Ink(fill=pearl)) as painted:
        for start, twist in starts:
            for eye in (start, start + twist / 2):
                x, y, _, _ = frame(eye)
                painted.circle(x, y, height * 0.25)
