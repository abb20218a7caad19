"""Structure: the tags that tell assistive technology what is on the page, and in which order.

ISO 32000-1, 14.7 and 14.8. What is shown where may differ from one document to the next, the
structure does not: the tree is the same for all documents of a page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from testamur.adapters.pdf.artwork import Link
from testamur.adapters.pdf.pages import Box
from testamur.adapters.pdf.syntax import name, reference, references, text_string


@dataclass(frozen=True, slots=True)
class Element:
    """A structure element for one stretch of the page's content.

    Args:
        role: Its standard structure type (14.8.4): ``H1``, ``P``, ``Figure``.
        alt: What a picture shows, in words.
        actual_text: What to read in place of the content.
        language: BCP 47 tag, where it is not the document's.
        box: What a picture covers on the page, in the page's own coordinates.
    """

    role: str
    alt: str | None = None
    actual_text: str | None = None
    language: str | None = None
    box: Box | None = None


def structure_tree(
    first: int, page: int, elements: Sequence[Element], links: Sequence[Link]
) -> list[bytes]:
    """Return the objects of a structure tree; the first is its root.

    Args:
        first: Number of the first object.
        page: Number of the page that the elements are on; its key in the parent tree is 0.
        elements: In reading order; the place in it is the marked content's id.
        links: Web links; the first has the key 1 in the parent tree, and so on.
    """
    numbers = count(first)
    root, parents, document = next(numbers), next(numbers), next(numbers)
    element_numbers = [next(numbers) for _ in elements]
    link_numbers = [next(numbers) for _ in links]
    keys = [b"0 " + references(element_numbers)]
    keys += [b"%d %d 0 R" % each for each in enumerate(link_numbers, start=1)]
    return [
        b"<</Type/StructTreeRoot/K %b/ParentTree %b/ParentTreeNextKey %d>>"
        % (reference(document), reference(parents), len(keys)),
        b"<</Nums[%b]>>" % b" ".join(keys),
        b"<</Type/StructElem/S/Document/P %b/K%b>>"
        % (reference(root), references([*element_numbers, *link_numbers])),
        *(_element(each, document, page, b"%d" % place) for place, each in enumerate(elements)),
        *(
            _element(
                Element("Link", alt=each.address),
                document,
                each.page,
                b"<</Type/OBJR/Obj %b>>" % reference(each.annotation),
            )
            for each in links
        ),
    ]


def _element(element: Element, parent: int, page: int, content: bytes) -> bytes:
    said = {b"/Alt": element.alt, b"/ActualText": element.actual_text, b"/Lang": element.language}
    return b"<</Type/StructElem/S%b/P %b/Pg %b/K %b%b%b>>" % (
        name(element.role),
        reference(parent),
        reference(page),
        content,
        b"".join(key + text_string(text) for key, text in said.items() if text is not None),
        b"" if element.box is None else b"/A" + _place(element.box),
    )


def _place(box: Box) -> bytes:
    """Return the layout attributes of a picture (14.8.5.4.3), which stands apart from all text."""
    # No number is written as -0.000.
    numbers = b" ".join(b"%.3f" % (round(each, 3) + 0.0) for each in box)
    return b"<</O/Layout/Placement/Block/BBox[%b]>>" % numbers
