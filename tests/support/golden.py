"""Golden images: how a page has to look, kept under tests/golden and compared with tolerance.

``python -m tests.support.golden`` draws them all anew, or those that it is told; look at every
one of them before they are kept.
"""

import sys
from pathlib import Path
from typing import Final

from PIL import Image, ImageChops, ImageFilter

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "tests" / "golden"
FAILED: Final = ROOT / "build" / "golden"

#: Pixels for each point.
SCALE: Final = 2.0

#: Levels of grey that are kept: far finer than what antialiasing changes, and small to store.
LEVELS: Final = 32

#: By how much a pixel may differ from the image, as the mean of it and its eight neighbours. Edges
#: that antialiasing moves by a third of a pixel give up to 55, a dot that is missing 220 or more.
TOLERANCE: Final = 90


class NotAsKept(AssertionError):
    """A page does not look as it has to; the message says where to see it."""


def differs(one: Image.Image, other: Image.Image) -> bool:
    """Return whether two pictures differ by more than antialiasing can explain."""
    return one.size != other.size or any(_difference(one, other).histogram()[TOLERANCE + 1 :])


def compare(name: str, picture: Image.Image) -> None:
    """Refuse a picture that is not like the kept one.

    Args:
        name: Of the kept image.
        picture: In grey.

    Raises:
        NotAsKept: It is not, or none is kept; it was written to build/golden.
    """
    file = FOLDER / f"{name}.png"
    renew = f"python -m tests.support.golden {name}"
    if not file.exists():
        written = _write_failed(f"{name}.actual.png", picture)
        raise NotAsKept(f"no image is kept as {file}; look at {written}, then: {renew}")
    with Image.open(file) as image:
        kept = image.convert("L")
    if differs(kept, picture):
        written = _write_failed(f"{name}.actual.png", picture)
        shown = _write_failed(f"{name}.compared.png", _compared(kept, picture))
        raise NotAsKept(
            f"{name} does not look as kept in {file}: see {written}, and {shown} with the kept "
            "one, the drawn one, and their difference below each other; if it is right now: "
            f"{renew}"
        )


def keep(name: str, picture: Image.Image) -> None:
    """Keep a picture as the one to compare with."""
    FOLDER.mkdir(exist_ok=True)
    step = 255 / (LEVELS - 1)
    picture.point(lambda value: round(round(value / step) * step)).save(
        FOLDER / f"{name}.png", optimize=True
    )


def _difference(one: Image.Image, other: Image.Image) -> Image.Image:
    return ImageChops.difference(one, other).filter(ImageFilter.BoxBlur(1))


def _compared(kept: Image.Image, drawn: Image.Image) -> Image.Image:
    if kept.size != drawn.size:
        sheet = Image.new("L", (max(kept.width, drawn.width), kept.height + drawn.height), 128)
        sheet.paste(kept, (0, 0))
        sheet.paste(drawn, (0, kept.height))
        return sheet
    sheet = Image.new("L", (kept.width, 3 * kept.height))
    for row, image in enumerate((kept, drawn, ImageChops.invert(_difference(kept, drawn)))):
        sheet.paste(image, (0, row * kept.height))
    return sheet


def _write_failed(name: str, picture: Image.Image) -> Path:
    FAILED.mkdir(parents=True, exist_ok=True)
    file = FAILED / name
    picture.save(file)
    return file.relative_to(ROOT)


def renew(wanted: list[str]) -> None:
    """Draw the images anew, all of them or those named."""
    from tests.support.golden_pages import PAGES  # noqa: PLC0415 - which imports SCALE from here

    if unknown := set(wanted) - set(PAGES):
        sys.exit(f"no golden image {', '.join(sorted(unknown))}; there is: {', '.join(PAGES)}")
    for name in wanted or PAGES:
        keep(name, PAGES[name]())
    for file in FOLDER.glob("*.png"):
        if file.stem not in PAGES:
            file.unlink()


if __name__ == "__main__":
    renew(sys.argv[1:])
