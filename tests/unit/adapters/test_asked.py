"""What is asked when metrics are read: seldom enough, and never longer than a reader waits."""

import threading
import time
from collections.abc import Sequence
from itertools import count

from prometheus_client import CollectorRegistry

from testamur.adapters.metrics.asked import Asked, Asking, Sample
from testamur.adapters.metrics.catalogue import LOG_EVENTS, QUEUE_AGE, QUEUE_UP
from testamur.application.errors import QueueError, Unforeseen


def test_an_answer_is_kept_for_a_while() -> None:
    asking = Asking("log", count(1).__next__, kept_seconds=60, patience_seconds=5)

    assert [asking.answer().found for _ in range(3)] == [1, 1, 1]


def test_a_kept_answer_grows_old() -> None:
    asking = Asking("log", count(1).__next__, kept_seconds=0.05, patience_seconds=5)

    first = asking.answer().found
    time.sleep(0.1)

    assert (first, asking.answer().found) == (1, 2)


def test_whoever_asks_does_not_wait_for_an_answer_that_does_not_come() -> None:
    never, begun = threading.Event(), []

    def hang() -> int:
        begun.append(1)
        never.wait(20)
        return 7

    asking = Asking("log", hang, kept_seconds=60, patience_seconds=0.05)
    answers = [asking.answer() for _ in range(3)]

    assert [answer.found for answer in answers] == [None] * 3
    assert answers[0].problem == "no answer within 0.05 seconds"
    assert begun == [1], "one question at a time"
    never.set()
    until = time.monotonic() + 20
    while asking.answer().found is None and time.monotonic() < until:
        time.sleep(0.01)
    assert asking.answer().found == 7


def test_a_failure_is_told_without_the_words_of_strangers() -> None:
    def refuse() -> int:
        raise QueueError("the server is away")

    def break_down() -> int:
        raise KeyError("Zofia")

    def unforeseen() -> int:
        raise Unforeseen(ValueError("Zofia"))

    told = [
        Asking("x", ask, kept_seconds=60, patience_seconds=5).answer().problem
        for ask in (refuse, break_down, unforeseen)
    ]

    assert told == ["the server is away", "KeyError", "ValueError"]


def test_where_there_is_no_answer_a_metric_says_so_and_the_others_are_missing() -> None:
    working = [True]

    def ask() -> Sequence[Sample]:
        if not working[0]:
            raise QueueError("away")
        return [Sample(QUEUE_AGE, 12.5, ("issue",))]

    asking = Asking("queue", ask, kept_seconds=0.2, patience_seconds=5)
    registry = CollectorRegistry()
    registry.register(Asked({QUEUE_UP: asking}, {QUEUE_UP: (QUEUE_AGE,)}))

    def values() -> tuple[float | None, float | None]:
        return (
            registry.get_sample_value("testamur_queue_up"),
            registry.get_sample_value("testamur_queue_age_seconds", {"queue": "issue"}),
        )

    assert values() == (1, 12.5)
    working[0] = False
    time.sleep(0.25)
    assert values() == (0, None)


def test_registering_asks_nothing() -> None:
    def refuse() -> Sequence[Sample]:
        raise AssertionError("asked")

    asking = Asking("log", refuse, kept_seconds=1, patience_seconds=1)
    CollectorRegistry().register(Asked({QUEUE_UP: asking}, {QUEUE_UP: (LOG_EVENTS,)}))
