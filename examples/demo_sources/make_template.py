"""Draws the certificate templates: ``python -m examples.demo_sources.make_template``.

Needs the fonts that the README names. The same versions of fonts and fpdf2 give the same bytes.
"""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from fpdf import FPDF

from examples.demo_sources.frames import braid_frame, guilloche_frame, rectangle
from examples.demo_sources.heraldry import crest, ribbons, seal
from examples.demo_sources.ornaments import (
    Ink,
    Point,
    circle,
    diamond,
    laurel,
    rosette,
    tapered_rule,
)

FOLDER = Path(__file__).parents[1] / "demo"
DRAWN = datetime(2026, 1, 12, 8, tzinfo=UTC)
MM = 72 / 25.4

FONTS = {
    "capitals": ("fontpkg_cinzel", "files/Cinzel[wght].ttf"),
    "italic": ("fontpkg_eb_garamond", "files/EBGaramond-Italic[wght].ttf"),
    "script": ("fontpkg_great_vibes", "files/GreatVibes-Regular.ttf"),
}
Font = Literal["capitals", "italic", "script"]

PAPER = "#fdfbf6"
GREY = "#5d5f66"
BLUE_INK = "#24366f"
GOLD = "#a98a45"
SEAL_WORDS = "Example University • exempli gratia • "


@dataclass(frozen=True)
class Colours:
    """The colours of one template, each an ``#rrggbb``.

    Args:
        ink: Headings, crest, thin lines.
        net: The guilloche of the frame.
        tint: The large rosette behind the text.
    """

    ink: str
    net: str
    tint: str


NAVY = Colours(ink="#1b2c50", net="#8c9abb", tint="#f4eee0")
GREEN = Colours(ink="#17443a", net="#86aa9e", tint="#f4eee0")
PLUM = Colours(ink="#4a2148", net="#ac90ae", tint="#f5ede3")
BURGUNDY = Colours(ink="#6a1b2d", net="#c4a25a", tint="#f6eee2")

#: Left blank for what differs, in millimetres from the top left corner: x, y, width, height.
LANDSCAPE_BLANKS = {
    "name": (46.5, 89, 204, 15),
    "context": (46.5, 119, 204, 24),
    "date": (83, 163, 54, 9),
    "verification-code": (34, 151, 24, 23),
    "verification-id": (23, 178.5, 46, 4.5),
}
PORTRAIT_BLANKS = {
    "name": (25, 137, 160, 17.5),
    "context": (25, 170, 160, 28),
    "date": (50, 206.5, 110, 9.5),
    "verification-code": (45, 252, 22, 22),
    "verification-id": (126, 262, 56, 6),
}


def sheet(width: float, height: float, title: str) -> FPDF:
    """Return an empty page of paper colour.

    Args:
        width: In millimetres.
        height: In millimetres.
        title: What the document is called.
    """
    pdf = FPDF(unit="pt", format=(width * MM, height * MM))
    pdf.set_creation_date(DRAWN)
    pdf.set_title(title)
    pdf.set_author("Example University")
    pdf.set_lang("en")
    pdf.set_auto_page_break(False)
    pdf.set_margin(0)
    pdf.c_margin = 0
    pdf.set_text_shaping(True)
    for family, (package, file) in FONTS.items():
        pdf.add_font(family, fname=font_file(package, file))
    pdf.add_page()
    pdf.set_fill_color(PAPER)
    pdf.rect(0, 0, pdf.w, pdf.h, style="F")
    return pdf


def font_file(package: str, file: str) -> Path:
    """Return where a font lies that came in a Python package."""
    found = find_spec(package)
    if found is None or found.origin is None:
        raise SystemExit(f"the package {package.replace('_', '-')} is needed: see README.md")
    return Path(found.origin).parent / file


def write(
    pdf: FPDF,
    text: str,
    middle: float,
    baseline: float,
    font: Font,
    size: float,
    colour: str,
    *,
    tracking: float = 0,
) -> None:
    """Write a line of text, centred.

    Args:
        pdf: Where to write.
        text: What.
        middle: Its middle, in millimetres from the left.
        baseline: In millimetres from the top.
        font: Family.
        size: In points.
        colour: Of the letters.
        tracking: Space added after each letter, in points.
    """
    pdf.set_font(font, size=size)
    pdf.set_text_color(colour)
    pdf.set_char_spacing(tracking)
    width = pdf.get_string_width(text)
    # fpdf2 sets the baseline 0.3 of the size below the middle of a cell.
    pdf.set_xy(middle * MM - width / 2 + tracking / 2, baseline * MM - 0.8 * size)
    pdf.cell(width, size, text)
    pdf.set_char_spacing(0)


