"""The database file: what is opened, what is refused, and how it is used."""

import gc
import sqlite3
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from testamur.adapters.event_store.sqlite import SqliteDatabase
from testamur.application.errors import EventStoreError
from testamur.application.ports.register import CredentialFilter, Register
from testamur.domain.credentials import CredentialStatus
from testamur.domain.identifiers import LearnerId, VerificationId
from tests.support.events import CONFIGURATION, NOON, an_award, awarding, by, id_of


def ask(file: Path, query: str) -> object:
    with closing(sqlite3.connect(file)) as connection, connection:
        row = connection.execute(query).fetchone()
    return row[0] if row else None


# What is opened


def test_what_was_appended_is_there_when_the_file_is_opened_again(file: Path) -> None:
    award = an_award()
    with SqliteDatabase.open(file) as database:
        database.events.append(awarding(award), by())
    with SqliteDatabase.open(str(file)) as database:
        assert [each.event for each in database.events.load(id_of(award))] == [award]
        assert database.register.not_holding(CONFIGURATION, [award.learner_id]) == set()


def test_an_empty_file_becomes_a_database(file: Path) -> None:
    file.touch()
    with SqliteDatabase.open(file) as database:
        database.events.append(awarding(an_award()), by())


def test_a_relative_path_stays_what_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with SqliteDatabase.open("file:odd?mode=memory.db") as database:
        monkeypatch.chdir("/")
        database.events.append(awarding(an_award()), by())
    assert (tmp_path / "file:odd?mode=memory.db").stat().st_size > 0


def refused(file: Path) -> str:
    with pytest.raises(EventStoreError) as caught:
        SqliteDatabase.open(file)
    assert str(file) in str(caught.value)
    return str(caught.value)


def test_a_file_of_a_newer_release_is_refused_and_left_alone(file: Path) -> None:
    SqliteDatabase.open(file).close()
    ask(file, "PRAGMA user_version = 99")
    assert "has schema 99" in refused(file)
    assert "upgrade Testamur" in refused(file)
    assert ask(file, "PRAGMA user_version") == 99


def test_a_file_of_an_unknown_older_schema_is_refused(file: Path) -> None:
    SqliteDatabase.open(file).close()
    ask(file, "PRAGMA user_version = 0")
    assert "has schema 0" in refused(file)


