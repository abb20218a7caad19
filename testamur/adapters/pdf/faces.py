"""Faces: a template with the elements that are drawn on it, in the order in which they are read."""

from collections.abc import Iterator
from functools import cached_property

from testamur.adapters.pdf.arranging import placed_code, placed_image, placed_text
from testamur.adapters.pdf.attachments import read_attachments
from testamur.adapters.pdf.backgrounds import BackgroundParts, ImagePart
from testamur.adapters.pdf.code_layout import CodeLayout
from testamur.adapters.pdf.font_chains import FontChains
from testamur.adapters.pdf.images import PlacedImage
from testamur.adapters.pdf.layout import Code, Line, TextLayout
from testamur.adapters.pdf.options import ImageElement, PdfOptions, QrElement, TextElement
from testamur.adapters.pdf.placeholders import SHARED_PLACEHOLDERS
from testamur.adapters.pdf.qr import QrSymbols
from testamur.adapters.pdf.template import Template
from testamur.adapters.pdf.template_cache import TemplateCache
from testamur.application.ports.rendering import AssetLibrary, Document
from testamur.application.ports.samples import PlacedElement
from testamur.domain.identifiers import Slug

ElementLayout = TextLayout | CodeLayout

Drawing = tuple[Line, ...] | Code
"""What a document shows of one element."""


class Face:
    """A template with its elements.

    Args:
        options: The options.
        template: The template's asset.
        chains: Gives texts their fonts.
        assets: Where the template and images come from.
        templates: Gives the template with its images, made ready.

    Raises:
        InvalidInput, NotFound, RenderingError: As `renderer.PdfRenderer.prepare`.
    """

    def __init__(
        self,
        options: PdfOptions,
        template: Slug,
        chains: FontChains,
        assets: AssetLibrary,
        templates: TemplateCache,
    ) -> None:
        self._background = BackgroundParts(
            template,
            assets.content(template),
            options.page,
            {
                name: ImagePart(element, assets.content(element.image))
                for name, element in options.drawn.items()
                if isinstance(element, ImageElement)
            },
            options.conformance,
        )
        # A template that cannot become PDF/A is refused now, not when the first document is drawn.
        background = templates.background(self._background)
        self.size, self.artwork = background.size, background.artwork
        self.symbols = QrSymbols()
        self._options = options.drawn
        self._layouts: dict[str, ElementLayout] = {}
        for name, element in options.drawn.items():
            match element:
                case TextElement():
                    self._layouts[name] = TextLayout(name, element, self.size, chains)
                case QrElement():
                    self._layouts[name] = CodeLayout(name, element, self.size)
                case ImageElement():
                    pass  # of the background
        self.conformance = options.conformance
        self.reading_text = options.reading_text
        self.reading_text_language = options.reading_text_language
        self.attachments = read_attachments(options, assets)
        #: From top to bottom, and from left to right what stands at the same height.
        self.elements = sorted(self._layouts.values(), key=lambda each: (*each.place, each.name))

    def placed(self, document: Document) -> Iterator[PlacedElement]:
        """Yield the elements of a document in their places, as the options name them."""
        for name, element in self._options.items():
            layout = self._layouts.get(name)
            match element:
                case TextElement() if isinstance(layout, TextLayout):
                    lines = layout.lines(document)
                    yield placed_text(name, element, lines, self.size)
                case QrElement() if isinstance(layout, CodeLayout):
                    yield placed_code(name, layout.code(document))
                case _:
                    yield placed_image(name, self._images[name])

    def opened(self) -> Template:
        """Open the template again, with its images, for those who draw over it themselves."""
        return self._background.opened()

    @cached_property
    def _images(self) -> dict[str, PlacedImage]:
        # Not before: reading the images takes time, and only those who look at the design ask.
        return self._background.placed_images(self.size)


def laid_out(element: ElementLayout, document: Document) -> Drawing:
    """Return what a document shows of an element.

    Raises:
        RenderingError: As `layout.TextLayout.lines` and `code_layout.CodeLayout.code`.
    """
    return element.lines(document) if isinstance(element, TextLayout) else element.code(document)


def is_shared(element: ElementLayout) -> bool:
    """Return whether an element is the same for all who are awarded with the same values."""
    return element.placeholders <= SHARED_PLACEHOLDERS
