"""Ports that are counted and timed: what is counted has happened, and nothing else changes."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from testamur.adapters.metrics.measured import measured
from testamur.adapters.metrics.measures import Measures
from testamur.adapters.storage.memory import MemoryStorage
from testamur.application.errors import ConcurrencyConflict, RenderingError
from testamur.application.options import Renderers
from testamur.application.ports.event_store import EventStore, NewEvents
from testamur.application.ports.notification import ForgettingNotifier, Notifier
from testamur.application.ports.retrieval import RetrievalSource
from testamur.application.ports.storage import (
    ArchivingStorage,
    ArtifactStorage,
    LinkingStorage,
    StorableFile,
    StreamingStorage,
    SweepingStorage,
)
from testamur.application.ports.system import Clock
from tests.support.world import World


class Measured:
    """Measures, and what they come to."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.measures = Measures(self.registry)

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)

    def steps(self, step: str) -> float | None:
        return self.value("testamur_step_seconds_count", step=step)

    def in_front_of(self, port: object, adapter: Any) -> Any:
        return measured(port, adapter, self.measures)


def test_what_was_recorded_is_counted_and_what_was_refused_is_not() -> None:
    world, given = World(), Measured()
    configuration = world.configure()
    for number in range(3):
        world.enrol(f"learner-{number}")
    world.run(configuration)
    recorded = [each.recorded for each in world.events.log()]
    store = given.in_front_of(EventStore, World().events)

    for each in recorded:
        store.append([NewEvents(each.stream_id, each.version - 1, [each.event])], each.attribution)
    again = recorded[-1]
    with pytest.raises(ConcurrencyConflict):
        store.append([NewEvents(again.stream_id, 0, [again.event])], again.attribution)

    assert given.value("testamur_credentials_awarded_total") == 3
    assert given.value("testamur_runs_total", outcome="started") == 1
    assert given.value("testamur_runs_total", outcome="completed") == 1
    assert given.value("testamur_runs_total", outcome="failed") == 0
    assert given.steps("record") == len(recorded) + 1
    assert [each.recorded.stream_id for each in store.log()] == [
        each.stream_id for each in recorded
    ]


def test_learners_are_counted_as_they_are_read_page_by_page() -> None:
    world, given = World(), Measured()
    for number in range(5):
        world.enrol(f"learner-{number}")
    source = given.in_front_of(RetrievalSource, world.source)
    context = world.configurations.context_kinds.parse(
        world.configurations.get(world.configure()).context_key
    )

    pages = source.records(context, None)
    next(pages)
    assert given.value("testamur_learners_evaluated_total") == world.source.page_size
    list(pages)

    assert given.value("testamur_learners_evaluated_total") == 5
    assert given.steps("read-learners") == 3
    assert source.name == world.source.name


class Plain:
    """A storage that can do what the port asks for, and no more."""

    def put(self, files: Sequence[StorableFile]) -> None:
        raise NotImplementedError

    def get(self, key: str) -> bytes:
        raise NotImplementedError

    def delete(self, keys: Sequence[str]) -> None:
        raise NotImplementedError

    def location(self, key: str) -> str:
        return f"plain:{key}"


class Sweeping(Plain):
    """A storage that can sweep."""

    def sweep(self, stem: str) -> int:
        return len(stem)


class Forgetting:
    """A notifier that keeps messages and lets go of them."""

    def deliver(self, notifications: Sequence[Any]) -> Iterator[Any]:
        yield from notifications

    def check(self) -> str:
        return "well"

    def forget(self, message_ids: Sequence[str]) -> int:
        return len(message_ids)


@pytest.mark.parametrize("storage", [Plain(), Sweeping(), MemoryStorage()])
def test_a_storage_can_do_what_it_could_before_and_no_more(storage: Any) -> None:
    in_front = Measured().in_front_of(ArtifactStorage, storage)

    for can in (SweepingStorage, ArchivingStorage, LinkingStorage, StreamingStorage):
        assert isinstance(in_front, can) == isinstance(storage, can)
    assert in_front.location("a/b") == storage.location("a/b")


def test_what_a_storage_can_do_beside_its_port_goes_through() -> None:
    assert Measured().in_front_of(ArtifactStorage, Sweeping()).sweep("abc") == 3


def test_a_notifier_forgets_messages_still_and_each_one_is_timed() -> None:
    given = Measured()
    notifier = given.in_front_of(Notifier, Forgetting())

    assert list(notifier.deliver(["one", "two"])) == ["one", "two"]
    assert isinstance(notifier, ForgettingNotifier)
    assert notifier.forget(["<one>"]) == 1
    assert given.steps("notify") == 2


class Failing:
    """A renderer that cannot draw anything."""

    name = "failing"
    options_model = dict

    def prepare(self, options: Any, assets: Any) -> "Failing":
        return self

    digest = "0" * 64

    def check(self, document: Any) -> None:
        return None

    def render(self, document: Any) -> Any:
        raise RenderingError("broken", "it cannot be drawn")

    def arranged(self) -> str:
        return "in order"


def test_documents_are_timed_one_by_one_those_that_fail_too() -> None:
    given = Measured()
    renderers = given.in_front_of(Renderers, Renderers({"failing": Failing()}))  # type: ignore[dict-item]
    prepared = renderers.named("failing").prepare({}, None)

    prepared.check(None)
    with pytest.raises(RenderingError, match="cannot be drawn"):
        prepared.render(None)

    assert (given.steps("check"), given.steps("render")) == (1, 1)
    assert prepared.digest == "0" * 64
    assert prepared.arranged() == "in order"
    assert list(renderers.by_name) == ["failing"]


def test_other_ports_are_left_as_they_are() -> None:
    clock = object()
    assert Measured().in_front_of(Clock, clock) is clock


def test_every_metric_begins_at_zero() -> None:
    given = Measured()
    assert given.value("testamur_credentials_issued_total") == 0
    assert given.value("testamur_notifications_total", outcome="failed") == 0
    assert given.value("testamur_tasks_given_up_total", task="issue_batch") == 0
