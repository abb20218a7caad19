"""Awards a second, on SQLite and on PostgreSQL, against raw inserts of the very same rows."""

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg

from testamur.adapters.event_store.postgres import PostgresDatabase
from testamur.adapters.event_store.sqlite import SqliteDatabase
from testamur.application.ports.event_store import Attribution, NewEvents
from testamur.domain.credentials import CredentialAwarded
from testamur.domain.identifiers import Actor, LearnerId, credential_id
from tests.benchmarks.measuring import report, stopwatch
from tests.support.databases import Database
from tests.support.events import an_award
from tests.support.postgres_server import started_postgres

AWARDS = 20_000
BATCH = 1_000
ROUNDS = 5

_TABLES = ("learner_keys", "stored_events", "credentials")


def main() -> None:
    """Measure several times, ours and the floor by turns, and report median ratios."""
    _report("SQLite: raw sqlite3 inserts of the same rows", "SQLite", _sqlite_round)
    with started_postgres() as server:

        def postgres_round() -> tuple[float, float]:
            return _postgres_round(server.fresh_database(), server.fresh_database())

        _report("PostgreSQL: raw binary COPY of the same rows", "PostgreSQL", postgres_round)


def _report(what: str, database: str, measured: Callable[[], tuple[float, float]]) -> None:
    rounds = sorted((measured() for _ in range(ROUNDS)), key=lambda each: each[1] / each[0])
    ours, floor = rounds[ROUNDS // 2]
    report(what, f"{AWARDS / floor:,.0f}/s")
    report(
        f"{database}: awards, {BATCH:,} a batch, encrypted, registered",
        f"{AWARDS / ours:,.0f}/s",
        ratio=f"{floor / ours:.2f} of the floor",
    )


def _sqlite_round() -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="testamur-bench-") as name:
        folder = Path(name)
        with SqliteDatabase.open(folder / "ours.db") as database:
            seconds = _award(database)
        return seconds, _insert_the_same_rows(folder / "ours.db", folder / "floor.db")


def _postgres_round(url: str, other: str) -> tuple[float, float]:
    with PostgresDatabase.open(url) as database:
        seconds = _award(database)
    with PostgresDatabase.open(other):
        pass  # its tables, empty
    return seconds, _copy_the_same_rows(url, other)


def _award(database: Database) -> float:
    batches = list(_batches())
    by = Attribution(Actor("user:bench"), datetime(2026, 6, 1, tzinfo=UTC), uuid4())
    with stopwatch() as watch:
        for batch in batches:
            database.events.append(batch, by)
    return watch.seconds


def _batches() -> Iterator[list[NewEvents]]:
    for start in range(0, AWARDS, BATCH):
        awards = [an_award(f"learner-{number}") for number in range(start, start + BATCH)]
        yield [NewEvents(_id(award), 0, [award]) for award in awards]


def _id(award: CredentialAwarded) -> UUID:
    return credential_id(award.configuration_id, LearnerId(award.learner_id))


def _insert_the_same_rows(filled: Path, fresh: Path) -> float:
    """Insert every row of a database into a fresh one like it, in as many transactions."""
    with closing(sqlite3.connect(filled)) as source, closing(sqlite3.connect(fresh)) as target:
        schema = source.execute(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
        target.execute("PRAGMA journal_mode = WAL")
        target.execute("PRAGMA synchronous = FULL")
        for (statement,) in schema:
            target.execute(statement)
        tables = [
            table
            for (table,) in source.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            )
        ]
        rows = {table: source.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
        with stopwatch() as watch:
            for start in range(0, AWARDS, BATCH):
                for table in tables:
                    part = rows[table][start : start + BATCH]
                    if part:
                        marks = ",".join("?" * len(part[0]))
                        target.executemany(f"INSERT INTO {table} VALUES ({marks})", part)
                target.commit()
        return watch.seconds


def _copy_the_same_rows(filled: str, fresh: str) -> float:
    """Copy every row of a database into a fresh one like it, in as many transactions."""
    with psycopg.connect(filled) as source, psycopg.connect(fresh) as target:
        for connection in (source, target):
            connection.execute("SET search_path = testamur")
            connection.commit()
        rows = {table: source.execute(f"SELECT * FROM {table}").fetchall() for table in _TABLES}
        types = {table: _types(source, table) for table in _TABLES}
        with stopwatch() as watch:
            for start in range(0, AWARDS, BATCH):
                with target.cursor() as cursor:
                    for table in _TABLES:
                        statement = f"COPY {table} FROM STDIN (FORMAT BINARY)"
                        with cursor.copy(statement) as copy:
                            copy.set_types(types[table])
                            for row in rows[table][start : start + BATCH]:
                                copy.write_row(row)
                target.commit()
        return watch.seconds


def _types(connection: psycopg.Connection[Any], table: str) -> list[str]:
    rows = connection.execute(
        "SELECT atttypid::regtype::text FROM pg_attribute "
        "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        (table,),
    )
    return [name for (name,) in rows]
