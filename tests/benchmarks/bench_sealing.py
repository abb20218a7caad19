"""What sealing costs beside writing, on SQLite and PostgreSQL; and how fast a log is verified."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
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


@dataclass(frozen=True)
class _Round:
    """Seconds that one round took.

    Args:
        writing: Writing all awards.
        sealing: Sealing them, as a share of the time of writing.
        cpu: The same of the CPU time of this process; a server's own is not in it.
        verifying: Verifying the log at its end.
    """

    writing: float
    sealing: float
    cpu: float
    verifying: float


def main() -> None:
    """Seal after every batch, and once at the end as a run does; report what each adds."""
    with started_postgres() as server:
        for kind in ("SQLite", "PostgreSQL"):
            # In turn, so that what else the machine does falls on both.
            often, once = [], []
            for _ in range(ROUNDS):
                often.append(_round(kind, server, batches_a_seal=1))
                once.append(_round(kind, server, batches_a_seal=AWARDS // BATCH))
            both = often + once
            writing = median(each.writing for each in both)
            report(f"{kind}: awards in batches of {BATCH:,}", f"{AWARDS / writing:,.0f}/s")
            _report_sealing(f"{kind}: sealed after every batch", often)
            _report_sealing(f"{kind}: sealed at the end of {AWARDS:,}", once)
            verifying = median(each.verifying for each in both)
            report(f"{kind}: verified", f"{AWARDS / verifying:,.0f}/s")
    report("most memory held", f"{peak_memory_mib():,.0f} MiB")


def _report_sealing(what: str, rounds: list[_Round]) -> None:
    sealing = median(each.sealing for each in rounds)
    cpu = median(each.cpu for each in rounds)
    report(what, f"{sealing:.1%}", ratio=f"of the time of writing, {cpu:.1%} of its CPU here")


def _round(kind: str, server: PostgresServer, *, batches_a_seal: int) -> _Round:
    by = Attribution(Actor("user:bench"), datetime(2026, 6, 1, tzinfo=UTC), uuid4())
    writing, sealing = Stopwatch(), Stopwatch()
    with (
        TemporaryDirectory(prefix="testamur-bench-") as name,
        _opened(kind, Path(name), server) as database,
    ):
        sealed = Sealed(database, Path(name))
        sealed.keys.signing()  # made once in the life of a log
        for number, batch in enumerate(_batches(), start=1):
            with stopwatch() as watch:
                database.events.append(batch, by)
            _add(writing, watch)
            if number % batches_a_seal == 0:
                with stopwatch() as watch:
                    sealed.sealing.seal()
                _add(sealing, watch)
        sealed.follow()
        with stopwatch() as verifying:
            if not sealed.check().is_clean:
                raise AssertionError("the log is not as it was written")
    return _Round(
        writing.seconds,
        sealing.seconds / writing.seconds,
        sealing.cpu_seconds / writing.cpu_seconds,
        verifying.seconds,
    )


def _add(total: Stopwatch, watch: Stopwatch) -> None:
    total.seconds += watch.seconds
    total.cpu_seconds += watch.cpu_seconds


def _opened(
    kind: str, folder: Path, server: PostgresServer
) -> AbstractContextManager[SqliteDatabase | PostgresDatabase]:
    if kind == "SQLite":
        return SqliteDatabase.open(folder / "testamur.db")
    return PostgresDatabase.open(server.fresh_database())


def _batches() -> Iterator[list[NewEvents]]:
    for start in range(0, AWARDS, BATCH):
        yield awarding(*(an_award(f"learner-{number}") for number in range(start, start + BATCH)))
