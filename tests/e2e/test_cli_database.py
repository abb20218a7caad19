"""From the command line: what the database holds, its schema, copies and backups of it."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from testamur.adapters.event_store.sqlite import migrations
from tests.support.filled_databases import fill, first_release_in_file
from tests.support.postgres_server import PostgresServer
from tests.support.program import Program, in_a_process
from tests.support.records import COURSE

pytestmark = pytest.mark.e2e

LATEST = migrations.MIGRATIONS[-1].version


@pytest.fixture
def testamur(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    return Program(tmp_path, monkeypatch, capsys)


@pytest.fixture
def old(testamur: Program) -> Program:
    """An installation of the first release."""
    (testamur.folder / "testamur-data").mkdir()
    with closing(first_release_in_file(testamur.folder / "testamur-data" / "testamur.db")) as file:
        fill(file)
    return testamur


def credentials(testamur: Program) -> list[Any]:
    return testamur.succeeds("credential", "list", "--json").documents


def on_postgres(testamur: Program, url: str, more: str = "") -> None:
    testamur.write("testamur.toml", f'source_folder = "source"\ndatabase = "{url}"\n{more}')


# Schema


def test_an_older_database_is_refused_migrated_and_used(old: Program) -> None:
    refused = old("credential", "list")
    assert refused.code == 1
    assert "run `testamur database migrate`" in refused.err
    before = old.json("database", "status")
    assert [each["applied"] for each in before["migrations"]] == [True] + [False] * (LATEST - 1)
    assert "pending" in old.succeeds("database", "status").out

    migrated = old.succeeds("database", "migrate").out
    assert "Schema 2: audit trail" in migrated
    assert f"has schema {LATEST}: {LATEST - 1} migrations done" in migrated
    assert "nothing to do" in old.succeeds("database", "migrate").out
    assert old.json("database", "migrate") == {"schema_version": LATEST, "migrated": []}

    after = old.json("database", "status")
    assert all(each["applied"] for each in after["migrations"])
    assert after["events"] == after["last_position"] == before["events"] > 10
    assert len(credentials(old)) == 5


def test_the_status_of_a_file_tells_where_it_is_and_how_large(testamur: Program) -> None:
    assert "there is no database" in testamur("database", "status").err
    testamur.succeeds("type", "list")
    told = testamur.succeeds("database", "status").out
    assert "SQLite file" in told
    assert "testamur-data/testamur.db" in told
    assert "KiB" in told


def test_the_status_of_a_server_hides_the_password(
    testamur: Program, postgres: PostgresServer
) -> None:
    url = postgres.fresh_database().replace("postgres@", "postgres:open-sesame@")
    on_postgres(testamur, url, 'database_schema = "certificates"\n')
    assert "0 (this release needs" in testamur.succeeds("database", "status").out
    testamur.succeeds("type", "list")
    for command in (("database", "status"), ("settings",), ("database", "migrate")):
        answer = testamur.succeeds(*command)
        assert "postgresql://postgres" in answer.out
        assert "open-sesame" not in answer.out
    status = testamur.json("database", "status")
    assert status["kind"] == "postgresql"
    assert status["database_schema"] == "certificates"
    assert all(each["applied_at"] for each in status["migrations"])
    assert "schema certificates" in testamur.succeeds("database", "status").out


# Choosing


def test_everything_is_done_on_a_server_as_on_a_file(
    testamur: Program, postgres: PostgresServer
) -> None:
    on_postgres(testamur, postgres.fresh_database())
    testamur.write_course(eligible=["Ann Example", "Zoë Müller"], not_eligible=["Too Early"])
    testamur.configure()
    ran = testamur.json("run", "completion", COURSE)
    assert (ran["awarded"], ran["issued"]) == (2, 2)
    assert testamur.json("run", "completion", COURSE)["awarded"] == 0
    assert not (testamur.folder / "testamur-data" / "testamur.db").exists()
    assert not (testamur.folder / "testamur-data" / "locks").exists()


@pytest.mark.parametrize("place", ["settings", "command line"])
def test_another_kind_of_database_is_one_error_without_its_password(
    testamur: Program, place: str
) -> None:
    url = "mysql://root:open-sesame@localhost/testamur"
    if place == "settings":
        on_postgres(testamur, url)
        answer = testamur("database", "status")
    else:
        answer = testamur("database", "copy", "--to", url)
    assert answer.code == 2
    (line,) = answer.err.splitlines()
    assert "mysql://root:***@localhost/testamur" in line
    assert "the path of an SQLite file, or postgresql://USER@HOST/DATABASE" in line


def test_a_server_that_cannot_be_reached_is_one_error_without_its_password(
    testamur: Program,
) -> None:
    # Port 1 on this machine: nothing listens there.
    on_postgres(testamur, "postgresql://postgres:open-sesame@127.0.0.1:1/testamur")
    for command in (("type", "list"), ("database", "status"), ("database", "migrate")):
        answer = testamur(*command)
        assert answer.code == 1
        assert "127.0.0.1:1" in answer.err
        assert "open-sesame" not in answer.err
    checked = testamur("doctor")
    assert checked.code == 1
    assert "open-sesame" not in checked.out


def test_without_its_packages_postgresql_is_an_error_that_says_what_to_install(
    testamur: Program,
) -> None:
    on_postgres(testamur, "postgresql://postgres@127.0.0.1:1/testamur")
    hidden = testamur.folder / "psycopg.py"
    hidden.write_text("raise ModuleNotFoundError('No module named psycopg', name='psycopg')")
    answer = in_a_process(testamur.folder, "type", "list")
    assert answer.returncode == 1
    assert 'pip install "testamur[postgres]"' in answer.stderr
    testamur.write("testamur.toml", "")
    assert in_a_process(testamur.folder, "type", "list").returncode == 0


def test_the_doctor_tries_a_server(testamur: Program, postgres: PostgresServer) -> None:
    url = postgres.fresh_database()
    on_postgres(testamur, url)
    testamur.write_course(eligible=["Ann Example"])
    testamur.succeeds("type", "list")
    findings = {each["subject"]: each for each in json.loads(testamur("doctor", "--json").out)}
    # The server of the tests is set up to be quick, and the doctor finds that out.
    assert not findings["database"]["ok"]
    assert "fsync" in findings["database"]["found"]
    assert "fsync = on" in findings["database"]["remedy"]

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE ROLE reader LOGIN")
        connection.execute("GRANT USAGE ON SCHEMA testamur TO reader")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA testamur TO reader")
    on_postgres(testamur, url.replace("postgres@", "reader@"))
    (finding,) = (
        each
        for each in json.loads(testamur("doctor", "--json").out)
        if each["subject"] == "database"
    )
    assert not finding["ok"]
    assert "permission denied" in finding["found"]


# Copies and backups


def test_an_installation_moves_from_a_file_to_a_server(
    testamur: Program, postgres: PostgresServer
) -> None:
    testamur.write_course(eligible=["Ann Example", "Zoë Müller"])
    testamur.configure()
    testamur.succeeds("run", "completion", COURSE)
    issued = credentials(testamur)
    url = postgres.fresh_database()
    answer = testamur.succeeds("database", "copy", "--to", url)
    assert "Every row was read back from both and is the same" in answer.out
    assert "may now be changed" in answer.out

    on_postgres(testamur, url)
    assert credentials(testamur) == issued
    assert testamur("audit", "verify").code == 0
    assert testamur.json("run", "completion", COURSE)["awarded"] == 0
    testamur.write_course(eligible=["Ann Example", "Zoë Müller", "Late Comer"])
    assert testamur.json("run", "completion", COURSE)["issued"] == 1
    testamur("tick")
    assert testamur("audit", "verify").code == 0

    again = testamur("database", "copy", "--from", "testamur-data/testamur.db", "--to", url)
    assert again.code == 1
    assert "is not empty" in again.err
    back = testamur.json("database", "copy", "--to", "back.db")
    assert back["rows"]["credentials"] == 3
    assert len(back["events_sha256"]) == 64


def test_a_backup_is_a_database_that_can_be_used(testamur: Program) -> None:
    testamur.write_course(eligible=["Ann Example"])
    testamur.configure()
    testamur.succeeds("run", "completion", COURSE)
    issued = credentials(testamur)
    assert "Wrote backup.db" in testamur.succeeds("database", "backup", "backup.db").out
    assert testamur("database", "backup", "backup.db").code == 1
    with closing(sqlite3.connect(testamur.folder / "backup.db")) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    testamur.write("testamur.toml", 'source_folder = "source"\ndatabase = "backup.db"\n')
    assert credentials(testamur) == issued
