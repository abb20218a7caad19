"""Attachments: files that travel inside each document (ISO 32000-1, 7.11; ISO 19005-3, 6.8)."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import PurePath
from typing import Final

from testamur.adapters.pdf.options import PdfOptions, Relationship
from testamur.adapters.pdf.syntax import name, reference, references, stream, text_string
from testamur.application.ports.rendering import AssetLibrary

#: Media types by the ends of filenames. The system's own list would differ between machines.
_MEDIA_TYPES: Final = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".xml": "application/xml",
    ".zip": "application/zip",
}
_ANY_BYTES: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that travels inside each document.

    Args:
        filename: Under which readers list and save it.
        content: The file.
        media_type: For example ``application/pdf``.
        description: For people; what it is.
        relationship: What it is to the document.
    """

    filename: str
    content: bytes
    media_type: str
    description: str | None = None
    relationship: Relationship = "Supplement"


def read_attachments(options: PdfOptions, assets: AssetLibrary) -> tuple[Attachment, ...]:
    """Return the files that options attach.

    Raises:
        NotFound: There is no such asset.
    """
    return tuple(
        Attachment(
            filename=each.filename,
            content=assets.content(each.asset),
            media_type=each.media_type or _media_type(each.filename),
            description=each.description,
            relationship=each.relationship,
        )
        for each in options.attachments
    )


def _media_type(filename: str) -> str:
    return _MEDIA_TYPES.get(PurePath(filename).suffix.lower(), _ANY_BYTES)


def attachment_objects(first: int, attachment: Attachment, modified: date) -> list[bytes]:
    """Return the objects of an attachment; the first is the file specification.

    Args:
        first: Number of the first object.
        attachment: The file.
        modified: Its date, as PDF/A-3 asks for one.
    """
    file = reference(first + 1)
    filename = text_string(attachment.filename)
    described = attachment.description
    return [
        b"<</Type/Filespec/F%b/UF%b%b/AFRelationship%b/EF<</F %b/UF %b>>>>"
        % (
            filename,
            filename,
            b"" if described is None else b"/Desc" + text_string(described),
            name(attachment.relationship),
            file,
            file,
        ),
        stream(
            zlib.compress(attachment.content, 9),
            b"/Type/EmbeddedFile/Subtype%b/Params<</Size %d/ModDate(D:%b000000Z)>>"
            b"/Filter/FlateDecode"
            % (
                name(attachment.media_type),
                len(attachment.content),
                f"{modified:%Y%m%d}".encode(),
            ),
        ),
    ]


def catalog_entries(attachments: Sequence[Attachment], numbers: Sequence[int]) -> bytes:
    """Return what the catalogue says of attachments, given their file specifications' numbers."""
    if not attachments:
        return b""
    # 7.9.6: the keys of a name tree are in order.
    listed = sorted(
        (text_string(each.filename), reference(number))
        for each, number in zip(attachments, numbers, strict=True)
    )
    names = b" ".join(b"%b %b" % each for each in listed)
    return b"/AF%b/Names<</EmbeddedFiles<</Names[%b]>>>>" % (references(numbers), names)
