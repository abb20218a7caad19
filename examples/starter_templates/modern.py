"""The template ``modern``: a band of quarter circles, squares and dots beside a white page."""

from typing import Final, Literal, NamedTuple

from fpdf import FPDF

from examples.demo_sources.frames import rectangle
from examples.demo_sources.ornaments import Ink, Point, circle, path

INDIGO: Final = "#2b2d6e"
BLUE: Final = "#4f6bd8"
SKY: Final = "#bfd0fb"
CORAL: Final = "#f2745f"
SAND: Final = "#fbe3c8"
PAPER: Final = "#ffffff"
RULE: Final = "#d9dcea"

#: How far, in points, tiles reach over each other, so that no light shines through between them.
OVERHANG: Final = 0.7

#: Length of the handles of a quarter circle of radius 1, drawn as a Bézier curve.
HANDLE: Final = 0.5523

#: A quarter circle's corner: north west, north east, south east, south west.
Corner = Literal["nw", "ne", "se", "sw"]


class Tile(NamedTuple):
    """A square of the band.

    Args:
        ground: Its colour.
        shape: What is on it: a quarter circle in a corner, a dot, a ring, or nothing.
        colour: Of the shape.
    """

    ground: str
    shape: Corner | Literal["dot", "ring", ""]
    colour: str = ""


#: Two tiles for each of eight steps along the band.
BAND: Final[tuple[tuple[Tile, Tile], ...]] = (
    (Tile(INDIGO, "se", BLUE), Tile(SKY, "sw", INDIGO)),
    (Tile(BLUE, "ne", SKY), Tile(INDIGO, "dot", CORAL)),
    (Tile(SAND, "sw", CORAL), Tile(BLUE, "nw", INDIGO)),
    (Tile(INDIGO, "ring", SKY), Tile(SKY, "se", BLUE)),
    (Tile(SKY, "nw", INDIGO), Tile(CORAL, "ne", SAND)),
    (Tile(BLUE, "sw", SAND), Tile(INDIGO, "nw", BLUE)),
    (Tile(INDIGO, "dot", SAND), Tile(SKY, "ring", INDIGO)),
    (Tile(CORAL, "ne", INDIGO), Tile(BLUE, "se", SKY)),
)

#: Where the rule above the footer stands, in parts of the page's height.
LANDSCAPE_FOOT: Final = 0.765
PORTRAIT_FOOT: Final = 0.83


def draw_modern(pdf: FPDF) -> None:
    """Draw the template onto a page of any size."""
    landscape = pdf.w > pdf.h
    side = min(pdf.w, pdf.h) / len(BAND)
    for draw in (_ground, _shape):
        for step, tiles in enumerate(BAND):
            for row, tile in enumerate(tiles):
                x, y = (row, step) if landscape else (step, row)
                draw(pdf, x * side, y * side, side, tile)
    if landscape:
        rectangle(pdf, (2 * side, 0, pdf.w, pdf.h), Ink(fill=PAPER))
        _rule(pdf, pdf.w * 0.27, pdf.w * 0.94, pdf.h * LANDSCAPE_FOOT)
    else:
        rectangle(pdf, (0, 2 * side, pdf.w, pdf.h), Ink(fill=PAPER))
        _rule(pdf, pdf.w * 0.1, pdf.w * 0.9, pdf.h * PORTRAIT_FOOT)


def _rule(pdf: FPDF, left: float, right: float, y: float) -> None:
    with path(pdf, Ink(RULE, 0.8)) as painted:
        painted.move_to(left, y)
        painted.line_to(right, y)


def _ground(pdf: FPDF, x: float, y: float, side: float, tile: Tile) -> None:
    rectangle(pdf, (x, y, side + OVERHANG, side + OVERHANG), Ink(fill=tile.ground))


def _shape(pdf: FPDF, x: float, y: float, side: float, tile: Tile) -> None:
    centre = (x + side / 2, y + side / 2)
    match tile.shape:
        case "dot":
            circle(pdf, centre, side * 0.26, Ink(fill=tile.colour))
        case "ring":
            circle(pdf, centre, side * 0.27, Ink(tile.colour, side * 0.13))
        case "nw" | "ne" | "se" | "sw":
            _quarter(pdf, (x, y), side, tile.shape, tile.colour)


def _quarter(pdf: FPDF, tile: Point, side: float, corner: Corner, colour: str) -> None:
    across = 1 if corner in {"nw", "sw"} else -1
    down = 1 if corner in {"nw", "ne"} else -1
    corner_x = tile[0] + (0 if across == 1 else side)
    corner_y = tile[1] + (0 if down == 1 else side)

    def at(right: float, low: float) -> Point:
        return corner_x + across * right, corner_y + down * low

    curve = (at(side, HANDLE * side), at(HANDLE * side, side), at(0, side))
    with path(pdf, Ink(fill=colour)) as painted:
        painted.move_to(*at(-OVERHANG, -OVERHANG))
        painted.line_to(*at(side, -OVERHANG))
        painted.line_to(*at(side, 0))
        painted.curve_to(*(number for point in curve for number in point))
        painted.line_to(*at(-OVERHANG, side))
        painted.close()