@pytest.mark.parametrize("content", [b"not a database at all", b"SQLite format 3\0" + b"x" * 200])
def test_a_file_that_is_no_database_is_refused_and_left_alone(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert "is not a database of Testamur" in refused(file)
    assert "name another file" in refused(file)
    assert file.read_bytes() == content


def test_the_database_of_another_application_is_refused_and_left_alone(file: Path) -> None:
    ask(file, "CREATE TABLE something (else_ TEXT)")
    before = file.read_bytes()
    assert "is not a database of Testamur" in refused(file)
    assert file.read_bytes() == before


def test_a_folder_that_does_not_exist_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    assert "unable to open" in refused(tmp_path / "missing" / "testamur.db")


@pytest.fixture
def being_prepared(file: Path) -> Iterator[None]:
    """Another process's transaction, which keeps the file from changing to write-ahead logging."""
    SqliteDatabase.open(file).close()
    ask(file, "PRAGMA journal_mode = DELETE")
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM runs").fetchone()
        yield


@pytest.mark.usefixtures("being_prepared")
def test_opening_does_not_wait_for_ever(file: Path) -> None:
    with pytest.raises(EventStoreError, match="cannot be opened: database is locked"):
        SqliteDatabase.open(file, busy_timeout_seconds=0.1)


# How it is used


@pytest.fixture
def impatient(file: Path) -> Iterator[SqliteDatabase]:
    """A database that waits for others a tenth of a second only."""
    with SqliteDatabase.open(file, busy_timeout_seconds=0.1) as database:
        yield database


def test_a_database_that_others_keep_locked_is_an_error_and_usable_afterwards(
    impatient: SqliteDatabase, file: Path
) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(EventStoreError, match="locked"):
            impatient.events.append(awarding(an_award(person=None)), by())
        with pytest.raises(EventStoreError, match="locked"):
            impatient.keys.obtain([LearnerId("ada")])
        assert list(impatient.events.log()) == []
    impatient.events.append(awarding(an_award()), by())
    assert len(list(impatient.events.log())) == 1


def test_a_key_that_cannot_be_removed_from_the_log_yet_is_an_error(
    impatient: SqliteDatabase, file: Path
) -> None:
    ada = LearnerId("ada")
    key = impatient.keys.obtain([ada])[ada]
    wal = file.with_name(f"{file.name}-wal")
    with closing(sqlite3.connect(file, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM learner_keys").fetchone()
        with pytest.raises(EventStoreError, match="destroy it again"):
            impatient.keys.destroy(ada)
        assert key in wal.read_bytes()
    assert impatient.keys.find([ada]) == {}
    impatient.keys.destroy(ada)
    assert key not in wal.read_bytes()
    assert key not in file.read_bytes()


def test_a_failed_write_leaves_the_database_usable(on_disk: SqliteDatabase, file: Path) -> None:
    ask(
        file,
        "CREATE TRIGGER full_disk BEFORE INSERT ON stored_events "
        "BEGIN SELECT raise(ABORT, 'the disk is full'); END",
    )
    with pytest.raises(EventStoreError, match=r"testamur\.db failed: the disk is full"):
        on_disk.events.append(awarding(an_award()), by())
    ask(file, "DROP TRIGGER full_disk")
    on_disk.events.append(awarding(an_award()), by())
    assert len(list(on_disk.events.log())) == 1


def test_a_commit_that_fails_leaves_the_database_usable(
    on_disk: SqliteDatabase, file: Path
) -> None:
    ask(file, "CREATE TABLE parents (id INTEGER PRIMARY KEY)")
    ask(file, "CREATE TABLE children (of REFERENCES parents DEFERRABLE INITIALLY DEFERRED)")
    ask(
        file,
        "CREATE TRIGGER orphan AFTER INSERT ON stored_events "
        "BEGIN INSERT INTO children VALUES (1); END",
    )
    with on_disk._datastore.get_connection(commit=True) as connection:
        connection.cursor().execute("PRAGMA foreign_keys = ON")
    with pytest.raises(EventStoreError, match="FOREIGN KEY"):
        on_disk.events.append(awarding(an_award()), by())
    ask(file, "DROP TRIGGER orphan")
    on_disk.events.append(awarding(an_award()), by())
    assert len(list(on_disk.events.log())) == 1


def test_text_that_is_not_unicode_is_an_error(on_disk: SqliteDatabase) -> None:
    with pytest.raises(EventStoreError, match="not Unicode"):
        on_disk.register.credential_by_verification_id(VerificationId("\ud800"))
    with pytest.raises(EventStoreError, match="not Unicode"):
        on_disk.keys.obtain([LearnerId("\ud800")])


def test_a_closed_database_says_so(file: Path) -> None:
    database = SqliteDatabase.open(file)
    database.close()
    database.close()
    asked: list[Callable[[], object]] = [
        lambda: database.events.load(uuid4()),
        lambda: database.events.append(awarding(an_award()), by()),
        database.register.runs,
        lambda: database.keys.find([LearnerId("ada")]),
    ]
    for ask_closed in asked:
        with pytest.raises(EventStoreError, match="is closed"):
            ask_closed()


def test_a_closed_database_leaves_one_file_and_no_connection(file: Path) -> None:
    with SqliteDatabase.open(file) as database:
        database.events.append(awarding(an_award()), by())
        readers = [threading.Thread(target=database.register.runs) for _ in range(4)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert file.resolve() not in {held.resolve() for held in Path("/proc/self/fd").iterdir()}


def test_a_database_that_was_forgotten_closes_itself(file: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        database = SqliteDatabase.open(file)
        database.events.append(awarding(an_award()), by())
        del database
        gc.collect()
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_what_is_committed_is_made_durable_at_once(on_disk: SqliteDatabase, file: Path) -> None:
    with on_disk._datastore.transaction(commit=True) as cursor:
        pragmas = {
            name: cursor.sqlite_cursor.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "secure_delete")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1}
    assert ask(file, "PRAGMA application_id") == 0x54534D52


# How questions are answered


QUESTIONS: dict[str, Callable[[Register], object]] = {
    "not_holding": lambda register: register.not_holding(CONFIGURATION, [LearnerId("a")]),
    "to issue": lambda register: register.awaiting_issue(NOON, 10),
    "to issue of a run": lambda register: register.awaiting_issue(NOON, 10, uuid4()),
    "to tell": lambda register: register.awaiting_notification(NOON, 10),
    "to tell of a run": lambda register: register.awaiting_notification(NOON, 10, uuid4()),
    "by verification id": lambda register: register.credential_by_verification_id(
        VerificationId("x")
    ),
    "of a configuration": lambda register: register.credentials(
        CredentialFilter(configuration_id=CONFIGURATION, status=CredentialStatus.ISSUED), 10
    ),
    "of a learner": lambda register: register.credentials(
        CredentialFilter(learner_id=LearnerId("a")), 10
    ),
    "of a context": lambda register: register.credentials(CredentialFilter(context_key="x"), 10),
    "of a run": lambda register: register.credentials(CredentialFilter(run_id=uuid4()), 10),
    "to put away": lambda register: register.credentials(
        CredentialFilter(withdrawal_pending=True), 10
    ),
    "to remind": lambda register: register.awaiting_reminder(NOON, 10),
    "to renew": lambda register: register.renewable(CONFIGURATION, [LearnerId("a")], NOON),
    "how many have expired": lambda register: register.tally(
        CredentialFilter(status=CredentialStatus.ISSUED, expires_until=NOON)
    ),
    "how many to put away": lambda register: register.tally(
        CredentialFilter(withdrawal_pending=True)
    ),
    "tally of a configuration": lambda register: register.tally(
        CredentialFilter(configuration_id=CONFIGURATION)
    ),
    "last slot": lambda register: register.last_slot(CONFIGURATION),
    "runs": lambda register: register.runs(CONFIGURATION),
    "open runs": lambda register: register.runs(open_only=True),
    "catalogue": lambda register: register.catalogue("asset"),
}


def test_what_is_to_be_put_away_is_found_by_its_own_index(file: Path) -> None:
    with SqliteDatabase.open(file) as database:
        asked: list[str] = []
        with database._datastore.transaction(commit=False) as cursor:
            connection = cursor.sqlite_cursor.connection
        connection.set_trace_callback(asked.append)
        QUESTIONS["to put away"](database.register)
        QUESTIONS["how many to put away"](database.register)
        connection.set_trace_callback(None)
        queries = [query for query in asked if "SELECT" in query]
        assert len(queries) == 2
        for query in queries:
            plan = [row[-1] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")]
            assert "awaiting_withdrawal" in plan[0], plan


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_question_goes_over_a_whole_table(file: Path, question: str) -> None:
    with SqliteDatabase.open(file) as database:
        asked: list[str] = []
        with database._datastore.transaction(commit=False) as cursor:
            connection = cursor.sqlite_cursor.connection
        connection.set_trace_callback(asked.append)
        QUESTIONS[question](database.register)
        connection.set_trace_callback(None)
        queries = [query for query in asked if "SELECT" in query]
        assert queries
        for query in queries:
            plan = [row[-1] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")]
            for step in plan:
                assert (
                    not step.startswith(
                        ("SCAN credentials", "SCAN runs", "SCAN catalogue", "SCAN stored_events")
                    )
                    or "INDEX" in step
                ), plan


@pytest.mark.parametrize(
    "others",
    [
        CredentialFilter(context_key="x"),
        CredentialFilter(run_id=uuid4()),
        CredentialFilter(type_slug="x"),
        CredentialFilter(status=CredentialStatus.AWARDED),
    ],
)
def test_a_learners_credentials_are_found_by_the_learner(
    file: Path, others: CredentialFilter
) -> None:
    where = replace(others, learner_id=LearnerId("a"))
    with SqliteDatabase.open(file) as database:
        asked: list[str] = []
        with database._datastore.transaction(commit=False) as cursor:
            connection = cursor.sqlite_cursor.connection
        connection.set_trace_callback(asked.append)
        database.register.credentials(where, 10)
        database.register.tally(where)
        connection.set_trace_callback(None)
        plans = [
            [row[-1] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")]
            for query in asked
            if "SELECT" in query
        ]
    assert len(plans) == 2
    for plan in plans:
        assert plan[0].startswith(
            "SEARCH credentials USING INDEX one_living_credential (learner_id=?"
        )
