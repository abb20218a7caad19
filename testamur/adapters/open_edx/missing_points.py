"""Points that the gradebook does not tell, asked for where somebody's verdict hangs on them."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

from testamur.adapters.open_edx.concurrency import each
from testamur.adapters.open_edx.connection import Connection
from testamur.adapters.open_edx.grades import Progress, ProgressOf
from testamur.adapters.open_edx.points import filled, gaps, matters, unseen
from testamur.adapters.open_edx.snapshot import GradesRow, Snapshot

#: Learners who are asked for what a subsection is worth that nobody has attempted.
MOST_SAMPLES: Final = 3


def fetch_missing_points(connection: Connection, progress: Progress, snapshot: Snapshot) -> None:
    """Ask the progress of learners for points, and fill them into a snapshot's grades.

    What nobody has attempted is asked of a few learners, and is worth to all what it is worth to
    them where they agree, just as with attempts; what progress shows to none of the few does not
    count. Where learners do not agree, each one to whom it matters is asked. Where progress is
    off, nothing is filled in.
    """
    asking = ProgressOf(progress, snapshot.course)
    _sample(connection, asking, snapshot)
    points = snapshot.points
    mattering = (
        row
        for row in snapshot.grades_with_gaps()
        if matters(points.layouts[row[1]], row[2], points.known)
    )
    for row, told in _told(connection, asking, mattering):
        _fill(snapshot, row, told)


def _sample(connection: Connection, asking: ProgressOf, snapshot: Snapshot) -> None:
    untold = unseen(snapshot.points.layouts, snapshot.points.known)
    if not untold:
        return
    for row, told in _told(connection, asking, _samples(snapshot, untold)):
        for module_id in untold & told.keys():
            snapshot.points.known.add(module_id, told[module_id].partition("/")[2])
        _fill(snapshot, row, told)
    if asking.answered:
        for module_id in unseen(snapshot.points.layouts, snapshot.points.known):
            snapshot.points.known.leave_uncounted(module_id)


def _samples(snapshot: Snapshot, untold: frozenset[str]) -> list[GradesRow]:
    """Choose learners who have such gaps, those first to whom the points matter."""
    rows = list(islice(snapshot.grades_with_gaps(), MOST_SAMPLES))
    mattering = (
        row
        for row in snapshot.grades_with_gaps()
        if not untold.isdisjoint(gaps(snapshot.points.layouts[row[1]], row[2]))
        and matters(snapshot.points.layouts[row[1]], row[2], snapshot.points.known)
    )
    return list(dict.fromkeys([*islice(mattering, MOST_SAMPLES), *rows]))[:MOST_SAMPLES]


def _told(
    connection: Connection, asking: ProgressOf, rows: Iterator[GradesRow] | list[GradesRow]
) -> Iterator[tuple[GradesRow, Mapping[str, str]]]:
    answers = each(connection, lambda row: asking.of(row[0]), rows, connection.concurrency)
    for row, told in answers:
        if told is not None:
            yield row, told
        elif asking.is_off:
            return


def _fill(snapshot: Snapshot, row: GradesRow, told: Mapping[str, str]) -> None:
    user_id, layout, work = row
    snapshot.add_grades([(user_id, layout, filled(snapshot.points.layouts[layout], work, told))])
