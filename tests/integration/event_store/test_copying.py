"""Copies of whole databases, from any kind to any kind: row by row the same, or nothing at all."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from testamur.adapters.event_store.copying import CopyReport, CopyStep
from testamur.adapters.event_store.migrations import tables_to_copy
from testamur.adapters.event_store.postgres import PostgresDatabase
from testamur.adapters.event_store.postgres import migrations as postgres_migrations
from testamur.adapters.event_store.sqlite import SqliteDatabase
from testamur.adapters.event_store.sqlite import copying as sqlite_copying
from testamur.adapters.event_store.sqlite import migrations as sqlite_migrations
from testamur.application.errors import EventStoreError
from testamur.application.ports.transparency import LogKey, TreeHead, TreeNodes
from testamur.domain.errors import InvalidInput
from testamur.domain.identifiers import LearnerId, run_id
from testamur.entrypoints.database_copies import copy_database
from testamur.entrypoints.setting_values import PostgresUrl
from testamur.entrypoints.settings import Settings
from tests.support.databases import Database
from tests.support.events import CONFIGURATION, NOON, a_run, an_award, awarding, by, then
from tests.support.filled_databases import fill, first_release_in_file, told
from tests.support.postgres_server import PostgresServer

Location = Path | PostgresUrl


def open_at(location: Location) -> SqliteDatabase | PostgresDatabase:
    if isinstance(location, Path):
        return SqliteDatabase.open(location)
    return PostgresDatabase.open(location.reveal())


def grow_tree(database: Database) -> None:
    """Put a key, two heads and some nodes into the tree."""
    key = LogKey("key-1", b"\0" * 32, NOON, None, b"\xff" * 64)
    database.tree.add_key(key)
    for size in (1, 2):
        at = NOON + timedelta(microseconds=size)
        head = TreeHead(size, bytes([size]) * 32, at, "key-1", b"\x7f" * 64)
        database.tree.add([TreeNodes(0, size - 1, [bytes([size]) * 32])], head, size - 1)


def told_of_tree(database: Database) -> list[object]:
    tree = database.tree
    return [tree.origin(), tree.keys(), tree.heads(0, 10), tree.nodes(0, 0, 2)]


def copied(source: Location, target: Location) -> CopyReport:
    return copy_database(Settings(database=source), target)


#: For tests that need no pair of one kind.
BETWEEN_KINDS = pytest.mark.parametrize(
    "pair", ["sqlite-postgres", "postgres-sqlite"], indirect=True
)


@dataclass
class Pair:
    """Where to copy from, and where to."""

    source: Location
    target: Location


@pytest.fixture(params=["sqlite-postgres", "postgres-sqlite", "sqlite-sqlite", "postgres-postgres"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Pair:
    """A source with something of everything, and a place where nothing is yet."""

    def place(kind: str, name: str) -> Location:
        if kind == "sqlite":
            return tmp_path / name / "testamur.db"
        server: PostgresServer = request.getfixturevalue("postgres")
        return PostgresUrl(server.fresh_database())

    kinds: str = request.param
    source, target = kinds.split("-")
    (tmp_path / "source").mkdir()
    made = Pair(place(source, "source"), place(target, "target"))
    with closing(open_at(made.source)) as database:
        fill(database)
        grow_tree(database)
    return made


def test_a_copy_answers_all_questions_as_its_source_does(pair: Pair) -> None:
    with closing(open_at(pair.source)) as source:
        expected, tree = told(source), told_of_tree(source)
    report = copied(pair.source, pair.target)
    with closing(open_at(pair.target)) as target:
        assert told(target) == expected
        assert told_of_tree(target) == tree
        assert [each.position for each in target.log.records(0, 1000)] == list(
            range(1, report.rows["stored_events"] + 1)
        )


def test_a_copy_goes_on_where_its_source_ended(pair: Pair) -> None:
    copied(pair.source, pair.target)
    with closing(open_at(pair.target)) as target:
        last = target.log.last_position()
        target.events.append(awarding(an_award("late")), by())
        late = run_id(CONFIGURATION, "manual:late")
        target.events.append(then(late, 0, a_run("manual:late")), by())
        target.keys.obtain([LearnerId("later still")])
        assert target.log.last_position() == last + 2
        assert {run.slot for run in target.register.runs()} >= {"manual:late", "manual:1"}


@BETWEEN_KINDS
def test_a_copy_of_a_copy_has_the_same_rows_and_the_same_hash(pair: Pair, tmp_path: Path) -> None:
    there = copied(pair.source, pair.target)
    assert copied(pair.target, tmp_path / "back.db") == there


@BETWEEN_KINDS
def test_what_is_not_empty_is_never_copied_into(pair: Pair) -> None:
    copied(pair.source, pair.target)
    with closing(open_at(pair.target)) as target:
        before = told(target)
    with pytest.raises(EventStoreError, match="is not empty"):
        copied(pair.source, pair.target)
    with closing(open_at(pair.target)) as target:
        assert told(target) == before


@BETWEEN_KINDS
def test_keys_alone_make_a_database_one_that_is_not_empty(pair: Pair) -> None:
    if isinstance(pair.target, Path):
        pair.target.parent.mkdir(exist_ok=True)
    with closing(open_at(pair.target)) as target:
        target.keys.obtain([LearnerId("somebody")])
    with pytest.raises(EventStoreError, match="learner_keys has 1 rows"):
        copied(pair.source, pair.target)


def test_a_source_that_changes_meanwhile_is_found_out_and_nothing_is_kept(pair: Pair) -> None:
    with closing(open_at(pair.source)) as source:

        def write(step: CopyStep, done: int, total: int) -> None:
            if (step, done) == (CopyStep.COPY, total):
                source.events.append(awarding(an_award("meanwhile")), by())

        with pytest.raises(EventStoreError, match="the source changed while it was copied"):
            copy_database(Settings(database=pair.source), pair.target, progress=write)
    with closing(open_at(pair.target)) as target:
        assert told(target) == ([], [[], []])
    copied(pair.source, pair.target)


def test_a_key_that_is_made_meanwhile_is_found_out(pair: Pair) -> None:
    with closing(open_at(pair.source)) as source:

        def write(step: CopyStep, done: int, total: int) -> None:
            if (step, done) == (CopyStep.COPY, total):
                source.keys.obtain([LearnerId("meanwhile")])

        with pytest.raises(EventStoreError, match=r"learner_keys: 5 rows .* 6\)"):
            copy_database(Settings(database=pair.source), pair.target, progress=write)


def test_a_target_that_keeps_something_else_is_found_out(tmp_path: Path) -> None:
    source, target = tmp_path / "source.db", tmp_path / "target.db"
    with SqliteDatabase.open(source) as database:
        fill(database)
    SqliteDatabase.open(target).close()
    with closing(sqlite3.connect(target)) as connection, connection:
        connection.execute(
            "CREATE TRIGGER bit_rot AFTER INSERT ON stored_events WHEN new.rowid = 3 BEGIN "
            "UPDATE stored_events SET state = CAST(replace(state, 'a', 'b') AS BLOB) "
            "WHERE rowid = 3; END"
        )
    with pytest.raises(EventStoreError, match="did not keep what was written"):
        copied(source, target)
    with SqliteDatabase.open(target) as database:
        assert database.log.last_position() == 0


def test_a_database_is_not_copied_onto_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "testamur.db"
    SqliteDatabase.open(file).close()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput, match="another database"):
        copied(file, Path("testamur.db"))


def test_a_source_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(EventStoreError, match="there is no database"):
        copied(tmp_path / "missing.db", tmp_path / "target.db")
    assert list(tmp_path.iterdir()) == []


def test_a_source_of_an_older_release_is_refused(tmp_path: Path) -> None:
    first_release_in_file(tmp_path / "old.db").close()
    with pytest.raises(EventStoreError, match="testamur database migrate"):
        copied(tmp_path / "old.db", tmp_path / "target.db")


COPYING = """
import os, signal, sys
from pathlib import Path
from testamur.adapters.event_store.copying import CopyStep
from testamur.entrypoints.database_copies import copy_database
from testamur.entrypoints.setting_values import PostgresUrl
from testamur.entrypoints.settings import Settings

