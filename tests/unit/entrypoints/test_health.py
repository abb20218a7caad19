"""How an installation is: what is failing, what is only late, and how that is told."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from testamur import Settings, Testamur
from testamur.entrypoints.lookout import TICKS_AT_LEAST_EVERY, Health, Lookout, health_of
from testamur.entrypoints.setting_values import RedisUrl
from tests.support.program import Program

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def health(
    database: str | None = None,
    queue: str | None = None,
    last_tick: datetime | None = NOW,
    *,
    has_queue: bool = True,
) -> Health:
    return Health(database, queue, last_tick, has_queue, NOW)


def test_all_is_well_where_both_answer_and_ticks_come() -> None:
    found = health(last_tick=NOW - TICKS_AT_LEAST_EVERY)
    assert (found.status, found.problems) == ("ok", {})


@pytest.mark.parametrize("part", ["database", "queue"])
def test_nothing_can_be_done_without_database_or_queue(part: str) -> None:
    found = health(**{part: "away"})  # type: ignore[arg-type]
    assert (found.status, found.problems) == ("failing", {part: "away"})


def test_a_late_tick_is_told_and_stops_nobody() -> None:
    found = health(last_tick=NOW - timedelta(minutes=7, seconds=30))
    assert found.status == "degraded"
    assert found.problems["tick"].startswith("the last one was 7 minutes ago")


def test_so_is_that_there_was_none_yet() -> None:
    found = health(last_tick=None)
    assert (found.status, list(found.problems)) == ("degraded", ["tick"])


def test_of_a_queue_that_is_away_nobody_knows_the_last_tick() -> None:
    assert list(health(queue="away", last_tick=None).problems) == ["queue"]


def test_without_workers_there_are_no_ticks_to_wait_for() -> None:
    found = health(last_tick=None, has_queue=False)
    assert (found.status, found.told()["queue"]) == ("ok", None)


def test_looking_makes_no_database(tmp_path: Path) -> None:
    settings = Settings(data_folder=tmp_path / "data")

    with Lookout(settings) as lookout:
        found = health_of(lookout, NOW)

    assert found.database is not None
    assert "there is no database at" in found.database
    assert list(tmp_path.iterdir()) == []


def test_a_queue_that_is_away_is_told_with_its_password_hidden(tmp_path: Path) -> None:
    settings = Settings(
        data_folder=tmp_path / "data", queue=RedisUrl("redis://:open-sesame@127.0.0.1:1/0")
    )
    Testamur.open(settings).close()

    with Lookout(settings) as lookout:
        found = health_of(lookout, NOW)

    assert (found.status, found.database) == ("failing", None)
    assert "open-sesame" not in json.dumps(found.told())


@pytest.fixture
def program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    return Program(tmp_path, monkeypatch, capsys)


def test_the_command_tells_what_is_well(program: Program) -> None:
    Testamur.open(Settings(data_folder=program.folder / "testamur-data")).close()

    assert "it answers" in program.succeeds("health").out
    assert program.json("health")["status"] == "ok"


def test_the_command_fails_where_something_does_not_answer(program: Program) -> None:
    answer = program("health")
    assert answer.code == 1
    assert "there is no database" in answer.out

    as_json = program("health", "--json")
    assert as_json.code == 1
    assert as_json.document["status"] == "failing"
