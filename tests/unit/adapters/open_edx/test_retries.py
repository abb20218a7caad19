"""How long a request that failed waits, and when it is given up."""

from datetime import UTC, datetime

import pytest

from testamur.adapters.open_edx.errors import LmsError
from testamur.adapters.open_edx.retries import Patience, TemporaryFailure, retry_after_seconds

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 120 ", 120.0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sunday, 01-Mar-26 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 14:00:30 +0200", 30.0),
        ("Sun, 01 Mar 2026 12:00:30 -0000", 30.0),
        ("0", None),
        ("Sun, 01 Mar 2026 11:59:30 GMT", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("²", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOW) == seconds


def test_a_number_beyond_all_bounds_is_still_a_wait() -> None:
    assert retry_after_seconds("9" * 400, NOW) == float("inf")


def failure(*, retry_after: float | None = None, throttled: bool = False) -> TemporaryFailure:
    return TemporaryFailure(
        lambda attempts: LmsError(f"asked {attempts} times"),
        retry_after=retry_after,
        throttled=throttled,
    )


def test_bounds_double_up_to_a_minute() -> None:
    patience = Patience(10, draw=lambda most: most)
    waits = [patience.wait_after(failure()) for _ in range(9)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    with pytest.raises(LmsError, match="asked 10 times"):
        patience.wait_after(failure())


def test_waits_are_spread_over_the_whole_range() -> None:
    patience = Patience(4, draw=lambda most: most / 4)
    assert [patience.wait_after(failure()) for _ in range(3)] == [0.25, 0.5, 1.0]


def test_waits_are_drawn_anew() -> None:
    first, second = Patience(9), Patience(9)
    assert [first.wait_after(failure()) for _ in range(8)] != [
        second.wait_after(failure()) for _ in range(8)
    ]


def test_one_attempt_is_the_last() -> None:
    with pytest.raises(LmsError, match="asked 1 times"):
        Patience(1).wait_after(failure())


def test_the_wait_asked_for_is_not_drawn() -> None:
    patience = Patience(3, draw=lambda most: 0.0)
    assert patience.wait_after(failure(retry_after=300.0)) == 300.0
    with pytest.raises(LmsError):
        patience.wait_after(failure(retry_after=300.5))


def test_being_told_to_slow_down_is_no_failure_but_has_an_end() -> None:
    patience = Patience(1, draw=lambda most: 0.0)
    waits = [patience.wait_after(failure(retry_after=30.0, throttled=True)) for _ in range(10)]
    assert sum(waits) == 300
    with pytest.raises(LmsError, match="asked 11 times"):
        patience.wait_after(failure(retry_after=30.0, throttled=True))


def test_slowing_down_without_being_told_for_how_long_has_an_end_however_short_the_waits() -> None:
    patience = Patience(1, draw=lambda most: 0.0)
    for bound in (1, 2, 4, 8, 16, 32, 60, 60, 60):
        assert patience.wait_after(failure(throttled=True)) == 0.0, bound
    with pytest.raises(LmsError, match="asked 10 times"):
        patience.wait_after(failure(throttled=True))
