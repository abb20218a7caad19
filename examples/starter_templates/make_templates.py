"""Draws the starter templates: ``python -m examples.starter_templates.make_templates``.

They are vector drawings without a single word, so that they hold no fonts and serve every language.
The same version of fpdf2 gives the same bytes.
"""

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fpdf import FPDF

from examples.starter_templates.classic import draw_classic
from examples.starter_templates.minimal import draw_minimal
from examples.starter_templates.modern import draw_modern

FOLDER: Final = Path(__file__).parent / "templates"
DRAWN: Final = datetime(2026, 1, 12, 8, tzinfo=UTC)
MM: Final = 72 / 25.4

#: Width and height in millimetres by what the file's name ends with.
FORMATS: Final = {
    "landscape": (297.0, 210.0),
    "portrait": (210.0, 297.0),
    "landscape-letter": (279.4, 215.9),
    "portrait-letter": (215.9, 279.4),
}
STYLES: Final[dict[str, Callable[[FPDF], None]]] = {
    "classic": draw_classic,
    "minimal": draw_minimal,
    "modern": draw_modern,
}


def template(style: str, page: str) -> bytes:
    """Draw one template.

    Args:
        style: One of `STYLES`.
        page: One of `FORMATS`.
    """
    width, height = FORMATS[page]
    pdf = FPDF(unit="pt", format=(width * MM, height * MM))
    pdf.set_creation_date(DRAWN)
    pdf.set_title(f"Certificate template {style}")
    pdf.set_auto_page_break(False)
    pdf.set_margin(0)
    pdf.add_page()
    STYLES[style](pdf)
    return bytes(pdf.output())


def templates() -> Iterator[tuple[str, bytes]]:
    """Yield each template's name and its content."""
    for style in STYLES:
        for page in FORMATS:
            yield f"{style}-{page}", template(style, page)


def write_templates(folder: Path) -> None:
    """Write each template into a folder as a PDF file."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in templates():
        (folder / f"{name}.pdf").write_bytes(content)


if __name__ == "__main__":
    write_templates(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
