"""What the pages, the dashboard and the alert rules name: metrics that there are, all of them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, Metric

from testamur.adapters.metrics.asked import Asked, Asking
from testamur.adapters.metrics.catalogue import (
    DATABASE_UP,
    METRICS,
    OF_DATABASE,
    OF_QUEUE,
    QUEUE_UP,
    Step,
)
from testamur.adapters.metrics.measures import Measures

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "how-to" / "observe.md").read_text(encoding="utf-8")
DASHBOARD = json.loads((DOCS / "monitoring" / "grafana-dashboard.json").read_text("utf-8"))
RULES = yaml.safe_load((DOCS / "monitoring" / "alert-rules.yml").read_text("utf-8"))

#: Prometheus makes it of every job itself.
OF_PROMETHEUS = {"up"}

_ROWS = re.compile(r"^\| `(testamur_[a-z_]+)` \|([^|]*)\| [^|]+ \|$", re.MULTILINE)

#: Labels whose values stand beside them; those of the others stand in tables of their own.
_WITH_VALUES = ("outcome", "state")


def registered() -> list[Metric]:
    """Return every metric of a registry as the workers fill it."""
    registry = CollectorRegistry()
    Measures(registry)
    nothing: Asking[Any] = Asking("nothing", list, kept_seconds=1, patience_seconds=1)
    asked = Asked(
        {DATABASE_UP: nothing, QUEUE_UP: nothing}, {DATABASE_UP: OF_DATABASE, QUEUE_UP: OF_QUEUE}
    )
    registry.register(asked)
    return list(registry.collect())


def name_of(metric: Metric) -> str:
    return f"{metric.name}_total" if metric.type == "counter" else metric.name


def sample_names() -> set[str]:
    """Return the names that an expression may use."""
    names = set(OF_PROMETHEUS)
    for metric in registered():
        name = name_of(metric)
        if metric.type == "histogram":
            names |= {f"{name}_bucket", f"{name}_sum", f"{name}_count"}
        else:
            names.add(name)
    return names


def named_in(expression: str) -> set[str]:
    """Return the metrics that a PromQL expression names."""
    return set(re.findall(r"\btestamur_[a-z_]+\b|\bup\b", expression))


def label_values(expression: str) -> Iterator[tuple[str, str, str]]:
    """Yield metric, label and value where an expression asks for one value."""
    for name, matchers in re.findall(r"(testamur_[a-z_]+)\{([^}]*)\}", expression):
        for label, operator, value in re.findall(r'([a-z_]+)(=~|!~|!=|=)"([^"]*)"', matchers):
            if label not in ("job", "instance"):
                for each in value.split("|") if "~" in operator else [value]:
                    yield name, label, each


def expressions() -> list[str]:
    panels = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    rules = [rule["expr"] for group in RULES["groups"] for rule in group["rules"]]
    return [*panels, *rules]


def test_the_registry_has_the_metrics_of_the_catalogue() -> None:
    assert sorted(map(name_of, registered())) == sorted(metric.name for metric in METRICS)


def test_the_page_describes_every_metric_and_no_other() -> None:
    assert sorted(found[0] for found in _ROWS.findall(PAGE)) == sorted(map(name_of, registered()))


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_the_page_names_the_labels_of_a_metric_and_what_they_may_be(metric: Any) -> None:
    (labels,) = (found[1] for found in _ROWS.findall(PAGE) if found[0] == metric.name)
    values = [each for label in _WITH_VALUES for each in metric.labels.get(label, ())]
    assert set(re.findall(r"`([a-z-]+)`", labels)) == {*metric.labels, *values}


def test_the_page_describes_every_step() -> None:
    assert set(re.findall(r"^\| `([a-z-]+)` \| [^|]+ \|$", PAGE, re.MULTILINE)) >= set(Step)


@pytest.mark.parametrize("expression", expressions())
def test_an_expression_names_metrics_and_values_that_there_are(expression: str) -> None:
    assert named_in(expression)
    assert named_in(expression) <= sample_names()
    labels = {metric.name: metric.labels for metric in METRICS}
    for name, label, value in label_values(expression):
        known = next(labels[each] for each in labels if name.startswith(each))
        assert value in known[label], f"{name} has no {label} {value}"


def test_every_metric_is_on_the_dashboard() -> None:
    shown = {
        re.sub(r"_(bucket|sum|count)$", "", name)
        for panel in DASHBOARD["panels"]
        for target in panel["targets"]
        for name in named_in(target["expr"])
    }
    assert shown == {metric.name for metric in METRICS}


def test_the_dashboard_can_be_imported() -> None:
    assert (DASHBOARD["title"], DASHBOARD["uid"]) == ("Testamur", "testamur")
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    variables = {each["name"] for each in DASHBOARD["templating"]["list"]}
    assert variables == {"datasource", "job"}
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, f"{panel['title']} lies over another"
        taken |= cells


def test_alert_rules_have_all_that_prometheus_asks_for() -> None:
    rules = [rule for group in RULES["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert set(rule["annotations"]) == {"summary", "description"}


def test_alert_rules_name_commands_that_there_are() -> None:
    page = (DOCS / "reference" / "command-line.md").read_text(encoding="utf-8")
    told = " ".join(
        rule["annotations"]["description"] for group in RULES["groups"] for rule in group["rules"]
    )
    commands = re.findall(r"`(testamur [a-z]+(?: [a-z]+)?)", told)
    assert commands
    for command in commands:
        assert f"### {command}" in page
