"""The doctor: finds what is wrong with each part, whatever else is wrong, and harms nothing."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from testamur.adapters.event_store.sqlite import SqliteDatabase
from testamur.adapters.log_key import LogKeyFile
from testamur.domain.errors import InvalidInput, InvalidOptions
from testamur.entrypoints.doctor import Finding, examine
from testamur.entrypoints.doctor.parts import PROBE_KEY
from testamur.entrypoints.library import Testamur
from testamur.entrypoints.settings import LoadedSettings, Settings
from tests.support.events import an_award, awarding, by
from tests.support.installation import configure_completion, write_course

pytestmark = pytest.mark.e2e


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An installation with one enabled configuration, and a course to ask about."""
    source = write_course(tmp_path / "source", eligible=["Ann Example"])
    settings = Settings(data_folder=tmp_path / "data", source_folder=source)
    with Testamur.open(settings) as testamur:
        testamur.enable(configure_completion(testamur))
    return settings


def found(settings: Settings, **changes: Any) -> dict[str, Finding]:
    changed = settings.model_copy(update=changes)
    return {finding.subject: finding for finding in examine(lambda: LoadedSettings(changed, {}))}


def failed(findings: dict[str, Finding]) -> set[str]:
    return {subject for subject, finding in findings.items() if not finding.ok}


def test_an_installation_that_is_well_passes_every_check(settings: Settings) -> None:
    findings = found(settings)
    assert not failed(findings)
    assert list(findings) == [
        "settings",
        "time zone",
        "database",
        "storage",
        "data source",
        "notifier",
        "plugins",
        "log key",
        "configurations",
        "approvals",
        "withdrawals",
        "corrections",
    ]
    assert findings["configurations"].found == "1 enabled and ready"


def test_the_checks_leave_nothing_behind(settings: Settings) -> None:
    with closing(sqlite3.connect(settings.database_file)) as database:
        before = "\n".join(database.iterdump())
    files = sorted(path for path in settings.files_folder.rglob("*") if path.is_file())
    assert not failed(found(settings))
    with closing(sqlite3.connect(settings.database_file)) as database:
        assert "\n".join(database.iterdump()) == before
    assert sorted(path for path in settings.files_folder.rglob("*") if path.is_file()) == files
    assert not (settings.files_folder / PROBE_KEY).exists()


def test_an_installation_that_is_not_there_yet_is_not_made_by_looking(tmp_path: Path) -> None:
    source = write_course(tmp_path / "source", eligible=["Ann Example"])
    findings = found(Settings(data_folder=tmp_path / "data", source_folder=source))
    assert "not there yet" in findings["database"].found
    assert "not there yet" in findings["storage"].found
    assert not (tmp_path / "data" / "testamur.db").exists()
    assert not (tmp_path / "data" / "files").exists()


