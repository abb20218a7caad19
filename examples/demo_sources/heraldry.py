"""The sample institution's crest and its seal. Lengths in points, y downwards, as the ornaments."""

from functools import partial
from math import cos, degrees, pi, sin, tau

from fpdf import FPDF
from fpdf.drawing import PaintedPath

from examples.demo_sources.ornaments import (
    Ink,
    Point,
    circle,
    diamond,
    laurel,
    path,
    rosette,
    star,
    trace,
)

GOLD = "#b39552"
DARK_GOLD = "#8d7136"
BRONZE = "#5f4a1d"
LIGHT_GOLD = "#d8c48d"
IVORY = "#fbf7ec"


def crest(pdf: FPDF, centre: Point, height: float, colour: str) -> None:
    """Draw a shield with three stars above an open book.

    Args:
        pdf: Where to draw.
        centre: The shield's middle.
        height: Its height.
        colour: Its colour; the rest is gold and ivory.
    """
    x, y = centre
    for scale, ink in (
        (1.0, Ink(fill=GOLD)),
        (0.945, Ink(fill=IVORY)),
        (0.915, Ink(fill=colour)),
        (0.83, Ink(line=GOLD, width=height * 0.009)),
    ):
        with path(pdf, ink) as painted:
            add_shield(painted, (x, y), height * scale)
    fess = y - height * 0.165
    half = height * 0.83 * 0.41
    with path(pdf, Ink(line=GOLD, width=height * 0.009)) as painted:
        painted.move_to(x - half, fess)
        painted.line_to(x + half, fess)
    for place in (-1, 0, 1):
        star(pdf, (x + place * height * 0.19, y - height * 0.265), height * 0.062, LIGHT_GOLD)
    open_book(pdf, (x, y + height * 0.035), height * 0.5, colour)
    diamond(pdf, (x, y + height * 0.275), height * 0.07, height * 0.12, Ink(fill=LIGHT_GOLD))


def add_shield(painted: PaintedPath, centre: Point, height: float) -> None:
    """Add a shield's outline to a path."""
    x, half = centre[0], height * 0.41
    top, bottom = centre[1] - height / 2, centre[1] + height / 2
    waist = top + height * 0.48
    painted.move_to(x, top + height * 0.035)
    painted.curve_to(
        x + half * 0.35, top + height * 0.035, x + half * 0.75, top + height * 0.02, x + half, top
    )
    painted.line_to(x + half, waist)
    painted.curve_to(
        x + half, waist + height * 0.26, x + half * 0.4, bottom - height * 0.09, x, bottom
    )
    painted.curve_to(
        x - half * 0.4, bottom - height * 0.09, x - half, waist + height * 0.26, x - half, waist
    )
    painted.line_to(x - half, top)
    painted.curve_to(
        x - half * 0.75,
        top + height * 0.02,
        x - half * 0.35,
        top + height * 0.035,
        x,
        top + height * 0.035,
    )
    painted.close()


def open_book(pdf: FPDF, centre: Point, width: float, lines: str, pages: str = IVORY) -> None:
    """Draw an open book, its lines of text in one colour on pages of another."""
    x, y = centre
    page, height = width / 2, width * 0.46

    def edge(way: float, side: int, level: float) -> Point:
        """Follow a page's edge from the spine outwards; level 0 is the upper one, 1 the lower."""
        rise = sin(pi * min(1.0, way * 1.15)) * width * 0.075 + way * width * 0.02
        return x + side * way * page, y - height / 2 + level * height - rise + width * 0.05

    def line(way: float, side: int, level: float) -> Point:
        return edge(0.16 + way * 0.68, side, level)

    for side in (-1, 1):
        with path(pdf, Ink(fill=pages)) as painted:
            trace(painted, partial(edge, side=side, level=0), 6)
            painted.line_to(*edge(1, side, 1))
            steps = [edge(1 - number / 12, side, 1) for number in range(1, 13)]
            for step in steps:
                painted.line_to(*step)
            painted.close()
        with path(pdf, Ink(line=lines, width=width * 0.014)) as painted:
            for level in (0.2, 0.38, 0.56, 0.74):
                trace(painted, partial(line, side=side, level=level), 4)
    with path(pdf, Ink(line=lines, width=width * 0.022)) as painted:
        painted.move_to(*edge(0, 1, 0))
        painted.line_to(*edge(0, 1, 1))


