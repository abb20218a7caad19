"""The stand-in LMS misbehaves as it is told, and no more."""

import time

import httpx
import pytest

from tests.support.open_edx import (
    Faults,
    Outage,
    client_of,
    stand_in,
)
from tests.support.stand_in_answers import (
    COMPLETION,
    GRADEBOOK,
)

pytestmark = pytest.mark.integration

# Faults


def outcomes(client: httpx.Client, url: str, times: int) -> list[str]:
    """Ask for the same several times, and tell what happened."""
    happened = []
    for _ in range(times):
        try:
            answer = client.get(url)
        except httpx.RemoteProtocolError as failure:
            happened.append("cut" if "complete message body" in str(failure) else "dropped")
        else:
            html = answer.headers["Content-Type"].startswith("text/html")
            happened.append(f"{answer.status_code}{' html' if html else ''}")
    return happened


@pytest.mark.parametrize(
    ("rate", "outcome"),
    [
        ("rate_429", "429"),
        ("rate_503", "503 html"),
        ("rate_cut", "cut"),
        ("rate_html_200", "200 html"),
        ("rate_dropped_connection", "dropped"),
    ],
)
def test_a_request_meets_a_fault_at_most_three_times_in_a_row(rate: str, outcome: str) -> None:
    with stand_in() as lms, client_of(lms) as client:
        lms.faults = Faults(**{rate: 1.0})  # type: ignore[arg-type]
        bounded = outcomes(client, GRADEBOOK, 8)
    assert bounded == [outcome, outcome, outcome, "200", outcome, outcome, outcome, "200"]


def test_faults_are_the_same_for_the_same_seed_and_come_about_as_often_as_asked() -> None:
    def met(seed: int) -> list[str]:
        with stand_in() as lms, client_of(lms) as client:
            lms.faults = Faults(seed, rate_503=0.2, rate_429=0.2)
            return [
                outcome
                for page in range(1, 101)
                for outcome in outcomes(client, f"{COMPLETION}?page_size=1&page={page % 30 + 1}", 1)
            ]

    once = met(1)
    assert once == met(1)
    assert once != met(2)
    assert 10 < once.count("503 html") < 32
    assert 10 < once.count("429") < 32


def test_a_429_says_when_to_come_again_as_seconds_as_a_date_or_not_at_all() -> None:
    with stand_in() as lms, client_of(lms) as client:
        lms.faults = Faults(rate_429=1.0, retry_after_seconds=4, most_in_a_row=9)
        assert client.get(COMPLETION).headers["Retry-After"] == "4"
        lms.faults = Faults(rate_429=1.0, retry_after="date", most_in_a_row=9)
        assert client.get(COMPLETION).headers["Retry-After"].endswith("GMT")
        lms.faults = Faults(rate_429=1.0, retry_after="none", most_in_a_row=9)
        assert "Retry-After" not in client.get(COMPLETION).headers


def test_a_stalled_answer_comes_late() -> None:
    with stand_in() as lms, client_of(lms) as client:
        lms.faults = Faults(rate_stall=1.0, stall_seconds=0.3)
        with pytest.raises(httpx.ReadTimeout):
            client.get(GRADEBOOK, timeout=0.1)
        started = time.monotonic()
        assert client.get(GRADEBOOK).status_code == 200
        assert time.monotonic() - started >= 0.3


def test_an_outage_lasts_until_it_is_over() -> None:
    with stand_in() as lms, client_of(lms) as client:
        lms.faults = Faults(outages=(Outage("/api/grades/", after=1),))
        assert outcomes(client, GRADEBOOK, 6) == ["200"] + ["503 html"] * 5
        assert client.get(COMPLETION).status_code == 200
        lms.faults = Faults(outages=(Outage("/api/grades/", status=None),))
        assert outcomes(client, GRADEBOOK, 1) == ["dropped"]
        lms.faults = Faults()
        assert outcomes(client, GRADEBOOK, 1) == ["200"]
        assert lms.requests.outcomes["gradebook", "outage"] == 6


def test_requests_are_counted_by_endpoint() -> None:
    with stand_in() as lms, client_of(lms) as client:
        client.get(GRADEBOOK)
        client.get(COMPLETION)
        client.get(COMPLETION)
        client.get("/nothing/here")
        assert lms.requests.counts == {
            "token": 1,
            "gradebook": 1,
            "completion": 2,
            "unknown": 1,
        }
        assert lms.requests.last[1].target == GRADEBOOK
        assert lms.requests.last[1].outcome == "200"
