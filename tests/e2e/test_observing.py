"""Watching real workers: what they tell is what happened, and nobody's name is in it."""

import json
import os
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
from prometheus_client.parser import text_string_to_metric_families

from testamur import Issuer, Settings, Testamur, TypeDefinition
from testamur.domain.identifiers import ConfigurationId
from testamur.entrypoints.setting_values import RedisUrl
from tests.support.installation import configure_completion, write_course
from tests.support.program import in_a_process
from tests.support.records import COURSE
from tests.support.valkey_server import ValkeyServer, started_valkey
from tests.support.workers import Installation, installed, variables_of

pytestmark = pytest.mark.e2e

LEARNERS: Final = 30
ACTORS: Final = "testamur.entrypoints.worker"
NAME: Final = "Zofia Wielkopolska"

#: A plugin that draws nobody, and says whom.
FAILING_RENDERER: Final = '''
"""A renderer whose errors quote the name."""

import logging
from types import SimpleNamespace
from pydantic import BaseModel


class Options(BaseModel):
    pass


class Prepared:
    digest = "0" * 64

    def check(self, document):
        pass

    def render(self, document):
        logging.getLogger("a.library").warning("about to draw")
        raise ValueError(f"cannot draw {document.full_name}")


class Renderer:
    options_model = Options

    def prepare(self, options, assets):
        return Prepared()
'''

#: A data source that fails as a whole, and says with whom.
FAILING_SOURCE: Final = '''
"""A data source whose errors quote a name."""

from pydantic import BaseModel
from testamur.domain.learning import ContextFacts


class Options(BaseModel):
    pass


class Source:
    options_model = Options
    name = "failing"

    def __init__(self, options):
        pass

    def facts(self, context, needs=None):
        return ContextFacts(str(context))

    def records(self, context, needs, learner_id=None):
        raise ValueError("nothing known of Zofia Wielkopolska")

    def people(self, learner_ids):
        return {}
'''


