"""Mail addresses: what is one, and how it goes over the wire."""

import re
import unicodedata
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.utils import getaddresses
from typing import Final

import idna

from testamur.domain.errors import InvalidInput

#: RFC 5321, sections 4.5.3.1.1 and 4.5.3.1.3 (a path has two characters more than its address).
LONGEST_LOCAL_PART: Final = 64
LONGEST_ADDRESS: Final = 254

#: Dot-atom (RFC 5322, section 3.2.3). Quoted local parts are allowed there, and used by nobody.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
_LOCAL_PART = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


@dataclass(frozen=True, slots=True)
class MailAddress:
    """A mail address.

    Args:
        local_part: What stands before the ``@``; may have letters of any script (RFC 6531).
        domain: In ASCII (RFC 5890: A-labels).
    """

    local_part: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local_part}@{self.domain}"

    @property
    def needs_smtputf8(self) -> bool:
        """Whether only a server with the extension SMTPUTF8 can deliver to it."""
        return not self.local_part.isascii()


def parse_address(text: str) -> MailAddress:
    """Check an address and return it.

    Args:
        text: e.g. ``ada@example.org`` or ``żółć@łódź.example``.

    Raises:
        ValueError: It is none; the message says what is wrong, and does not repeat it.
    """
    local_part, at, domain = text.strip().rpartition("@")
    if not (local_part and at and domain):
        raise ValueError("an address of the form name@example.org is needed")
    local_part = unicodedata.normalize("NFC", local_part)
    if not _LOCAL_PART.fullmatch(local_part) or _has_invisible(local_part):
        raise ValueError("before the @ there is a character that an address cannot have")
    address = MailAddress(local_part, domain_in_ascii(domain))
    if len(local_part.encode()) > LONGEST_LOCAL_PART or len(str(address)) > LONGEST_ADDRESS:
        raise ValueError(
            f"an address has at most {LONGEST_ADDRESS} characters, "
            f"and {LONGEST_LOCAL_PART} before the @"
        )
    return address


def domain_in_ascii(domain: str) -> str:
    """Return a domain in ASCII (IDNA 2008, RFC 5891, with the mapping of UTS 46).

    Raises:
        ValueError: It is none; the message says so, and does not repeat it.
    """
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            raise ValueError("after the @ there is no domain that could exist") from None
    if not _DOMAIN.fullmatch(domain):
        raise ValueError("after the @ there is no domain that could exist")
    return domain


def parse_sender(text: str) -> tuple[str, MailAddress]:
    """Check a sender and return name and address.

    Args:
        text: As in a From header (RFC 5322), e.g. ``University <certificates@example.org>``; the
            name may have encoded words (RFC 2047).

    Raises:
        InvalidInput: It is none, or its address has letters before the @ that are not ASCII.
    """
    found = getaddresses([text])
    name, spec = found[0] if len(found) == 1 else ("", "")
    try:
        address = parse_address(spec)
        name = str(make_header(decode_header(name)))
    except (ValueError, LookupError, HeaderParseError):
        raise InvalidInput(
            "sender", text, "one address, such as University <certificates@example.org>"
        ) from None
    if address.needs_smtputf8:
        raise InvalidInput("sender", text, "ASCII before the @, so that every server takes it")
    return name, address


def _has_invisible(text: str) -> bool:
    # Control, format, private, surrogate and unassigned characters, and every kind of space.
    return any(unicodedata.category(character)[0] in "CZ" for character in text)
