"""From the command line: how far what follows the log is, and making it anew."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from testamur import Settings, Testamur
from testamur.adapters.event_store.sqlite import SqliteDatabase
from testamur.application.ports.audit import AuditFilter
from tests.support.installation import configure_completion, settings_in, write_course
from tests.support.program import Program
from tests.support.records import COURSE

pytestmark = pytest.mark.e2e


@pytest.fixture
def testamur(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    return Program(tmp_path, monkeypatch, capsys)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    write_course(tmp_path / "source", eligible=["Ada Lovelace", "Zażółć Gęślą"])
    return settings_in(tmp_path)


def break_the_trail(settings: Settings) -> None:
    with closing(sqlite3.connect(settings.database_file)) as connection:
        connection.execute("ALTER TABLE audit_rows_0 RENAME TO elsewhere")


def test_a_run_brings_the_trail_on(settings: Settings) -> None:
    with Testamur.open(settings) as testamur:
        outcome = testamur.run(configure_completion(testamur))
        (status,) = testamur.projections()
    assert status.behind == 0
    assert status.projection.position > 10
    assert outcome.unfollowed_because is None


def test_a_tick_brings_the_trail_on(settings: Settings) -> None:
    with Testamur.open(settings) as testamur:
        testamur.enable(configure_completion(testamur))
        assert testamur.projections()[0].behind > 0
        assert testamur.tick().problems == []
        assert testamur.projections()[0].behind == 0


def test_a_trail_that_cannot_be_written_stops_no_issuing(settings: Settings) -> None:
    with Testamur.open(settings) as testamur:
        configuration = configure_completion(testamur)
        testamur.enable(configuration)
        break_the_trail(settings)
        report = testamur.tick()
        assert report.issued.issued == 2
        (problem,) = report.problems
        assert problem.subject == "bringing the audit trail on"
        assert "audit_rows_0" in str(problem.error)
        outcome = testamur.run(configuration)
        assert "audit_rows_0" in (outcome.unfollowed_because or "")


def test_a_run_from_the_command_line_says_that_the_trail_could_not_be_brought_on(
    testamur: Program, tmp_path: Path
) -> None:
    write_course(tmp_path / "source", eligible=["Ada Lovelace"])
    with Testamur.open(settings_in(tmp_path)) as opened:
        configure_completion(opened)
    break_the_trail(settings_in(tmp_path))
    testamur.write("testamur.toml", 'source_folder = "source"\ndata_folder = "data"\n')
    ran = testamur("run", "completion", COURSE)
    assert ran.code == 0
    assert "the audit trail could not be brought on" in ran.err


def test_the_status_is_told(testamur: Program) -> None:
    (status,) = testamur.json("projections", "status")
    assert status == {"name": "audit-trail", "position": 0, "behind": 0, "rebuilt_to": None}
    told = testamur.succeeds("projections", "status").out
    assert "audit-trail" in told
    assert "no" in told


def test_a_rebuild_makes_the_trail_anew(testamur: Program, tmp_path: Path) -> None:
    write_course(tmp_path / "source", eligible=["Ada Lovelace"])
    testamur.write("testamur.toml", 'source_folder = "source"\ndata_folder = "data"\n')
    with Testamur.open(settings_in(tmp_path)) as opened:
        opened.run(configure_completion(opened))
    with closing(sqlite3.connect(settings_in(tmp_path).database_file)) as connection:
        connection.execute("DELETE FROM audit_rows_0 WHERE position < 5")
        connection.commit()
    (status,) = testamur.json("projections", "status")
    rebuilt = testamur.json("projections", "rebuild", "audit-trail")
    assert rebuilt["position"] == status["position"]
    assert rebuilt["behind"] == 0
    assert f"from {status['position']} events" in testamur.succeeds("projections", "rebuild").out
    with SqliteDatabase.open(settings_in(tmp_path).database_file) as database:
        assert [each.position for each in database.trail.page(AuditFilter(), 5)] == [1, 2, 3, 4, 5]


def test_only_what_there_is_can_be_rebuilt(testamur: Program) -> None:
    refused = testamur("projections", "rebuild", "register")
    assert refused.code == 2
    assert "audit-trail" in refused.err
