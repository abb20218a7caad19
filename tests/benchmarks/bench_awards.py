"""Awards a second into SQLite, against raw inserts of the very same rows."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from testamur.adapters.event_store.sqlite import SqliteDatabase
from testamur.application.ports.event_store import Attribution, NewEvents
from testamur.domain.credentials import CredentialAwarded
from testamur.domain.identifiers import Actor, LearnerId, credential_id
from tests.benchmarks.measuring import report, stopwatch
from tests.support.events import an_award

AWARDS = 20_000
BATCH = 1_000
ROUNDS = 5


def main() -> None:
    """Measure several times, ours and the floor by turns, and report the median ratio."""
    rounds = sorted((_round() for _ in range(ROUNDS)), key=lambda each: each[1] / each[0])
    ours, floor = rounds[ROUNDS // 2]
    report("raw sqlite3 inserts of the same rows", f"{AWARDS / floor:,.0f}/s")
    report(
        f"awards in batches of {BATCH:,}, encrypted, with the register",
        f"{AWARDS / ours:,.0f}/s",
        ratio=f"{floor / ours:.2f} of the floor",
    )


def _round() -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="testamur-bench-") as name:
        folder = Path(name)
        batches = list(_batches())
        by = Attribution(Actor("user:bench"), datetime(2026, 6, 1, tzinfo=UTC), uuid4())
        with SqliteDatabase.open(folder / "ours.db") as database, stopwatch() as ours:
            for batch in batches:
                database.events.append(batch, by)
        return ours.seconds, _insert_the_same_rows(folder / "ours.db", folder / "floor.db")


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
