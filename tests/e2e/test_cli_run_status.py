"""How far a run is, on the command line."""

from pathlib import Path
from uuid import UUID

import pytest

from tests.support.program import Program
from tests.support.records import COURSE
from tests.support.valkey_server import ValkeyServer

pytestmark = pytest.mark.e2e


@pytest.fixture
def testamur(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    program = Program(tmp_path, monkeypatch, capsys)
    program.write_course(eligible=["Ann", "Ben"], not_eligible=["Cy"])
    program.configure()
    return program


def test_a_run_that_is_done_is_told_in_numbers(testamur: Program) -> None:
    run_id = testamur.json("run", "start", "completion", COURSE)["run_id"]

    status = testamur.json("run", "status", run_id)

    assert (status["state"], status["settled"]) == ("completed", True)
    assert [status[each] for each in ("evaluated", "awarded", "issued", "failed", "left")] == [
        3,
        2,
        2,
        0,
        0,
    ]
    shown = testamur.succeeds("run", "status", run_id).out
    assert "completed" in shown
    assert "issued" in shown


def test_a_run_that_is_done_need_not_be_followed_long(testamur: Program) -> None:
    run_id = testamur.json("run", "completion", COURSE)["run_id"]
    (line,) = testamur.succeeds("run", "status", run_id, "--follow").out.splitlines()
    assert line.startswith("completed: evaluated 3, awarded 2")


def test_a_run_that_there_is_not_is_refused(testamur: Program) -> None:
    refused = testamur("run", "status", str(UUID(int=7)))
    assert refused.code == 2
    assert str(UUID(int=7)) in refused.err


def test_a_run_is_left_to_workers_only_where_there_are_some(testamur: Program) -> None:
    refused = testamur("run", "completion", COURSE, "--background")
    assert refused.code == 2
    assert "redis://" in refused.err
    both = testamur("run", "completion", COURSE, "--background", "--dry-run")
    assert both.code == 2


def test_a_run_that_waits_for_workers_is_open(testamur: Program, valkey: ValkeyServer) -> None:
    settings = f'source_folder = "source"\nqueue = "{valkey.fresh_database()}"\n'
    testamur.write("testamur.toml", settings)

    run_id = testamur.json("run", "completion", COURSE, "--background")["run_id"]

    status = testamur.json("run", "status", run_id)
    assert (status["state"], status["evaluated"], status["awarded"]) == ("open", None, 0)
