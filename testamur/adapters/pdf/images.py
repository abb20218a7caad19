"""Images: checked, and fitted into their boxes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from fpdf import FPDF
from PIL import Image, UnidentifiedImageError

from testamur.adapters.pdf.layout import PageSize
from testamur.adapters.pdf.options import ImageElement, in_points
from testamur.application.errors import RenderingError
from testamur.domain.errors import InvalidInput

FORMATS: Final = ("PNG", "JPEG")

#: More pixels than a full page at 600 dpi has; decoding takes four bytes for each.
MOST_PIXELS: Final = 40_000_000

_TOLERANCE: Final = 1e-6


@dataclass(frozen=True, slots=True)
class PlacedImage:
    """An image in its place: top left corner and size in points."""

    content: bytes
    x: float
    y: float
    width: float
    height: float


def place_image(name: str, element: ImageElement, content: bytes, page: PageSize) -> PlacedImage:
    """Return an image in its place on a page.

    Args:
        name: The element's name.
        element: Its options.
        content: The image file.
        page: Size of the page.

    Raises:
        InvalidInput: It lies off the page.
        RenderingError: It is no image that can be drawn; reason ``bad-image``.
    """
    proportions = _proportions(element.image, content)
    x, y = in_points(element.x, page.width), in_points(element.y, page.height)
    width = None if element.width is None else in_points(element.width, page.width)
    height = None if element.height is None else in_points(element.height, page.height)
    if width is not None and height is not None:
        fitted = min(width, height * proportions)
        x += (width - fitted) / 2
        y += (height - fitted / proportions) / 2
        width, height = fitted, fitted / proportions
    elif height is not None:
        width = height * proportions
    elif width is not None:
        height = width / proportions
    placed = PlacedImage(content, x, y, width or 0.0, height or 0.0)
    _refuse_off_page(name, element, placed, page)
    return placed


def draw_images(images: Sequence[PlacedImage], page: PageSize) -> bytes:
    """Return a PDF with one page that shows images in their places."""
    pdf = FPDF(unit="pt", format=(page.width, page.height))
    pdf.set_auto_page_break(False)
    pdf.add_page()
    for image in images:
        pdf.image(BytesIO(image.content), image.x, image.y, image.width, image.height)
    return bytes(pdf.output())


def _proportions(slug: str, content: bytes) -> float:
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise RenderingError(
                    "bad-image",
                    f"image {slug!r} has {image.width} × {image.height} pixels; "
                    f"allowed: at most {MOST_PIXELS:,} in all",
                )
            image.load()
            return image.width / image.height
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise RenderingError(
            "bad-image", f"image {slug!r} cannot be used: {error}; allowed: PNG and JPEG files"
        ) from error


def _refuse_off_page(name: str, element: ImageElement, placed: PlacedImage, page: PageSize) -> None:
    allowed: Mapping[str, tuple[float | str | None, float, float]] = {
        "x": (element.x, placed.x + placed.width, page.width),
        "y": (element.y, placed.y + placed.height, page.height),
    }
    for field, (given, end, most) in allowed.items():
        if min(placed.width, placed.height) <= 0 or end > most + _TOLERANCE:
            raise InvalidInput(
                f"elements.{name}.{field}",
                given,
                f"a place where the image, {placed.width:.1f} by {placed.height:.1f} points, "
                f"has room; the page ends at {most:.1f}",
            )