def test_a_data_folder_that_cannot_be_made_is_found(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("no folder")
    source = write_course(tmp_path / "source", eligible=["Ann Example"])
    findings = found(Settings(data_folder=file / "data", source_folder=source))
    assert {"database", "storage"} <= failed(findings)
    assert str(file) in findings["database"].remedy


def test_what_fails_keeps_nothing_else_from_being_checked(settings: Settings) -> None:
    settings.database_file.write_bytes(b"this is no database " * 100)
    findings = found(settings, source_folder=None)
    assert failed(findings) == {"database", "data source", "log key", "configurations"}
    assert findings["storage"].ok
    assert findings["notifier"].ok
    assert all(findings[subject].remedy for subject in failed(findings))


def test_a_database_of_something_else_is_not_touched(settings: Settings, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as database:
        database.execute("CREATE TABLE books (title TEXT)")
    content = other.read_bytes()
    assert "database" in failed(found(settings, database=other))
    assert other.read_bytes() == content


def test_a_storage_folder_that_is_a_file_is_found(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    finding = found(settings, storage_folder=tmp_path / "file")["storage"]
    assert not finding.ok
    assert str(tmp_path / "file") in finding.remedy


def test_data_files_that_are_wrong_are_counted_and_the_first_shown(settings: Settings) -> None:
    assert settings.source_folder is not None
    enrolments = settings.source_folder / "enrolments.csv"
    with enrolments.open("a", encoding="utf-8") as file:
        file.write("nobody,course-v1:Uni+Maths+2026\nnowhere,course-v1:Uni+Maths+2026\n")
    finding = found(settings)["data source"]
    assert not finding.ok
    assert "problems in the data files: 2" in finding.found
    assert "enrolments.csv" in finding.found
    assert "testamur source check" in finding.remedy


def test_a_mail_server_that_nobody_answers_at_is_found(settings: Settings) -> None:
    # Port 1 on this machine: nothing listens there.
    findings = found(
        settings, notifier="smtp", smtp_host="127.0.0.1", smtp_port=1, smtp_timeout_seconds=1.0
    )
    assert failed(findings) == {"notifier"}
    assert findings["notifier"].remedy


def test_a_configuration_whose_asset_is_gone_is_named(settings: Settings) -> None:
    with Testamur.open(settings) as testamur:
        testamur.remove_asset("template", "made by mistake")
    findings = found(settings)
    assert failed(findings) == {"configuration"}
    assert "completion for course-v1:Uni+Maths+2026" in findings["configuration"].found
    assert "template" in findings["configuration"].found


def test_the_key_and_the_latest_head_of_a_sealed_log_are_told(settings: Settings) -> None:
    with Testamur.open(settings) as testamur:
        head = testamur.seal()

    assert head is not None
    finding = found(settings)["log key"]
    assert finding.ok
    assert finding.found.startswith(
        f"{head.key_id} is the log's own; the latest head is of {head.size} events"
    )


@pytest.mark.parametrize("other", [None, "other.pem"])
def test_a_key_that_is_gone_or_another_than_the_logs_is_found(
    settings: Settings, other: str | None
) -> None:
    with Testamur.open(settings) as testamur:
        testamur.seal()
    settings.log_key_file.unlink()
    if other is not None:
        LogKeyFile(settings.log_key_file).key()

    finding = found(settings)["log key"]

    assert not finding.ok
    assert ("leads to another" if other else "leads to none") in finding.found
    assert "--lost" in finding.remedy


def test_a_key_that_cannot_be_read_is_found(settings: Settings) -> None:
    settings.log_key_file.write_text("no key")

    finding = found(settings)["log key"]

    assert not finding.ok
    assert "an Ed25519 private key" in finding.found


@pytest.mark.parametrize(("mode", "ok"), [(0o600, True), (0o640, True), (0o644, False)])
def test_a_key_that_everybody_may_read_is_found(settings: Settings, mode: int, ok: bool) -> None:
    with Testamur.open(settings) as testamur:
        testamur.seal()
    settings.log_key_file.chmod(mode)

    finding = found(settings)["log key"]

    assert finding.ok is ok
    assert ok or finding.remedy.startswith(f"run `chmod 600 {settings.log_key_file}`")


def test_events_that_were_not_sealed_for_days_are_found(settings: Settings) -> None:
    with Testamur.open(settings) as testamur:
        testamur.seal()
    long_ago = datetime(2020, 5, 1, 12, tzinfo=UTC)
    with SqliteDatabase.open(settings.database_file) as database:
        database.events.append(awarding(an_award()), by(at=long_ago))

    finding = found(settings)["log key"]

    assert not finding.ok
    assert "and those after it are not sealed" in finding.found
    assert "2020-05-01 12:00 UTC" in finding.found


def test_settings_that_are_not_allowed_are_named_one_by_one() -> None:
    def load() -> LoadedSettings:
        problems = [
            InvalidInput("TESTAMUR_QUEUE", "redis", "'inline'"),
            InvalidInput("TESTAMUR_COLOUR", "red", "no such setting"),
        ]
        raise InvalidOptions("settings", problems)

    findings: Iterator[Finding] = examine(load)
    assert [finding.found.split(":")[0] for finding in findings if not finding.ok] == [
        "TESTAMUR_QUEUE",
        "TESTAMUR_COLOUR",
    ]
