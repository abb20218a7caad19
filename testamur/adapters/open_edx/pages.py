"""Pages of a list, of every kind of pagination that Open edX has, read ahead."""

from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from testamur.adapters.open_edx.addresses import query_string
from testamur.adapters.open_edx.connection import Connection
from testamur.adapters.open_edx.errors import LmsError, LmsRefused, MalformedAnswer
from testamur.adapters.open_edx.shapes import described, mapping, rows

_NOT_FOUND: Final = 404

#: The parameter of a page's number, in every style that has numbers.
_PAGE: Final = "page"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list.

    Args:
        rows: Its rows.
        count: How many rows there are in all, where the envelope says so.
        envelope: The rest of the answer, without the rows.
        shrunk: Whether the list is seen to have become shorter since its first page. Rows may
            then have moved onto pages that were read before, and so be in none. Where a page
            that should be there is gone, a last page without rows says it.
    """

    rows: Sequence[Mapping[str, Any]]
    count: int | None
    envelope: Mapping[str, Any]
    shrunk: bool = False


def pages(
    connection: Connection, path: str, query: Mapping[str, str], *, what: str
) -> Generator[Page, None, None]:
    """Yield all pages of a list in order.

    What comes next is asked for before a page is handed out: the one next page, or, where the
    first says how many there are, as many as the connection sends at once. So at most
    ``concurrency + 1`` pages are held. They may be smaller than asked for. Of the address of a
    next page only the query is used, and sent to the same place, so that no answer can lead the
    token elsewhere. Ending early drops what was not sent yet; requests under way end on their own.

    Args:
        connection: The LMS.
        path: As for :meth:`Connection.get`.
        query: Names and values of the first page, such as ``page_size``.
        what: What is asked, for messages, without anything personal.

    Raises:
        LmsRefused: The LMS says no (4xx). A numbered page that is gone (404) is not raised but
            ends the list, see :attr:`Page.shrunk`.
        LmsError: There is no usable answer, it is no list, or it leads in a circle.
    """
    walk = _Walk(connection, path, what)
    try:
        yield from walk.pages(query_string(query))
    finally:
        walk.drop_what_is_ahead()


@dataclass(frozen=True, slots=True)
class _Part:
    """One answer of the list, taken apart.

    Args:
        next_query: Query of the next page; None where there is none.
        last_number: Number of the last page, where the envelope says so.
    """

    rows: Sequence[Mapping[str, Any]]
    envelope: Mapping[str, Any]
    count: int | None = None
    next_query: str | None = None
    last_number: int | None = None


class _Walk:
    """The way through one list."""

    def __init__(self, connection: Connection, path: str, what: str) -> None:
        self._connection = connection
        self._path = path
        self._what = what
        self._ahead: deque[tuple[str, Future[Any]]] = deque()
        self._asked: set[str] = set()
        self._numbers: _Numbers | None = None
        self._highest_count = 0

    def pages(self, first_query: str) -> Iterator[Page]:
        query = first_query
        self._asked.add(query)
        part = _taken_apart(self._ask(query), self._what)
        self._numbers = _Numbers.after(part)
        while True:
            self._ask_ahead(query, part)
            yield self._page(part)
            if not self._ahead:
                return
            query, future = self._ahead.popleft()
            try:
                part = _taken_apart(future.result(), self._what)
            except LmsRefused as refused:
                if refused.status != _NOT_FOUND or _page_number(query) is None:
                    raise
                yield Page((), None, {}, shrunk=True)
                return
            except CancelledError:
                raise LmsError(f"{self._what}: the connection was closed meanwhile") from None

    def drop_what_is_ahead(self) -> None:
        for _, future in self._ahead:
            future.cancel()
        self._ahead.clear()

    def _ask(self, query: str) -> Any:
        return self._connection.get(self._path, query, what=self._what)

    def _ask_ahead(self, query: str, part: _Part) -> None:
        if self._numbers is not None:
            following = _page_number(part.next_query or "") or 0
            if following not in {0, (_page_number(query) or 1) + 1}:
                raise self._circle()
            self._numbers.last = max(self._numbers.last, part.last_number or 0, following)
            while len(self._ahead) < self._connection.concurrency and (
                next_query := self._numbers.take()
            ):
                self._submit(next_query)
        elif part.next_query is not None:
            self._submit(part.next_query)

    def _submit(self, query: str) -> None:
        if query in self._asked:
            raise self._circle()
        self._asked.add(query)
        self._ahead.append((query, self._connection.submit(self._ask, query)))

    def _page(self, part: _Part) -> Page:
        shrunk = part.count is not None and part.count < self._highest_count
        self._highest_count = max(self._highest_count, part.count or 0)
        return Page(part.rows, part.count, part.envelope, shrunk)

    def _circle(self) -> LmsError:
        return LmsError(f"{self._what}: the pages of the list lead in a circle")


@dataclass(slots=True)
class _Numbers:
    """The pages of a numbered list that were not asked for yet.

    Args:
        query: Query of one of its pages.
        first: Number of the first of them.
        last: Number of the last one, as far as is known.
    """

    query: str
    first: int
    last: int = 0

    @classmethod
    def after(cls, part: _Part) -> Self | None:
        if part.next_query is None or part.last_number is None:
            return None
        number = _page_number(part.next_query)
        return None if number is None else cls(part.next_query, number)

    def take(self) -> str | None:
        """Return the query of the next page, if there is one."""
        if self.first > self.last:
            return None
        values = [
            (name, str(self.first) if name == _PAGE else value)
            for name, value in parse_qsl(self.query, keep_blank_values=True)
        ]
        self.first += 1
        return urlencode(values, quote_via=quote)


def _taken_apart(answer: Any, what: str) -> _Part:
    if isinstance(answer, list):
        return _Part(rows(answer, what), {}, count=len(answer))
    envelope = dict(mapping(answer, what))
    found = rows(envelope.pop("results", None), what, "results")
    links = mapping(envelope.get("pagination", envelope), what, "pagination")
    return _Part(
        found,
        envelope,
        count=_whole(links.get("count")),
        next_query=_next_query(links, what),
        last_number=_whole(links.get("num_pages")),
    )


def _next_query(links: Mapping[str, Any], what: str) -> str | None:
    allowed = "the address of the next page, or null"
    if "next" not in links:
        raise MalformedAnswer(what, "next", "missing", allowed)
    link = links["next"]
    if link is None:
        return None
    if not isinstance(link, str):
        raise MalformedAnswer(what, "next", described(link), allowed)
    try:
        return urlsplit(link).query
    except ValueError:
        raise MalformedAnswer(what, "next", "no address", allowed) from None


def _page_number(query: str) -> int | None:
    for name, value in parse_qsl(query):
        if name == _PAGE and value.isascii() and value.isdigit():
            return int(value)
    return None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
