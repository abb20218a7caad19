"""Walking over the list of a course's learners until it is known that nobody was skipped.

The list has numbered pages. While it is read learners enrol and leave: then rows move, and a page
can repeat a learner or skip one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from testamur.adapters.open_edx.concurrency import Stop, each
from testamur.adapters.open_edx.connection import Connection
from testamur.adapters.open_edx.errors import LmsError
from testamur.adapters.open_edx.pages import Page
from testamur.adapters.open_edx.shapes import Row
from testamur.adapters.open_edx.snapshot import EnrolledRow, Snapshot

#: Walks over a list that does not hold still.
MOST_WALKS: Final = 6


@dataclass(frozen=True, slots=True)
class Roster:
    """A list of the learners of a course.

    Args:
        walk: Begins a walk over its pages.
        read: Makes of the rows of a page what a snapshot stores of those actively enrolled.
        ask: Asks for one learner by username; None: they are not actively enrolled.
    """

    walk: Callable[[], Iterator[Page]]
    read: Callable[[Sequence[Row]], list[EnrolledRow]]
    ask: Callable[[str], EnrolledRow | None]


def walk_until_settled(
    roster: Roster, snapshot: Snapshot, connection: Connection, stop: Stop
) -> None:
    """Read a list of learners into a snapshot.

    A walk during which the number of learners stayed the same, and which saw as many, saw all. On
    a list that does not hold still, walks are repeated until one finds no more learners that the
    walks before it had not seen than have been added since. Those whom the last walk has not seen
    are asked for one by one: they left, or were skipped.

    Raises:
        LmsError: The list did not hold still for long enough, or cannot be read.
    """
    snapshot.forget_walks()
    count_before: int | None = None
    for number in range(1, MOST_WALKS + 1):
        enrolled_before = snapshot.count_enrolled()
        was_quiet, count = _walk(roster, snapshot, number, stop)
        if was_quiet:
            snapshot.drop_enrolled(snapshot.not_seen_in(number))
            return
        found = snapshot.count_enrolled() - enrolled_before
        if count_before is not None and found <= max(0, count - count_before):
            _ask_for_the_unseen(roster, snapshot, connection, number)
            return
        count_before = count
    raise LmsError(
        f"learners of {snapshot.course}: so many enrolled or left while the list was read that it "
        f"could not be read as a whole in {MOST_WALKS} attempts; run it again at a quieter time, "
        "or with a greater page_size"
    )


def _walk(roster: Roster, snapshot: Snapshot, number: int, stop: Stop) -> tuple[bool, int]:
    """Walk once; return whether all were seen for certain, and how many there are in all."""
    counts: set[int | None] = set()
    count = 0
    rows = enrolled = 0
    shrunk = False
    for page in roster.walk():
        stop.check()
        read = roster.read(page.rows)
        snapshot.add_enrolled(read, number)
        rows += len(page.rows)
        enrolled += len(read)
        shrunk = shrunk or page.shrunk
        count = count if page.count is None else page.count
        counts.add(page.count)
    # Lists that go on from a row, rather than by number, have no count and skip nobody.
    if counts == {None}:
        return True, count
    held_still = len(counts) == 1 and not shrunk
    saw_all = rows == count and snapshot.count_seen_in(number) == enrolled
    return held_still and saw_all, count


def _ask_for_the_unseen(
    roster: Roster, snapshot: Snapshot, connection: Connection, number: int
) -> None:
    unseen = snapshot.not_seen_in(number)
    for username, row in each(connection, roster.ask, unseen, connection.concurrency):
        if row is None:
            snapshot.drop_enrolled([username])
        else:
            snapshot.add_enrolled([row], number)