def rule_with_diamond(pdf: FPDF, middle: float, y: float, width: float, colour: str) -> None:
    """Draw a tapered rule, broken in its middle by a diamond; lengths in millimetres."""
    for side in (-1, 1):
        centre = ((middle + side * (width / 4 + 1.8)) * MM, y * MM)
        tapered_rule(pdf, centre, width / 2 * MM, 0.9, colour)
    diamond(pdf, (middle * MM, y * MM), 7, 7, Ink(fill=colour))


def roundel(pdf: FPDF, centre: Point, radius: float, colours: Colours) -> None:
    """Draw a guilloche medallion that covers the corner of a frame."""
    circle(pdf, centre, radius, Ink(colours.ink, 1.1, PAPER))
    circle(pdf, centre, radius * 0.92, Ink(GOLD, 0.4))
    rosette(pdf, centre, radius * 0.24, radius * 0.85, Ink(colours.net, 0.3), lobes=12, lines=4)
    circle(pdf, centre, radius * 0.2, Ink(colours.ink, 0.6, PAPER))
    diamond(pdf, centre, radius * 0.26, radius * 0.26, Ink(fill=GOLD))


def knot(pdf: FPDF, centre: Point, radius: float, colours: Colours) -> None:
    """Draw a plain medallion with a star that covers the corner of a frame."""
    circle(pdf, centre, radius, Ink(PAPER, 1.5, colours.ink))
    circle(pdf, centre, radius * 0.82, Ink(GOLD, 0.7))
    diamond(pdf, centre, radius * 1.15, radius * 1.15, Ink(fill=GOLD))


def signature(pdf: FPDF, name: str, office: str, middle: float, y: float, colour: str) -> None:
    """Draw a signature above a rule, and the office below it; lengths in millimetres."""
    write(pdf, name, middle, y - 2.2, "script", 23, BLUE_INK)
    caption(pdf, office, middle, y, colour)


def caption(pdf: FPDF, words: str, middle: float, y: float, colour: str) -> None:
    """Draw a rule and what stands on it, in small capitals; lengths in millimetres."""
    pdf.set_draw_color(colour)
    pdf.set_line_width(0.5)
    pdf.line((middle - 27) * MM, y * MM, (middle + 27) * MM, y * MM)
    write(pdf, words, middle, y + 4.6, "capitals", 7, GREY, tracking=1.1)


def certificate(heading: str, deed: str, colours: Colours) -> FPDF:
    """Draw a certificate, A4 landscape.

    Args:
        heading: What it is called.
        deed: What the learner has done, between the name and the course's name.
        colours: Its colours.
    """
    pdf = sheet(297, 210, heading)
    middle = 148.5
    for inner, outer, lobes in ((49, 80, 36), (27, 53, 24)):
        tint = Ink(colours.tint, 0.45)
        rosette(pdf, (middle * MM, 106 * MM), inner * MM, outer * MM, tint, lobes=lobes, lines=6)
    frame = (13.6 * MM, 13.6 * MM, 269.8 * MM, 182.8 * MM)
    guilloche_frame(pdf, frame, 5 * MM, Ink(colours.net, 0.3), waves=(24, 16), height=3.3 * MM)
    for inset, width, colour in (
        (9, 1.1, colours.ink),
        (18.2, 0.9, colours.ink),
        (19.2, 0.4, GOLD),
    ):
        box = (inset * MM, inset * MM, (297 - 2 * inset) * MM, (210 - 2 * inset) * MM)
        rectangle(pdf, box, Ink(colour, width))
    for x in (13.6, 297 - 13.6):
        for y in (13.6, 210 - 13.6):
            roundel(pdf, (x * MM, y * MM), 8.2 * MM, colours)
    laurel(pdf, (middle * MM, 35 * MM), 11.4 * MM, 4.9 * MM, Ink(fill=GOLD), leaves=9, opening=1.35)
    crest(pdf, (middle * MM, 34.6 * MM), 16 * MM, colours.ink)
    write(pdf, "Example University", middle, 56.5, "capitals", 13, colours.ink, tracking=3)
    write(pdf, heading, middle, 73, "capitals", 34, colours.ink, tracking=1.6)
    rule_with_diamond(pdf, middle, 79, 90, GOLD)
    write(pdf, "This is to certify that", middle, 86.5, "italic", 14, GREY)
    tapered_rule(pdf, (middle * MM, 106.5 * MM), 150 * MM, 0.8, GOLD)
    write(pdf, deed, middle, 116, "italic", 14, GREY)
    caption(pdf, "Date of award", 110, 173, colours.ink)
    signature(pdf, "A. Specimen", "Registrar", 187, 173, colours.ink)
    write(pdf, "Verify", 46, 177.6, "capitals", 6, GREY, tracking=1)
    ribbons(pdf, (251 * MM, 159 * MM), 15.5 * MM, colours.ink, GOLD)
    seal(pdf, (251 * MM, 159 * MM), 15.5 * MM, SEAL_WORDS, "capitals")
    return pdf


