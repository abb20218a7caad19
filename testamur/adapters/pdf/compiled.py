"""Compiled pages: all that documents share written once, each document added in microseconds.

A document is a constant beginning, the *prefix*, and a short end: the content, fonts and metadata
of its own, and the cross-reference table. The prefix is hashed once too.
"""

import hashlib
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import accumulate
from typing import Final

from testamur.adapters.pdf.artwork import FORM, Artwork
from testamur.adapters.pdf.attachments import Attachment, attachment_objects, catalog_entries
from testamur.adapters.pdf.conformance import Conformance
from testamur.adapters.pdf.metadata import Claim, Description
from testamur.adapters.pdf.pages import Box, Matrix
from testamur.adapters.pdf.structure import Element, structure_tree
from testamur.adapters.pdf.syntax import (
    FREE_ROW,
    indirect,
    name,
    reference,
    row,
    stream,
    text_string,
)

#: Objects that every document has of its own, in the order in which they are written.
_OWN: Final = (b"content", b"fonts", b"info", b"xmp")

#: Ends a part's content.
_END: Final = b"\nEMC\n"

#: Bytes of content beyond which a document's own is compressed: far more than a name and a QR code.
_LONG: Final = 16_384


@dataclass(frozen=True, slots=True)
class Part:
    """One element of the page.

    Args:
        name: The element's name.
        role: Its structure type: ``H1``, ``P``, ``Figure``.
        alt: What a figure shows, in words.
        content: Operators that draw it where all documents share them; None where each has its own.
        language: BCP 47 tag of what it says, or of ``alt``; None: the documents' own.
        box: What a figure covers: left, bottom, right, top, in the coordinates of contents.
    """

    name: str
    role: str
    alt: str | None
    content: bytes | None
    language: str | None = None
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class FontObjects:
    """An embedded font, ready to be numbered.

    Args:
        resource: Its name in the page's resources, e.g. ``F1``.
        count: How many objects it has.
        bodies: Returns their bodies, given the number of the first, which is the font dictionary.
    """

    resource: str
    count: int
    bodies: Callable[[int], Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class Shared:
    """What all documents of a page share.

    Args:
        parts: The page's elements in reading order.
        fonts: Fonts that any of them may use.
        language: BCP 47 tag.
        subject: What the documents are about.
        author: Who issued them.
        created: Their date; midnight UTC is written.
        reading_text: What the template says, for those who cannot see it.
        reading_text_language: BCP 47 tag of that; None: `language`.
        conformance: What the documents keep to.
        attachments: Files that travel inside each of them.
    """

    parts: Sequence[Part]
    fonts: Sequence[FontObjects]
    language: str
    subject: str
    author: str
    created: date
    reading_text: str | None = None
    reading_text_language: str | None = None
    conformance: Conformance = "pdf/a"
    attachments: Sequence[Attachment] = ()


class CompiledPage:
    """A template's page with all that its documents share.

    Coordinates in contents are points from the bottom left corner of the page as a reader sees it.

    Args:
        artwork: The template's pages; in line with PDF/A if the documents are to keep to it.
        shared: What the documents share.
    """

    def __init__(self, artwork: Artwork, shared: Shared) -> None:
        file = _Beginning(artwork)
        elements, content, self._own_content = _contents(shared, artwork.to_page)
        file.add(stream(zlib.compress(content, 9), b"/Filter/FlateDecode"), artwork.shared_content)
        self._shared_fonts = b"".join(
            _font_entry(font, file.add_all(font.bodies)) for font in shared.fonts
        )
        structure = file.add_all(
            partial(structure_tree, page=artwork.page, elements=elements, links=artwork.links)
        )
        attached = [
            file.add_all(partial(attachment_objects, attachment=each, modified=shared.created))
            for each in shared.attachments
        ]
        self._content_number, self._fonts_number = artwork.own_content, artwork.fonts
        self._info_number, self._xmp_number = file.reserve(), file.reserve()
        file.add(
            b"<</Type/Catalog%b/Metadata %b/StructTreeRoot %b/MarkInfo<</Marked true>>"
            b"/Lang%b/ViewerPreferences<</DisplayDocTitle true>>%b>>"
            % (
                artwork.catalog_entries,
                reference(self._xmp_number),
                reference(structure),
                text_string(shared.language),
                catalog_entries(shared.attachments, attached),
            ),
            artwork.catalog,
        )
        self._description = Description(
            subject=shared.subject,
            author=shared.author,
            created=shared.created,
            language=shared.language,
            claims=_claims(shared, artwork.says_its_text),
        )
        self._next = file.next
        self._prefix = bytes(file.body)
        self._hash = hashlib.sha256(self._prefix)
        own = (self._content_number, self._fonts_number, self._info_number, self._xmp_number)
        self._table = file.table(dict(zip(own, _OWN, strict=True)))
        self._trailer = b"trailer\n<</Size %%d/Root %b/Info %b/ID[<%%b><%%b>]>>\n" % (
            reference(artwork.catalog),
            reference(self._info_number),
        )

    def document(
        self,
        contents: Sequence[bytes],
        fonts: Sequence[FontObjects],
        title: str,
        credential_id: str,
    ) -> tuple[bytes, str]:
        """Return a document, and its SHA-256 in hexadecimal.

        Args:
            contents: Operators of the parts that have none yet, in their order.
            fonts: Fonts that only this document needs.
            title: Its title.
            credential_id: Whose document it is.
        """
        pieces = self._own_content.copy()
        pieces[1::2] = contents
        objects = [indirect(self._content_number, _own_stream(b"".join(pieces)))]
        number = self._next
        bodies: list[bytes] = []
        named = [self._shared_fonts]
        for font in fonts:
            named.append(_font_entry(font, number + len(bodies)))
            bodies += font.bodies(number + len(bodies))
        objects += [
            indirect(self._fonts_number, b"<<%b>>" % b"".join(named)),
            indirect(self._info_number, self._description.info(title, credential_id)),
            indirect(self._xmp_number, self._description.xmp(title, credential_id)),
            *(indirect(each, body) for each, body in enumerate(bodies, start=number)),
        ]
        offsets = list(accumulate(map(len, objects), initial=len(self._prefix)))
        tail = b"".join(objects)
        digest = self._hash.copy()
        digest.update(tail)
        # Section 14.4: the identifier is made of the file's content, here of all that precedes it.
        identifier = digest.hexdigest()[:32].encode()
        size = number + len(bodies)
        end = b"".join(
            [
                b"xref\n0 %d\n" % size,
                self._table % dict(zip(_OWN, offsets, strict=False)),
                *map(row, offsets[len(_OWN) : -1]),
                self._trailer % (size, identifier, identifier),
                b"startxref\n%d\n%%%%EOF\n" % offsets[-1],
            ]
        )
        digest.update(end)
        return b"".join((self._prefix, tail, end)), digest.hexdigest()


class _Beginning:
    """The constant beginning of a file, while it is written."""

    def __init__(self, artwork: Artwork) -> None:
        self.body = bytearray(artwork.body)
        self.next = artwork.size
        self._offsets = dict(artwork.offsets)

    def reserve(self) -> int:
        """Return the number of an object that each document adds."""
        self.next += 1
        return self.next - 1

    def add(self, body: bytes, number: int) -> None:
        """Write an object that was reserved."""
        self._offsets[number] = len(self.body)
        self.body += indirect(number, body)

    def add_all(self, bodies: Callable[[int], Sequence[bytes]]) -> int:
        """Write new objects, and return the number of the first."""
        first = self.next
        for body in bodies(first):
            self.add(body, self.reserve())
        return first

    def table(self, left_out: Mapping[int, bytes]) -> bytes:
        """Return the cross-reference table's entries, to be formatted with the offsets left out."""
        return FREE_ROW + b"".join(
            b"%%(%b)010d 00000 n \n" % left_out[number]
            if number in left_out
            else row(self._offsets[number])
            for number in range(1, self.next)
        )


def _contents(shared: Shared, to_page: Matrix) -> tuple[list[Element], bytes, list[bytes]]:
    """Return the structure elements, the shared content, and the pieces around what differs.

    The content is in reading order, since many readers go by that. So what follows the first part
    that differs is written again for each document.
    """
    before, after = _turned(to_page)
    elements, drawn, own = [], [b"/Artifact BMC %b Do EMC\n" % FORM, before], [before]
    if shared.reading_text is not None:
        language = shared.reading_text_language
        elements.append(Element("P", actual_text=shared.reading_text, language=language))
        drawn.append(b"/P <</MCID 0>> BDC EMC\n")
    for part in shared.parts:
        begin = b"%b <</MCID %d>> BDC\n" % (name(part.role), len(elements))
        box = None if part.box is None else _on_page(part.box, to_page)
        elements.append(Element(part.role, alt=part.alt, language=part.language, box=box))
        if part.content is None:
            own[-1] += begin
            own += [b"", _END]
        elif len(own) > 1:
            own[-1] += begin + part.content + _END
        else:
            drawn += [begin, part.content, _END]
    own[-1] += after
    return elements, b"".join([*drawn, after]), own


def _own_stream(content: bytes) -> bytes:
    if len(content) <= _LONG:
        return stream(content)
    return stream(zlib.compress(content), b"/Filter/FlateDecode")


def _turned(to_page: Matrix) -> tuple[bytes, bytes]:
    if list(to_page) == [1, 0, 0, 1, 0, 0]:
        return b"", b""
    return b"q %b cm\n" % " ".join(f"{each:.5f}" for each in to_page).encode(), b"Q"


def _on_page(box: Box, to_page: Matrix) -> Box:
    a, b, c, d, e, f = to_page
    corners = [(box[0], box[1]), (box[2], box[3])]
    x = sorted(a * left + c * up + e for left, up in corners)
    y = sorted(b * left + d * up + f for left, up in corners)
    return x[0], y[0], x[1], y[1]


def _font_entry(font: FontObjects, number: int) -> bytes:
    return b"%b %b" % (name(font.resource), reference(number))


def _claims(shared: Shared, says_its_text: bool) -> tuple[Claim, ...]:
    if shared.conformance == "none":
        return ()
    archival: Claim = "pdf/a-3b" if shared.attachments else "pdf/a-2b"
    # ISO 14289-1, 7.21.7 asks of every font, even that of a background, which characters it shows.
    return (archival, "pdf/ua-1") if says_its_text else (archival,)
