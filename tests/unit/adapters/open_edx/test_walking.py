"""Walks over lists of learners that change while they are read: nobody may be skipped."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, cast

import pytest

from testamur.adapters.open_edx.concurrency import Stop, Stopped
from testamur.adapters.open_edx.connection import Connection
from testamur.adapters.open_edx.errors import LmsError
from testamur.adapters.open_edx.pages import Page
from testamur.adapters.open_edx.snapshot import Snapshot
from testamur.adapters.open_edx.walking import MOST_WALKS, Roster, walk_until_settled
from tests.support.open_edx_source import NOW


class RunsAtOnce:
    """Takes the place of a connection that is only asked to run something."""

    concurrency = 2

    def submit(self, function: Callable[[Any], Any], item: Any, /) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(function(item))
        return future


@pytest.fixture
def snapshot(tmp_path: Path) -> Iterator[Snapshot]:
    made = Snapshot(tmp_path / "course.sqlite", "course-v1:A+B+C", NOW)
    yield made
    made.delete()


Walk = Sequence[tuple[str, int | None]]
"""Pages of one walk: the learners on each, one letter each, and how many there are in all."""


def walk(snapshot: Snapshot, *walks: Walk, enrolled: str = "", stop: Stop | None = None) -> str:
    """Walk as often as it takes, and return whom the snapshot then holds."""
    left = iter(walks)

    def pages() -> Iterator[Page]:
        for learners, count in next(left):
            rows = [{"username": each} for each in learners.strip("!")]
            yield Page(rows, count, {}, shrunk=learners.endswith("!"))

    roster = Roster(
        walk=pages,
        read=lambda rows: [(row["username"], "0", None) for row in rows],
        ask=lambda username: (username, "1", None) if username in enrolled else None,
    )
    connection = cast(Connection, RunsAtOnce())
    walk_until_settled(roster, snapshot, connection, stop or Stop())
    assert not list(left), "walks that were not needed"
    return "".join(snapshot.usernames_without_id())


def test_one_walk_is_enough_where_the_list_holds_still(snapshot: Snapshot) -> None:
    assert walk(snapshot, [("abc", 5), ("de", 5)]) == "abcde"


def test_one_walk_is_enough_where_the_list_has_no_numbers(snapshot: Snapshot) -> None:
    assert walk(snapshot, [("abc", None), ("de", None)]) == "abcde"


def test_an_empty_list_is_read_in_one_walk(snapshot: Snapshot) -> None:
    assert walk(snapshot, [("", 0)]) == ""


def test_who_was_skipped_is_found_by_another_walk(snapshot: Snapshot) -> None:
    # a leaves after the first page; d moves onto it and is skipped.
    assert walk(snapshot, [("abc", 5), ("e", 4)], [("bcd", 4), ("e", 4)]) == "bcde"


def test_a_learner_who_came_twice_is_a_reason_to_walk_again(snapshot: Snapshot) -> None:
    # While one enrolled before them, another left: the number stayed the same.
    assert walk(snapshot, [("abc", 5), ("cd", 5)], [("Xbc", 5), ("de", 5)]) == "Xbcde"


def test_a_page_that_is_gone_is_a_reason_to_walk_again(snapshot: Snapshot) -> None:
    assert walk(snapshot, [("abc", 4), ("!", None)], [("bcd", 3)]) == "bcd"


def test_a_list_that_only_grows_is_settled_by_a_walk_that_finds_no_more_than_were_added(
    snapshot: Snapshot,
) -> None:
    found = walk(
        snapshot,
        [("ab", 4), ("cd", 5)],
        [("ab", 6), ("cd", 6), ("ef", 7)],
        enrolled="abcdefg",
    )
    assert found == "abcdef"


def test_a_walk_that_finds_more_than_were_added_is_not_trusted(snapshot: Snapshot) -> None:
    found = walk(
        snapshot,
        [("ab", 6), ("e", 5)],
        [("ab", 5), ("cde", 4)],
        [("ab", 5), ("cde", 4)],
        enrolled="abcde",
    )
    assert found == "abcde"


def test_who_was_not_seen_again_is_asked_for_one_by_one(snapshot: Snapshot) -> None:
    found = walk(
        snapshot,
        [("abc", 6), ("de", 5)],
        [("ab", 6), ("d", 5)],
        enrolled="abcd",
    )
    assert found == "abcd"


def test_a_list_that_never_settles_is_an_error(snapshot: Snapshot) -> None:
    walks = [[(f"{number}", 9 - number), ("x", 8 - number)] for number in range(MOST_WALKS)]
    with pytest.raises(LmsError, match="so many enrolled or left"):
        walk(snapshot, *walks)


def test_a_walk_is_given_up_when_another_list_failed(snapshot: Snapshot) -> None:
    stop = Stop()
    stop.set()
    with pytest.raises(Stopped):
        walk(snapshot, [("abc", 3)], stop=stop)
