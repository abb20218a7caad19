"""Artwork: a template's pages as finished bytes of a file, with room for what documents add.

Each page becomes a form XObject, so that nothing of its content reaches what is drawn later. The
page that is drawn on draws it from two contents: one shared by all documents of a kind, and one of
each document's own. These, its fonts and the catalogue are left out, and their numbers kept.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from typing import Final

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, ObjectStreamMode, Pdf, Stream, String

from testamur.adapters.pdf.conformance import Conforming, conform
from testamur.adapters.pdf.inspection import inspect
from testamur.adapters.pdf.pages import Matrix, VisiblePage
from testamur.adapters.pdf.template_resources import spelled

#: Name of the form that draws the template, in the page's resources.
FORM: Final = b"/Template"

_LETTER: Final = (0, 0, 612, 792)
_PRINTED: Final = 4  # ISO 32000-1, 12.5.3: flag of annotations that are printed


@dataclass(frozen=True, slots=True)
class Link:
    """A web link of a page: numbers of the annotation and its page, and where it leads."""

    annotation: int
    page: int
    address: str


@dataclass(frozen=True, slots=True)
class Artwork:
    """A template's pages, ready to be built on.

    Args:
        body: Beginning of the file, up to the last of its objects.
        offsets: Where objects begin, by number.
        size: The number after the last one.
        catalog: Number of the catalogue, which is left out.
        shared_content: Number of the page's content that documents share; left out.
        own_content: Number of the content that each document has of its own; left out.
        fonts: Number of the fonts of both; left out.
        page: Number of the page that is drawn on.
        catalog_entries: What the catalogue takes from the template.
        links: Its web links; the first has the key 1 in the parent tree, and so on.
        to_page: Matrix from the page as a reader sees it to its own coordinates.
        says_its_text: Whether all its fonts say which characters they show.
    """

    body: bytes
    offsets: Mapping[int, int]
    size: int
    catalog: int
    shared_content: int
    own_content: int
    fonts: int
    page: int
    catalog_entries: bytes
    links: tuple[Link, ...]
    to_page: Matrix
    says_its_text: bool


def artwork(content: bytes, index: int, visible: VisiblePage, *, conformant: bool) -> Artwork:
    """Return a template's pages, ready to be built on.

    Args:
        content: The template, cleaned, its pages balanced and with their inherited entries.
        index: The page that is drawn on, from 0.
        visible: Its visible part.
        conformant: Whether to bring it into line with PDF/A.

    Raises:
        NotConformant: It cannot become PDF/A.
    """
    with Pdf.open(BytesIO(content)) as pdf:
        if conformant:
            conforming = conform(pdf)
        else:
            inspect(pdf)  # for forms without resources of their own
            conforming = Conforming(default_rgb=None, says_its_text=False)
        links = _tag_links(pdf)
        for page in pdf.pages:
            _draw_from_form(pdf, page.obj)
        _take_marks_off(pdf)
        kept = _leave_room(pdf, pdf.pages[index].obj, conforming.default_rgb)
        pdf.trailer.Kept = Dictionary(kept | {"/Links": Array(links)})
        file = BytesIO()
        pdf.save(
            file,
            min_version="1.7",
            static_id=True,
            object_stream_mode=ObjectStreamMode.disable,
        )
    return _split(file.getvalue(), visible.to_page, conforming.says_its_text)


def _draw_from_form(pdf: Pdf, page: Object) -> None:
    contents = page.get(Name.Contents)
    parts = [contents] if isinstance(contents, Stream) else contents
    content = b"\n".join(
        part.read_bytes()
        for part in (parts if parts is not None else ())
        if isinstance(part, Stream)
    )
    form = pdf.make_stream(content)
    form.Type, form.Subtype = Name.XObject, Name.Form
    form.BBox = page.get(Name.MediaBox, Array(_LETTER))
    form.Resources = page.Resources
    page.Resources = Dictionary(XObject=Dictionary(Template=form))
    page.Contents = pdf.make_stream(b"/Artifact BMC %b Do EMC" % FORM)


def _take_marks_off(pdf: Pdf) -> None:
    """Take off the marks by which the template's own structure tree, left behind, knew its content.

    Their numbers would be taken for those of the documents' structure tree.
    """
    for form in pdf.objects:
        if not isinstance(form, Stream) or form.get(Name.Subtype) != Name.Form:
            continue
        if b"MCID" in form.read_bytes():
            instructions = [*map(_without_mark, pikepdf.parse_content_stream(form))]
            form.write(pikepdf.unparse_content_stream(instructions))


def _without_mark(
    instruction: pikepdf.ContentStreamInstruction | pikepdf.ContentStreamInlineImage,
) -> pikepdf.ContentStreamInstruction | pikepdf.ContentStreamInlineImage:
    if spelled(instruction.operator) == "BDC" and len(instruction.operands) == 2:
        tag, properties = instruction.operands[0], instruction.operands[1]
        if isinstance(properties, Dictionary) and Name.MCID in properties:
            return pikepdf.ContentStreamInstruction([tag], pikepdf.Operator("BMC"))
    return instruction


def _leave_room(pdf: Pdf, page: Object, default_rgb: Object | None) -> dict[str, Object]:
    shared, own = pdf.make_stream(b""), pdf.make_stream(b"")
    fonts = pdf.make_indirect(Dictionary())
    page.Contents = Array([shared, own])
    page.Resources.Font = fonts
    if default_rgb is not None:
        page.Resources.ColorSpace = Dictionary(DefaultRGB=default_rgb)
    page.StructParents = 0
    return {"/Page": page, "/Shared": shared, "/Own": own, "/Fonts": fonts}


def _tag_links(pdf: Pdf) -> list[Object]:
    """Prepare links for the structure tree (ISO 14289-1, 7.18); return each with its page."""
    links: list[Object] = []
    for page in pdf.pages:
        annotations = page.obj.get(Name.Annots)
        if not isinstance(annotations, Array):
            continue
        page.obj.Tabs = Name.S
        for number in range(len(annotations)):
            link = annotations[number]
            link.Contents = String(str(link.A.URI))
            link.F = _PRINTED
            link.StructParent = len(links) + 1
            links.append(Array([link, page.obj]))
    return links


def _split(file: bytes, to_page: Matrix, says_its_text: bool) -> Artwork:
    """Take a file with one plain cross-reference table apart."""
    with Pdf.open(BytesIO(file)) as pdf:
        kept = pdf.trailer.Kept
        catalog = _number(pdf.Root)
        numbers = {key: _number(kept[f"/{key}"]) for key in ("Page", "Shared", "Own", "Fonts")}
        links = tuple(
            Link(_number(link[0]), _number(link[1]), str(link[0].Contents))
            for link in (kept.Links[index] for index in range(len(kept.Links)))
        )
        entries = {
            key: pdf.Root[key].unparse()
            for key in (Name.Pages, Name.OCProperties, Name.OutputIntents)
            if key in pdf.Root
        }
    left_out = {catalog, numbers["Shared"], numbers["Own"], numbers["Fonts"]}
    body, offsets = bytearray(), {}
    pieces = _objects(file)
    body += pieces.pop(0)
    for number, piece in pieces.items():
        if number not in left_out:
            offsets[number] = len(body)
            body += piece
    return Artwork(
        body=bytes(body),
        offsets=offsets,
        size=max(pieces) + 1,
        catalog=catalog,
        shared_content=numbers["Shared"],
        own_content=numbers["Own"],
        fonts=numbers["Fonts"],
        page=numbers["Page"],
        catalog_entries=b"".join(str(key).encode() + b" " + each for key, each in entries.items()),
        links=links,
        to_page=to_page,
        says_its_text=says_its_text,
    )


def _objects(file: bytes) -> dict[int, bytes]:
    """Return a file's objects by number, and as number 0 what stands before them."""
    start = re.search(rb"startxref\s+(\d+)\s+%%EOF\s*\Z", file)
    if start is None:
        raise ValueError("the file has no cross-reference table")
    end = int(start[1])
    _, section, *rows = file[end:].split(b"\n")
    count = int(section.split()[1])
    offsets = {int(row[:10]): number for number, row in enumerate(rows[:count]) if number}
    places = [0, *sorted(offsets), end]
    return {offsets.get(place, 0): file[place:following] for place, following in pairwise(places)}


def _number(each: Object) -> int:
    return each.objgen[0]
