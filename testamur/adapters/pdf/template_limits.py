"""Limits: how much a template may hold, so that none takes all time or memory.

They are far above what designs have; a small file can unpack to gigabytes.
"""

import zlib
from collections.abc import Iterator
from typing import Final

from pikepdf import Array, Name, Object, Pdf, Stream

MOST_PAGES: Final = 200

#: Unpacked content of all pages and forms.
MOST_CONTENT_BYTES: Final = 16_000_000

#: Numbers, names and operators in it; each takes a hundred bytes and more when it is read.
MOST_CONTENT_WORDS: Final = 2_000_000


class TooLarge(ValueError):
    """A template holds too much; the message says of what."""


def refuse_too_large(pdf: Pdf) -> None:
    """Refuse a template that would cost too much.

    Raises:
        TooLarge: It would.
    """
    if len(pdf.pages) > MOST_PAGES:
        raise TooLarge(f"it has {len(pdf.pages):,} pages; allowed: at most {MOST_PAGES}")
    room = MOST_CONTENT_BYTES
    words = 0
    for stream in _contents(pdf):
        content = _unpacked(stream, room + 1)
        room -= len(content)
        words += sum(map(content.count, (b" ", b"\n", b"\r")))
        if room < 0 or words > MOST_CONTENT_WORDS:
            raise TooLarge(
                f"its pages are drawn by more than {MOST_CONTENT_BYTES:,} bytes or "
                f"{MOST_CONTENT_WORDS:,} words; draw the finest parts as an image"
            )


def _contents(pdf: Pdf) -> Iterator[Stream]:
    for page in pdf.pages:
        contents = page.obj.get(Name.Contents)
        parts = contents.as_list() if isinstance(contents, Array) else [contents]
        yield from (part for part in parts if isinstance(part, Stream))
    for each in pdf.objects:
        if isinstance(each, Stream) and (
            each.get(Name.Subtype) == Name.Form or Name.PatternType in each
        ):
            yield each


def _unpacked(stream: Stream, most: int) -> bytes:
    """Return a stream's data, or the beginning of it if it is longer than `most` bytes."""
    data = stream.read_raw_bytes()
    for packed_by in _filters(stream):
        if packed_by != Name.FlateDecode:
            return stream.read_bytes()
        data = zlib.decompressobj().decompress(data, most)
    return data


def _filters(stream: Stream) -> list[Object]:
    filters = stream.get(Name.Filter)
    if filters is None:
        return []
    return [*filters.as_list()] if isinstance(filters, Array) else [filters]
