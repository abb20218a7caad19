"""What may pass is asked again, more and more slowly; what will not is said at once."""

import socket
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import trustme

from testamur.adapters.open_edx.errors import LmsError, LmsRefused, LmsUnavailable
from tests.support.lms_connections import WaitedTime, answered, connection_to, served
from tests.support.scripted_server import (
    HOST,
    Asked,
    TokenIssuer,
    Told,
    html,
    in_turn,
    scripted_server,
    told,
)

pytestmark = pytest.mark.integration

PATH = "/api/something"
DATA = told({"results": ["x" * 100]})


@pytest.mark.parametrize(
    "failure",
    [
        html(500),
        html(502),
        html(503),
        html(504),
        told({"detail": "Request was throttled."}, 429),
        html(429),
        html(200),
        Told(b"not json"),
        Told(b'{"a": NaN}'),
        Told(b'{"a": 1e99999999999999999999}'),
        Told(b"[" * 100_000),
        Told(DATA.body[:50]),
        Told(DATA.body, cut_after=50),
        Told(DATA.body, cut_after=0),
        Told(b"no gzip", headers={"Content-Encoding": "gzip"}),
        Told(hang_up=True),
    ],
)
def test_a_failure_that_may_pass_is_asked_again(failure: Told) -> None:
    passing = WaitedTime()
    with answered(failure, failure, DATA, time=passing) as (server, lms):
        assert lms.get(PATH, what="something") == {"results": ["x" * 100]}
    assert len(server.asked_with_token) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 408, 409, 410, 413, 414, 422])
def test_any_other_refusal_is_not(status: int) -> None:
    passing = WaitedTime()
    with answered(html(status), DATA, time=passing) as (server, lms):
        if status == 401:  # another token is tried
            assert lms.get(PATH, what="something")
        else:
            with pytest.raises(LmsRefused, match=f"answered {status}"):
                lms.get(PATH, what="something")
    assert passing.waits == []
    assert len(server.asked_with_token) == (2 if status == 401 else 1)


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (html(502), "the LMS answered 502"),
        (html(200), "text/html instead of JSON"),
        (Told(DATA.body, cut_after=50), "broke: peer closed connection"),
        (Told(DATA.body[:50]), "not whole, or no JSON"),
        (Told(hang_up=True), "broke: Server disconnected"),
        (Told(b"no gzip", headers={"Content-Encoding": "gzip"}), "cannot be unpacked"),
    ],
)
def test_after_the_last_attempt_the_reason_is_told(failure: Told, reason: str) -> None:
    passing = WaitedTime()
    with (
        answered(failure, time=passing, attempts=4) as (server, lms),
        pytest.raises(LmsUnavailable, match=f"^grades of X: .*{reason}.*; asked 4 times$"),
    ):
        lms.get(PATH, what="grades of X")
    assert len(server.asked_with_token) == 4
    assert len(passing.waits) == 3


def test_each_wait_has_a_bound_of_its_own() -> None:
    passing = WaitedTime()
    with (
        answered(html(500), time=passing, attempts=6) as (_, lms),
        pytest.raises(LmsUnavailable),
    ):
        lms.get(PATH, what="something")
    assert all(0 <= wait <= 2**before for before, wait in enumerate(passing.waits))
    assert len(passing.waits) == 5


def test_nobody_listens() -> None:
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
    with (
        connection_to(f"http://{HOST}:{port}", WaitedTime(), attempts=2) as lms,
        pytest.raises(LmsUnavailable, match=f"no connection to {HOST}:{port}: .*refused.*2 times"),
    ):
        lms.get(PATH, what="something")


def test_a_silent_server_is_given_up() -> None:
    with (
        answered(told({}, delay=0.6), attempts=1, timeout_seconds=0.2) as (_, lms),
        pytest.raises(LmsUnavailable, match=r"was silent for 0\.2 s; asked once"),
    ):
        lms.get(PATH, what="something")


def test_a_body_that_drips_in_is_given_up_after_five_times_the_time_out() -> None:
    dripping = Told(b'{"a": "' + b"x" * 200 + b'"}', drip=0.02)
    with (
        answered(dripping, attempts=1, timeout_seconds=0.1) as (_, lms),
        pytest.raises(LmsUnavailable, match=r"not whole after 0\.5 s"),
    ):
        lms.get(PATH, what="something")