def die(step, done, total):
    if step == sys.argv[3] and done >= total // 2:
        os.kill(os.getpid(), signal.SIGKILL)

location = PostgresUrl(sys.argv[2]) if "://" in sys.argv[2] else Path(sys.argv[2])
copy_database(Settings(database=Path(sys.argv[1])), location, progress=die)
"""


@pytest.mark.parametrize("step", [CopyStep.COPY, CopyStep.COMPARE_TARGET])
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_copy_that_was_killed_is_simply_begun_again(
    tmp_path: Path, kind: str, step: CopyStep, request: pytest.FixtureRequest
) -> None:
    source = tmp_path / "source.db"
    with SqliteDatabase.open(source) as database:
        fill(database, learners=6_000)
        expected = told(database)
    target: Location = tmp_path / "target.db"
    if kind == "postgres":
        target = PostgresUrl(request.getfixturevalue("postgres").fresh_database())
    address = str(target) if isinstance(target, Path) else target.reveal()
    killed = subprocess.run(
        [sys.executable, "-c", COPYING, str(source), address, str(step)], check=False, timeout=120
    )
    assert killed.returncode == -signal.SIGKILL
    with closing(open_at(target)) as database:
        assert database.log.last_position() == 0
    copied(source, target)
    with closing(open_at(target)) as database:
        assert told(database) == expected


def test_all_tables_are_copied_but_those_of_the_audit_trail() -> None:
    names = [table.name for table in sqlite_copying.tables()]
    assert names == tables_to_copy(sqlite_migrations.MIGRATIONS)
    assert sorted(names) == sorted(tables_to_copy(postgres_migrations.MIGRATIONS))
    assert names[0] == "stored_events"
    assert {"credentials", "runs", "catalogue", "learner_keys", "tree_heads"} <= set(names)
    assert not any(name.startswith("audit") for name in names)


@pytest.fixture
def columns(postgres: PostgresServer) -> dict[str, set[str]]:
    """The columns of a fresh database on a server, by table."""
    url = postgres.fresh_database()
    PostgresDatabase.open(url).close()
    found: dict[str, set[str]] = {}
    with psycopg.connect(url) as connection:
        for table, column in connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'testamur'"
        ):
            found.setdefault(table, set()).add(column)
    return found


def test_both_kinds_have_the_same_columns(columns: dict[str, set[str]]) -> None:
    for table in sqlite_copying.tables():
        expected = {"position" if column == "rowid" else column for column in table.columns}
        assert columns[table.name] == expected
