"""The audit trail of a long log: how fast it follows the log, and how fast it answers.

By default the log has 200,000 events: `EVENTS=10000000 python -m tests.benchmarks audit` for more.
Databases lie in the folder for temporary files (`TMPDIR`); 10,000,000 events take about 9 GB there.
"""

import os
import random
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, TypeVar
from uuid import UUID

import psycopg

from testamur.adapters.event_store.audit.writing import TABLES_OF_A_SET
from testamur.adapters.event_store.postgres import PostgresDatabase
from testamur.adapters.event_store.sqlite import SqliteDatabase
from testamur.application.following import BATCH, Following
from testamur.application.ports.audit import AuditEntry, AuditFilter, AuditTrail
from testamur.domain.identifiers import Actor
from tests.benchmarks.measuring import peak_memory_mib, report, stopwatch
from tests.support.databases import Database
from tests.support.large_logs import LogPlan, LogRow
from tests.support.postgres_server import started_postgres

EVENTS = int(os.environ.get("EVENTS", "200000"))
LOADED_AT_ONCE = 50_000
ROUNDS = 20
PAGE = 50

Row = tuple[Any, ...]
Item = TypeVar("Item")


def main() -> None:
    """Measure on SQLite and on PostgreSQL, one after the other, and report."""
    print(f"{EVENTS:,} events; TMPDIR and EVENTS say where and how many")
    with tempfile.TemporaryDirectory(prefix="testamur-bench-") as name:
        _on_sqlite(Path(name) / "bench.db")
    with started_postgres() as server:
        _on_postgres(server.fresh_database())


def _on_sqlite(file: Path) -> None:
    with SqliteDatabase.open(file) as database:
        with stopwatch() as building, closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA cache_size = -1000000")  # 1 GB: ids come in no order
            for number, part in enumerate(_parts(LogPlan(EVENTS).rows(), LOADED_AT_ONCE)):
                connection.executemany(
                    "INSERT INTO stored_events VALUES (?, ?, ?, ?, ?)",
                    (
                        (position, row.stream.hex, row.version, row.name, row.state)
                        for position, row in enumerate(part, start=number * LOADED_AT_ONCE + 1)
                    ),
                )
                connection.commit()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        report("SQLite: building the log", f"{building.seconds:.0f} s")
        ours = _catch_up("SQLite", database)
        _report_ratio("SQLite", "executemany", _floor_of_sqlite(file), ours)
        _questions("SQLite", database)
    report("SQLite: size of the file", f"{file.stat().st_size / 2**30:.2f} GiB")


def _on_postgres(url: str) -> None:
    with PostgresDatabase.open(url) as database:
        with stopwatch() as building, psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SET search_path TO testamur")
            for number, part in enumerate(_parts(LogPlan(EVENTS).rows(), LOADED_AT_ONCE)):
                _copy_log(connection, part, number * LOADED_AT_ONCE + 1)
            connection.execute("VACUUM ANALYZE stored_events")
        report("PostgreSQL: building the log", f"{building.seconds:.0f} s")
        ours = _catch_up("PostgreSQL", database)
        with psycopg.connect(url) as connection:
            connection.execute("SET search_path TO testamur")
            _report_ratio("PostgreSQL", "COPY", _floor_of_postgres(connection), ours)
            connection.commit()
            connection.autocommit = True
            # As the server does by itself a minute later.
            connection.execute("VACUUM ANALYZE")
            found = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        _questions("PostgreSQL", database)
    report("PostgreSQL: size of the database", f"{found[0] / 2**30 if found else 0:.2f} GiB")


def _catch_up(name: str, database: Database) -> float:
    following = Following(database.log, database.audit_rows)
    _forget_peak_memory()
    before = peak_memory_mib()
    with stopwatch() as ours:
        followed = following.catch_up()
    if followed != EVENTS or following.behind():
        raise AssertionError(f"it followed {followed} of {EVENTS} events")
    report(f"{name}: following the log", f"{EVENTS / ours.seconds:,.0f}/s")
    grown = peak_memory_mib() - before
    report(f"{name}: memory that following took at its peak", f"{grown:,.0f} MiB")
    return ours.seconds


