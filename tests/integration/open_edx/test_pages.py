"""All pages of a list come in order, whatever the kind of pagination, and are read ahead."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

import pytest

from testamur.adapters.open_edx.errors import LmsError, LmsRefused, MalformedAnswer
from testamur.adapters.open_edx.pages import Page, pages
from tests.support.lms_connections import WaitedTime, answered, connection_to, served
from tests.support.scripted_server import (
    Asked,
    Script,
    TokenIssuer,
    Told,
    html,
    in_turn,
    scripted_server,
    told,
)

pytestmark = pytest.mark.integration

PATH = "/api/list/course-v1:O+C+R/"

Envelope = Callable[[Sequence[Mapping[str, int]], str | None, int, int], dict[str, Any]]


def cursor(rows: Sequence[Mapping[str, int]], link: str | None, _: int, __: int) -> dict[str, Any]:
    return {"next": link, "previous": None, "results": rows, "total_users_count": 77}


def namespaced(
    rows: Sequence[Mapping[str, int]], link: str | None, count: int, last: int
) -> dict[str, Any]:
    pagination = {"next": link, "previous": None, "count": count, "num_pages": last}
    return {"results": rows, "pagination": pagination}


def default(
    rows: Sequence[Mapping[str, int]], link: str | None, count: int, last: int
) -> dict[str, Any]:
    return {"next": link, "count": count, "num_pages": last, "start": 0, "results": rows}


def plain(
    rows: Sequence[Mapping[str, int]], link: str | None, count: int, last: int
) -> dict[str, Any]:
    return {"count": count, "next": link, "previous": None, "results": rows}


def numbered(
    total: int,
    envelope: Envelope = namespaced,
    base: str = "http://elsewhere.invalid",
    delay: float = 0.0,
) -> Script:
    """Serve rows 0, 1, … in pages of at most 10, with links to another address."""

    def script(asked: Asked) -> Told:
        size = min(int(asked.query.get("page_size", 10)), 10)
        page = int(asked.query.get("page", 1))
        last = max(-(-total // size), 1)
        if not 1 <= page <= last:
            return told({"detail": "Invalid page."}, 404)
        rows = [{"row": row} for row in range((page - 1) * size, min(page * size, total))]
        link = f"{base}/other/path?page={page + 1}&page_size={size}" if page < last else None
        return told(envelope(rows, link, total, last), delay=delay)

    return script


def with_cursors(total: int) -> Script:
    """Serve rows 0, 1, … in pages of 10 with opaque cursors."""

    def script(asked: Asked) -> Told:
        begin = int(asked.query.get("cursor", "p=+0").removeprefix("p=+"))
        rows = [{"row": row} for row in range(begin, min(begin + 10, total))]
        link = f"http://elsewhere.invalid/?cursor=p%3D%2B{begin + 10}&page_size=10"
        return told(cursor(rows, link if begin + 10 < total else None, total, 0))

    return script


def rows_of(found: Sequence[Page]) -> list[int]:
    return [row["row"] for page in found for row in page.rows]


def all_pages(lms: Any, query: Mapping[str, str] | None = None) -> list[Page]:
    return list(pages(lms, PATH, query or {"page_size": "10"}, what="a list"))


@pytest.mark.parametrize("envelope", [namespaced, default, plain])
@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("total", [0, 7, 10, 11, 95])
def test_numbered_pages_come_in_order(envelope: Envelope, concurrency: int, total: int) -> None:
    script = TokenIssuer(numbered(total, envelope))
    with served(script, concurrency=concurrency) as (server, lms):
        found = all_pages(lms)
    assert rows_of(found) == list(range(total))
    assert {page.count for page in found} == {total}
    assert not any(page.shrunk for page in found)
    assert len(server.asked_with_token) == len(found) == max(-(-total // 10), 1)


@pytest.mark.parametrize("total", [0, 7, 10, 11, 95])
def test_pages_with_cursors_come_in_order(total: int) -> None:
    with served(TokenIssuer(with_cursors(total))) as (server, lms):
        found = all_pages(lms)
    assert rows_of(found) == list(range(total))
    assert {page.count for page in found} == {None}
    assert {page.envelope["total_users_count"] for page in found} == {77}
    assert len(server.asked_with_token) == len(found)


def test_a_bare_list_is_one_page() -> None:
    with answered(told([{"row": 0}, {"row": 1}])) as (_, lms):
        (page,) = all_pages(lms)
    assert page == Page([{"row": 0}, {"row": 1}], 2, {})


def test_the_envelope_comes_without_the_rows() -> None:
    with served(TokenIssuer(numbered(3))) as (_, lms):
        (page,) = all_pages(lms)
    assert page.envelope == {
        "pagination": {"next": None, "previous": None, "count": 3, "num_pages": 1}
    }


def test_smaller_pages_than_asked_for_are_taken_as_they_are() -> None:
    with served(TokenIssuer(numbered(35))) as (_, lms):
        found = all_pages(lms, {"page_size": "1000"})
    assert [len(page.rows) for page in found] == [10, 10, 10, 5]


def test_a_link_elsewhere_never_takes_the_token_there() -> None:
    with scripted_server(in_turn(told({}))) as other:
        for script in (numbered(35, base=other.url), numbered(35, plain, base=other.url)):
            with served(TokenIssuer(script)) as (server, lms):
                assert rows_of(all_pages(lms)) == list(range(35))
            assert {each.path for each in server.asked_with_token} == {PATH}
    assert other.asked == []


def test_a_name_in_the_query_stays_what_it_is_on_all_pages() -> None:
    def script(asked: Asked) -> Told:
        page = int(asked.query.get("page", 1))
        again = asked.target.partition("?")[2].replace(f"page={page}&", "")
        link = f"http://lms.invalid/?page={page + 1}&{again}" if page < 4 else None
        return told(namespaced([{"row": page}], link, 4, 4))

    with served(TokenIssuer(script)) as (server, lms):
        all_pages(lms, {"username": "zoë +q@x", "course_id": "course-v1:A+B+C"})
    assert {each.query["username"] for each in server.asked_with_token} == {"zoë +q@x"}
    assert {each.query["course_id"] for each in server.asked_with_token} == {"course-v1:A+B+C"}


@pytest.mark.parametrize("script", [with_cursors(30), numbered(30, plain), numbered(30)])
def test_the_next_page_is_under_way_while_the_present_one_is_used(script: Script) -> None:
    with (
        served(TokenIssuer(script), concurrency=1) as (server, lms),
        closing(pages(lms, PATH, {"page_size": "10"}, what="a list")) as walk,
    ):
        next(walk)
        until(lambda: len(server.asked_with_token) == 2)
        next(walk)
        until(lambda: len(server.asked_with_token) == 3)


@pytest.mark.parametrize("concurrency", [1, 2, 5])
def test_numbered_pages_are_read_side_by_side_and_not_too_far_ahead(concurrency: int) -> None:
    together = threading.Barrier(concurrency)

    def script(asked: Asked) -> Told:
        if 2 <= int(asked.query.get("page", 1)) < 2 + concurrency:
            together.wait(5)  # each is answered when all of them are there
        return numbered(300)(asked)

    with served(TokenIssuer(script), concurrency=concurrency) as (server, lms):
        for handed_out, page in enumerate(pages(lms, PATH, {}, what="a list"), start=1):
            time.sleep(0.005)
            assert len(server.asked_with_token) <= handed_out + concurrency
            assert page.rows
    assert server.most_at_once == concurrency
    assert len(server.asked_with_token) == 30


def test_one_who_stops_early_leaves_nothing_behind() -> None:
    script = TokenIssuer(numbered(300, delay=0.01))
    with served(script, concurrency=3) as (server, lms):
        walk = pages(lms, PATH, {}, what="a list")
        next(walk)
        walk.close()
        assert lms.get(PATH, what="a list")  # the connection can still be used
        assert len(server.asked_with_token) <= 5
    assert not [each for each in threading.enumerate() if "testamur" in each.name]


def test_a_list_that_lost_a_page_says_so() -> None:
    count = iter([25, 25, 15, 15])

    def script(asked: Asked) -> Told:
        return numbered(next(count))(asked)

    with served(TokenIssuer(script), concurrency=1) as (_, lms):
        found = all_pages(lms)
    assert [len(page.rows) for page in found] == [10, 10, 0]
    assert [page.shrunk for page in found] == [False, False, True]


def test_a_list_that_lost_a_row_says_so() -> None:
    count = iter([25, 25, 24])

    def script(asked: Asked) -> Told:
        return numbered(next(count))(asked)

    with served(TokenIssuer(script), concurrency=1) as (_, lms):
        found = all_pages(lms)
    assert [page.shrunk for page in found] == [False, False, True]


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_list_that_grew_is_read_to_its_new_end(concurrency: int) -> None:
    first = threading.Event()

    def script(asked: Asked) -> Told:
        if "page" not in asked.query:
            return numbered(15)(asked)
        first.set()
        return numbered(42)(asked)

    with served(TokenIssuer(script), concurrency=concurrency) as (_, lms):
        assert rows_of(all_pages(lms)) == list(range(42))


def test_a_cursor_that_is_refused_is_an_error_and_no_end() -> None:
    answers = [
        told(cursor([{"row": 0}], "http://lms.invalid/?cursor=abc", 1, 1)),
        told({"detail": "Invalid cursor"}, 404),
    ]
    with answered(*answers) as (_, lms):
        walk = pages(lms, PATH, {}, what="a list")
        assert rows_of([next(walk)]) == [0]
        with pytest.raises(LmsRefused, match="Invalid cursor"):
            next(walk)


def test_a_first_page_that_is_not_there_is_an_error() -> None:
    missing = told({"detail": "Invalid course key."}, 404)
    with answered(missing) as (_, lms), pytest.raises(LmsRefused, match="404"):
        all_pages(lms)


def test_a_page_that_fails_in_the_middle_is_an_error_after_those_before_it() -> None:
    def script(asked: Asked) -> Told:
        return html(403) if asked.query.get("page") == "3" else numbered(100)(asked)

    with served(TokenIssuer(script)) as (_, lms):
        walk = pages(lms, PATH, {}, what="a list")
        assert rows_of([next(walk), next(walk)]) == list(range(20))
        with pytest.raises(LmsRefused, match="403"):
            next(walk)


def test_a_page_that_fails_for_a_while_is_asked_for_again() -> None:
    failed: set[str] = set()

    def script(asked: Asked) -> Told:
        if asked.target in failed:
            return numbered(55)(asked)
        failed.add(asked.target)
        return Told(b'{"resu', cut_after=3)

    with served(TokenIssuer(script), WaitedTime()) as (_, lms):
        assert rows_of(all_pages(lms)) == list(range(55))


@pytest.mark.parametrize(
    "answer",
    [
        cursor([], "http://lms.invalid/?page_size=10", 0, 0),
        cursor([], "http://lms.invalid/?cursor=same", 0, 0),
        namespaced([], "http://lms.invalid/?page=2", 100, 10),
        namespaced([], "http://lms.invalid/?page=1", 100, 10),
    ],
)
def test_pages_that_lead_in_a_circle_are_an_error(answer: object) -> None:
    with answered(told(answer)) as (_, lms), pytest.raises(LmsError, match="in a circle"):
        all_pages(lms)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"results": {}, "next": None}, "results is an object; expected: a list"),
        ({"results": []}, "next is missing"),
        ({"results": [], "pagination": None}, "pagination is null"),
        ({"results": [], "next": 7}, "next is a whole number"),
        ({"results": [], "next": "http://[::1"}, "next is no address"),
        ({"results": ["kate"], "next": None}, r"results\[\] is text"),
        ({"detail": "?"}, "results is null; expected: a list"),
        (["kate"], "text; expected: an object"),
        ("kate", "the answer is text"),
    ],
)
def test_what_is_no_list_is_an_error(answer: object, message: str) -> None:
    with answered(told(answer)) as (_, lms), pytest.raises(MalformedAnswer, match=message) as found:
        all_pages(lms)
    assert "kate" not in str(found.value)


def test_an_empty_answer_is_no_list() -> None:
    with answered(Told()) as (_, lms), pytest.raises(MalformedAnswer, match="the answer is null"):
        all_pages(lms)


def test_a_list_can_be_read_within_the_connections_own_threads() -> None:
    with served(TokenIssuer(numbered(55)), concurrency=2) as (_, lms):
        futures = [lms.submit(lambda: rows_of(all_pages(lms))) for _ in range(4)]
        assert [future.result(10) for future in futures] == [list(range(55))] * 4


def test_a_connection_that_is_closed_meanwhile_ends_the_list_with_an_error() -> None:
    with scripted_server(TokenIssuer(numbered(300, delay=0.02))) as server:
        lms = connection_to(server.url, concurrency=2)
        walk = pages(lms, PATH, {}, what="a list")
        next(walk)
        lms.close()
        with pytest.raises(LmsError, match="closed"):
            list(walk)


def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    give_up = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.002)
