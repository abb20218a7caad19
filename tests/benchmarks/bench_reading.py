"""Reading: the log with everything mapped, and one stream, against plain SELECTs of the rows."""

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

from testamur.adapters.event_store.sqlite import SqliteDatabase
from testamur.application.ports.event_store import Attribution, EventStore, NewEvents
from testamur.domain.credentials import CredentialRevoked, NotificationSent
from testamur.domain.identifiers import Actor
from tests.benchmarks.measuring import report, stopwatch
from tests.support.events import an_award, an_issue, id_of

CREDENTIALS: Final = 30_000
BATCH: Final = 1_000
PAGE: Final = 1_000
STREAMS: Final = 2_000
ROUNDS: Final = 5

_SELECT_PAGE: Final = """
    SELECT rowid, originator_id, originator_version, topic, state
    FROM stored_events WHERE rowid > ? ORDER BY rowid LIMIT ?
"""
_SELECT_STREAM: Final = """
    SELECT originator_id, originator_version, topic, state
    FROM stored_events WHERE originator_id = ? ORDER BY originator_version
"""


def main() -> None:
    """Measure several times, ours and the floor by turns, and report median ratios."""
    with tempfile.TemporaryDirectory(prefix="testamur-bench-") as name:
        file = Path(name) / "log.db"
        with SqliteDatabase.open(file) as database, closing(sqlite3.connect(file)) as plain:
            ids = fill(database.events)
            events = 4 * len(ids)

            def pages() -> int:
                position = count = 0
                while rows := plain.execute(_SELECT_PAGE, (position, PAGE)).fetchall():
                    position, count = rows[-1][0], count + len(rows)
                return count

            compare(
                "SQLite: log read, decrypted and mapped",
                events,
                lambda: sum(1 for _ in database.events.log(batch_size=PAGE)),
                pages,
            )
            some = ids[:: len(ids) // STREAMS]
            compare(
                "SQLite: one stream of four events",
                len(some),
                lambda: [database.events.load(id_) for id_ in some],
                lambda: [plain.execute(_SELECT_STREAM, (id_.hex,)).fetchall() for id_ in some],
            )


def fill(events: EventStore) -> list[UUID]:
    """Append streams of four events each, and return their ids."""
    ids: list[UUID] = []
    at = datetime(2026, 6, 1, tzinfo=UTC)
    for batch in _batches():
        by = Attribution(Actor("system:issuer"), at, uuid4())
        events.append(batch, by)
        streams = [new.stream_id for new in batch]
        events.append([NewEvents(each, 1, [an_issue()]) for each in streams], by)
        told = [
            NewEvents(
                each,
                2,
                [NotificationSent(message_id=f"<issued.{each}@example.org>")],
            )
            for each in streams
        ]
        events.append(told, by)
        events.append(
            [
                NewEvents(each, 3, [CredentialRevoked(reason="awarded by mistake")])
                for each in streams
            ],
            by,
        )
        ids += streams
    return ids


def compare(
    what: str, number: int, ours: Callable[[], Any], floor: Callable[[], Any], unit: str = "/s"
) -> None:
    """Report how long ours takes, as a ratio to the floor of the same round."""
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
        f"{number / seconds:,.0f}{unit}",
        ratio=f"{least / seconds:.2f} of the floor ({seconds / least:.1f} times its time)",
    )


def _batches() -> Iterator[list[NewEvents]]:
    for start in range(0, CREDENTIALS, BATCH):
        awards = [an_award(f"learner-{number}") for number in range(start, start + BATCH)]
        yield [NewEvents(id_of(award), 0, [award]) for award in awards]
