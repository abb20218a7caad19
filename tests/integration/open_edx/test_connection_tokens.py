"""Tokens are fetched once, renewed in time, and replaced when the LMS refuses them."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from testamur.adapters.open_edx.errors import LmsError, LmsRefused, LmsUnavailable
from tests.support.lms_connections import CLIENT_ID, SECRET, WaitedTime, answered, served
from tests.support.scripted_server import (
    Asked,
    TokenIssuer,
    Told,
    html,
    in_turn,
    told,
)

pytestmark = pytest.mark.integration

PATH = "/api/something"


def test_the_token_is_asked_for_as_the_lms_wants_it() -> None:
    with answered(told({})) as (server, lms):
        lms.get(PATH, what="something")
    (token_request, request) = server.asked
    assert token_request.method == "POST"
    assert token_request.form == {
        "grant_type": "client_credentials",
        "client_id": CLIENT_ID,
        "client_secret": SECRET,
        "token_type": "jwt",
    }
    assert request.headers["authorization"] == "JWT eyJ.token-1"


def test_many_threads_fetch_one_token() -> None:
    issuer = TokenIssuer(in_turn(told({})), delay=0.1)
    with served(issuer, concurrency=8) as (_, lms), ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: lms.get(PATH, what="something"), range(16)))
    assert answers == [{}] * 16
    assert len(issuer.given) == 1


def test_a_token_is_renewed_before_it_expires() -> None:
    passing = WaitedTime()
    issuer = TokenIssuer(in_turn(told({})), life=2)
    with served(issuer, passing) as (_, lms):
        for wait, fetched in ((0, 1), (1.4, 1), (0.2, 2), (1.4, 2), (0.2, 3)):
            passing.wait(wait)
            lms.get(PATH, what="something")
            assert len(issuer.given) == fetched


def test_a_token_that_expired_early_is_replaced() -> None:
    issuer = TokenIssuer(in_turn(told({"a": 1})))
    with served(issuer) as (server, lms):
        lms.get(PATH, what="something")
        issuer.revoke_all()
        assert lms.get(PATH, what="something") == {"a": 1}
        assert lms.get(PATH, what="something") == {"a": 1}
    assert len(issuer.given) == 2
    assert len(server.asked_with_token) == 4


def test_threads_whose_token_expired_together_fetch_one() -> None:
    together = threading.Barrier(8)

    def script(asked: Asked) -> Told:
        if asked.path.endswith("/slow"):
            together.wait(10)  # all eight carry the first token, and none is answered before
        return issuer(asked)

    issuer = TokenIssuer(in_turn(told({})))
    with served(script, concurrency=8) as (_, lms):
        lms.get("/first", what="something")
        issuer.revoke_all()
        with ThreadPoolExecutor(8) as pool:

            def ask(_: int) -> object:
                try:
                    return lms.get("/slow", what="something")
                except LmsError as error:
                    return error

            answers = list(pool.map(ask, range(8)))
    assert answers == [{}] * 8
    assert len(issuer.given) == 2


def test_a_second_401_is_a_refusal_that_says_what_to_check() -> None:
    script = TokenIssuer(in_turn(told({"detail": "Invalid token."}, 401)))
    with served(script) as (server, lms):
        with pytest.raises(LmsRefused) as refused:
            lms.get(PATH, what="something")
        assert f"client_id '{CLIENT_ID}' is active" in str(refused.value)
    assert refused.value.status == 401
    assert len(script.given) == 2
    assert len(server.asked_with_token) == 2


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_login_that_is_refused_names_the_client_and_not_the_secret(status: int) -> None:
    answer = told({"error": "invalid_client", "error_description": f"bad {SECRET}"}, status)
    with served(in_turn(answer)) as (_, lms):
        with pytest.raises(LmsRefused, match="check client_id and client_secret") as refused:
            lms.get(PATH, what="something")
        assert lms.requests_sent == 1
    assert CLIENT_ID in str(refused.value)
    assert refused.value.code == "invalid_client"
    assert SECRET not in str(refused.value)


def test_a_login_that_is_refused_is_tried_anew_by_the_next_request() -> None:
    issuer = TokenIssuer(in_turn(told({})))
    refusal = in_turn(told({"error": "invalid_client"}, 401), told({}))
    refused_once: list[Asked] = []

    def script(asked: Asked) -> Told:
        if not refused_once:
            refused_once.append(asked)
            return refusal(asked)
        return issuer(asked)

    with served(script) as (_, lms):
        with pytest.raises(LmsRefused):
            lms.get(PATH, what="something")
        assert lms.get(PATH, what="something") == {}


def test_a_token_request_is_sent_again_like_any_other() -> None:
    passing = WaitedTime()
    issuer = TokenIssuer(in_turn(told({})))
    bad = in_turn(html(502), Told(hang_up=True), html(), told({}))
    count = iter(range(100))

    def script(asked: Asked) -> Told:
        return bad(asked) if next(count) < 3 else issuer(asked)

    with served(script, passing) as (server, lms):
        assert lms.get(PATH, what="something") == {}
    assert len(server.asked) == 5


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"access_token": "opaque", "token_type": "Bearer", "expires_in": 3600}, "type 'Bearer'"),
        ({"access_token": "eyJ", "expires_in": 3600}, "type 'None'"),
        ({"access_token": "eyJ", "token_type": "JWT", "expires_in": -1}, "expired already"),
        ({"access_token": "a\nb", "token_type": "JWT", "expires_in": 1}, "holds no token"),
        ({"token_type": "JWT"}, "holds no token"),
        (["JWT"], "holds no token"),
    ],
)
def test_a_token_that_cannot_be_used_is_refused(answer: object, message: str) -> None:
    with served(in_turn(told(answer))) as (_, lms):
        with pytest.raises(LmsError, match=message):
            lms.get(PATH, what="something")
        assert lms.requests_sent == 1


def test_all_who_wait_for_a_token_hear_that_there_is_none() -> None:
    begun = time.monotonic()
    answer = html(500, delay=0.05)
    with served(in_turn(answer), concurrency=8, attempts=1) as (server, lms):
        futures = [lms.submit(lambda: lms.get(PATH, what="something")) for _ in range(8)]
        errors = [future.exception() for future in futures]
    assert all(isinstance(error, LmsUnavailable) for error in errors)
    assert len(server.asked) < 8
    assert time.monotonic() - begun < 2
