"""Migrations: what an older release made is refused until it was migrated, and loses nothing."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psycopg
import pytest

from testamur.adapters.event_store.migrations import Migration
from testamur.adapters.event_store.postgres import PostgresDatabase
from testamur.adapters.event_store.postgres import migrations as postgres_migrations
from testamur.adapters.event_store.postgres.connections import Datastore
from testamur.adapters.event_store.sqlite import SqliteDatabase
from testamur.adapters.event_store.sqlite import migrations as sqlite_migrations
from testamur.application.errors import EventStoreError
from testamur.entrypoints.databases import database_status, migrate_database
from testamur.entrypoints.setting_values import PostgresUrl
from testamur.entrypoints.settings import Settings
from tests.support.databases import Database
from tests.support.events import an_award, awarding, by
from tests.support.filled_databases import (
    fill,
    first_release_in_file,
    first_release_on_server,
    told,
)
from tests.support.postgres_server import PostgresServer

LATEST = sqlite_migrations.MIGRATIONS[-1].version
AT_ONCE = 8

#: A migration whose second statement fails, after the first one changed something.
BROKEN = Migration(
    LATEST + 1,
    "what fails",
    ("CREATE TABLE half_done (number INTEGER)", "CREATE TABLE runs (number INTEGER)"),
)


@dataclass(frozen=True)
class Place:
    """Where a database is, and what differs between the kinds."""

    location: Path | PostgresUrl

    @property
    def settings(self) -> Settings:
        return Settings(database=self.location)

    def first_release(self) -> Database:
        if isinstance(self.location, Path):
            return first_release_in_file(self.location)
        return first_release_on_server(self.location.reveal())

    def open(self) -> Database:
        if isinstance(self.location, Path):
            return SqliteDatabase.open(self.location)
        return PostgresDatabase.open(self.location.reveal())

    def migrate(self, *more: Migration) -> list[int]:
        """Run all migrations and some more; return the versions of those that were run."""
        ran: list[int] = []

        def note(migration: Migration) -> None:
            ran.append(migration.version)

        if isinstance(self.location, Path):
            known = sqlite_migrations.MIGRATIONS
            sqlite_migrations.migrate(self.location, 30, note, (*known, *more))
        else:
            with closing(Datastore(self.location.reveal())) as datastore:
                known = postgres_migrations.MIGRATIONS
                postgres_migrations.migrate(datastore, note, (*known, *more))
        return ran

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement past Testamur."""
        if isinstance(self.location, Path):
            with closing(sqlite3.connect(self.location)) as connection, connection:
                return connection.execute(statement).fetchall()
        with psycopg.connect(
            self.location.reveal(), options="-c search_path=testamur"
        ) as connection_:
            cursor = connection_.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def tables(self) -> list[tuple[Any, ...]]:
        """Return the names of all tables and their columns."""
        if isinstance(self.location, Path):
            return self.ask("SELECT name, sql FROM sqlite_master ORDER BY name")
        return self.ask(
            "SELECT relname::text, attname::text FROM pg_attribute "
            "JOIN pg_class ON pg_class.oid = attrelid "
            "WHERE relnamespace = 'testamur'::regnamespace ORDER BY relname, attnum"
        )


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where there is no database yet."""
    if request.param == "sqlite":
        return Place(tmp_path / "testamur.db")
    server: PostgresServer = request.getfixturevalue("postgres")
    return Place(PostgresUrl(server.fresh_database()))


@pytest.fixture
def old(place: Place) -> Place:
    """A database of the first release with data in it."""
    with closing(place.first_release()) as database:
        fill(database)
    return place


@pytest.fixture
def before(old: Place) -> object:
    """What the database of the first release had in it."""
    with closing(old.first_release()) as database:
        return told(database)


def test_a_database_of_an_older_release_is_refused_and_left_alone(old: Place) -> None:
    tables = old.tables()
    with pytest.raises(EventStoreError) as refused:
        old.open()
    assert f"has schema 1, and this release of Testamur needs schema {LATEST}" in str(refused.value)
    assert "run `testamur database migrate`" in str(refused.value)
    assert old.tables() == tables


def test_a_migrated_database_has_all_that_it_had_and_goes_on(old: Place, before: object) -> None:
    assert old.migrate() == list(range(2, LATEST + 1))
    with closing(old.open()) as database:
        assert told(database) == before
        last = database.log.last_position()
        database.events.append(awarding(an_award("late")), by())
        assert database.log.last_position() == last + 1


def test_a_migrated_database_has_the_same_tables_as_a_fresh_one(
    old: Place, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    old.migrate()
    if isinstance(old.location, Path):
        fresh = Place(tmp_path / "fresh.db")
    else:
        fresh = Place(PostgresUrl(request.getfixturevalue("postgres").fresh_database()))
    fresh.open().close()
    assert fresh.tables() == old.tables()


def test_migrating_again_does_nothing(old: Place) -> None:
    old.migrate()
    tables = old.tables()
    assert old.migrate() == []
    assert old.tables() == tables


def test_a_migration_that_fails_leaves_the_database_as_it_was(old: Place, before: object) -> None:
    old.migrate()
    tables = old.tables()
    with pytest.raises(EventStoreError) as failed:
        old.migrate(BROKEN)
    assert f"migration {BROKEN.version} (what fails)" in str(failed.value)
    assert "runs" in str(failed.value)
    assert f"has schema {LATEST} still" in str(failed.value)
    assert old.tables() == tables
    with closing(old.open()) as database:
        assert told(database) == before


def test_a_database_of_a_newer_release_is_refused_by_all(place: Place) -> None:
    place.open().close()
    place.migrate(Migration(LATEST + 1, "of the future", ("CREATE TABLE future (n INTEGER)",)))
    for attempt in (place.open, place.migrate):
        with pytest.raises(EventStoreError, match="upgrade Testamur") as refused:
            attempt()
        assert f"has schema {LATEST + 1}" in str(refused.value)


def test_tables_of_something_else_are_refused_and_left_alone(place: Place) -> None:
    if isinstance(place.location, PostgresUrl):
        place.ask("CREATE SCHEMA testamur")
    place.ask("CREATE TABLE books (title TEXT)")
    tables = place.tables()
    asked: list[Callable[[], object]] = [
        place.open,
        place.migrate,
        lambda: database_status(place.settings),
    ]
    for attempt in asked:
        with pytest.raises(EventStoreError, match="tables of something else"):
            attempt()
    assert place.tables() == tables


def test_the_status_tells_what_is_applied_and_what_is_pending(old: Place) -> None:
    found = database_status(old.settings)
    assert (found.schema_version, found.needed_version) == (1, LATEST)
    assert [each.applied for each in found.migrations] == [True] + [False] * (LATEST - 1)
    assert found.events == found.last_position > 10
    assert found.size > 10_000
    after = migrate_database(old.settings)
    assert after.schema_version == LATEST
    assert all(each.applied for each in after.migrations)
    assert after.events == found.events


def migrate_in_a_process(location: Path | PostgresUrl) -> list[int]:
    return Place(location).migrate()


def open_in_a_process(location: Path | PostgresUrl, number: int) -> None:
    with closing(Place(location).open()) as database:
        database.events.append(awarding(an_award(f"learner-{number}")), by())


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessPoolExecutor]:
    """Processes that have nothing of this one."""
    with ProcessPoolExecutor(AT_ONCE, mp_context=get_context("spawn")) as pool:
        yield pool


def test_many_processes_may_migrate_at_once(
    old: Place, before: object, processes: ProcessPoolExecutor
) -> None:
    ran = list(processes.map(migrate_in_a_process, [old.location] * AT_ONCE))
    assert sorted(version for each in ran for version in each) == list(range(2, LATEST + 1))
    with closing(old.open()) as database:
        assert told(database) == before


def test_many_processes_may_create_at_once(place: Place, processes: ProcessPoolExecutor) -> None:
    list(processes.map(open_in_a_process, [place.location] * AT_ONCE, range(AT_ONCE)))
    with closing(place.open()) as database:
        assert database.log.last_position() == AT_ONCE


@pytest.mark.parametrize("act", ["migrate", "create"])
def test_who_waited_for_the_lock_of_a_file_looks_again_what_is_left_to_do(
    tmp_path: Path, act: str
) -> None:
    place = Place(tmp_path / "testamur.db")
    if act == "migrate":
        place.first_release().close()
    with (
        closing(sqlite3.connect(tmp_path / "testamur.db", isolation_level=None)) as other,
        ThreadPoolExecutor(AT_ONCE) as threads,
    ):
        other.execute("BEGIN IMMEDIATE")
        doing: Callable[[], object] = place.migrate if act == "migrate" else place.open
        waiting = [threads.submit(doing) for _ in range(AT_ONCE)]
        assert not any(each.done() for each in wait(waiting, timeout=0.5).done)
        other.execute("ROLLBACK")
        results = [each.result() for each in waiting]
    with closing(place.open()) as database:
        database.events.append(awarding(an_award()), by())
    for each in results:
        if isinstance(each, SqliteDatabase):
            each.close()
    if act == "migrate":
        ran = [version for each in results if isinstance(each, list) for version in each]
        assert sorted(ran) == list(range(2, LATEST + 1))


# PostgreSQL


def test_tables_of_something_else_in_another_schema_do_not_matter(
    postgres: PostgresServer,
) -> None:
    place = Place(PostgresUrl(postgres.fresh_database()))
    place.ask("CREATE TABLE public.stored_events (n integer)")
    place.ask("CREATE TABLE public.schema_migrations (version text)")
    place.open().close()
    assert place.ask("SELECT count(*) FROM public.stored_events") == [(0,)]


def test_another_schema_is_another_database(postgres: PostgresServer) -> None:
    url = postgres.fresh_database()
    with (
        PostgresDatabase.open(url, schema="one") as one,
        PostgresDatabase.open(url, schema="two") as two,
    ):
        one.events.append(awarding(an_award()), by())
        assert (one.log.last_position(), two.log.last_position()) == (1, 0)
    found = database_status(Settings(database=PostgresUrl(url), database_schema="one"))
    assert (found.events, found.database_schema) == (1, "one")


def test_who_may_not_make_the_schema_is_told_what_to_ask_for(postgres: PostgresServer) -> None:
    url = postgres.fresh_database()
    with psycopg.connect(url) as connection:
        connection.execute("DROP ROLE IF EXISTS clerk")
        connection.execute("CREATE ROLE clerk LOGIN")
    as_clerk = url.replace("postgres@", "clerk@")
    with pytest.raises(EventStoreError) as refused:
        PostgresDatabase.open(as_clerk)
    remedy = 'CREATE SCHEMA "testamur" AUTHORIZATION "clerk"'
    assert remedy in str(refused.value)
    with psycopg.connect(url) as connection:
        connection.execute(remedy)
    with PostgresDatabase.open(as_clerk) as database:
        database.events.append(awarding(an_award()), by())
