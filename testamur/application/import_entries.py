"""Entries of imports: what another system says of a credential that it issued, checked."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from testamur.application.awardees import Awardee
from testamur.domain.errors import InvalidInput
from testamur.domain.identifiers import VerificationId

LONGEST_DOCUMENT: Final = 50 * 2**20

PDF_BEGINS: Final = b"%PDF-"

LONGEST_SYSTEM: Final = 100
LONGEST_NUMBER: Final = 200
LONGEST_LINK: Final = 2000

_LINK: Final = re.compile(r"https://[^\s<>\"\\^`{|}@/]+(/[^\s<>\"\\^`{|}]*)?")
_VERIFICATION_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class ImportEntry:
    """A credential that another system issued.

    Args:
        awardee: Whose it is, with the date that it was awarded on.
        number: What it was called there, such as a serial number; None: nothing. It is kept as our
            serial, and found by it.
        expires: The last day on which it is valid; None: for ever.
        verification_id: The public id that it had there, to be verified by it still; None: a new
            one.
        document: Returns the PDF; it is called when it is needed.
        link: In its place: where the document lies (https).
    """

    awardee: Awardee
    number: str | None = None
    expires: date | None = None
    verification_id: VerificationId | None = None
    document: Callable[[], bytes] | None = None
    link: str | None = None

    @classmethod
    def parse(
        cls,
        awardee: Awardee,
        *,
        number: str | None = None,
        expires: date | None = None,
        verification_id: str | None = None,
        document: Callable[[], bytes] | None = None,
        link: str | None = None,
    ) -> "ImportEntry":
        """Check what came from outside.

        Raises:
            InvalidInput: It has no award date, no document, or two; or the number, verification id
                or link is not allowed.
        """
        if awardee.award_date is None:
            raise InvalidInput("award_date", None, "the date on the document")
        if expires is not None and expires < awardee.award_date:
            raise InvalidInput("expires", str(expires), "a day that is not before the award date")
        if number and (len(number) > LONGEST_NUMBER or _CONTROL.search(number)):
            raise InvalidInput("number", number, f"1 to {LONGEST_NUMBER} characters on one line")
        if verification_id and not _VERIFICATION_ID.fullmatch(verification_id):
            raise InvalidInput(
                "verification_id", verification_id, "8 to 64 letters a-z, digits, - and _"
            )
        if (document is None) == (not link):
            raise InvalidInput("document", link or None, "either a file or a link")
        if link and (len(link) > LONGEST_LINK or not _LINK.fullmatch(link)):
            raise InvalidInput("link", link, "an address that begins with https://")
        return cls(
            awardee,
            number or None,
            expires,
            VerificationId(verification_id) if verification_id else None,
            document,
            link or None,
        )


def parse_system(text: str) -> str:
    """Check and return the name of the system that issued credentials before.

    Raises:
        InvalidInput: It is empty, too long, or has control characters.
    """
    name = text.strip()
    if not name or len(name) > LONGEST_SYSTEM or _CONTROL.search(name):
        raise InvalidInput("from", text, f"a name of 1 to {LONGEST_SYSTEM} characters")
    return name


def checked_pdf(content: bytes) -> bytes:
    """Return a document, if it looks like a PDF.

    Raises:
        InvalidInput: It does not, or is too large.
    """
    if not content.startswith(PDF_BEGINS):
        raise InvalidInput("document", f"{len(content)} bytes", f"a PDF: it begins {PDF_BEGINS!r}")
    if len(content) > LONGEST_DOCUMENT:
        raise InvalidInput("document", f"{len(content)} bytes", f"at most {LONGEST_DOCUMENT} bytes")
    return content
