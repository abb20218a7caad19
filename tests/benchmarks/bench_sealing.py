"""What sealing costs: awards with and without it, on SQLite and PostgreSQL; and verifying."""

import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from uuid import uuid4

from testamur.adapters.event_store.postgres import PostgresDatabase
from testamur.adapters.event_store.sqlite import SqliteDatabase
from testamur.application.ports.event_store import Attribution, NewEvents
from testamur.domain.identifiers import Actor
from tests.benchmarks.measuring import Stopwatch, peak_memory_mib, report, stopwatch
from tests.support.events import an_award, awarding
from tests.support.postgres_server import PostgresServer, started_postgres
from tests.support.sealed import Sealed

AWARDS = 20_000
BATCH = 1_000
ROUNDS = 3


def main() -> None:
    """Seal after every batch of awards, and report what that adds to the time of writing them."""
    with started_postgres() as server:
        for kind in ("SQLite", "PostgreSQL"):
            rounds = []
            for _ in range(ROUNDS):
                with tempfile.TemporaryDirectory(prefix="testamur-bench-") as name:
                    rounds.append(_round(kind, Path(name), server))
            writing, sealing, cpu, verifying = (median(each) for each in zip(*rounds, strict=True))
            report(f"{kind}: awards in batches of {BATCH:,}", f"{AWARDS / writing:,.0f}/s")
            report(
                f"{kind}: sealed after every batch",
                f"{sealing * writing / AWARDS * BATCH * 1000:.1f} ms each",
                ratio=f"{sealing:.1%} of the time of writing, {cpu:.1%} of its CPU here",
            )
            report(f"{kind}: verified", f"{AWARDS / verifying:,.0f}/s")
    report("most memory held", f"{peak_memory_mib():,.0f} MiB")


def _round(kind: str, folder: Path, server: PostgresServer) -> tuple[float, float, float, float]:
    by = Attribution(Actor("user:bench"), datetime(2026, 6, 1, tzinfo=UTC), uuid4())
    writing, sealing = Stopwatch(), Stopwatch()
    with _opened(kind, folder, server) as database:
        sealed = Sealed(database, folder)
        for batch in _batches():
            with stopwatch() as watch:
                database.events.append(batch, by)
            writing.seconds += watch.seconds
            writing.cpu_seconds += watch.cpu_seconds
            with stopwatch() as watch:
                sealed.sealing.seal()
            sealing.seconds += watch.seconds
            sealing.cpu_seconds += watch.cpu_seconds
        with stopwatch() as verifying:
            if not sealed.check().is_clean:
                raise AssertionError("the log is not as it was written")
    return (
        writing.seconds,
        sealing.seconds / writing.seconds,
        sealing.cpu_seconds / writing.cpu_seconds,
        verifying.seconds,
    )


def _opened(
    kind: str, folder: Path, server: PostgresServer
) -> AbstractContextManager[SqliteDatabase | PostgresDatabase]:
    if kind == "SQLite":
        return SqliteDatabase.open(folder / "testamur.db")
    return PostgresDatabase.open(server.fresh_database())


def _batches() -> Iterator[list[NewEvents]]:
    for start in range(0, AWARDS, BATCH):
        yield awarding(*(an_award(f"learner-{number}") for number in range(start, start + BATCH)))
