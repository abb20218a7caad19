"""Several followers, readers and rebuilds at once on one database."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from testamur.application import following
from testamur.application.following import Following
from testamur.application.ports.audit import AuditFilter
from tests.integration.event_store.conftest import open_database
from tests.support.databases import Database
from tests.support.events import an_award, awarding, by

LENGTH = 400


def follower(database: Database) -> Following:
    return Following(database.log, database.audit_rows)


def award(database: Database, first: int, last: int) -> None:
    for number in range(first, last, 10):
        learners = [f"l{each}" for each in range(number, number + 10)]
        database.events.append(awarding(*map(an_award, learners)), by())


@pytest.fixture
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "BATCH", 7)


@pytest.mark.usefixtures("_small_batches")
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_followers_of_their_own_write_each_event_once(kind: str, place: Path | str) -> None:
    databases = [open_database(kind, place) for _ in range(3)]
    try:
        award(databases[0], 0, LENGTH)
        with ThreadPoolExecutor(3) as threads:
            written = list(threads.map(lambda each: follower(each).catch_up(), databases))
        assert sum(written) == LENGTH
        for database in databases:
            found = database.trail.page(AuditFilter(event="credential"), 1000)
            assert [entry.position for entry in found] == list(range(1, LENGTH + 1))
            assert database.trail.count(AuditFilter(event="credential.awarded")) == LENGTH
            assert sum(database.trail.grouped(AuditFilter(), "day", 9).values()) == LENGTH
    finally:
        for database in databases:
            database.close()


@pytest.mark.usefixtures("_small_batches")
def test_readers_never_see_a_part_of_a_trail_that_is_made_anew(database: Database) -> None:
    award(database, 0, 200)
    follower(database).catch_up()
    done = Event()

    def read() -> set[int]:
        seen = set()
        while not done.is_set():
            found = database.trail.page(AuditFilter(event="credential"), 1000)
            assert [entry.position for entry in found] == list(range(1, len(found) + 1))
            seen.add(len(found))
        return seen

    def rebuild() -> None:
        for number in range(3):
            follower(database).rebuild()
            award(database, 200 + 10 * number, 210 + 10 * number)

    with ThreadPoolExecutor(3) as threads:
        readers = [threads.submit(read) for _ in range(2)]
        try:
            rebuild()
        finally:
            done.set()
        seen = set.union(*(reader.result() for reader in readers))
    assert min(seen) == 200
    assert follower(database).catch_up() == 10
