"""A connection asks one LMS, says clearly why it got no answer, and gives nothing away."""

import gc
import gzip
import json
import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import httpx
import pytest

from testamur.adapters.open_edx.addresses import segment
from testamur.adapters.open_edx.errors import LmsError, LmsRefused
from tests.support.lms_connections import SECRET, answered, connection_to, served
from tests.support.scripted_server import (
    Asked,
    TokenIssuer,
    Told,
    html,
    in_turn,
    scripted_server,
    told,
)

pytestmark = pytest.mark.integration

PATH = "/api/grades/v1/gradebook/course-v1:Org+C+R/"


def test_an_answer_keeps_the_digits_of_its_numbers() -> None:
    body = b'{"percent": 0.10, "count": 3, "possible": 2.0, "none": null}'
    with answered(Told(body)) as (_, lms):
        answer = lms.get(PATH, what="grades")
    assert answer == {"percent": Decimal("0.10"), "count": 3, "possible": Decimal(2), "none": None}
    assert str(answer["percent"]) == "0.10"
    assert type(answer["count"]) is int


@pytest.mark.parametrize("empty", [Told(), Told(status=204)])
def test_an_empty_answer_is_none(empty: Told) -> None:
    with answered(empty) as (_, lms):
        assert lms.get("/api/enrollment/v1/enrollment/kate,c", what="an enrolment") is None


def test_a_packed_answer_is_unpacked() -> None:
    packed = Told(gzip.compress(b'{"a": 1}'), headers={"Content-Encoding": "gzip"})
    with answered(packed) as (_, lms):
        assert lms.get(PATH, what="grades") == {"a": 1}


def test_a_document_is_sent_as_json() -> None:
    with answered(told([])) as (server, lms):
        assert lms.post("/completion/", {"user_ids": [1, 2], "é": "ł"}, what="completion") == []
    (asked,) = server.asked_with_token
    assert (asked.method, asked.headers["content-type"]) == ("POST", "application/json")
    assert json.loads(asked.body) == {"user_ids": [1, 2], "é": "ł"}


def test_keys_and_names_arrive_as_they_are() -> None:
    name, course = "zoë +q@x?&#=%41/ü.", "course-v1:Örg+C+R+ccx@3"
    with answered(told({})) as (server, lms):
        lms.get(
            f"/api/{segment(course)}/{segment(name)}",
            {"course_id": course, "username": name},
            what="something",
        )
    (asked,) = server.asked_with_token
    assert asked.query == {"course_id": course, "username": name}
    assert asked.path == f"/api/{course}/{name}"
    assert "+" not in asked.target.partition("?")[2]


def test_the_address_may_have_a_path_and_a_slash_at_its_end() -> None:
    with (
        scripted_server(TokenIssuer(in_turn(told({"a": 1})))) as server,
        connection_to(f"{server.url}/lms/") as lms,
    ):
        assert lms.get("/api", what="something") == {"a": 1}
        assert lms.site == f"{server.url.removeprefix('http://')}/lms"
    assert [each.path for each in server.asked] == ["/lms/oauth2/access_token", "/lms/api"]


def test_the_connection_says_who_it_is() -> None:
    with answered(told({})) as (server, lms):
        lms.get(PATH, what="grades")
    assert {each.headers["user-agent"].partition("/")[0] for each in server.asked} == {"testamur"}


def test_cookies_are_not_kept() -> None:
    cookie = {"Set-Cookie": "sessionid=abc; Path=/"}
    script = TokenIssuer(in_turn(told({}, headers=cookie)))
    with served(script) as (server, lms):
        lms.get(PATH, what="grades")
        lms.get(PATH, what="grades")
    assert not any("cookie" in each.headers for each in server.asked)


def test_sockets_are_used_again() -> None:
    with answered(told({})) as (server, lms):
        for _ in range(5):
            lms.get(PATH, what="grades")
        assert lms.requests_sent == 6
    assert server.connections == 1


@pytest.mark.parametrize(
    ("answer", "code", "detail"),
    [
        (
            told({"developer_message": "No.", "error_code": "user_permissions"}, 403),
            "user_permissions",
            "No.",
        ),
        (
            told(
                {"developer_message": {"error_code": "nested", "developer_message": "No\n way"}},
                403,
            ),
            "nested",
            "No way",
        ),
        (
            told({"field_errors": {"username": {"developer_message": "Too many"}}}, 400),
            None,
            "username: Too many",
        ),
        (told({"page_size": ["A valid integer is required."]}, 400), None, "page_size: A valid"),
        (told({"detail": "Invalid course key: 'x'."}, 404), None, "Invalid course key: 'x'."),
        (Told(status=404), None, ""),
        (html(403), None, ""),
        (Told(b'{"detail": "cut', 400), None, ""),
        (html(414), None, ""),
    ],
)
def test_a_refusal_tells_what_the_lms_says(answer: Told, code: str | None, detail: str) -> None:
    with answered(answer) as (_, lms):
        with pytest.raises(LmsRefused, match=r"^grades of X: the LMS answered 4") as refused:
            lms.get(PATH, what="grades of X")
        assert lms.requests_sent == 2
    assert (refused.value.status, refused.value.code) == (answer.status, code)
    assert refused.value.detail.startswith(detail)
    assert bool(refused.value.detail) == bool(detail)


def test_a_refusal_is_one_line_of_bounded_length_and_names_no_secret() -> None:
    def script(asked: object) -> Told:
        words = f"{asked}\r\n\x1b[31m" + "long " * 20
        return told({"detail": words + SECRET * 10_000, "error_code": SECRET}, 400)

    with served(TokenIssuer(script)) as (_, lms):
        with pytest.raises(LmsRefused) as refused:
            lms.get(PATH, what="grades")
        message = str(refused.value)
    assert "eyJ.token" not in message
    assert SECRET not in message
    assert message.isprintable()
    assert len(message) < 500


