"""The LMS's ways of cutting a list into pages: cursors, and three envelopes of numbered pages."""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from urllib.parse import parse_qs

from examples.stand_in_lms.exchange import Answer, Refused, Request
from examples.stand_in_lms.site import Site


def cursor_position(request: Request, invalid: Answer) -> int:
    """Return the position that a request's cursor names; 0 where it has none.

    Raises:
        Refused: The cursor cannot be read.
    """
    cursor = request.one("cursor")
    if not cursor:
        return 0
    try:
        fields = parse_qs(b64decode(cursor, validate=True).decode("ascii"), strict_parsing=True)
        return int(fields["p"][0])
    except (NotBase64, KeyError, ValueError):
        raise Refused(invalid) from None


def cursor_at(position: int) -> str:
    """Return an opaque cursor; its ``=`` shows whether a client encodes it again."""
    return b64encode(f"p={position}".encode()).decode()


class NumberedPage:
    """The page that a request asks for by number.

    Args:
        site: Makes the links.
        request: The request; its parameter ``page`` counts from 1.
        count: Rows in all.
        size: Rows on a page.

    Raises:
        Refused: There is no such page.
    """

    def __init__(self, site: Site, request: Request, count: int, size: int, invalid: Answer):
        self._site = site
        self._request = request
        self.count = count
        self.pages = max(1, -(-count // size))
        text = request.one("page") or "1"
        self.number = self.pages if text == "last" else int(text) if text.isdecimal() else 0
        if not 1 <= self.number <= self.pages:
            raise Refused(invalid)
        self.start = (self.number - 1) * size
        self.end = self.start + size

    @property
    def next(self) -> str | None:
        """Link to the page after."""
        return self._link(self.number + 1) if self.number < self.pages else None

    @property
    def previous(self) -> str | None:
        """Link to the page before."""
        return self._link(self.number - 1) if self.number > 1 else None

    def _link(self, number: int) -> str:
        return self._site.link(self._request, page=number)

    def namespaced(self) -> dict[str, object]:
        """Return the value of ``pagination`` in the *namespaced* envelope."""
        return {
            "next": self.next,
            "previous": self.previous,
            "count": self.count,
            "num_pages": self.pages,
        }

    def envelope(self, results: object) -> dict[str, object]:
        """Return the envelope that the framework itself has."""
        return {
            "count": self.count,
            "next": self.next,
            "previous": self.previous,
            "results": results,
        }

    def default_envelope(self, results: object) -> dict[str, object]:
        """Return the envelope of the LMS's own *DefaultPagination*."""
        return {
            "next": self.next,
            "previous": self.previous,
            "count": self.count,
            "num_pages": self.pages,
            "current_page": self.number,
            "start": self.start,
            "results": results,
        }
