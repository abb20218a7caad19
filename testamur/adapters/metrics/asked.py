"""What is asked when metrics are read: seldom enough, and never longer than a reader waits."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from testamur.adapters.metrics.catalogue import Metric
from testamur.domain.errors import TestamurError

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily

Found = TypeVar("Found")

_logger: Final = logging.getLogger("testamur.metrics")


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric, with the labels in the order of the catalogue."""

    metric: Metric
    value: float
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer(Generic[Found]):
    """What was answered.

    Args:
        found: The answer; None where there was none.
        problem: Why there was none; empty where there was.
    """

    found: Found | None = None
    problem: str = ""


class Asking(Generic[Found]):
    """Asks in a thread of its own, one question at a time, and keeps the answer for a while.

    Args:
        about: What is asked, for people to read.
        ask: Gives the answer; raises `TestamurError` where there is none.
        kept_seconds: How long an answer is given again.
        patience_seconds: How long whoever wants to know waits.
    """

    def __init__(
        self,
        about: str,
        ask: Callable[[], Found],
        *,
        kept_seconds: float,
        patience_seconds: float,
    ) -> None:
        self._about = about
        self._ask = ask
        self._kept_seconds = kept_seconds
        self._patience_seconds = patience_seconds
        self._changed = threading.Condition()
        self._under_way = False
        self._answer: Answer[Found] = Answer(problem="it was not asked yet")
        self._answered_at = -kept_seconds

    def answer(self) -> Answer[Found]:
        """Return an answer that is not older than it may be, or that there is none."""
        with self._changed:
            if self._is_fresh():
                return self._answer
            if not self._under_way:
                self._under_way = True
                threading.Thread(target=self._find_out, name=self._about, daemon=True).start()
            self._changed.wait_for(self._is_fresh, self._patience_seconds)
            if self._is_fresh():
                return self._answer
        return Answer(problem=f"no answer within {self._patience_seconds:g} seconds")

    def _is_fresh(self) -> bool:
        return time.monotonic() - self._answered_at < self._kept_seconds

    def _find_out(self) -> None:
        answer: Answer[Found]
        try:
            answer = Answer(self._ask())
        except TestamurError as error:
            answer = Answer(problem=error.for_the_record())
        except Exception as error:  # noqa: BLE001 - told; whoever reads metrics gets the others
            answer = Answer(problem=type(error).__name__)
        with self._changed:
            if answer.problem and answer.problem != self._answer.problem:
                _logger.warning("%s: %s", self._about, answer.problem)
            self._answer = answer
            self._answered_at = time.monotonic()
            self._under_way = False
            self._changed.notify_all()


@dataclass(frozen=True, slots=True)
class Asked:
    """Metrics that are asked for when they are read, for a registry of `prometheus_client`.

    Where there is no answer, a metric says so and the others are left out: an old number would
    look like a new one.

    Args:
        asking: By the metric that says whether there was an answer: the question.
        answered: By the same: the metrics that the answer has.
    """

    asking: Mapping[Metric, Asking[Sequence[Sample]]] = field(hash=False)
    answered: Mapping[Metric, Iterable[Metric]] = field(hash=False)

    def collect(self) -> "Iterator[GaugeMetricFamily]":
        """Ask, and yield every metric with its values."""
        for up, asking in self.asking.items():
            answer = asking.answer()
            yield _family(up, [Sample(up, 0.0 if answer.found is None else 1.0)])
            for metric in self.answered[up]:
                found = [each for each in answer.found or () if each.metric is metric]
                yield _family(metric, found)

    def describe(self) -> "Iterator[GaugeMetricFamily]":
        """Yield every metric without values: nothing is asked for its name."""
        for up in self.asking:
            for metric in (up, *self.answered[up]):
                yield _family(metric, ())


def _family(metric: Metric, samples: Iterable[Sample]) -> "GaugeMetricFamily":
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 - only where measured

    family = GaugeMetricFamily(metric.name, metric.says, labels=tuple(metric.labels))
    for sample in samples:
        family.add_metric(sample.labels, sample.value)
    return family
