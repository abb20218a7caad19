"""The tree's store, on every database: what is kept is given back, and sealers go in turn."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from testamur.application.errors import EventStoreError
from testamur.application.ports.transparency import LogKey, TreeHead, TreeNodes
from testamur.domain.checkpoints import event_leaf_hash
from tests.integration.event_store.conftest import open_database
from tests.support.databases import Database
from tests.support.events import NOON, an_award, awarding, by
from tests.support.sealed import Sealed


def hashes(first: int, count: int) -> list[bytes]:
    return [number.to_bytes(32, "big") for number in range(first, first + count)]


def a_head(size: int) -> TreeHead:
    return TreeHead(size, b"r" * 32, NOON, "0a0b0c0d", b"s" * 64)


def a_key(number: int, introduced_by: str | None) -> LogKey:
    return LogKey(f"{number:08x}", bytes([number]) * 32, NOON, introduced_by, b"s" * 64)


@pytest.mark.parametrize("step", [1, 100, 256, 700])
def test_nodes_are_given_back_however_they_came(database: Database, step: int) -> None:
    for first in range(0, 700, step):
        count = min(step, 700 - first)
        nodes = [TreeNodes(0, first, hashes(first, count))]
        assert database.tree.add(nodes, a_head(first + count), first)

    assert database.tree.nodes(0, 0, 700) == hashes(0, 700)
    assert database.tree.nodes(0, 250, 300) == hashes(250, 300)
    assert database.tree.nodes(0, 690, 100) == hashes(690, 10)
    assert database.tree.nodes(0, 700, 1) == []
    assert database.tree.nodes(0, 2000, 1) == []
    assert database.tree.nodes(8, 0, 1) == []
    assert database.tree.nodes(0, 5, 0) == []


def test_rows_of_several_levels_are_given_back_at_once(database: Database) -> None:
    nodes = [TreeNodes(0, 0, hashes(0, 700)), TreeNodes(8, 0, hashes(5000, 2))]
    database.tree.add(nodes, a_head(700), 0)

    rows = database.tree.rows_of_nodes([(8, 1, 1), (0, 250, 300), (0, 690, 100), (16, 0, 1)])

    assert [list(row) for row in rows] == [hashes(5001, 1), hashes(250, 300), hashes(690, 10), []]


def test_levels_are_kept_apart(database: Database) -> None:
    nodes = [TreeNodes(0, 0, hashes(0, 3)), TreeNodes(8, 0, hashes(50, 2))]

    database.tree.add(nodes, a_head(3), 0)

    assert database.tree.nodes(0, 0, 9) == hashes(0, 3)
    assert database.tree.nodes(8, 0, 9) == hashes(50, 2)


def test_a_head_that_is_not_made_from_the_latest_is_not_added(database: Database) -> None:
    database.tree.add([TreeNodes(0, 0, hashes(0, 5))], a_head(5), 0)

    assert not database.tree.add([TreeNodes(0, 0, hashes(9, 7))], a_head(7), 0)

    assert database.tree.latest_head() == a_head(5)
    assert database.tree.nodes(0, 0, 9) == hashes(0, 5)


def test_nodes_that_leave_a_gap_are_refused_and_nothing_is_written(database: Database) -> None:
    database.tree.add([TreeNodes(0, 0, hashes(0, 5))], a_head(5), 0)

    with pytest.raises(EventStoreError, match="5 hashes instead of 6"):
        database.tree.add([TreeNodes(0, 6, hashes(6, 1))], a_head(7), 5)

    assert database.tree.latest_head() == a_head(5)


def test_heads_are_listed_by_size_page_by_page(database: Database) -> None:
    assert database.tree.latest_head() is None
    for size in (3, 5, 9):
        before = database.tree.latest_head()
        database.tree.add([], a_head(size), before.size if before else 0)

    assert database.tree.latest_head() == a_head(9)
    assert database.tree.heads(0, 2) == [a_head(3), a_head(5)]
    assert database.tree.heads(5, 2) == [a_head(9)]


def test_only_one_key_follows_another(database: Database) -> None:
    first, second, rival = a_key(9, None), a_key(2, "00000009"), a_key(3, "00000009")
    for key in (first, first, second, rival, a_key(4, None)):
        database.tree.add_key(key)

    assert database.tree.keys() == [first, second]


def test_the_logs_name_is_made_once(database: Database, kind: str, place: Path | str) -> None:
    name = database.tree.origin()

    assert name.startswith("testamur/log/")
    assert database.tree.origin() == name
    if kind != "memory":
        again = open_database(kind, place)
        assert again.tree.origin() == name
        again.close()


def test_leaf_hashes_are_those_of_the_events_as_they_are_stored(database: Database) -> None:
    database.events.append(awarding(*(an_award(f"learner-{n}") for n in range(5))), by())

    expected = [
        event_leaf_hash(each.position, each.stream_id, each.version, each.name, each.state)
        for each in database.log.records(0, 10)
    ]

    assert database.tree.leaf_hashes(0, 10) == expected
    assert database.tree.leaf_hashes(2, 2) == expected[2:4]
    assert database.tree.leaf_hashes(5, 2) == []


@pytest.fixture
def others(kind: str, place: Path | str, database: Database) -> Iterator[list[Database]]:
    """More connections to the same database, where there can be such."""
    opened = [database if kind == "memory" else open_database(kind, place) for _ in range(3)]
    yield opened
    for each in opened:
        each.close()


def test_many_that_seal_at_once_leave_one_tree(
    database: Database, others: list[Database], tmp_path: Path
) -> None:
    sealers = [Sealed(each, tmp_path) for each in (database, *others)]

    def write_and_seal(number: int) -> None:
        for step in range(5):
            award = an_award(f"learner-{number}-{step}")
            sealers[number].database.events.append(awarding(award), by())
            sealers[number].sealing.seal()

    with ThreadPoolExecutor(len(sealers)) as pool:
        list(pool.map(write_and_seal, range(len(sealers))))
    sealers[0].sealing.seal()
    report = sealers[0].check()

    assert report.findings == ()
    assert (report.events, report.sealed) == (20, 20)
    assert len(database.tree.keys()) == 1
