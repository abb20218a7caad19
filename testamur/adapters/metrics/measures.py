"""What a process counts and times, kept where Prometheus finds it: by `prometheus_client`."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from time import perf_counter
from typing import TYPE_CHECKING, Any

from testamur.adapters.metrics.catalogue import COUNTED, STEP_SECONDS, Metric, Step

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


class Measures:
    """Counts and times. Every metric begins at 0, so that the first increase is seen.

    Args:
        registry: Where the metrics are registered.
    """

    def __init__(self, registry: "CollectorRegistry") -> None:
        self._made = {metric.name: _made(metric, registry) for metric in COUNTED}
        # Looked up once: a document is drawn in less time than a hundred of these take.
        steps = self._made[STEP_SECONDS.name]
        self._steps = {step: steps.labels(step=step) for step in Step}

    def count(self, metric: Metric, by: float = 1, **labels: str) -> None:
        """Count something, or so many of it; fewer only of what there is at once."""
        of_labels = self._labelled(metric, labels)
        if by:
            of_labels.inc(by)

    def time(self, metric: Metric, seconds: float, **labels: str) -> None:
        """Note how long something took."""
        self._labelled(metric, labels).observe(seconds)

    @contextmanager
    def step(self, step: Step) -> Iterator[None]:
        """Time a step, however it ends."""
        began = perf_counter()
        try:
            yield
        finally:
            self.step_took(step, perf_counter() - began)

    def step_took(self, step: Step, seconds: float) -> None:
        """Note how long a step took."""
        self._steps[step].observe(seconds)

    def _labelled(self, metric: Metric, labels: dict[str, str]) -> Any:
        made = self._made[metric.name]
        return made.labels(**labels) if labels else made


def _made(metric: Metric, registry: "CollectorRegistry") -> Any:
    from prometheus_client import Counter, Gauge, Histogram  # noqa: PLC0415 - only where measured

    names = tuple(metric.labels)
    made: Counter | Gauge | Histogram
    if metric.buckets:
        made = Histogram(metric.name, metric.says, names, registry=registry, buckets=metric.buckets)
    elif metric.at_once:
        made = Gauge(
            metric.name, metric.says, names, registry=registry, multiprocess_mode="livesum"
        )
    else:
        made = Counter(metric.name, metric.says, names, registry=registry)
    for values in product(*metric.labels.values()) if names else ():
        made.labels(*values)
    return made
