"""The template ``classic``: a frame with hollowed corners, laurel and a seal, in navy and gold."""

from math import cos, pi, sin, tau
from typing import Final

from fpdf import FPDF

from examples.demo_sources.frames import rectangle
from examples.demo_sources.heraldry import open_book, ribbons
from examples.demo_sources.ornaments import (
    Box,
    Ink,
    Point,
    circle,
    diamond,
    laurel,
    path,
    rosette,
    star,
    tapered_rule,
    trace,
)

MM: Final = 72 / 25.4

PAPER: Final = "#fdfcf8"
NAVY: Final = "#1c2d4f"
GOLD: Final = "#b08d3c"
PALE_GOLD: Final = "#dcc891"
TINT: Final = "#f4efe2"

#: Where the emblem, the name's rule, the ground's rosette and the seal stand, in parts of the
#: page's height.
LANDSCAPE: Final = {"emblem": 0.158, "ground": 0.5, "name": 0.525, "seal": 0.815}
PORTRAIT: Final = {"emblem": 0.155, "ground": 0.46, "name": 0.46, "seal": 0.83}


def draw_classic(pdf: FPDF) -> None:
    """Draw the template onto a page of any size."""
    places = LANDSCAPE if pdf.w > pdf.h else PORTRAIT
    middle = pdf.w / 2
    rectangle(pdf, (0, 0, pdf.w, pdf.h), Ink(fill=PAPER))
    ground = (middle, pdf.h * places["ground"])
    for inner, outer, lobes in ((46, 76, 36), (22, 50, 24)):
        rosette(pdf, ground, inner * MM, outer * MM, Ink(TINT, 0.6), lobes=lobes, lines=4)
    _frame(pdf)
    _emblem(pdf, (middle, pdf.h * places["emblem"]))
    tapered_rule(pdf, (middle, pdf.h * places["name"]), pdf.w * 0.5, 1.0, GOLD)
    circle(pdf, (middle, pdf.h * places["name"]), 5, Ink(fill=PAPER))
    diamond(pdf, (middle, pdf.h * places["name"]), 9, 9, Ink(fill=GOLD))
    _seal(pdf, (middle, pdf.h * places["seal"]), 13 * MM)


def _frame(pdf: FPDF) -> None:
    for inset, hollow, width, colour in (
        (9.0, 13.0, 2.2, NAVY),
        (11.2, 12.6, 0.6, GOLD),
        (13.6, 12.0, 0.6, NAVY),
    ):
        box = (inset * MM, inset * MM, pdf.w - 2 * inset * MM, pdf.h - 2 * inset * MM)
        _hollowed(pdf, box, hollow * MM, Ink(colour, width))
    near = 11.6 * MM
    for x in (near, pdf.w - near):
        for y in (near, pdf.h - near):
            rosette(pdf, (x, y), 1.8 * MM, 5.4 * MM, Ink(GOLD, 0.45), lobes=10, lines=2)
            circle(pdf, (x, y), 1.7 * MM, Ink(NAVY, 0.7, PAPER))
            diamond(pdf, (x, y), 2.2 * MM, 2.2 * MM, Ink(fill=GOLD))


def _hollowed(pdf: FPDF, box: Box, radius: float, ink: Ink) -> None:
    """Draw a rectangle whose corners are quarter circles that curve inwards."""
    left, top, width, height = box
    right, bottom = left + width, top + height
    handle = radius * 0.5523  # of a quarter circle as a Bézier curve
    with path(pdf, ink) as painted:
        painted.move_to(left + radius, top)
        painted.line_to(right - radius, top)
        painted.curve_to(
            right - radius, top + handle, right - handle, top + radius, right, top + radius
        )
        painted.line_to(right, bottom - radius)
        painted.curve_to(
            right - handle, bottom - radius, right - radius, bottom - handle, right - radius, bottom
        )
        painted.line_to(left + radius, bottom)
        painted.curve_to(
            left + radius, bottom - handle, left + handle, bottom - radius, left, bottom - radius
        )
        painted.line_to(left, top + radius)
        painted.curve_to(
            left + handle, top + radius, left + radius, top + handle, left + radius, top
        )
        painted.close()


def _emblem(pdf: FPDF, centre: Point) -> None:
    x, y = centre
    laurel(pdf, centre, 10 * MM, 4.4 * MM, Ink(fill=GOLD), leaves=9, opening=1.5)
    open_book(pdf, (x, y + 0.5 * MM), 12 * MM, NAVY, pages=PALE_GOLD)
    star(pdf, (x, y - 6.2 * MM), 1.9 * MM, GOLD)


def _seal(pdf: FPDF, centre: Point, radius: float) -> None:
    x, y = centre

    def scalloped(way: float) -> Point:
        reach = radius * (0.96 + 0.04 * cos(36 * tau * way))
        return x + reach * cos(tau * way), y + reach * sin(tau * way)

    ribbons(pdf, centre, radius, NAVY, PALE_GOLD)
    with path(pdf, Ink(fill=GOLD)) as painted:
        trace(painted, scalloped, 36 * 4, closed=True)
    circle(pdf, centre, radius * 0.86, Ink(PALE_GOLD, 0.5))
    rosette(pdf, centre, radius * 0.6, radius * 0.82, Ink(PALE_GOLD, 0.35), lobes=24, lines=4)
    circle(pdf, centre, radius * 0.56, Ink(PALE_GOLD, 0.8, NAVY))
    laurel(pdf, centre, radius * 0.38, radius * 0.17, Ink(fill=PALE_GOLD), leaves=7, opening=1.2)
    star(pdf, (x, y - radius * 0.02), radius * 0.2, PALE_GOLD)
    for number in range(24):
        angle = pi * number / 12
        at = (x + radius * 0.9 * cos(angle), y + radius * 0.9 * sin(angle))
        circle(pdf, at, radius * 0.014, Ink(fill=PALE_GOLD))
