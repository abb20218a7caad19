"""The plain way to make the same documents: fpdf2 embeds the fonts, pikepdf puts them together.

It shares layout and operators with the quick way of `renderer`, and neither its font objects nor
its files. Tests hold both against each other; nothing else uses it.
"""

from testamur.adapters.pdf.default_fonts import WithBundledFonts
from testamur.adapters.pdf.drawing import drawn_code, drawn_lines, used_glyphs
from testamur.adapters.pdf.embedding import EmbeddedFonts
from testamur.adapters.pdf.faces import Face, laid_out
from testamur.adapters.pdf.font_chains import FontChains
from testamur.adapters.pdf.fonts import FontShelf
from testamur.adapters.pdf.layout import Code
from testamur.adapters.pdf.options import PdfOptions
from testamur.adapters.pdf.qr import QrSymbols
from testamur.adapters.pdf.template import Metadata, Template
from testamur.adapters.pdf.template_cache import TemplateCache
from testamur.application.ports.rendering import AssetLibrary, Document
from testamur.domain.identifiers import Slug


class PlainPdf:
    """Makes documents one by one, each from the beginning.

    Args:
        options: The options; signature and protection are left out.
        assets: Where templates, fonts and images come from.
    """

    def __init__(self, options: PdfOptions, assets: AssetLibrary) -> None:
        assets = WithBundledFonts(assets)
        chains = FontChains(options, FontShelf(assets))
        templates = TemplateCache()

        def opened(template: Slug) -> tuple[Face, Template]:
            face = Face(options, template, chains, assets, templates)
            return face, face.opened()

        self._one_line = opened(options.template)
        self._several_lines = opened(options.multiline_template or options.template)

    def document(self, document: Document) -> bytes:
        """Return a document's file.

        Raises:
            RenderingError: It cannot be drawn right.
        """
        several = len(document.context_name.strip().splitlines()) > 1
        face, template = self._several_lines if several else self._one_line
        drawings = [laid_out(element, document) for element in face.elements]
        lines = [line for each in drawings if not isinstance(each, Code) for line in each]
        height = template.size.height
        symbols = QrSymbols()
        with EmbeddedFonts(used_glyphs(lines)) as fonts:
            content = "\n".join(
                drawn_code(each, symbols.symbol(each.text), height)
                if isinstance(each, Code)
                else drawn_lines(each, height, fonts)
                for each in drawings
            )
            return template.document(content.encode("ascii"), fonts.output(), _metadata(document))


def _metadata(document: Document) -> Metadata:
    return Metadata(
        title=f"{document.type_name} – {document.full_name}",
        subject=" ".join(document.context_name.split()),
        author=document.issuer_name,
        created=document.award_date,
        credential_id=str(document.credential_id),
        language=document.locale,
    )