def diploma() -> FPDF:
    """Draw the diploma of a pathway, A4 portrait."""
    pdf = sheet(210, 297, "Diploma")
    colours, middle = BURGUNDY, 105
    frame = (13.2 * MM, 13.2 * MM, 183.6 * MM, 270.6 * MM)
    braid_frame(
        pdf, frame, 6 * MM, Ink(GOLD, 1.8), colours.ink, PAPER, twists=(23, 34), height=1.75 * MM
    )
    for inset, width, colour in ((9, 1.8, colours.ink), (17.4, 0.5, colours.ink)):
        box = (inset * MM, inset * MM, (210 - 2 * inset) * MM, (297 - 2 * inset) * MM)
        rectangle(pdf, box, Ink(colour, width))
    for x in (13.2, 210 - 13.2):
        for y in (13.2, 297 - 13.2):
            knot(pdf, (x * MM, y * MM), 6.6 * MM, colours)
    laurel(pdf, (middle * MM, 49 * MM), 19.5 * MM, 7 * MM, Ink(fill=GOLD), leaves=9, opening=1.5)
    crest(pdf, (middle * MM, 48.5 * MM), 26 * MM, colours.ink)
    write(pdf, "Example University", middle, 83, "capitals", 16, colours.ink, tracking=3.4)
    write(pdf, "exempli gratia", middle, 89.5, "italic", 11, GREY, tracking=0.4)
    write(pdf, "Diploma", middle, 113, "capitals", 50, colours.ink, tracking=7)
    rule_with_diamond(pdf, middle, 121.5, 110, GOLD)
    write(pdf, "The Senate of the University makes known that", middle, 132, "italic", 14, GREY)
    tapered_rule(pdf, (middle * MM, 156.5 * MM), 140 * MM, 0.8, GOLD)
    write(pdf, "has completed every course of the pathway", middle, 167, "italic", 14, GREY)
    write(pdf, "and is awarded this diploma on", middle, 204, "italic", 14, GREY)
    signature(pdf, "A. Specimen", "Rector", 56, 243, colours.ink)
    signature(pdf, "B. Muster", "Dean of Studies", 154, 243, colours.ink)
    write(pdf, "Verify this diploma", 154, 261, "capitals", 7, GREY, tracking=1)
    ribbons(pdf, (middle * MM, 250 * MM), 15.5 * MM, colours.ink, GOLD)
    seal(pdf, (middle * MM, 250 * MM), 15.5 * MM, SEAL_WORDS, "capitals")
    return pdf


TEMPLATES = {
    "completion": lambda: certificate(
        "Certificate of Completion", "has successfully completed", NAVY
    ),
    "achievement": lambda: certificate(
        "Certificate of Achievement", "has passed the examination in", GREEN
    ),
    "mastery": lambda: certificate("Certificate of Mastery", "has completed and passed", PLUM),
    "diploma": diploma,
}


def write_templates(folder: Path) -> None:
    """Write each template into a folder as a PDF file."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in TEMPLATES.items():
        (folder / f"{name}.pdf").write_bytes(bytes(draw().output()))


if __name__ == "__main__":
    write_templates(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER / "templates")
