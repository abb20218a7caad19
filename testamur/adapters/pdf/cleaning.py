"""Cleaning: what of a template goes into documents: what is seen, its layers and its web links.

Scripts, actions, forms, comments, attached files and the template's own metadata stay behind. What
form fields and stamps show becomes part of the page.
"""

from collections.abc import Iterator
from typing import Final

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream

_CATALOG_KEPT: Final = frozenset({"/Type", "/Pages", "/OCProperties", "/OutputIntents"})
_PAGE_KEPT: Final = frozenset(
    {"/Type", "/Parent", "/Resources", "/Contents", "/Group", "/Annots", "/UserUnit", "/Rotate"}
    | {"/MediaBox", "/CropBox", "/BleedBox", "/TrimBox", "/ArtBox"}
)
#: What any object may have: descriptions, remains of the program that made it, and keys into a
#: structure tree that stays behind.
_LEFT_EVERYWHERE: Final = frozenset(
    {"/Metadata", "/PieceInfo", "/LastModified", "/StructParent", "/StructParents"}
)
_LINK_SCHEMES: Final = ("https://", "http://", "mailto:")


def clean(pdf: Pdf) -> None:
    """Take everything out of a template that is not seen on its pages."""
    pdf.generate_appearance_streams()
    pdf.flatten_annotations("print")
    _keep_only(pdf.Root, _CATALOG_KEPT)
    for page in pdf.pages:
        links = [_copied(pdf, link) for link in _web_links(page.obj)]
        _keep_only(page.obj, _PAGE_KEPT - {"/Annots"})
        if links:
            page.obj.Annots = Array(links)
    if Name.Info in pdf.trailer:
        del pdf.trailer[Name.Info]
    for each in pdf.objects:
        if isinstance(each, Dictionary | Stream):
            for key in _LEFT_EVERYWHERE & set(each.keys()):
                del each[key]
        if isinstance(each, Stream) and Name.Ref in each:
            del each.Ref  # what another file shows in its place (ISO 32000-1, 8.10.4)


def active_content(pdf: Pdf) -> str | None:
    """Return what of a cleaned template can still act or bring files along, or None.

    Args:
        pdf: The template, cleaned, saved and opened again: only what is reachable is left.
    """
    for each in pdf.objects:
        entries = each.stream_dict if isinstance(each, Stream) else each
        if not isinstance(entries, Dictionary):
            continue
        if Name.JS in entries:
            return "JavaScript"
        if Name.EF in entries:
            return "an attached file"
        if isinstance(each, Stream) and Name.F in entries:
            return "a stream that lies in another file"
        if isinstance(each, Stream) and _is_postscript(each):
            return "PostScript"
    return None


def _is_postscript(stream: Stream) -> bool:
    kinds = (stream.get(Name.Subtype), stream.get(Name.Subtype2))
    # ISO 32000-1, 8.8.2: such streams run on a printer.
    return stream.get(Name.Type) == Name.XObject and (Name.PS in kinds or Name.PS in stream)


def _keep_only(dictionary: Object, kept: frozenset[str]) -> None:
    for key in set(dictionary.keys()) - kept:
        del dictionary[key]


def _web_links(page: Dictionary) -> Iterator[Dictionary]:
    annotations = page.get(Name.Annots)
    for annotation in annotations if isinstance(annotations, Array) else ():
        if not isinstance(annotation, Dictionary) or annotation.get(Name.Subtype) != Name.Link:
            continue
        action = annotation.get(Name.A)
        if not isinstance(action, Dictionary) or action.get(Name.S) != Name.URI:
            continue
        if not isinstance(annotation.get(Name.Rect), Array):
            continue
        if str(action.get(Name.URI, "")).lower().startswith(_LINK_SCHEMES):
            yield annotation


def _copied(pdf: Pdf, link: Dictionary) -> Object:
    return pdf.make_indirect(
        Dictionary(
            Type=Name.Annot,
            Subtype=Name.Link,
            Rect=link.Rect,
            Border=Array([0, 0, 0]),
            A=Dictionary(S=Name.URI, URI=pikepdf.String(str(link.A.URI))),
        )
    )
