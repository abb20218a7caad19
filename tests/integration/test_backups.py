"""Backups: made while others write, restored elsewhere, and issuing goes on from there."""

import shutil
import sqlite3
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from testamur import CredentialFilter, Settings, Testamur
from testamur.adapters.event_store.postgres import PostgresDatabase
from testamur.adapters.event_store.sqlite import SqliteDatabase
from testamur.application.errors import EventStoreError
from testamur.domain.errors import InvalidInput
from testamur.entrypoints.database_copies import back_up_database
from testamur.entrypoints.doctor import examine
from testamur.entrypoints.setting_values import PostgresUrl
from testamur.entrypoints.settings import LoadedSettings
from tests.support.databases import Database
from tests.support.events import an_award, awarding, by
from tests.support.filled_databases import fill, told
from tests.support.installation import configure_completion, settings_in, write_course
from tests.support.postgres_server import PostgresServer, program

pytestmark = pytest.mark.integration

BEFORE = ["Ann Example", "Zoë Müller"]


@contextmanager
def writing_all_the_time(database: Database) -> Iterator[threading.Event]:
    """Award one learner after the other in another thread; the event is set once it began."""
    began, stop = threading.Event(), threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            database.events.append(awarding(an_award(f"busy-{number}")), by())
            number += 1
            if number == 20:
                began.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert began.wait(30)
        yield began
    finally:
        stop.set()
        writer.join()


def is_a_moment_of(backup: Database, original: Database) -> bool:
    """Tell whether a backup has all that had happened until some moment, and nothing else."""
    (log, _), (later, _) = told(backup), told(original)
    register = backup.register
    awarded = [each for each in log if each.name.startswith("credential.awarded.")]
    rows = register.credentials(CredentialFilter(), limit=100_000)
    return 20 < len(log) < len(later) and log == later[: len(log)] and len(rows) == len(awarded)


def test_a_file_is_backed_up_while_others_write(tmp_path: Path) -> None:
    settings = Settings(data_folder=tmp_path)
    with SqliteDatabase.open(settings.database_file) as database:
        fill(database, learners=3000)
        pages: list[tuple[int, int]] = []
        with writing_all_the_time(database):
            back_up_database(settings, tmp_path / "backup.db", lambda *done: pages.append(done))
            last = database.log.last_position()
            while database.log.last_position() == last:
                pass  # the writer was not kept out
        with SqliteDatabase.open(tmp_path / "backup.db") as backup:
            assert is_a_moment_of(backup, database)
            position = backup.log.last_position()
            backup.events.append(awarding(an_award("after the restore")), by())
            assert backup.log.last_position() == position + 1
    assert len(pages) > 1
    assert pages[-1][0] == pages[-1][1]


def test_a_backup_is_one_file_that_only_its_owner_may_read(tmp_path: Path) -> None:
    settings = Settings(data_folder=tmp_path / "data")
    SqliteDatabase.open(tmp_path / "other.db").close()
    with Testamur.open(settings):
        pass
    (tmp_path / "backups").mkdir()
    back_up_database(settings, tmp_path / "backups" / "backup.db")
    (file,) = (tmp_path / "backups").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_nothing_is_overwritten_by_a_backup(tmp_path: Path) -> None:
    settings = Settings(data_folder=tmp_path)
    SqliteDatabase.open(settings.database_file).close()
    (tmp_path / "backup.db").write_text("precious")
    with pytest.raises(EventStoreError, match="is there already"):
        back_up_database(settings, tmp_path / "backup.db")
    assert (tmp_path / "backup.db").read_text() == "precious"


def test_a_damaged_database_is_found_and_its_backup_not_kept(tmp_path: Path) -> None:
    settings = Settings(data_folder=tmp_path)
    with SqliteDatabase.open(settings.database_file) as database:
        fill(database, learners=2000)
    with closing(sqlite3.connect(settings.database_file)) as connection:
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'credentials_of_run'"
        ).fetchone()
    with settings.database_file.open("r+b") as file:
        file.seek((root - 1) * 4096 + 8)
        file.write(b"\xff" * 200)
    with pytest.raises(EventStoreError, match=r"damaged|malformed"):
        back_up_database(settings, tmp_path / "backup.db")
    assert not list(tmp_path.glob("backup*"))


