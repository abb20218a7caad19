"""Who of 1,000,000 learners holds no credential: one question, against a plain set difference."""

import random
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import uuid4

from testamur.adapters.event_store.postgres import PostgresDatabase
from testamur.adapters.event_store.sqlite import SqliteDatabase
from testamur.application.ports.event_store import Attribution
from testamur.domain.identifiers import Actor, LearnerId
from tests.benchmarks.measuring import report, stopwatch
from tests.support.databases import Database
from tests.support.events import CONFIGURATION, an_award, awarding
from tests.support.postgres_server import started_postgres

LEARNERS: Final = 1_000_000
NEW: Final = 1_000
BATCH: Final = 5_000
ROUNDS: Final = 5


def main() -> None:
    """Measure on both databases, asking in random order, and report the median."""
    with (
        tempfile.TemporaryDirectory(prefix="testamur-bench-") as name,
        SqliteDatabase.open(Path(name) / "bench.db") as file,
    ):
        _measure("SQLite", file)
    with started_postgres() as server, PostgresDatabase.open(server.fresh_database()) as database:
        _measure("PostgreSQL", database)


def _measure(kind: str, database: Database) -> None:
    ids = [LearnerId(f"u{number:07}") for number in range(LEARNERS)]
    _award(database, ids[:-NEW])
    random.Random(20260601).shuffle(ids)
    rounds = []
    for _ in range(ROUNDS):
        with stopwatch() as ours:
            without = database.register.not_holding(CONFIGURATION, ids)
        # Texts of their own, as those from another source would be.
        held = [f"u{int(id_[1:]):07}" for id_ in ids if id_ not in without]
        with stopwatch() as floor:
            found = set(ids) - set(held)
        if without != found or len(found) != NEW:
            raise AssertionError("the register is wrong")
        rounds.append((ours.seconds, floor.seconds))
    seconds, least = sorted(rounds, key=lambda each: each[0] / each[1])[ROUNDS // 2]
    report(
        f"{kind}: which of {LEARNERS:,} learners hold none",
        f"{seconds:.2f} s",
        ratio=f"{seconds / least:.1f} times a set difference in Python",
    )


def _award(database: Database, ids: Sequence[LearnerId]) -> None:
    by = Attribution(Actor("user:bench"), datetime(2026, 6, 1, tzinfo=UTC), uuid4())
    for start in range(0, len(ids), BATCH):
        awards = [an_award(id_) for id_ in ids[start : start + BATCH]]
        database.events.append(awarding(*awards), by)


if __name__ == "__main__":
    main()