@pytest.mark.parametrize("status", [429, 503])
def test_the_wait_that_the_lms_asks_for_is_kept(status: int) -> None:
    passing = WaitedTime()
    slow_down = html(status, headers={"Retry-After": "7"})
    with answered(slow_down, DATA, time=passing) as (_, lms):
        lms.get(PATH, what="something")
    assert sum(passing.waits) == pytest.approx(7, abs=0.01)


@pytest.mark.parametrize("status", [429, 503])
def test_the_wait_can_be_a_date(status: int) -> None:
    passing = WaitedTime()
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    with answered(html(status, headers={"Retry-After": at}), DATA, time=passing) as (_, lms):
        lms.get(PATH, what="something")
    assert 90 < sum(passing.waits) < 101


def test_a_request_that_is_put_off_does_not_use_up_its_attempts() -> None:
    passing = WaitedTime()
    slow_down = told({"detail": "Request was throttled."}, 429, headers={"Retry-After": "2"})
    with answered(*[slow_down] * 50, DATA, time=passing, attempts=1) as (_, lms):
        assert lms.get(PATH, what="something")
    assert sum(passing.waits) == pytest.approx(100, abs=1)


def test_a_request_is_not_put_off_for_ever() -> None:
    passing = WaitedTime()
    with (
        answered(html(429), time=passing) as (server, lms),
        pytest.raises(LmsRefused, match="lower requests_per_minute") as refused,
    ):
        lms.get(PATH, what="something")
    assert refused.value.status == 429
    assert sum(passing.waits) < 310
    assert 8 < len(server.asked_with_token) < 15


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_is_too_long_is_an_error(status: int) -> None:
    passing = WaitedTime()
    with (
        answered(html(status, headers={"Retry-After": "86400"}), time=passing) as (server, lms),
        pytest.raises(LmsError, match="asks to wait 86400 s"),
    ):
        lms.get(PATH, what="something")
    assert passing.waits == []
    assert len(server.asked_with_token) == 1


def test_a_certificate_that_is_not_trusted_is_said_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(HOST).configure_cert(tls)
    with scripted_server(TokenIssuer(in_turn(DATA)), tls=tls) as server:
        with connection_to(server.url) as lms:
            with pytest.raises(LmsError, match=r"not trusted .*; SSL_CERT_FILE can name"):
                lms.get(PATH, what="something")
            assert lms.requests_sent == 1
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        with connection_to(server.url) as lms:
            assert lms.get(PATH, what="something")


def test_when_one_is_told_to_slow_down_all_who_ask_the_lms_do() -> None:
    first, second = WaitedTime(), WaitedTime()
    throttled: list[Asked] = []

    def script(asked: Asked) -> Told:
        if asked.path == "/throttled" and not throttled:
            throttled.append(asked)
            return html(429, headers={"Retry-After": "30"})
        return DATA

    with (
        served(TokenIssuer(script), first) as (server, lms),
        connection_to(server.url, second) as other,
    ):
        other.get("/before", what="something")
        lms.get("/throttled", what="something")
        other.get("/after", what="something")
    assert second.waits == [pytest.approx(30, abs=0.01)]


def test_two_connections_to_one_lms_share_its_pace() -> None:
    passing = WaitedTime()
    with (
        served(TokenIssuer(in_turn(DATA)), passing, requests_per_minute=60) as (server, lms),
        connection_to(f"{server.url}/", passing, requests_per_minute=60) as other,
    ):
        begun = passing.clock()
        for each in (lms, other) * 5:
            each.get(PATH, what="something")
    assert len(server.asked) == 12
    assert passing.clock() - begun == pytest.approx(11)


def test_requests_that_are_sent_again_keep_the_pace_too() -> None:
    passing = WaitedTime()
    script = TokenIssuer(in_turn(html(500), html(500), DATA))
    with served(script, passing, requests_per_minute=1) as (_, lms):
        begun = passing.clock()
        lms.get(PATH, what="something")
    assert passing.clock() - begun == pytest.approx(180)
