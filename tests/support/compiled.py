"""Compiled pages in tests, with parts drawn by hand."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from testamur.adapters.pdf.compiled import CompiledPage, FontObjects, Part, Shared
from testamur.adapters.pdf.template import Template

PARTS: Final = (
    Part("context", "P", None, b"0 0 1 rg 100 100 50 20 re f"),
    Part("name", "H1", None, None),
    Part("code", "Figure", "QR code", None, box=(300, 20, 330, 50)),
)
CONTENTS: Final = (b"1 0 0 rg 200 100 60 20 re f", b"0 g 300 20 30 30 re f")
TITLE: Final = "Certificate – Ada Lovelace"
CREDENTIAL_ID: Final = "5d1f6f86-7d0b-5c5e-9d3b-2f6f0a3f5c11"


def compiled(template: bytes, page: int = 1, **shared: Any) -> CompiledPage:
    """Return a page of a template compiled with three parts, two of each document's own."""
    defaults: dict[str, Any] = {
        "parts": PARTS,
        "fonts": (),
        "language": "en",
        "subject": "Analytical Engines",
        "author": "Example Academy",
        "created": date(2026, 3, 12),
    }
    wanted = Shared(**{**defaults, **shared})
    artwork = Template("made", template, page).artwork(conformant=wanted.conformance == "pdf/a")
    return CompiledPage(artwork, wanted)


def document(
    page: CompiledPage,
    contents: Sequence[bytes] = CONTENTS,
    fonts: Sequence[FontObjects] = (),
    title: str = TITLE,
) -> bytes:
    """Return the file of a document."""
    content, _ = page.document(contents, fonts, title, CREDENTIAL_ID)
    return content
