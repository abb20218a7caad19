"""Watching tasks: what is being done, what became of it, and what messages carry."""

import logging
from collections.abc import Iterator
from typing import Any, cast

import pytest
from dramatiq import Message
from dramatiq.broker import Broker, MessageProxy
from prometheus_client import CollectorRegistry

from testamur.adapters.current_work import begin, current_work
from testamur.adapters.metrics.measures import Measures
from testamur.entrypoints.observing import Observing, work_of
from testamur.entrypoints.settings import Settings

BROKER = cast(Broker, None)


@pytest.fixture(autouse=True)
def nothing_is_being_done() -> Iterator[None]:
    yield
    begin(None)


class Observed:
    """A middleware that measures, and what it measured."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.observing = Observing(Settings())
        self.observing.measures = Measures(self.registry)

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)

    def work_on(self, message: MessageProxy, error: BaseException | None = None) -> None:
        self.observing.before_process_message(BROKER, message)
        self.observing.after_process_message(BROKER, message, exception=error)


def message(actor: str = "issue_batch", /, **options: Any) -> MessageProxy:
    arguments = {"share": 3, "credential_ids": ["one", "two"]}
    made = Message[None](
        queue_name="issue", actor_name=actor, args=(), kwargs=arguments, options=options
    )
    return MessageProxy(made)


def test_a_batch_belongs_to_the_run_that_it_was_cut_from() -> None:
    work = work_of(message(correlation_id="run-1"))

    assert (work.task, work.correlation_id) == ("issue_batch", "run-1")
    assert (work.share, work.credentials, work.run_id) == (3, 2, None)


def test_what_belongs_to_nothing_else_belongs_to_its_message() -> None:
    given = message()

    assert work_of(given).correlation_id == given.message_id


def test_a_task_of_a_run_belongs_to_the_run_whoever_sent_it() -> None:
    made = Message[None](
        queue_name="runs",
        actor_name="run_configuration",
        args=(),
        kwargs={"run_id": "run-2"},
        options={"correlation_id": "the tick's message"},
    )

    assert work_of(MessageProxy(made)).correlation_id == "run-2"


def test_work_lasts_until_its_message_is_done_with() -> None:
    observed, given = Observed(), message(correlation_id="run-1")

    observed.work_on(given)
    assert current_work() is not None, "the queue is still to be told, and may have to say why not"
    observed.observing.after_ack(BROKER, given)

    assert current_work() is None


def test_tasks_are_timed_by_what_became_of_them() -> None:
    observed = Observed()
    observed.work_on(message())
    observed.work_on(message(), ValueError())
    given_up = message()
    given_up.fail()
    observed.work_on(given_up, ValueError())
    observed.observing.before_process_message(BROKER, message())
    observed.observing.after_skip_message(BROKER, message())
    observed.observing.before_process_message(BROKER, message())

    for outcome in ("done", "retried", "given-up", "skipped"):
        counted = observed.value("testamur_task_seconds_count", task="issue_batch", outcome=outcome)
        assert counted == 1, outcome
    assert observed.value("testamur_tasks_in_progress", task="issue_batch") == 1


def test_retries_and_what_is_given_up_are_counted() -> None:
    observed, given = Observed(), message(retries=1)
    put_off = given._message

    observed.observing.after_enqueue(BROKER, put_off, 5_000)
    # When its time has come, it goes from the one queue to the other.
    observed.observing.after_enqueue(BROKER, put_off, None)
    observed.observing.after_nack(BROKER, given)

    assert observed.value("testamur_task_retries_total", task="issue_batch") == 1
    assert observed.value("testamur_tasks_given_up_total", task="issue_batch") == 1


def test_what_an_error_said_does_not_go_into_the_queue() -> None:
    put_off = message(retries=1, traceback="ValueError: cannot draw Zofia")._message

    Observing(Settings()).before_enqueue(BROKER, put_off, 5_000)

    assert "Zofia" not in put_off.encode().decode()
    assert put_off.options["queued_at"] >= put_off.message_timestamp


def test_nothing_is_measured_without_a_port(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    observing, given = Observing(Settings()), message()

    observing.after_process_boot(BROKER)
    observing.before_process_message(BROKER, given)
    observing.after_process_message(BROKER, given)

    assert observing.measures is None
    assert observing.forks == []


def test_what_gives_out_metrics_is_found_by_its_name() -> None:
    (fork,) = Observing(Settings(metrics_port=9109)).forks

    assert f"{fork.__module__}:{fork.__name__}" == "testamur.entrypoints.exposition:serve"
