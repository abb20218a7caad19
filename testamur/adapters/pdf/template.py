"""The template: a PDF opened, checked and cleaned once; documents are made by drawing over it."""

import re
import zlib
from copy import copy
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Final

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, ObjectStreamMode, Page, Pdf, Stream, String

from testamur.adapters.pdf.artwork import Artwork, artwork
from testamur.adapters.pdf.cleaning import active_content, clean
from testamur.adapters.pdf.conformance import NotConformant
from testamur.adapters.pdf.layout import PageSize
from testamur.adapters.pdf.metadata import PRODUCER
from testamur.adapters.pdf.pages import (
    UnusablePage,
    VisiblePage,
    make_explicit,
    visible_page,
)
from testamur.adapters.pdf.template_limits import TooLarge, refuse_too_large
from testamur.application.errors import RenderingError
from testamur.domain.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a document says about itself.

    Args:
        title: Its title.
        subject: What it is about.
        author: Who issued it.
        created: Its date; midnight UTC is written.
        credential_id: Whose document it is.
        language: BCP 47 tag.
    """

    title: str
    subject: str
    author: str
    created: date
    credential_id: str
    language: str


class Template:
    """A template ready to be drawn over.

    Args:
        slug: The asset's slug, for errors.
        content: The PDF file.
        page: The page that is drawn on, counted from 1.

    Raises:
        InvalidInput: It has no such page.
        RenderingError: It cannot be used; reason ``bad-template``.
    """

    def __init__(self, slug: str, content: bytes, page: int) -> None:
        self._slug = slug
        self._index = page - 1
        try:
            with Pdf.open(BytesIO(content), attempt_recovery=False) as pdf:
                self._visible = _checked(pdf, slug, page)
                for each in pdf.pages:
                    _balance(each)
                self._content = _saved(pdf)
            with Pdf.open(BytesIO(self._content)) as pdf:
                active = active_content(pdf)
        except pikepdf.PasswordError:
            raise _encrypted(slug) from None
        except pikepdf.PdfError as error:
            raise _bad_template(slug, _without_address(str(error))) from error
        if active is not None:
            raise _bad_template(slug, f"it holds {active}")

    @property
    def size(self) -> PageSize:
        """Size of the page as a reader sees it."""
        return self._visible.size

    def put_images(self, sheet: bytes) -> None:
        """Draw images for good: over the template, under all that a document adds.

        Args:
            sheet: PDF with one page of the template's size.
        """
        with Pdf.open(BytesIO(self._content)) as pdf, Pdf.open(BytesIO(sheet)) as drawn:
            source = drawn.pages[0]
            form = _form(pdf, self._visible)
            form.write(source.Contents.read_bytes())
            form.Resources = pdf.copy_foreign(source.obj.Resources)
            _draw(form, pdf.pages[self._index])
            self._content = _saved(pdf)

    def artwork(self, *, conformant: bool) -> Artwork:
        """Return the template's pages as `CompiledPage` builds on them.

        Args:
            conformant: Whether they are brought into line with PDF/A.

        Raises:
            RenderingError: They cannot be; reason ``bad-template``.
        """
        try:
            return artwork(self._content, self._index, self._visible, conformant=conformant)
        except NotConformant as error:
            raise _bad_template(self._slug, str(error)) from None
        except pikepdf.PdfError as error:
            raise _bad_template(self._slug, _without_address(str(error))) from error

    def document(self, content: bytes, fonts: bytes, metadata: Metadata) -> bytes:
        """Return a document the plain way: the template opened, drawn over and saved.

        Args:
            content: Content stream that draws over the template; its origin is the bottom left
                corner of the page as a reader sees it.
            fonts: PDF with one page that has the content's fonts among its resources.
            metadata: What the document says about itself.
        """
        with Pdf.open(BytesIO(self._content)) as pdf, Pdf.open(BytesIO(fonts)) as embedded:
            form = _form(pdf, self._visible)
            form.write(zlib.compress(content), filter=Name.FlateDecode)
            form.Resources = pdf.copy_foreign(embedded.pages[0].obj.Resources)
            _draw(form, pdf.pages[self._index])
            _describe(pdf, metadata)
            return _saved(pdf)


#: What qpdf says of objects that it could not read, and leaves out.
_LEFT_OUT: Final = ("endstream", "/Length", "as null", "loop detected")


def _checked(pdf: Pdf, slug: str, page: int) -> VisiblePage:
    if pdf.is_encrypted:
        raise _encrypted(slug)
    if not len(pdf.pages):
        raise _bad_template(slug, "it has no pages")
    try:
        refuse_too_large(pdf)
    except (TooLarge, zlib.error) as error:
        raise _bad_template(slug, str(error)) from None
    for problem in pdf.check_pdf_syntax():
        # qpdf repairs what it warns of, but not content that ends in the middle of a word, which
        # would swallow what is drawn after it, and not what it leaves out.
        harmless = problem.startswith("WARNING") and "(content" not in problem
        if not harmless or any(sign in problem for sign in _LEFT_OUT):
            raise _bad_template(slug, _without_address(problem))
    if not 1 <= page <= len(pdf.pages):
        raise InvalidInput(
            "page", page, f"1 to {len(pdf.pages)}, since the template {slug!r} has no more pages"
        )
    try:
        for each in pdf.pages:
            make_explicit(each.obj)
        clean(pdf)
        return visible_page(pdf.pages[page - 1].obj)
    except UnusablePage as error:
        raise _bad_template(slug, str(error)) from None


def _balance(page: Page) -> None:
    """Make a page's content leave no graphics state behind."""
    depth = lowest = 0
    for instruction in pikepdf.parse_content_stream(page, operators="q Q"):
        depth += 1 if str(instruction.operator) == "q" else -1
        lowest = min(lowest, depth)
    page.contents_add(b"q " * (1 - lowest), prepend=True)
    page.contents_add(b" Q" * (1 - lowest + depth))


