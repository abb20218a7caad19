"""Arranging: where the elements of a laid out document stand, for those who look at the design."""

from collections.abc import Sequence
from typing import Final

from testamur.adapters.pdf.images import PlacedImage
from testamur.adapters.pdf.layout import Code, Line, PageSize
from testamur.adapters.pdf.options import TextElement, in_points
from testamur.application.ports.samples import Box, PlacedElement

#: How far letters of most scripts reach above and below the baseline, in sizes.
ASCENT: Final = 0.8
DESCENT: Final = 0.25

#: What has to stay bright around a QR code, as a part of its side: four modules (ISO/IEC 18004,
#: section 6.3.8) of the 29 to 37 that a link takes.
BRIGHT_MARGIN: Final = 0.125


def placed_text(
    name: str, element: TextElement, lines: Sequence[Line], page: PageSize
) -> PlacedElement:
    """Return a text in its place.

    Args:
        name: The element's name.
        element: Its options.
        lines: What is drawn of it.
        page: Size of the page.
    """
    size = lines[0].size if lines else element.size
    x, y = in_points(element.x, page.width), in_points(element.y, page.height)
    return PlacedElement(
        name,
        "text",
        anchor=(x, y),
        room=_room(element, lines, page),
        covers=tuple(_cover(line) for line in lines),
        baselines=tuple(line.y for line in lines) or (y,),
        size=size,
        full_size=element.size,
    )


def placed_code(name: str, code: Code) -> PlacedElement:
    """Return a QR code in its place, with the bright margin that scanners need."""
    box = Box(code.x, code.y, code.x + code.side, code.y + code.side)
    return PlacedElement(
        name, "code", (code.x, code.y), room=box, covers=(box,), margin=code.side * BRIGHT_MARGIN
    )


def placed_image(name: str, image: PlacedImage) -> PlacedElement:
    """Return an image in its place."""
    box = Box(image.x, image.y, image.x + image.width, image.y + image.height)
    return PlacedElement(name, "image", (image.x, image.y), room=box, covers=(box,))


def _cover(line: Line) -> Box:
    width = (line.runs[-1].x + line.runs[-1].width) * line.size if line.runs else 0.0
    top, bottom = line.y - ASCENT * line.size, line.y + DESCENT * line.size
    return Box(line.x, top, line.x + width, bottom)


def _room(element: TextElement, lines: Sequence[Line], page: PageSize) -> Box:
    """Return the width that the text may take, as high as its lines would be in full size."""
    x, y = in_points(element.x, page.width), in_points(element.y, page.height)
    if element.width is not None:
        width = in_points(element.width, page.width)
    else:
        at_the_edges = {"left": page.width - x, "right": x, "center": 2 * min(x, page.width - x)}
        width = at_the_edges[element.align]
    before = {"left": 0.0, "center": 0.5, "right": 1.0}[element.align]
    below = max(len(lines) - 1, 0) * element.line_height + DESCENT
    left = x - before * width
    return Box(left, y - ASCENT * element.size, left + width, y + below * element.size)
