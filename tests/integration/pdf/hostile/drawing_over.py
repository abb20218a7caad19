"""Drawing over hostile templates, and writing them with one thing wrong."""

from functools import cache
from io import BytesIO
from typing import Any, Final

import pikepdf
from PIL import Image

from testamur.adapters.pdf import PreparedPdf
from testamur.application.errors import RenderingError
from testamur.domain.errors import InvalidInput
from tests.support.hostile import PAGE, active_content_of, written
from tests.support.pdf import a_document, changed, picture_of, prepared

#: Where the name is drawn on the page of `written`, in pixels.
NAME_AREA: Final = (0, 60, 400, 120)


def over(template: bytes, conformance: str = "none") -> PreparedPdf:
    elements = {"name": {"y": 100, "size": 20}, "context": False, "date": False}
    return prepared({"made": template}, template="made", elements=elements, conformance=conformance)


def drawn_over(template: bytes, conformance: str = "none") -> bytes:
    return over(template, conformance).render(a_document()).content


def look(content: bytes) -> Image.Image:
    return picture_of(content, scale=1)


@cache
def plain() -> Image.Image:
    """What is drawn over the template that nothing is wrong with."""
    return look(drawn_over(written()))


def assert_clean(made: bytes) -> None:
    assert active_content_of(made) == set()
    with pikepdf.open(BytesIO(made), attempt_recovery=False) as pdf:
        assert len(pdf.pages) > 0


def drawn_or_refused(template: bytes, conformance: str, *others: str) -> bytes | None:
    """The document over a template; None if the template is refused, or too small for the name."""
    try:
        return drawn_over(template, conformance)
    except RenderingError as error:
        if error.reason not in {"bad-template", *others}:
            raise
        return None
    except InvalidInput as error:
        if not error.field.startswith("elements."):
            raise
        return None


def page_with(old: bytes, new: bytes) -> bytes:
    assert old in PAGE
    return PAGE.replace(old, new)


def pages(entries: bytes) -> bytes:
    return b"<</Type/Pages%s>>" % entries


def box(entries: bytes) -> bytes:
    return written({3: page_with(b"/MediaBox[0 0 400 300]", entries)})


def repacked(**saving: Any) -> bytes:
    return changed(written(), lambda _: None, **saving)
