"""The usual way to certificates in Python: reportlab draws, pypdf puts it over a template.

Neither shapes text, so they draw only scripts that need none. Their files are hashed as ours are.
"""

import hashlib
from collections.abc import Callable
from datetime import date
from io import BytesIO
from typing import Final, cast

from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, ContentStream
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

FONT: Final = "Overlay"

#: Text size in points and height of the baseline as part of the page's: name, context, date.
PLACES: Final = ((32, 0.55), (28, 0.42), (12, 0.30))


class OverlayAndMerge:
    """Certificates by reportlab and pypdf.

    Args:
        template: The PDF file.
        font: A TrueType file.
        size: Of the page, in points.
        reading_once: Whether font and template are read once, as quick as that way can be, or for
            each certificate, as a function does that gets a template and returns a certificate.
    """

    def __init__(
        self, template: bytes, font: bytes, size: tuple[float, float], *, reading_once: bool
    ) -> None:
        self._size = size
        self._font = font
        self._open: Callable[[], PdfReader] = lambda: PdfReader(BytesIO(template))
        self._reading_once = reading_once
        if reading_once:
            opened = self._open()
            self._open = lambda: opened
            pdfmetrics.registerFont(TTFont(FONT, BytesIO(font)))

    def certificate(self, name: str, context: str, day: date, *, encrypted: bool) -> bytes:
        """Return a certificate, and hash it.

        Args:
            name: The learner's.
            context: What of.
            day: Of the award.
            encrypted: Whether it is protected with AES-256, with an owner's password only.
        """
        if not self._reading_once:
            pdfmetrics.registerFont(TTFont(FONT, BytesIO(self._font)))
        writer = PdfWriter()
        page = writer.add_page(self._open().pages[0])
        page.merge_page(PdfReader(self._overlay(name, context, day)).pages[0])
        if encrypted:
            # pypdf 7.1 encrypts nothing in place of an overlay whose bytes nobody asked for.
            for part in cast(ArrayObject, page["/Contents"]):
                cast(ContentStream, part.get_object()).get_data()
            writer.encrypt(user_password="", owner_password="owner", algorithm="AES-256")
        file = BytesIO()
        writer.write(file)
        content = file.getvalue()
        hashlib.sha256(content).hexdigest()
        return content

    def _overlay(self, name: str, context: str, day: date) -> BytesIO:
        file = BytesIO()
        width, height = self._size
        canvas = Canvas(file, pagesize=self._size)
        for text, (size, up) in zip((name, context, f"{day:%B %d, %Y}"), PLACES, strict=True):
            canvas.setFont(FONT, size)
            canvas.drawCentredString(width / 2, height * up, text)
        canvas.save()
        file.seek(0)
        return file
