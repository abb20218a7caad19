"""The template ``minimal``: white, with a bar of colour and hairlines."""

from typing import Final

from fpdf import FPDF

from examples.demo_sources.frames import rectangle
from examples.demo_sources.ornaments import Ink, path

MM: Final = 72 / 25.4

ACCENT: Final = "#0f766e"
HAIRLINE: Final = "#c9ced6"

#: Where the rule under the name and the one above the footer stand, in parts of the page's height.
LANDSCAPE: Final = {"name": 0.515, "foot": 0.79}
PORTRAIT: Final = {"name": 0.45, "foot": 0.83}


def draw_minimal(pdf: FPDF) -> None:
    """Draw the template onto a page of any size."""
    places = LANDSCAPE if pdf.w > pdf.h else PORTRAIT
    rectangle(pdf, (0, 0, pdf.w, 4 * MM), Ink(fill=ACCENT))
    _rule(pdf, pdf.w * 0.1, pdf.w * 0.22, pdf.h * places["name"], Ink(ACCENT, 2))
    _rule(pdf, pdf.w * 0.1, pdf.w * 0.9, pdf.h * places["foot"], Ink(HAIRLINE, 0.6))


def _rule(pdf: FPDF, left: float, right: float, y: float, ink: Ink) -> None:
    with path(pdf, ink) as painted:
        painted.move_to(left, y)
        painted.line_to(right, y)