@dataclass
class Watched:
    """An installation whose workers tell how they are.

    Args:
        installation: Its programs.
        testamur: Its library, in the test's own process.
        port: Where they tell it.
    """

    installation: Installation
    testamur: Testamur
    port: int

    def get(self, path: str) -> tuple[int, str]:
        """Return the answer to a request; 0 where nobody listens."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}{path}", timeout=15
            ) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except (urllib.error.URLError, ConnectionError, HTTPException):
            return 0, ""

    def ready(self) -> tuple[int, dict[str, Any]]:
        """Return what /readyz says."""
        code, told = self.get("/readyz")
        return code, json.loads(told) if told else {}

    def metrics(self) -> Mapping[tuple[str, frozenset[str]], float]:
        """Return samples by name and the values of their labels."""
        code, text = self.get("/metrics")
        assert code == 200
        return {
            (sample.name, frozenset(sample.labels.values())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def value(self, name: str, *labels: str) -> float | None:
        """Return one sample."""
        return self.metrics().get((f"testamur_{name}", frozenset(labels)))

    def lines(self) -> list[dict[str, Any]]:
        """Return the lines that all programs wrote, each of which must be JSON."""
        told = [each.told() for each in self.installation.programs]
        return [json.loads(line) for of_program in told for line in of_program.splitlines()]

    def listens(self) -> bool:
        """Tell whether the port answers."""
        return self.get("/healthz")[0] == 200


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@contextmanager
def watched(folder: Path, queue: str, **settings: Any) -> Iterator[Watched]:
    port = free_port()
    chosen = Settings(
        **{
            "data_folder": folder / "data",
            "source_folder": folder / "source",
            "queue": RedisUrl(queue),
            "log_format": "json",
            "metrics_port": port,
            **settings,
        }
    )
    with Testamur.open(chosen) as testamur, installed(folder, chosen) as installation:
        yield Watched(installation, testamur, port)


def test_metrics_say_what_happened_and_lines_whose_they_are(
    tmp_path: Path, valkey: ValkeyServer
) -> None:
    names = [f"Ann Example {number}" for number in range(LEARNERS)]
    write_course(tmp_path / "source", eligible=names, not_eligible=["Not Yet"])
    with watched(tmp_path, valkey.fresh_database()) as given:
        configuration = configure_completion(given.testamur)
        worker = given.installation.start_worker()
        run_id = given.testamur.start_run(configuration)
        given.installation.until(lambda: given.testamur.run_status(run_id).settled)
        given.installation.until(given.listens)
        given.installation.until(lambda: given.value("notifications_total", "sent") == LEARNERS)

        assert given.value("credentials_awarded_total") == LEARNERS
        assert given.value("credentials_issued_total") == LEARNERS
        assert given.value("credentials_failed_total") == 0
        assert given.value("learners_evaluated_total") == LEARNERS + 1
        assert given.value("runs_total", "completed") == 1
        assert given.value("step_seconds_count", "render") == LEARNERS
        assert given.value("task_seconds_count", "run_configuration", "done") == 1
        assert given.value("credentials_awaiting_issue", "new") == 0
        assert given.value("database_up") == given.value("queue_up") == 1
        assert given.value("log_events") == given.value("sealing_lag_events")
        assert given.value("queue_messages", "issue", "given-up") == 0

        assert given.ready()[1]["problems"].keys() == {"tick"}
        given.installation.start_scheduler()
        given.installation.until(lambda: given.ready()[1].get("status") == "ok")
        given.installation.until(lambda: given.value("last_tick_timestamp_seconds") is not None)
        given.installation.until(lambda: given.value("sealing_lag_events") == 0)
        assert worker.stop() == 0

        done = [line for line in given.lines() if line.get("outcome") == "done"]
        of_run = [line for line in done if line["correlation_id"] == str(run_id)]
        tasks = {"run_configuration", "issue_awarded", "issue_batch", "notify_batch"}
        assert {line["task"] for line in of_run} == tasks
        assert sum(line.get("issued", 0) for line in of_run) == LEARNERS
        told = given.installation.told()
        assert "Ann Example" not in told
        assert "@example.org" not in told


def test_workers_are_not_ready_while_the_queue_is_away(tmp_path: Path) -> None:
    write_course(tmp_path / "source", eligible=["Ann Example"])
    with started_valkey() as server, watched(tmp_path, server.url()) as given:
        given.installation.start_worker("--processes", "1", "--threads", "1")
        given.installation.until(lambda: given.ready()[0] == 200)

        server.stop()
        given.installation.until(lambda: given.ready()[0] == 503)

        code, told = given.ready()
        assert (code, told["status"], told["database"]) == (503, "failing", "ok")
        assert "cannot be used" in told["problems"]["queue"]
        given.installation.until(lambda: given.value("queue_up") == 0)
        assert given.value("database_up") == 1
        assert given.value("queue_age_seconds", "issue") is None
        assert given.get("/healthz")[0] == 200
        health = in_a_process(
            tmp_path,
            "health",
            "--json",
            environment=dict(variables_of(given.installation.settings)),
        )
        assert health.returncode == 1
        assert json.loads(health.stdout)["status"] == "failing"

        server.start()
        given.installation.until(lambda: given.ready()[0] == 200)


def failing_configuration(folder: Path, testamur: Testamur) -> ConfigurationId:
    testamur.define_type(
        "completion",
        TypeDefinition(
            name="Certificate",
            issuer=Issuer(name="Example University"),
            criteria="completion",
            renderer="failing_renderer:Renderer",
            options={},
        ),
    )
    return testamur.create_configuration("completion", COURSE)


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_a_document_whose_error_quotes_the_name_is_told_without_it(
    log_format: str, tmp_path: Path, valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "failing_renderer.py").write_text(FAILING_RENDERER, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    write_course(tmp_path / "source", eligible=[NAME])
    with watched(tmp_path, valkey.fresh_database(), log_format=log_format) as given:
        configuration = failing_configuration(tmp_path, given.testamur)
        given.installation.start_worker("--processes", "1", "--threads", "1", "--verbose")
        run_id = given.testamur.start_run(configuration)
        given.installation.until(lambda: given.testamur.run_status(run_id).failed == 1)
        given.installation.until(given.listens)
        given.installation.until(lambda: given.value("credentials_failed_total") == 1)

        assert given.value("credentials_awaiting_issue", "failing") == 1
        told = given.installation.told()
        assert "Zofia" not in told
        (line,) = (line for line in told.splitlines() if "about to draw" in line)
        assert str(run_id) in line


def test_a_task_that_breaks_down_is_told_without_the_words_of_its_error(
    tmp_path: Path, valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "failing_source.py").write_text(FAILING_SOURCE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    parts = {"source": "failing_source:Source", "source_folder": None}
    with watched(tmp_path, valkey.fresh_database(), **parts) as given:
        given.installation.settings.model_fields_set.discard("source_folder")
        configuration = configure_completion(given.testamur)
        given.installation.start_worker("--processes", "1", "--threads", "1")
        run_id = given.testamur.start_run(configuration)
        given.installation.until(lambda: given.testamur.run_status(run_id).state == "failed")
        given.installation.until(given.listens)
        given.installation.until(
            lambda: given.value("tasks_given_up_total", "run_configuration") == 1
        )

        assert given.value("runs_total", "failed") == 1
        assert given.value("task_seconds_count", "run_configuration", "given-up") == 1
        assert "Zofia" not in given.installation.told()
        (line,) = (line for line in given.lines() if "traceback" in line)
        assert (line["error"], line["correlation_id"]) == ("ValueError", str(run_id))
        assert "failing_source.py" in line["traceback"]
        (given_up,) = (line for line in given.lines() if line.get("outcome") == "given-up")
        assert UUID(given_up["run_id"]) == run_id


def test_the_plain_programs_write_json_and_give_out_metrics_too(
    tmp_path: Path, valkey: ValkeyServer
) -> None:
    write_course(tmp_path / "source", eligible=["Ann Example"])
    with watched(tmp_path, valkey.fresh_database()) as given:
        configuration = configure_completion(given.testamur)
        worker = given.installation.start("dramatiq", ACTORS, "--processes", "1", "--threads", "2")
        scheduler = given.installation.start("periodiq", ACTORS)
        run_id = given.testamur.start_run(configuration)
        given.installation.until(lambda: given.testamur.run_status(run_id).settled)
        given.installation.until(given.listens)
        given.installation.until(lambda: "Scheduling Actor(tick)" in scheduler.told())

        assert given.value("credentials_issued_total") == 1
        (line,) = (each for each in scheduler.told().splitlines() if "Actor(tick)" in each)
        assert json.loads(line)["logger"] == "periodiq"
        lines = worker.told().splitlines()
        # Dramatiq's own processes are up before any actor is loaded.
        of_workers = [each for each in lines if "MainProcess" not in each and "Fork" not in each]
        assert all(json.loads(each) for each in of_workers)
        assert any("issue_batch" in each for each in of_workers)


def test_a_port_that_is_taken_is_refused_at_once(tmp_path: Path, valkey: ValkeyServer) -> None:
    write_course(tmp_path / "source", eligible=["Ann Example"])
    with (
        watched(tmp_path, valkey.fresh_database()) as given,
        socket.create_server(("127.0.0.1", given.port)),
    ):
        refused = in_a_process(
            tmp_path, "worker", environment=dict(variables_of(given.installation.settings))
        )

        assert refused.returncode == 2
        assert f"127.0.0.1:{given.port}" in refused.stderr


def test_metrics_end_with_the_workers_however_these_end(
    tmp_path: Path, valkey: ValkeyServer
) -> None:
    write_course(tmp_path / "source", eligible=["Ann Example"])
    with watched(tmp_path, valkey.fresh_database()) as given:
        worker = given.installation.start_worker("--processes", "1", "--threads", "1")
        given.installation.until(given.listens)
        children = worker.children()
        # The main process alone, as when memory runs out: nobody tells its children.
        worker.process.kill()
        worker.process.wait(20)
        try:
            given.installation.until(lambda: not given.listens())
        finally:
            for each in children:
                with suppress(ProcessLookupError):
                    os.kill(each, signal.SIGKILL)
