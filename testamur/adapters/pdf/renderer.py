"""The renderer ``pdf``: options and assets prepared once, then one document after the other."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from testamur.adapters.pdf.characters import is_visible, refuse_forbidden
from testamur.adapters.pdf.drawing import content, used_glyphs
from testamur.adapters.pdf.embedding import EmbeddedFonts, refuse_unusable
from testamur.adapters.pdf.fonts import Font, FontShelf
from testamur.adapters.pdf.images import draw_images, place_image
from testamur.adapters.pdf.layout import CodeLayout, Layout, TextLayout
from testamur.adapters.pdf.options import ImageElement, PdfOptions, QrElement, TextElement
from testamur.adapters.pdf.template import Metadata, Template
from testamur.application.errors import RenderingError
from testamur.application.ports.rendering import AssetLibrary, Document, RenderedFile
from testamur.domain.identifiers import Slug

#: Changes whenever the same options, assets and document give another look.
VERSION: Final = "pdf/1"

MEDIA_TYPE: Final = "application/pdf"
SUFFIX: Final = ".pdf"


class PdfRenderer:
    """Makes PDF certificates: text, images and QR codes over a template's page."""

    name = "pdf"
    options_model = PdfOptions

    def prepare(self, options: Any, assets: AssetLibrary) -> "PreparedPdf":
        """Read and check template, fonts and images.

        Args:
            options: A `PdfOptions`.
            assets: Where they come from.

        Raises:
            InvalidInput: An option is not allowed together with the template or font.
            NotFound: An asset that the options name does not exist.
            RenderingError: A template, font or image cannot be used; the reason is
                ``bad-template``, ``bad-font`` or ``bad-image``.
        """
        return PreparedPdf(options, assets)


class PreparedPdf:
    """A PDF certificate ready to be drawn. For one thread."""

    def __init__(self, options: PdfOptions, assets: AssetLibrary) -> None:
        recorded = _RecordedAssets(assets)
        chains = FontChains(options, FontShelf(recorded))
        self._one_line = _Face(options, options.template, chains, recorded)
        self._several_lines = (
            self._one_line
            if options.multiline_template is None
            else _Face(options, options.multiline_template, chains, recorded)
        )
        self._digest = _digest(options, recorded.hashes)

    @property
    def digest(self) -> str:
        """SHA-256 over the options, the content of all assets, and the renderer's version."""
        return self._digest

    def check(self, document: Document) -> None:
        """Refuse a document that cannot be drawn right.

        Raises:
            RenderingError: The reason is ``missing-glyph``, ``forbidden-character``,
                ``broken-text``, ``too-long``, ``missing-value`` or ``unknown-language``.
        """
        self._laid_out(document)

    def render(self, document: Document) -> RenderedFile:
        """Draw the document.

        Raises:
            RenderingError: As :meth:`check`.
        """
        face, layout = self._laid_out(document)
        with EmbeddedFonts(used_glyphs(layout.lines)) as fonts:
            drawn = content(layout, face.template.size.height, fonts)
            file = face.template.document(drawn, fonts.output(), _metadata(document))
        return RenderedFile(file, hashlib.sha256(file).hexdigest(), MEDIA_TYPE, SUFFIX)

    def _laid_out(self, document: Document) -> tuple["_Face", Layout]:
        _refuse_unprintable(document)
        several = len(document.context_name.strip().splitlines()) > 1
        face = self._several_lines if several else self._one_line
        return face, face.laid_out(document)


