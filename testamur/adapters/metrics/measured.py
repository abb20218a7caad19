"""What fills a port, counted and timed. What happened is counted by the events that tell of it."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final

from testamur.adapters.metrics.catalogue import (
    AWARDED,
    EVALUATED,
    FAILED,
    ISSUED,
    NOTIFICATIONS,
    REFUSED,
    RUNS,
    Metric,
    Step,
)
from testamur.adapters.metrics.measures import Measures
from testamur.application.options import Renderers
from testamur.application.ports.event_store import Attribution, EventStore, NewEvents
from testamur.application.ports.notification import Delivery, Notification, Notifier
from testamur.application.ports.rendering import AssetLibrary, PreparedRenderer, Renderer
from testamur.application.ports.retrieval import Needs, RetrievalSource
from testamur.application.ports.storage import ArtifactStorage
from testamur.domain.contexts import LearningContextKey
from testamur.domain.credentials import (
    CredentialAwarded,
    CredentialIssued,
    IssuanceFailed,
    NotificationFailed,
    NotificationSent,
    NotificationSkipped,
)
from testamur.domain.events import DomainEvent
from testamur.domain.identifiers import LearnerId
from testamur.domain.learning import LearnerRecord
from testamur.domain.runs import (
    LearnersRefused,
    RunCompleted,
    RunFailed,
    RunNeedsApproval,
    RunStarted,
)

_COUNTED_AS: Final[Mapping[type[DomainEvent], tuple[Metric, Mapping[str, str]]]] = {
    CredentialAwarded: (AWARDED, {}),
    CredentialIssued: (ISSUED, {}),
    IssuanceFailed: (FAILED, {}),
    NotificationSent: (NOTIFICATIONS, {"outcome": "sent"}),
    NotificationSkipped: (NOTIFICATIONS, {"outcome": "skipped"}),
    NotificationFailed: (NOTIFICATIONS, {"outcome": "failed"}),
    RunStarted: (RUNS, {"outcome": "started"}),
    RunCompleted: (RUNS, {"outcome": "completed"}),
    RunNeedsApproval: (RUNS, {"outcome": "needs-approval"}),
    RunFailed: (RUNS, {"outcome": "failed"}),
}


def measured(port: object, adapter: Any, measures: Measures) -> Any:
    """Return what fills a port, counted and timed where that port is; else as it is.

    What an adapter can do beyond its port, it can still do.
    """
    if port is EventStore:
        return _event_store(adapter, measures)
    if port is RetrievalSource:
        return _source(adapter, measures)
    if port is ArtifactStorage:
        return _in_front_of(adapter, put=_timed(adapter.put, Step.STORE, measures))
    if port is Notifier:
        return _notifier(adapter, measures)
    if port is Renderers:
        return Renderers(_MeasuredRenderers(adapter.by_name, measures))
    return adapter


def _event_store(store: EventStore, measures: Measures) -> Any:
    def append(batch: Sequence[NewEvents], attribution: Attribution) -> None:
        with measures.step(Step.RECORD):
            store.append(batch, attribution)
        # Only now: what could not be recorded has not happened.
        recorded = [event for new in batch for event in new.events]
        for kind, count in Counter(map(type, recorded)).items():
            if kind in _COUNTED_AS:
                metric, labels = _COUNTED_AS[kind]
                measures.count(metric, count, **labels)
        refused = sum(len(each.refusals) for each in recorded if isinstance(each, LearnersRefused))
        measures.count(REFUSED, refused)

    load_many = _timed(store.load_many, Step.LOAD, measures)
    return _in_front_of(store, append=append, load_many=load_many)


def _source(source: RetrievalSource, measures: Measures) -> Any:
    def records(
        context: LearningContextKey, needs: Needs, learner_id: LearnerId | None = None
    ) -> Iterator[Sequence[LearnerRecord]]:
        pages = _each_timed(
            source.records(context, needs, learner_id), Step.READ_LEARNERS, measures
        )
        for page in pages:
            measures.count(EVALUATED, len(page))
            yield page

    people = _timed(source.people, Step.READ_PEOPLE, measures)
    return _in_front_of(source, records=records, people=people)


def _notifier(notifier: Notifier, measures: Measures) -> Any:
    def deliver(notifications: Sequence[Notification]) -> Iterator[Delivery]:
        return _each_timed(notifier.deliver(notifications), Step.NOTIFY, measures)

    return _in_front_of(notifier, deliver=deliver)


@dataclass(frozen=True, slots=True)
class _MeasuredRenderers(Mapping[str, Renderer]):
    """Renderers by name; each is loaded when it is looked up."""

    renderers: Mapping[str, Renderer]
    measures: Measures

    def __getitem__(self, name: str) -> Renderer:
        renderer = self.renderers[name]

        def prepare(options: Any, assets: AssetLibrary) -> PreparedRenderer:
            prepared = renderer.prepare(options, assets)
            made: PreparedRenderer = _in_front_of(
                prepared,
                check=_timed(prepared.check, Step.CHECK, self.measures),
                render=_timed(prepared.render, Step.RENDER, self.measures),
            )
            return made

        in_front: Renderer = _in_front_of(renderer, prepare=prepare)
        return in_front

    def __contains__(self, name: object) -> bool:
        return name in self.renderers

    def __iter__(self) -> Iterator[str]:
        return iter(self.renderers)

    def __len__(self) -> int:
        return len(self.renderers)


def _timed(function: Callable[..., Any], step: Step, measures: Measures) -> Callable[..., Any]:
    def timed(*args: Any, **kwargs: Any) -> Any:
        with measures.step(step):
            return function(*args, **kwargs)

    return timed


def _each_timed(items: Iterator[Any], step: Step, measures: Measures) -> Iterator[Any]:
    """Yield what is yielded, and note how long each took to come."""
    until_the_end = object()
    while True:
        began = perf_counter()
        item = next(items, until_the_end)
        if item is until_the_end:
            return
        measures.step_took(step, perf_counter() - began)
        yield item


def _in_front_of(adapter: Any, **instead: Callable[..., Any]) -> Any:
    """Return an object with everything public that an adapter has, some of it done otherwise.

    Its class has an attribute for each: what else an adapter can do (sweep, archive, forget) is
    found out by looking whether it has a method for it, and looks there alone.
    """

    def passed_on(name: str) -> property:
        return property(lambda _: getattr(adapter, name))

    names = [name for name in dir(adapter) if not name.startswith("_")]
    attributes: dict[str, Any] = {name: passed_on(name) for name in names}
    attributes |= {name: staticmethod(function) for name, function in instead.items()}
    return type(f"Measured{type(adapter).__name__}", (), attributes)()