def test_postgresql_is_left_to_its_own_programs() -> None:
    settings = Settings(database=PostgresUrl("postgresql://user:secret@nowhere.invalid/db"))
    with pytest.raises(InvalidInput, match="pg_dump") as refused:
        back_up_database(settings, Path("backup.db"))
    assert "secret" not in str(refused.value)


def dump(url: str, file: Path) -> None:
    subprocess.run(
        [program("pg_dump"), "--format=custom", "--schema=testamur", f"--file={file}", url],
        check=True,
        timeout=120,
    )


def restore(file: Path, url: str) -> None:
    subprocess.run(
        [program("pg_restore"), "--exit-on-error", "--single-transaction", "--no-owner",
         f"--dbname={url}", file],
        check=True,
        timeout=120,
    )  # fmt: skip


def test_a_server_is_backed_up_while_others_write(postgres: PostgresServer, tmp_path: Path) -> None:
    with PostgresDatabase.open(postgres.fresh_database()) as database:
        fill(database, learners=1000)
        with writing_all_the_time(database):
            dump(database._datastore.shown_url, tmp_path / "backup")
            last = database.log.last_position()
            while database.log.last_position() == last:
                pass
        elsewhere = postgres.fresh_database()
        restore(tmp_path / "backup", elsewhere)
        with PostgresDatabase.open(elsewhere) as backup:
            assert is_a_moment_of(backup, database)
            position = backup.log.last_position()
            backup.events.append(awarding(an_award("after the restore")), by())
            assert backup.log.last_position() == position + 1


@pytest.fixture(params=["sqlite", "postgres"])
def restored(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Settings, Settings]:
    """An installation that has issued, and one that was restored elsewhere from its backup."""
    here, elsewhere = settings_in(tmp_path / "here"), settings_in(tmp_path / "elsewhere")
    if request.param == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres")
        here = here.model_copy(update={"database": PostgresUrl(server.fresh_database())})
        elsewhere = elsewhere.model_copy(update={"database": PostgresUrl(server.fresh_database())})
    write_course(tmp_path / "here" / "source", eligible=BEFORE)
    with Testamur.open(here) as testamur:
        id_ = configure_completion(testamur)
        testamur.enable(id_)
        testamur.run(id_)
    elsewhere.data_folder.mkdir(parents=True)
    if request.param == "postgres":
        dump(here.database_location.reveal(), tmp_path / "backup")  # type: ignore[union-attr]
        restore(tmp_path / "backup", elsewhere.database_location.reveal())  # type: ignore[union-attr]
    else:
        back_up_database(here, elsewhere.database_file)
    shutil.copytree(here.files_folder, elsewhere.files_folder)
    shutil.copy(here.data_folder / "log-key.pem", elsewhere.data_folder)
    write_course(tmp_path / "elsewhere" / "source", eligible=[*BEFORE, "Late Comer"])
    return here, elsewhere


def test_a_restored_installation_issues_to_who_is_new_and_to_nobody_twice(
    restored: tuple[Settings, Settings],
) -> None:
    here, elsewhere = restored
    with Testamur.open(here) as before, Testamur.open(elsewhere) as after:
        old = list(before.credentials())
        (configuration,) = (id_ for id_, _ in after.configurations())
        outcome = after.run(configuration)
        assert (outcome.counts.already_held, outcome.counts.awarded) == (2, 1)
        assert list(after.credentials())[:2] == old
        for row in after.credentials():
            assert after.document(row.credential_id).startswith(b"%PDF")
        assert after.verify_log().is_clean


def test_the_doctor_finds_a_restored_installation_well(
    restored: tuple[Settings, Settings],
) -> None:
    _, elsewhere = restored
    failed = [each for each in examine(lambda: LoadedSettings(elsewhere, {})) if not each.ok]
    if isinstance(elsewhere.database_location, PostgresUrl):
        # The server of the tests is set up to be quick, and the doctor finds that out.
        (finding,) = failed
        assert "fsync" in finding.found
    else:
        assert not failed