def _forget_peak_memory() -> None:
    # What was needed to build the log does not count (proc(5), clear_refs).
    clear_refs = Path("/proc/self/clear_refs")
    if clear_refs.exists():
        clear_refs.write_text("5")


def _report_ratio(name: str, way: str, floor: float, ours: float) -> None:
    report(
        f"{name}: raw {way} of the same rows", f"{EVENTS / floor:,.0f}/s",
        ratio=f"following: {floor / ours:.2f} of it",
    )  # fmt: skip


def _floor_of_sqlite(file: Path) -> float:
    """Put the rows of the set that was written into the other, in as many transactions."""
    seconds = 0.0
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(file)) as target:
        target.execute("PRAGMA synchronous = FULL")
        for table in TABLES_OF_A_SET:
            for part in _rows_of(source, f"{table}_0"):
                marks = ",".join("?" * len(part[0]))
                with stopwatch() as watch:
                    target.executemany(f"INSERT INTO {table}_1 VALUES ({marks})", part)
                    target.commit()
                seconds += watch.seconds
    return seconds


def _rows_of(source: sqlite3.Connection, table: str) -> Iterator[list[Row]]:
    """Yield the rows of a table in parts; none is being read while another one is written.

    A reader in the middle of a table keeps the write-ahead log from being used anew.
    """
    columns = [name for _, name, *_, key in source.execute(f"PRAGMA table_info({table})") if key]
    key, marks = ",".join(columns), ",".join("?" * len(columns))
    query = f"SELECT {key}, * FROM {table} WHERE ({key}) > ({marks}) ORDER BY {key} LIMIT {BATCH}"
    after: Row = (-1,) * len(columns)
    while found := source.execute(query, after).fetchall():
        after = found[-1][: len(columns)]
        yield [row[len(columns) :] for row in found]


def _floor_of_postgres(connection: psycopg.Connection[Row]) -> float:
    seconds = 0.0
    with psycopg.connect(connection.info.dsn, autocommit=True) as target:
        target.execute("SET search_path TO testamur")
        for table in TABLES_OF_A_SET:
            with connection.cursor("rows") as rows:
                rows.execute(f"SELECT * FROM {table}_0".encode())
                while part := rows.fetchmany(BATCH):
                    lines = "\n".join("\t".join(map(_copied, row)) for row in part) + "\n"
                    with (
                        stopwatch() as watch,
                        target.cursor() as cursor,
                        cursor.copy(f"COPY {table}_1 FROM STDIN".encode()) as copy,
                    ):
                        copy.write(lines)
                    seconds += watch.seconds
    return seconds


def _copy_log(
    connection: psycopg.Connection[Row], rows: Iterable[LogRow], first_position: int
) -> None:
    with connection.cursor() as cursor, cursor.copy(
        "COPY stored_events (position, originator_id, originator_version, topic, state) FROM STDIN"
    ) as copy:  # fmt: skip
        for position, row in enumerate(rows, start=first_position):
            copy.write(
                b"%d\t%b\t%d\t%b\t\\\\x%b\n"
                % (position, row.stream.hex.encode(), row.version, row.name.encode(),
                   row.state.hex().encode())
            )  # fmt: skip


