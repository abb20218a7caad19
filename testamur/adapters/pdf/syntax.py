"""Syntax: values, objects and the cross-reference table as bytes of a PDF file (ISO 32000-1, 7)."""

from codecs import BOM_UTF16_BE
from collections.abc import Iterable
from typing import Final

#: Section 7.5.4: the entry of object 0, head of the list of free objects, which is empty.
FREE_ROW: Final = b"0000000000 65535 f \n"

_PLAIN: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-+")


def text_string(text: str) -> bytes:
    """Return a text string (section 7.9.2.2): ASCII where that is enough, else UTF-16."""
    encoded = text.encode() if text.isascii() else BOM_UTF16_BE + text.encode("utf-16-be")
    # Section 7.3.4.2: a bare carriage return in a string is read as a line feed.
    for special in (b"\\", b"(", b")"):
        encoded = encoded.replace(special, b"\\" + special)
    return b"(%b)" % encoded.replace(b"\r", b"\\r")


def name(text: str) -> bytes:
    """Return a name (section 7.3.5)."""
    return b"/" + b"".join(
        bytes([each]) if each in _PLAIN else b"#%02X" % each for each in text.encode()
    )


def reference(number: int) -> bytes:
    """Return a reference to an object."""
    return b"%d 0 R" % number


def references(numbers: Iterable[int]) -> bytes:
    """Return an array of references."""
    return b"[%b]" % b" ".join(map(reference, numbers))


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """Return the body of a stream.

    Args:
        data: Its data, already encoded by the filters that the entries name.
        entries: Entries of its dictionary, without the length.
    """
    return b"<<%b/Length %d>>\nstream\n%b\nendstream" % (entries, len(data), data)


def indirect(number: int, body: bytes) -> bytes:
    """Return an object with its number, as it stands in the file."""
    return b"%d 0 obj\n%b\nendobj\n" % (number, body)


def row(offset: int) -> bytes:
    """Return the entry of the cross-reference table for an object at an offset."""
    return b"%010d 00000 n \n" % offset
