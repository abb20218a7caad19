"""Header fields that are encoded once and for all, and read back as what they were.

The standard library folds a long name with commas into several addresses, decodes what looks like
an encoded word in a name, and drops spaces between encoded words. So the fields that people's
names get into are written here, by the letter of RFC 2047 and RFC 5322.
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from email.policy import Policy
from typing import Final, Self

from testamur.adapters.notification.addresses import MailAddress

#: RFC 5322, section 2.1.1, recommends 78; RFC 2047, section 2, sets 76 for lines of encoded words.
LONGEST_LINE: Final = 76

_OPENING, _CLOSING = "=?utf-8?b?", "?="
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_PRINTABLE = re.compile(r"[ -~]*")


class WrittenHeader(str):
    """A header field: as a string its meaning, and ready to be sent as it is.

    To :class:`email.policy.EmailPolicy`, whatever has a ``name`` and a ``fold`` is a header.
    """

    name: str
    _written: str

    def __new__(cls, name: str, meaning: str, written: str) -> Self:
        """Make one of its name, its meaning, and what is written for that, folded already."""
        header = super().__new__(cls, meaning)
        header.name = name
        header._written = f"{name}: {written}\r\n"
        return header

    def fold(self, *, policy: Policy) -> str:
        """Return the whole field as it is sent."""
        return self._written


def text_header(name: str, text: str) -> WrittenHeader:
    """Write an unstructured field, such as Subject.

    Args:
        name: Name of the field.
        text: On one line, any characters.
    """
    if _can_stand_as_it_is(text) and len(name) + 2 + len(text) <= LONGEST_LINE:
        return WrittenHeader(name, text, text)
    return WrittenHeader(name, text, "\r\n ".join(_encoded_words(text, len(name) + 2)))


def address_header(name: str, display_name: str, address: MailAddress) -> WrittenHeader:
    """Write a field with one address, such as From.

    Args:
        name: Name of the field.
        display_name: Name of whose address it is, on one line, any characters; may be empty.
        address: The address.
    """
    if not display_name:
        return WrittenHeader(name, str(address), str(address))
    phrase = _as_phrase(display_name)
    if phrase is None or len(name) + 2 + len(phrase) > LONGEST_LINE:
        phrase = "\r\n ".join(_encoded_words(display_name, len(name) + 2))
    last_line = phrase.rpartition("\r\n")[2] if "\r\n" in phrase else f"{name}: {phrase}"
    space = " " if len(f"{last_line} <{address}>") <= LONGEST_LINE else "\r\n "
    return WrittenHeader(name, f"{display_name} <{address}>", f"{phrase}{space}<{address}>")


def literal_header(name: str, value: str) -> WrittenHeader:
    """Write a field that must not be folded or encoded, such as Message-ID."""
    return WrittenHeader(name, value, value)


def _can_stand_as_it_is(text: str) -> bool:
    return _PRINTABLE.fullmatch(text) is not None and "=?" not in text


def _as_phrase(text: str) -> str | None:
    if not _can_stand_as_it_is(text):
        return None
    if _ATOMS.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _encoded_words(text: str, used: int) -> Iterator[str]:
    # Each word holds whole characters (RFC 2047, section 5): one that is cut cannot be read.
    room = _octets_that_fit(used)
    octets = b""
    for character in text:
        encoded = character.encode()
        if len(octets) + len(encoded) > room:
            yield _encoded_word(octets)
            octets, room = b"", _octets_that_fit(1)
        octets += encoded
    yield _encoded_word(octets)


def _octets_that_fit(used: int) -> int:
    return (LONGEST_LINE - used - len(_OPENING) - len(_CLOSING)) // 4 * 3


def _encoded_word(octets: bytes) -> str:
    return f"{_OPENING}{b64encode(octets).decode('ascii')}{_CLOSING}"