def test_the_record_of_a_refusal_names_no_learner() -> None:
    answer = told({"detail": "User 'kate' does not have an active enrollment."}, 404)
    with answered(answer) as (_, lms), pytest.raises(LmsRefused, match="kate") as refused:
        lms.get(PATH, what="completion")
    assert refused.value.for_the_record() == "completion: the LMS answered 404"


def test_a_page_for_people_in_place_of_an_api_points_to_the_url() -> None:
    with served(lambda _: html(404)) as (server, lms):
        with pytest.raises(LmsRefused) as refused:
            lms.get(PATH, what="grades")
        assert f"check url ({server.url})" in str(refused.value)


def test_a_redirect_is_named_and_never_followed() -> None:
    with scripted_server(in_turn(told({}))) as other:
        elsewhere = {"Location": f"{other.url}/api/kate?username=kate"}
        script = TokenIssuer(in_turn(html(302, headers=elsewhere)))
        with served(script) as (_, lms):
            with pytest.raises(LmsError) as refused:
                lms.get(PATH, what="grades")
            assert f"redirects to {other.url}; set url to it" in str(refused.value)
    assert other.asked == []
    assert "kate" not in str(refused.value)


def test_a_redirect_of_the_token_request_takes_no_secret_along() -> None:
    with scripted_server(in_turn(told({}))) as other:
        script = in_turn(html(308, headers={"Location": f"{other.url}/oauth2/access_token"}))
        with served(script) as (_, lms), pytest.raises(LmsError, match="redirects to"):
            lms.get(PATH, what="grades")
    assert other.asked == []


def test_a_redirect_within_the_site_is_an_error_too() -> None:
    script = TokenIssuer(in_turn(html(302, headers={"Location": "/login?next=/kate"})))
    with served(script) as (_, lms), pytest.raises(LmsError, match="another of its own"):
        lms.get(PATH, what="grades")


def test_neither_names_nor_secrets_get_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    script = TokenIssuer(in_turn(html(502), told({})))
    with served(script) as (_, lms):
        lms.get("/api/user/v1/accounts", {"username": "kate"}, what="accounts")
    logged = "\n".join(record.getMessage() for record in caplog.records)
    assert [word for word in ("kate", "accounts", SECRET, "eyJ.token") if word in logged] == []


def test_what_others_send_with_httpx_is_still_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with answered(told({})) as (server, lms):
        lms.get(PATH, what="grades")
        httpx.get(f"{server.url}/theirs")
    assert any("/theirs" in record.getMessage() for record in caplog.records)


def test_no_more_requests_are_under_way_than_allowed() -> None:
    together = threading.Barrier(3)

    def script(_: Asked) -> Told:
        together.wait(5)  # they are answered three by three
        return told({}, delay=0.01)

    with served(TokenIssuer(script), concurrency=3) as (server, lms):
        futures = [lms.submit(lambda: lms.get(PATH, what="grades")) for _ in range(12)]
        with ThreadPoolExecutor(6) as others:
            assert len(list(others.map(lambda _: lms.get(PATH, what="grades"), range(12)))) == 12
        assert [future.result() for future in futures] == [{}] * 12
    assert server.most_at_once == 3


def test_a_thread_of_the_connection_can_submit_more() -> None:
    with answered(told({}), concurrency=1) as (_, lms):

        def ask_for_more() -> object:
            return lms.submit(lambda: lms.get(PATH, what="grades")).result()

        assert lms.submit(ask_for_more).result(10) == {}


def test_closing_ends_a_wait_at_once() -> None:
    script = TokenIssuer(in_turn(html(503, headers={"Retry-After": "200"})))
    with served(script) as (_, lms):
        begun = time.monotonic()
        future = lms.submit(lambda: lms.get(PATH, what="grades"))
        while lms.requests_sent < 2:
            time.sleep(0.005)
        lms.close()
        with pytest.raises(LmsError, match="is closed"):
            future.result(0)
        with pytest.raises(LmsError, match="is closed"):
            lms.get(PATH, what="grades")
    assert time.monotonic() - begun < 5
    assert not [each for each in threading.enumerate() if "testamur" in each.name]


def test_closing_lets_a_request_under_way_end() -> None:
    with answered(told({"a": 1}, delay=0.1)) as (server, lms), ThreadPoolExecutor(1) as thread:
        future = thread.submit(lambda: lms.get(PATH, what="grades"))
        while not server.asked_with_token:
            time.sleep(0.002)
        lms.close()
        assert future.result(0.05) == {"a": 1}


def test_a_connection_that_nobody_closed_leaves_no_threads() -> None:
    with scripted_server(TokenIssuer(in_turn(told({})))) as server:
        lms = connection_to(server.url)
        lms.submit(lms.get, PATH, what="grades").result()
        lms._exchange.close()
        threads = [each for each in threading.enumerate() if "testamur" in each.name]
        assert threads
        del lms
        gc.collect()
        for thread in threads:
            thread.join(5)
            assert not thread.is_alive()


def test_another_process_has_to_open_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    with answered(told({})) as (server, lms):
        monkeypatch.setattr(os, "getpid", lambda: -1)
        with pytest.raises(LmsError, match="another process"):
            lms.get(PATH, what="grades")
    assert server.asked == []


def test_a_connection_shows_no_secret() -> None:
    with answered(told({})) as (server, lms):
        lms.get(PATH, what="grades")
        assert repr(lms) == f"Connection('{server.url}')"
