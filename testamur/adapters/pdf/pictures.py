"""Pictures: the pages of a PDF as PNG files, drawn by PDFium, which is an optional dependency."""

from io import BytesIO
from threading import Lock
from typing import Any, Final

from testamur.application.errors import RenderingError

#: PDFium may be called by one thread at a time only.
_PDFIUM: Final = Lock()

_POINTS_TO_THE_INCH: Final = 72


def pictures_of(content: bytes, dpi: int) -> tuple[bytes, ...]:
    """Return the pages of a PDF, each as a PNG file.

    Args:
        content: The PDF.
        dpi: Pixels to the inch.

    Raises:
        RenderingError: Reason ``no-pictures``: PDFium is not installed; or ``bad-document``: it
            cannot read the PDF.
    """
    pdfium = _pdfium()
    with _PDFIUM:
        try:
            document = pdfium.PdfDocument(content)
        except pdfium.PdfiumError as error:
            raise RenderingError("bad-document", f"PDFium cannot read it: {error}") from error
        try:
            document.init_forms()
            scale = dpi / _POINTS_TO_THE_INCH
            return tuple(_png(page.render(scale=scale).to_pil(), dpi) for page in document)
        finally:
            document.close()


def _png(picture: Any, dpi: int) -> bytes:
    file = BytesIO()
    picture.save(file, format="PNG", dpi=(dpi, dpi))
    return file.getvalue()


def _pdfium() -> Any:
    try:
        import pypdfium2  # noqa: PLC0415 - optional
    except ModuleNotFoundError as error:
        if error.name != "pypdfium2":
            raise
        raise RenderingError(
            "no-pictures",
            "pictures of pages are made by PDFium, which is not installed; install "
            "testamur[preview], or look at the PDF files",
        ) from None
    return pypdfium2
