"""Reading the log and single streams, against plain SELECTs of the same rows."""

import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg

from testamur.adapters.event_store.postgres import PostgresDatabase
from testamur.adapters.event_store.sqlite import SqliteDatabase
from testamur.application.ports.event_store import Attribution, EventStore, NewEvents
from testamur.domain.credentials import CredentialRevoked, NotificationSent
from testamur.domain.identifiers import Actor
from tests.benchmarks.measuring import report, stopwatch
from tests.support.databases import Database
from tests.support.events import an_award, an_issue, id_of
from tests.support.postgres_server import started_postgres

CREDENTIALS: Final = 25_000
BATCH: Final = 1_000
STREAMS: Final = 2_000
ROUNDS: Final = 5

Rows = list[tuple[Any, ...]]


def main() -> None:
    """Measure several times, ours and the floor by turns, and report median ratios."""
    with tempfile.TemporaryDirectory(prefix="testamur-bench-") as name:
        file = Path(name) / "log.db"
        with SqliteDatabase.open(file) as database, closing(sqlite3.connect(file)) as plain:
            _measure("SQLite", database, _SqliteRows(plain))
    with started_postgres() as server:
        url = server.fresh_database()
        with PostgresDatabase.open(url) as on_server, psycopg.connect(url) as connection:
            connection.execute("SET search_path = testamur")
            _measure("PostgreSQL", on_server, _PostgresRows(connection))


class _SqliteRows:
    """The rows as sqlite3 gives them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def page(self, position: int) -> Rows:
        return self._connection.execute(
            "SELECT rowid, originator_id, originator_version, topic, state FROM stored_events "
            "WHERE rowid > ? ORDER BY rowid LIMIT ?",
            (position, BATCH),
        ).fetchall()

    def stream(self, id_: UUID) -> Rows:
        return self._connection.execute(
            "SELECT originator_version, topic, state FROM stored_events "
            "WHERE originator_id = ? ORDER BY originator_version",
            (id_.hex,),
        ).fetchall()


class _PostgresRows:
    """The rows as psycopg gives them."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def page(self, position: int) -> Rows:
        return self._connection.execute(
            "SELECT position, originator_id, originator_version, topic, state FROM stored_events "
            "WHERE position > %s ORDER BY position LIMIT %s",
            (position, BATCH),
        ).fetchall()

    def stream(self, id_: UUID) -> Rows:
        return self._connection.execute(
            "SELECT originator_version, topic, state FROM stored_events "
            "WHERE originator_id = %s ORDER BY originator_version",
            (id_,),
        ).fetchall()


def _measure(kind: str, database: Database, plain: _SqliteRows | _PostgresRows) -> None:
    ids = _fill(database.events)
    some = ids[:: max(1, len(ids) // STREAMS)]
    events = 4 * len(ids)
    _compare(
        f"{kind}: outlines of the log, as followers read it",
        events,
        lambda: _through(lambda at: [each.position for each in database.log.outlines(at, BATCH)]),
        lambda: _through(lambda at: [row[0] for row in plain.page(at)]),
    )
    _compare(
        f"{kind}: log in full, mapped, a quarter decrypted",
        events,
        lambda: sum(1 for _ in database.events.log(batch_size=BATCH)),
        lambda: _through(lambda at: [row[0] for row in plain.page(at)]),
    )
    _compare(
        f"{kind}: log of short events, mapped",
        events // 2,
        lambda: sum(1 for _ in database.events.log(events // 2, batch_size=BATCH)),
        lambda: _through(lambda at: [row[0] for row in plain.page(at)], events // 2),
    )
    _compare(
        f"{kind}: one credential's four events",
        len(some),
        lambda: _one_by_one(database.events.load, some),
        lambda: _one_by_one(plain.stream, some),
    )


def _through(positions: Callable[[int], Sequence[int]], position: int = 0) -> None:
    while found := positions(position):
        position = found[-1]


def _one_by_one(read: Callable[[UUID], Any], ids: Sequence[UUID]) -> None:
    # None is kept: to look through all for garbage takes longer than to read one.
    for id_ in ids:
        read(id_)


def _fill(events: EventStore) -> list[UUID]:
    """Append streams of four events, all first ones before all second ones, and return their ids.

    The awards are some 1,170 bytes each, the documents 390, the messages and revocations 150.
    """
    by = Attribution(Actor("system:issuer"), datetime(2026, 6, 1, tzinfo=UTC), uuid4())
    ids: list[UUID] = []
    for batch in _awards():
        events.append(batch, by)
        ids += [new.stream_id for new in batch]
    for version, event in (
        (1, an_issue()),
        (2, NotificationSent(message_id=f"<issued.{uuid4()}@example.org>")),
        (3, CredentialRevoked(reason="awarded by mistake")),
    ):
        for start in range(0, CREDENTIALS, BATCH):
            part = ids[start : start + BATCH]
            events.append([NewEvents(each, version, [event]) for each in part], by)
    return ids


def _awards() -> Iterator[list[NewEvents]]:
    for start in range(0, CREDENTIALS, BATCH):
        awards = [an_award(f"learner-{number}") for number in range(start, start + BATCH)]
        yield [NewEvents(id_of(award), 0, [award]) for award in awards]


def _compare(what: str, number: int, ours: Callable[[], Any], floor: Callable[[], Any]) -> None:
    rounds = []
    for _ in range(ROUNDS):
        with stopwatch() as watch:
            ours()
        with stopwatch() as plain:
            floor()
        rounds.append((watch.seconds, plain.seconds))
    seconds, least = sorted(rounds, key=lambda each: each[0] / each[1])[ROUNDS // 2]
    report(
        what,
        f"{number / seconds:,.0f}/s",
        ratio=f"{least / seconds:.2f} of a plain SELECT, {seconds / least:.1f} times its time",
    )