def _questions(name: str, database: Database) -> None:
    trail = database.trail
    chosen = _chosen(trail)
    for question, filters in _filters(chosen):
        for newest_first in (False, True):
            seconds = []
            for where in filters:
                with stopwatch() as watch:
                    trail.page(where, PAGE, newest_first=newest_first)
                seconds.append(watch.seconds)
            order = "newest first" if newest_first else "oldest first"
            _report_times(f"{name}: page by {question}, {order}", seconds)
    everything, day = AuditFilter(), chosen[len(chosen) // 2].at
    for question, ask in _tallies(trail, everything, AuditFilter(since=day, event="credential")):
        with stopwatch() as watch:
            ask()
        _report_times(f"{name}: {question}", [watch.seconds])


def _tallies(
    trail: AuditTrail, everything: AuditFilter, timed: AuditFilter
) -> Iterator[tuple[str, Callable[[], object]]]:
    yield "count of everything", lambda: trail.count(everything)
    yield "count by event", lambda: trail.count(AuditFilter(event="credential.awarded"))
    yield "events by day", lambda: trail.grouped(everything, "day", 31)
    yield "events by configuration", lambda: trail.grouped(everything, "configuration", 10)
    yield "events by run", lambda: trail.grouped(everything, "run", 10)
    yield "count since a time of an aggregate (goes over rows)", lambda: trail.count(timed)


def _filters(chosen: Sequence[AuditEntry]) -> Iterator[tuple[str, list[AuditFilter]]]:
    """Yield each kind of question with filters made after entries from all over the log."""
    rare = [Actor(f"user:staff-{number:03}") for number in range(0, 60, 3)]
    revoked, failed = "credential.revoked", "credential.issuance-failed.1"
    week = timedelta(days=7)
    yield "nothing", [AuditFilter()] * 5
    yield "stream", [AuditFilter(stream_id=each.stream_id) for each in chosen]
    yield "learner", [AuditFilter(learner_id=each.learner_ids[0]) for each in chosen]
    yield "configuration", [AuditFilter(configuration_id=each.configuration_id) for each in chosen]
    yield "context", [AuditFilter(context_key=each.context_key) for each in chosen]
    yield "actor", [AuditFilter(actor=each.actor) for each in chosen]
    yield "rare actor", [AuditFilter(actor=each) for each in rare]
    yield "run", [AuditFilter(correlation_id=each.correlation_id) for each in chosen]
    yield "event", [AuditFilter(event=each.name) for each in chosen]
    yield "aggregate", [AuditFilter(event=each) for each in ("credential", "run", "configuration")]
    yield "rare event", [AuditFilter(event=each) for each in (revoked, failed, "asset")]
    yield "week", [AuditFilter(since=each.at, until=each.at + week) for each in chosen]
    yield "since", [AuditFilter(since=each.at) for each in chosen]
    yield "actor+event", [AuditFilter(actor=each, event=revoked) for each in rare]
    yield (
        "actor+event without a match",
        [AuditFilter(actor=Actor("system:scheduler"), event=each) for each in (revoked, failed)],
    )
    yield (
        "configuration+event",
        [AuditFilter(configuration_id=each.configuration_id, event=failed) for each in chosen],
    )
    yield (
        "configuration+actor",
        [AuditFilter(configuration_id=each.configuration_id, actor=rare[0]) for each in chosen],
    )
    yield (
        "context+week",
        [
            AuditFilter(context_key=each.context_key, since=each.at - week, until=each.at)
            for each in chosen
        ],
    )
    yield (
        "context+event+until",
        [
            AuditFilter(context_key=each.context_key, event=revoked, until=each.at)
            for each in chosen
        ],
    )
    yield (
        "run+event",
        [AuditFilter(correlation_id=each.correlation_id, event=failed) for each in chosen],
    )
    yield (
        "event+week",
        [AuditFilter(event=failed, since=each.at, until=each.at + week) for each in chosen],
    )
    yield (
        "learner+event",
        [AuditFilter(learner_id=each.learner_ids[0], event="credential.issued") for each in chosen],
    )


def _chosen(trail: AuditTrail) -> list[AuditEntry]:
    """Return entries about credentials from all over the log."""
    drawn = random.Random(7)
    awards = AuditFilter(event="credential")
    found: list[AuditEntry] = []
    while len(found) < ROUNDS:
        found += trail.page(awards, 1, after=drawn.randrange(EVENTS))
    return found


def _report_times(question: str, seconds: Sequence[float]) -> None:
    worst = f"worst {max(seconds) * 1000:.1f} ms" if len(seconds) > 1 else ""
    report(question, f"{median(seconds) * 1000:.1f} ms", ratio=worst)


def _parts(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    iterator = iter(items)
    while part := list(islice(iterator, size)):
        yield part


def _copied(value: object) -> str:
    if value is None:
        return "\\N"
    return value.hex if isinstance(value, UUID) else str(value)