def ribbons(pdf: FPDF, centre: Point, radius: float, colour: str, edge: str) -> None:
    """Draw the two ends of a ribbon that hang from behind a seal of this radius."""
    for side in (-1, 1):
        angle = pi / 2 - side * 0.33
        along, across = (cos(angle), sin(angle)), (-sin(angle), cos(angle))

        def at(
            length: float, breadth: float, along: Point = along, across: Point = across
        ) -> Point:
            return (
                centre[0] + radius * (length * along[0] + breadth * across[0]),
                centre[1] + radius * (length * along[1] + breadth * across[1]),
            )

        with path(pdf, Ink(fill=colour)) as painted:
            painted.move_to(*at(0.3, -0.3))
            for corner in (at(1.72, -0.3), at(1.52, 0), at(1.72, 0.3), at(0.3, 0.3)):
                painted.line_to(*corner)
            painted.close()
        with path(pdf, Ink(line=edge, width=radius * 0.018)) as painted:
            for breadth in (-0.235, 0.235):
                painted.move_to(*at(0.3, breadth))
                painted.line_to(*at(1.72 - 0.2 * (0.3 - abs(breadth)) / 0.3, breadth))


def seal(pdf: FPDF, centre: Point, radius: float, words: str, font: str) -> None:
    """Draw a gold seal with words around a book and laurel.

    Args:
        pdf: Where to draw.
        centre: Its middle.
        radius: Its radius.
        words: Run once around, clockwise from the top.
        font: Family of the words.
    """

    def scalloped(way: float) -> Point:
        angle = tau * way
        reach = radius * (0.975 + 0.025 * cos(48 * angle))
        return centre[0] + reach * cos(angle), centre[1] + reach * sin(angle)

    with path(pdf, Ink(fill=GOLD)) as painted:
        trace(painted, scalloped, 48 * 4, closed=True)
    rosette(
        pdf,
        centre,
        radius * 0.86,
        radius * 0.94,
        Ink(LIGHT_GOLD, radius * 0.008),
        lobes=48,
        lines=4,
    )
    for reach, width in ((0.84, 0.022), (0.81, 0.008), (0.59, 0.008), (0.565, 0.016)):
        circle(pdf, centre, radius * reach, Ink(DARK_GOLD, radius * width))
    circular_text(pdf, centre, radius * 0.655, words, font, radius * 0.13, BRONZE)
    rosette(
        pdf, centre, radius * 0.02, radius * 0.55, Ink("#c2a769", radius * 0.007), lobes=18, lines=6
    )
    laurel(
        pdf,
        (centre[0], centre[1] - radius * 0.01),
        radius * 0.4,
        radius * 0.17,
        Ink(fill=DARK_GOLD),
        leaves=8,
        opening=1.1,
    )
    open_book(pdf, (centre[0], centre[1] + radius * 0.03), radius * 0.46, GOLD, pages=DARK_GOLD)
    star(pdf, (centre[0], centre[1] - radius * 0.27), radius * 0.075, DARK_GOLD)


def circular_text(
    pdf: FPDF,
    centre: Point,
    radius: float,
    words: str,
    font: str,
    size: float,
    colour: str,
) -> None:
    """Write around a whole circle, clockwise from the top, letters upright to the outside.

    Args:
        pdf: Where to write.
        centre: The circle's middle.
        radius: From there to the letters' feet.
        words: Spread evenly so that they fill the circle.
        font: Family of the letters.
        size: Their size.
        colour: Their colour.
    """
    pdf.set_font(font, size=size)
    pdf.set_text_color(colour)
    widths = [pdf.get_string_width(letter) for letter in words]
    gap = (tau * radius - sum(widths)) / len(words)
    angle = 0.0
    for letter, width in zip(words, widths, strict=True):
        middle = angle + width / 2 / radius
        x, y = centre[0] + radius * sin(middle), centre[1] - radius * cos(middle)
        with pdf.rotation(-degrees(middle), x, y):
            pdf.text(x - width / 2, y, letter)
        angle += (width + gap) / radius
