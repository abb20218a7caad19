"""Layout of QR codes: what they say and where they stand. Pure, as `layout` is."""

from testamur.adapters.pdf.characters import refuse_forbidden
from testamur.adapters.pdf.fitting import TOLERANCE
from testamur.adapters.pdf.layout import Code, PageSize, on_page
from testamur.adapters.pdf.options import QrElement, in_points
from testamur.adapters.pdf.placeholders import TextPattern
from testamur.adapters.pdf.qr import refuse_unfit
from testamur.application.ports.rendering import Document
from testamur.domain.errors import InvalidInput


class CodeLayout:
    """Lays out one QR code on pages of one size.

    Args:
        name: The element's name.
        element: Its options.
        page: Size of the page.

    Raises:
        InvalidInput: It lies off the page.
    """

    def __init__(self, name: str, element: QrElement, page: PageSize) -> None:
        self._name = name
        self._element = element
        self._pattern = TextPattern(element.qr)
        self._x = on_page(element.x, page.width, f"elements.{name}.x")
        self._y = on_page(element.y, page.height, f"elements.{name}.y")
        self._side = in_points(element.size, page.width)
        edge = min(page.width - self._x, page.height - self._y)
        if not 0 < self._side <= edge + TOLERANCE:
            raise InvalidInput(
                f"elements.{name}.size",
                element.size,
                f"more than 0, at most {edge:.1f} points: the room up to the page's edge",
            )

    @property
    def name(self) -> str:
        """The element's name."""
        return self._name

    @property
    def placeholders(self) -> frozenset[str]:
        """The placeholders of its text."""
        return self._pattern.words

    @property
    def place(self) -> tuple[float, float]:
        """Where it stands: points from the top and from the left edge."""
        return self._y, self._x

    @property
    def square(self) -> tuple[float, float, float]:
        """What it covers: points from the left and the top edge to its corner, and its side."""
        return self._x, self._y, self._side

    def code(self, document: Document) -> Code:
        """Return a document's code.

        Raises:
            RenderingError: A value is missing, or is too long for a code.
        """
        text = "".join(piece.text for piece in self._pattern.fill(document))
        refuse_forbidden(text, self._name)
        refuse_unfit(text, self._name)
        return Code(text, self._x, self._y, self._side, self._element.color)