class FontChains:
    """Which fonts an element is drawn with, in the order in which they are tried.

    First comes the element's own font, then the one for the document's language, then the others.

    Args:
        options: The options, whose weights are checked.
        shelf: Where fonts come from; all that the options name are read now.
    """

    def __init__(self, options: PdfOptions, shelf: FontShelf) -> None:
        self._options = options
        self._shelf = shelf
        self._chains: dict[tuple[str, int | None, str], Sequence[Font]] = {}
        for reference in (*options.fonts, *options.font_for_language.values()):
            refuse_unusable(shelf.font(reference))
        for name, element in options.drawn.items():
            if isinstance(element, TextElement):
                own = element.font or options.fonts[0]
                if element.font is not None:
                    refuse_unusable(shelf.font(own))
                if element.weight is not None:
                    shelf.refuse_weight(own, element.weight, f"elements.{name}.weight")

    def __call__(self, element: TextElement, language: str) -> Sequence[Font]:
        """Return the fonts of an element in a document's language."""
        own = element.font or self._options.fonts[0]
        key = (own, element.weight, language)
        if key not in self._chains:
            tried = [own, *self._for_language(language), *self._options.fonts]
            self._chains[key] = [
                self._shelf.font(reference, element.weight) for reference in dict.fromkeys(tried)
            ]
        return self._chains[key]

    def _for_language(self, language: str) -> list[str]:
        # RFC 4647, section 3.4: the tag itself, then the tag without its last part, and so on.
        parts = language.lower().replace("_", "-").split("-")
        tags = ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]
        fonts = self._options.font_for_language
        return [fonts[tag] for tag in tags if tag in fonts][:1]


class _Face:
    """A template with the elements that are drawn on it."""

    def __init__(
        self, options: PdfOptions, template: Slug, chains: FontChains, assets: AssetLibrary
    ) -> None:
        self.template = Template(template, assets.content(template), options.page)
        size = self.template.size
        self._texts: list[TextLayout] = []
        self._codes: list[CodeLayout] = []
        images = []
        for name, element in options.drawn.items():
            match element:
                case TextElement():
                    self._texts.append(TextLayout(name, element, size, chains))
                case QrElement():
                    self._codes.append(CodeLayout(name, element, size))
                case ImageElement():
                    content = assets.content(element.image)
                    images.append(place_image(name, element, content, size))
        if images:
            self.template.put_images(draw_images(images, size))

    def laid_out(self, document: Document) -> Layout:
        return Layout(
            lines=tuple(line for text in self._texts for line in text.lines(document)),
            codes=tuple(code.code(document) for code in self._codes),
        )


class _RecordedAssets:
    """Assets, with the hash of each content that was used."""

    def __init__(self, assets: AssetLibrary) -> None:
        self._assets = assets
        self._contents: dict[Slug, bytes] = {}

    @property
    def hashes(self) -> Mapping[Slug, str]:
        return {
            slug: hashlib.sha256(content).hexdigest() for slug, content in self._contents.items()
        }

    def content(self, slug: Slug) -> bytes:
        if slug not in self._contents:
            self._contents[slug] = self._assets.content(slug)
        return self._contents[slug]

    def sha256(self, slug: Slug) -> str:
        return hashlib.sha256(self.content(slug)).hexdigest()


def _digest(options: PdfOptions, hashes: Mapping[Slug, str]) -> str:
    decisive = {
        "renderer": VERSION,
        "options": options.model_dump(mode="json"),
        "assets": hashes,
    }
    text = json.dumps(decisive, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _refuse_unprintable(document: Document) -> None:
    if not is_visible(document.full_name):
        raise RenderingError(
            "missing-value",
            "name: the learner's name is empty; it has to be set where learners' profiles are kept",
        )
    refuse_forbidden(document.full_name, "name", line_breaks=False)
    refuse_forbidden(document.context_name.replace("\r\n", "\n"), "context_name")
    refuse_forbidden(document.type_name, "type_name", line_breaks=False)
    refuse_forbidden(document.issuer_name, "issuer_name", line_breaks=False)


def _metadata(document: Document) -> Metadata:
    context = " ".join(document.context_name.split())
    return Metadata(
        title=f"{document.type_name} – {document.full_name}",
        subject=context,
        author=document.issuer_name,
        created=document.award_date,
        credential_id=str(document.credential_id),
        language=document.locale,
    )
