"""The pace at which an LMS is asked."""

import threading
from collections.abc import Iterator

import pytest

from testamur.adapters.open_edx.rate_limit import ASK_AGAIN_SECONDS, Pace, pace_of, share_limit


def moments(pace: Pace, now: float, per_minute: int, count: int) -> list[float]:
    return [pace.next_turn(now, per_minute).at for _ in range(count)]


def test_requests_of_one_second_may_go_at_once_and_the_others_are_spaced_evenly() -> None:
    turns = moments(Pace(), 100.0, 240, 12)
    assert turns[:4] == [100.0] * 4
    assert turns[4:] == pytest.approx([100.25 + step * 0.25 for step in range(8)])


def test_a_slow_pace_has_no_burst() -> None:
    assert moments(Pace(), 0.0, 10, 4) == [0.0, 6.0, 12.0, 18.0]


def test_a_minute_never_has_more_requests_than_allowed_and_one_burst() -> None:
    pace, now, sent = Pace(), 0.0, []
    for _ in range(1_000):
        now = max(now, pace.next_turn(now, 300).at)
        sent.append(now)
    most = max(sum(begin <= at < begin + 60 for at in sent) for begin in sent)
    assert most <= 300 + 5


def test_a_time_of_silence_does_not_save_up_more_than_a_burst() -> None:
    pace = Pace()
    moments(pace, 0.0, 60, 3)
    assert moments(pace, 1_000.0, 60, 3) == [1_000.0, 1_001.0, 1_002.0]


def test_callers_of_different_pace_share_one_line() -> None:
    pace = Pace()
    assert pace.next_turn(0.0, 60).at == 0.0
    assert pace.next_turn(0.0, 30).at == 1.0
    assert pace.next_turn(0.0, 60).at == 3.0


def test_after_a_pause_requests_go_one_by_one() -> None:
    pace = Pace()
    early = pace.next_turn(0.0, 240)
    pace.pause(30.0)
    assert not pace.still_holds(early)
    turns = moments(pace, 0.0, 240, 4)
    assert turns == pytest.approx([30.25, 30.5, 30.75, 31.0])


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    pace = Pace()
    pace.pause(30.0)
    pace.pause(10.0)
    assert pace.next_turn(0.0, 60).at >= 30.0


def test_one_who_waits_already_waits_for_a_pause_too() -> None:
    pace, now = Pace(), [0.0]
    waits: list[float] = []

    def wait(seconds: float) -> None:
        if not waits:
            pace.pause(50.0)
        waits.append(seconds)
        now[0] += seconds

    pace.next_turn(0.0, 60)
    pace.wait_for_turn(60, lambda: now[0], wait)
    assert now[0] >= 50.0
    assert len(waits) == 2


class Shared:
    """A limit that says when to ask again, and notes what it was asked."""

    def __init__(self, *says: float) -> None:
        self._says = list(says)
        self.asked: list[tuple[str, int]] = []
        self.paused: list[tuple[str, float]] = []

    def take(self, origin: str, per_minute: int) -> float:
        self.asked.append((origin, per_minute))
        return self._says.pop(0)

    def pause(self, origin: str, seconds: float) -> None:
        self.paused.append((origin, seconds))


@pytest.fixture
def nothing_is_shared_afterwards() -> Iterator[None]:
    yield
    share_limit(None)


@pytest.mark.usefixtures("nothing_is_shared_afterwards")
def test_one_whose_turn_it_is_waits_for_a_limit_that_others_share() -> None:
    shared, waits = Shared(0.001, 7.5, 0.0), list[float]()
    share_limit(shared)

    Pace("https://lms.example.org").wait_for_turn(60, lambda: 0.0, waits.append)

    assert shared.asked == [("https://lms.example.org", 60)] * 3
    assert waits == [ASK_AGAIN_SECONDS, 7.5]


@pytest.mark.usefixtures("nothing_is_shared_afterwards")
def test_a_pause_of_all_holds_here_and_is_told_to_the_others() -> None:
    shared, pace = Shared(), Pace("https://lms.example.org")
    share_limit(shared)

    pace.pause_all(30.0, lambda: 100.0)

    assert shared.paused == [("https://lms.example.org", 30.0)]
    assert pace.next_turn(100.0, 60).at >= 130.0


@pytest.mark.usefixtures("nothing_is_shared_afterwards")
def test_one_who_waits_for_the_others_waits_for_a_pause_of_its_own_process_too() -> None:
    pace, now = Pace("https://lms.example.org"), [0.0]
    # The others know nothing of the pause: their server was away.
    share_limit(Shared(1.0, 0.0))

    def wait(seconds: float) -> None:
        if not now[0]:
            pace.pause(50.0)
        now[0] += seconds

    pace.wait_for_turn(60, lambda: now[0], wait)
    assert now[0] >= 50.0


def test_threads_get_turns_of_their_own() -> None:
    pace = Pace()
    turns: list[float] = []
    threads = [
        threading.Thread(target=lambda: turns.extend(moments(pace, 0.0, 60, 50))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(turns) == [float(second) for second in range(400)]


def test_there_is_one_pace_for_each_lms() -> None:
    assert pace_of("https://one.example.org") is pace_of("https://one.example.org")
    assert pace_of("https://one.example.org") is not pace_of("https://one.example.org:8443")
