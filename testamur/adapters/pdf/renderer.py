"""The renderer ``pdf``: options and assets prepared once, then one document after the other."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from testamur.adapters.pdf.characters import is_visible, refuse_forbidden
from testamur.adapters.pdf.default_fonts import WithBundledFonts, hashes
from testamur.adapters.pdf.editions import Edition, EditionKey
from testamur.adapters.pdf.faces import Drawing, Face
from testamur.adapters.pdf.finishing import Finishing, finishing
from testamur.adapters.pdf.font_chains import FontChains
from testamur.adapters.pdf.fonts import FontShelf
from testamur.adapters.pdf.options import PdfOptions
from testamur.adapters.pdf.template_cache import TemplateCache
from testamur.adapters.pdf.versions import VERSION
from testamur.adapters.signing.files import SigningKeyFiles
from testamur.application.errors import RenderingError
from testamur.application.ports.rendering import AssetLibrary, Document, RenderedFile
from testamur.application.ports.samples import Arrangement
from testamur.domain.identifiers import CredentialId, Slug

#: Editions kept: enough for the languages of a course's learners. Each that has drawn a document
#: holds as much as a document takes.
MOST_EDITIONS: Final = 32

#: Layouts kept between the check of a document and its drawing; each holds a few kilobytes.
MOST_LAYOUTS: Final = 500

MEDIA_TYPE: Final = "application/pdf"
SUFFIX: Final = ".pdf"


class PdfRenderer:
    """Makes PDF certificates: text, images and QR codes over a template's page.

    Args:
        signing_keys: Keys that options may name for signatures.
        template_cache: Folder that keeps compiled templates for other processes; None: they are
            kept in memory only.
    """

    name = "pdf"
    options_model = PdfOptions

    def __init__(
        self,
        signing_keys: Mapping[str, SigningKeyFiles] | None = None,
        template_cache: Path | None = None,
    ) -> None:
        self._signing_keys = signing_keys or {}
        self._templates = TemplateCache(template_cache)

    def prepare(self, options: Any, assets: AssetLibrary) -> "PreparedPdf":
        """Read and check template, fonts and images.

        Args:
            options: A `PdfOptions`.
            assets: Where they come from.

        Raises:
            InvalidInput: An option is not allowed together with the template or font, or a signing
                key cannot be used.
            NotFound: An asset that the options name does not exist.
            RenderingError: A template, font or image cannot be used; the reason is
                ``bad-template``, ``bad-font`` or ``bad-image``.
        """
        return PreparedPdf(options, assets, self._templates, finishing(options, self._signing_keys))


class PreparedPdf:
    """A PDF certificate ready to be drawn. For one thread."""

    def __init__(
        self,
        options: PdfOptions,
        assets: AssetLibrary,
        templates: TemplateCache,
        finishing: Sequence[Finishing] = (),
    ) -> None:
        self._options = options
        self._finishing = finishing
        recorded = _RecordedAssets(WithBundledFonts(assets))
        chains = FontChains(options, FontShelf(recorded))
        self._one_line = Face(options, options.template, chains, recorded, templates)
        self._several_lines = (
            self._one_line
            if options.multiline_template is None
            else Face(options, options.multiline_template, chains, recorded, templates)
        )
        self._editions: OrderedDict[EditionKey, Edition] = OrderedDict()
        self._laid_out: OrderedDict[CredentialId, _LaidOut] = OrderedDict()
        self._digest = _digest(options, {**recorded.hashes, **hashes(options.bundled_fonts)})

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
        self._layout(document)

    def render(self, document: Document) -> RenderedFile:
        """Draw the document.

        Raises:
            RenderingError: As :meth:`check`; or the reason is ``signing-key`` or ``time-stamp``.
        """
        drawn = self.draft(document)
        if not self._finishing:
            return drawn
        file = drawn.content
        for step in self._finishing:
            file = step.finish(file)
        return _rendered(file, hashlib.sha256(file).hexdigest())

    def draft(self, document: Document) -> RenderedFile:
        """Draw the document without protection and signature, for those who look at the design.

        Raises:
            RenderingError: As :meth:`check`.
        """
        made = self._layout(document)
        return _rendered(*made.edition.document(document, made.drawings))

    def arrangement(self, document: Document) -> Arrangement:
        """Return where the elements of the document stand.

        Raises:
            RenderingError: As :meth:`check`.
        """
        made = self._layout(document)
        return Arrangement(self._options.page, tuple(made.edition.face.placed(document)))

    def _layout(self, document: Document) -> "_LaidOut":
        """Lay out a document, unless it was when it was checked."""
        kept = self._laid_out.get(document.credential_id)
        if kept is not None and kept.document == document:
            return kept
        refuse_unprintable(document)
        edition = self._edition(document)
        made = _LaidOut(document, edition, edition.laid_out(document))
        self._laid_out[document.credential_id] = made
        if len(self._laid_out) > MOST_LAYOUTS:
            self._laid_out.popitem(last=False)
        return made

    def _edition(self, document: Document) -> Edition:
        several = len(document.context_name.strip().splitlines()) > 1
        key = EditionKey(
            several,
            document.locale,
            document.context_name,
            document.type_name,
            document.issuer_name,
            document.award_date,
        )
        edition = self._editions.get(key)
        if edition is None:
            edition = Edition(self._several_lines if several else self._one_line, document)
            self._editions[key] = edition
            if len(self._editions) > MOST_EDITIONS:
                self._forget(self._editions.popitem(last=False)[1])
        else:
            self._editions.move_to_end(key)
        return edition

    def _forget(self, edition: Edition) -> None:
        for id_ in [id_ for id_, each in self._laid_out.items() if each.edition is edition]:
            del self._laid_out[id_]


@dataclass(frozen=True, slots=True)
class _LaidOut:
    """A document with what it shows of the elements that it does not share."""

    document: Document
    edition: Edition
    drawings: Sequence[Drawing]


def _rendered(file: bytes, sha256: str) -> RenderedFile:
    return RenderedFile(file, sha256, MEDIA_TYPE, SUFFIX)


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


def refuse_unprintable(document: Document) -> None:
    """Refuse values that no document may hold, wherever it shows them.

    Raises:
        RenderingError: The reason is ``missing-value`` or ``forbidden-character``.
    """
    if not is_visible(document.full_name):
        raise RenderingError(
            "missing-value",
            "name: the learner's name is empty; it has to be set where learners' profiles are kept",
        )
    refuse_forbidden(document.full_name, "name", line_breaks=False)
    refuse_forbidden(document.context_name.replace("\r\n", "\n"), "context_name")
    refuse_forbidden(document.type_name, "type_name", line_breaks=False)
    refuse_forbidden(document.issuer_name, "issuer_name", line_breaks=False)
