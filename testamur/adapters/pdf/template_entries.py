"""Entries of the template cache: a background as the bytes of a file, and back.

A file has a line with the format and the SHA-256 of all that follows, a line of JSON, and the
artwork's body as it is.
"""

import hashlib
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from testamur.adapters.pdf.artwork import Artwork, Link
from testamur.adapters.pdf.backgrounds import Background
from testamur.adapters.pdf.layout import PageSize
from testamur.adapters.pdf.pages import Matrix

#: Its number changes whenever files are written in another way.
FORMAT: Final = b"testamur-template/1"


class BrokenEntry(ValueError):
    """A file is no entry that can be used; the message says why."""


class _Head(BaseModel):
    """What is known of a background, all but the body of its artwork."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    key: str
    width: float
    height: float
    offsets: tuple[tuple[int, int], ...]
    size: int
    catalog: int
    shared_content: int
    own_content: int
    fonts: int
    page: int
    catalog_entries: str  # Latin-1: PDF syntax is bytes
    links: tuple[tuple[int, int, str], ...]
    to_page: Matrix
    says_its_text: bool

    @classmethod
    def of(cls, key: str, background: Background) -> Self:
        artwork = background.artwork
        return cls(
            key=key,
            width=background.size.width,
            height=background.size.height,
            offsets=tuple(artwork.offsets.items()),
            size=artwork.size,
            catalog=artwork.catalog,
            shared_content=artwork.shared_content,
            own_content=artwork.own_content,
            fonts=artwork.fonts,
            page=artwork.page,
            catalog_entries=artwork.catalog_entries.decode("latin-1"),
            links=tuple((each.annotation, each.page, each.address) for each in artwork.links),
            to_page=artwork.to_page,
            says_its_text=artwork.says_its_text,
        )

    def background(self, body: bytes) -> Background:
        artwork = Artwork(
            body=body,
            offsets=dict(self.offsets),
            size=self.size,
            catalog=self.catalog,
            shared_content=self.shared_content,
            own_content=self.own_content,
            fonts=self.fonts,
            page=self.page,
            catalog_entries=self.catalog_entries.encode("latin-1"),
            links=tuple(Link(*each) for each in self.links),
            to_page=self.to_page,
            says_its_text=self.says_its_text,
        )
        return Background(PageSize(self.width, self.height), artwork)


def written(key: str, background: Background) -> bytes:
    """Return a background as an entry's file.

    Args:
        key: What it is kept under.
        background: The background.
    """
    head = _Head.of(key, background).model_dump_json().encode()
    rest = b"%b\n%b" % (head, background.artwork.body)
    return b"%b\n%b" % (_first_line(rest), rest)


def read(key: str, file: bytes) -> Background:
    """Return the background that an entry's file holds.

    Args:
        key: What it is kept under.
        file: The file.

    Raises:
        BrokenEntry: It is not whole, was altered, or is another's.
    """
    first, _, rest = file.partition(b"\n")
    if first != _first_line(rest):
        raise BrokenEntry("it is not whole, or was altered")
    line, _, body = rest.partition(b"\n")
    try:
        head = _Head.model_validate_json(line)
    except ValidationError as error:
        raise BrokenEntry(f"its second line is not understood: {error}") from None
    if head.key != key:
        raise BrokenEntry(f"it is the entry {head.key}")
    return head.background(body)


def _first_line(rest: bytes) -> bytes:
    return b"%b %b" % (FORMAT, hashlib.sha256(rest).hexdigest().encode())
