"""Layout: what is drawn where. Pure: no PDF is read or written here.

Positions are points from the left and from the top edge of the page as a reader sees it; ``y`` of
text is its baseline.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from testamur.adapters.pdf.characters import is_visible, refuse_forbidden
from testamur.adapters.pdf.fitting import TOLERANCE, Fitting
from testamur.adapters.pdf.fonts import Font
from testamur.adapters.pdf.lines import AnyParagraph
from testamur.adapters.pdf.options import TextElement, in_points
from testamur.adapters.pdf.placeholders import Piece, TextPattern
from testamur.adapters.pdf.runs import Paragraph, Run
from testamur.adapters.pdf.uniform import UniformTexts
from testamur.application.ports.rendering import Document
from testamur.domain.errors import InvalidInput

_TURKIC: Final = frozenset({"tr", "az", "crh", "tt"})

Chain = Callable[[TextElement, str], Sequence[Font]]
"""Returns the fonts of an element in a language, in the order in which they are tried."""


@dataclass(frozen=True, slots=True)
class PageSize:
    """Size of the page as a reader sees it, in points."""

    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text in its place.

    Args:
        text: What it says, in the order in which it is read.
        runs: Its runs from left to right; their places are in sizes.
        x: Left end.
        y: Baseline.
        size: Points.
        color: ``#rrggbb``.
    """

    text: str
    runs: tuple[Run, ...]
    x: float
    y: float
    size: float
    color: str


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code in its place; `x` and `y` are its top left corner, `side` is in points."""

    text: str
    x: float
    y: float
    side: float
    color: str


@dataclass(frozen=True, slots=True)
class _Span:
    """Where a text stands at `x`, and how wide it may get, in points."""

    x: float
    room: float


class TextLayout:
    """Lays out one text element on pages of one size.

    Args:
        name: The element's name.
        element: Its options.
        page: Size of the page.
        chain: Gives its fonts.

    Raises:
        InvalidInput: It lies off the page.
    """

    def __init__(self, name: str, element: TextElement, page: PageSize, chain: Chain) -> None:
        self._name = name
        self._element = element
        self._chain = chain
        self._pattern = TextPattern(element.text)
        self._y = on_page(element.y, page.height, f"elements.{name}.y")
        self._span = self._span_on(page)
        self._fitting = Fitting(name, element, self._span.room, page.height - self._y)
        self._latest: tuple[tuple[tuple[Piece, ...], str], tuple[Line, ...]] | None = None
        self._uniform: dict[str, UniformTexts] = {}

    @property
    def name(self) -> str:
        """The element's name."""
        return self._name

    @property
    def placeholders(self) -> frozenset[str]:
        """The placeholders of its text."""
        return self._pattern.words

    @property
    def language(self) -> str | None:
        """Its own language (BCP 47), if it is not the document's."""
        return self._element.language

    @property
    def own_text(self) -> str:
        """What its text says beside the placeholders."""
        return self._pattern.own_text

    @property
    def place(self) -> tuple[float, float]:
        """Where it stands: points from the top and from the left edge."""
        return self._y, self._span.x

    def samples(self, characters: str, language: str) -> list[Run]:
        """Return runs of characters, apart, as the element draws them in a document's language."""
        language = self._element.language or language
        if self._element.upper_case:
            characters = _upper(characters, language)
        return self._uniform_texts(language).samples(characters)

    def lines(self, document: Document) -> tuple[Line, ...]:
        """Return the lines of a document's text.

        Raises:
            RenderingError: A character that must not be or that no font has, text that does not
                fit, a value that is missing.
        """
        language = self._element.language or document.locale
        pieces = self._pattern.fill(document, self._element.date_format, language)
        key = (pieces, language)
        if self._latest is None or self._latest[0] != key:
            # What a whole course shares, its name and the date, is laid out once.
            self._latest = key, self._laid_out(pieces, language)
        return self._latest[1]

    def _span_on(self, page: PageSize) -> _Span:
        element = self._element
        field = f"elements.{self._name}"
        x = on_page(element.x, page.width, f"{field}.x")
        left, right = x, page.width - x
        edge = {"left": right, "right": left, "center": 2 * min(left, right)}[element.align]
        if edge <= 0:
            raise InvalidInput(
                f"{field}.x", element.x, f"a place with room for text aligned {element.align}"
            )
        width = None if element.width is None else in_points(element.width, page.width)
        if width is not None and not 0 < width <= edge + TOLERANCE:
            raise InvalidInput(
                f"{field}.width",
                element.width,
                f"more than 0, at most {edge:.1f} points: the room from x to the page's edge",
            )
        return _Span(x, edge if width is None else width)

    def _laid_out(self, pieces: Sequence[Piece], language: str) -> tuple[Line, ...]:
        pieces = [Piece(self._spelled(piece.text, language), piece.placeholder) for piece in pieces]
        text = "".join(piece.text for piece in pieces)
        refuse_forbidden(text, self._name)
        if not is_visible(text):
            return ()
        paragraphs = [self._paragraph(each, language) for each in _paragraphs(pieces)]
        size, rows = self._fitting.fitted(paragraphs)
        return tuple(
            self._line(paragraph, start, end, size, index)
            for index, (paragraph, start, end) in enumerate(rows)
            if start < end
        )

    def _paragraph(self, pieces: Sequence[Piece], language: str) -> AnyParagraph:
        if self._element.direction != "rtl":
            text = "".join([piece.text for piece in pieces])
            uniform = self._uniform_texts(language).paragraph(text)
            if uniform is not None:
                return uniform
        return Paragraph(
            pieces,
            self._chain(self._element, language),
            language=language,
            direction=self._element.direction,
            spacing=self._spacing,
            where=self._name,
        )

    def _uniform_texts(self, language: str) -> UniformTexts:
        found = self._uniform.get(language)
        if found is None:
            found = self._uniform[language] = UniformTexts(
                self._chain(self._element, language),
                language=language,
                spacing=self._spacing,
                where=self._name,
            )
        return found

    @property
    def _spacing(self) -> float:
        return self._element.character_spacing / self._element.size

    def _spelled(self, text: str, language: str) -> str:
        text = text.replace("\r\n", "\n")
        return _upper(text, language) if self._element.upper_case else text

    def _line(self, paragraph: AnyParagraph, start: int, end: int, size: float, index: int) -> Line:
        before = {"left": 0.0, "center": 0.5, "right": 1.0}[self._element.align]
        return Line(
            text=paragraph.text[start:end],
            runs=paragraph.runs(start, end),
            x=self._span.x - before * paragraph.width(start, end) * size,
            y=self._y + index * self._element.line_height * size,
            size=size,
            color=self._element.color,
        )


def on_page(length: float | str, whole_page: float, field: str) -> float:
    """Return a length in points.

    Args:
        length: As the options give it.
        whole_page: The page's width or height.
        field: The option, for the error.

    Raises:
        InvalidInput: It leads off the page.
    """
    points = in_points(length, whole_page)
    if not 0 <= points <= whole_page + TOLERANCE:
        raise InvalidInput(field, length, f"0 to {whole_page:.1f} points, where the page ends")
    return points


def _paragraphs(pieces: Sequence[Piece]) -> list[list[Piece]]:
    paragraphs: list[list[Piece]] = [[]]
    for piece in pieces:
        first, *others = piece.text.split("\n")
        paragraphs[-1].append(Piece(first, piece.placeholder))
        paragraphs += [[Piece(other, piece.placeholder)] for other in others]
    return paragraphs


def _upper(text: str, language: str) -> str:
    # Unicode, SpecialCasing.txt: in Turkic languages the capital of i keeps its dot.
    if language.lower().replace("_", "-").partition("-")[0] in _TURKIC:
        text = text.replace("i", "\u0130")
    return text.upper()