def _form(pdf: Pdf, visible: VisiblePage) -> Stream:
    """Return a form that covers what is visible of a page; it draws nothing yet."""
    form = pdf.make_stream(b"")
    form.Type = Name.XObject
    form.Subtype = Name.Form
    form.BBox = Array([0, 0, _real(visible.size.width), _real(visible.size.height)])
    form.Matrix = Array([_real(each) for each in visible.to_page])
    return form


def _draw(form: Stream, page: Page) -> None:
    """Make a page draw a form after its own content."""
    # Pages may share their resources: what is added to one must not be added to all.
    resources = _copied(page.obj, Name.Resources)
    forms = _copied(resources, Name.XObject)
    name = next(name for n in range(len(forms) + 1) if (name := Name(f"/Testamur{n}")) not in forms)
    forms[name] = form
    resources.XObject = forms
    page.obj.Resources = resources
    page.contents_add(f" q {name} Do Q".encode())


def _copied(holder: Object, key: Name) -> Object:
    return copy(holder[key]) if key in holder else Dictionary()


def _describe(pdf: Pdf, metadata: Metadata) -> None:
    midnight = f"D:{metadata.created:%Y%m%d}000000Z"
    pdf.trailer.Info = pdf.make_indirect(
        Dictionary(
            Title=String(metadata.title),
            Subject=String(metadata.subject),
            Author=String(metadata.author),
            Producer=String(PRODUCER),
            CreationDate=String(midnight),
            ModDate=String(midnight),
            CredentialId=String(metadata.credential_id),
        )
    )
    pdf.Root.Lang = String(metadata.language)
    pdf.Root.ViewerPreferences = Dictionary(DisplayDocTitle=True)


def _saved(pdf: Pdf) -> bytes:
    file = BytesIO()
    pdf.save(
        file,
        min_version="1.7",
        deterministic_id=True,
        object_stream_mode=ObjectStreamMode.generate,
    )
    return file.getvalue()


def _real(number: float) -> Decimal:
    return round(Decimal(number), 5)


def _encrypted(slug: str) -> RenderingError:
    return _bad_template(slug, "it is encrypted; save it without password and protection")


def _bad_template(slug: str, why: str) -> RenderingError:
    return RenderingError("bad-template", f"template {slug!r} cannot be used: {why}")


def _without_address(message: str) -> str:
    return re.sub(r"stream <[^>]*>:? ?|\(offset \d+\):? ?", "", message).strip()
