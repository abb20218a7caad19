"""The snapshot of a course: what the LMS told of it, in a temporary SQLite file."""

# ruff: noqa: S608 - what is put into a query is a constant of this module

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import Enum
from pathlib import Path
from threading import Lock
from typing import Any, Final

from testamur.adapters.open_edx.errors import FeatureMissing, LmsError
from testamur.adapters.open_edx.points import GAP, CoursePoints

#: Rows read or looked up at once; below SQLite's oldest limit of 999 values.
AT_ONCE: Final = 500

#: In place of a layout: the work says why the LMS gives no grades.
LEFT_OUT: Final = -1

#: Seconds that a thread waits for another that reads or writes the same file.
_BUSY_SECONDS: Final = 120.0

# What is lost in a crash is read anew, so nothing is written twice. Of each file 1 MiB is cached.
_SCHEMA: Final = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -1024;
CREATE TABLE learners (user_id INTEGER PRIMARY KEY, username TEXT NOT NULL);
CREATE INDEX learners_by_username ON learners (username);
CREATE TABLE grades (user_id INTEGER PRIMARY KEY, layout INTEGER NOT NULL, work TEXT NOT NULL);
CREATE TABLE enrolled (
    username TEXT PRIMARY KEY, completion TEXT, lessons TEXT, walk INTEGER NOT NULL
) WITHOUT ROWID;
"""


_NAMES: Final = "SELECT username FROM enrolled"
_BELOW_ALL: Final = -(2**63)


class Part(Enum):
    """A part of what the LMS knows of a course."""

    GRADES = "grades"
    COMPLETION = "completion"
    LESSONS = "completion of each lesson"


Learner = tuple[int, str]
"""User id and username."""

GradesRow = tuple[int, int, str]
"""User id, place of the layout, and work."""

EnrolledRow = tuple[str, str | None, str | None]
"""Username, completed fraction, and that of each lesson as :func:`lessons_text` writes it."""


class Snapshot:
    """What was read of one course, in a file that no other process sees.

    ``learners`` says whose user id goes with which username, as far as it is known; ``grades``
    holds the learners whom the gradebook lists; ``enrolled`` the usernames of a list of the
    enrolled, with their completion. ``gradebook_off`` is what the LMS said where it has no
    gradebook of the course. Several threads may write, one at a time.

    Args:
        path: Where to make the file.
        course: Key of the course, as text.
        retrieved_at: When reading began (aware).
    """

    def __init__(self, path: Path, course: str, retrieved_at: datetime) -> None:
        self.course = course
        self.retrieved_at = retrieved_at
        self.held: frozenset[Part] = frozenset()
        self.gradebook_off: FeatureMissing | None = None
        self.points = CoursePoints()
        self.lessons: dict[str, int] = {}
        self._path = path
        self._lock = Lock()
        self._connection = sqlite3.connect(
            path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._connection.executescript(_SCHEMA)

    @property
    def uri(self) -> str:
        """URI to open the file with, for reading only."""
        return f"{self._path.as_uri()}?mode=ro"

    def open(self) -> sqlite3.Connection:
        """Open the file for reading; the connection stays good if the file is deleted."""
        # A generator that uses it may be handed from one thread to another.
        connection = sqlite3.connect(
            self.uri, uri=True, timeout=_BUSY_SECONDS, check_same_thread=False
        )
        connection.execute("PRAGMA cache_size = -1024")
        return connection

    def delete(self) -> None:
        """Delete the file."""
        with self._lock:
            self._connection.close()
            self._path.unlink(missing_ok=True)

    def lesson(self, block_key: str) -> int:
        """Return the number of a lesson, a new one if need be."""
        with self._lock:
            return self.lessons.setdefault(block_key, len(self.lessons))

    def release_memory(self) -> None:
        """Give back memory that only writing needs."""
        self._execute("PRAGMA shrink_memory")

    def add_learners(self, learners: Iterable[Learner]) -> None:
        """Say whose user id goes with which username; a later word replaces an earlier one."""
        with self._writing() as connection:
            connection.executemany("INSERT OR REPLACE INTO learners VALUES (?, ?)", learners)

    def add_grades(self, grades: Iterable[GradesRow]) -> None:
        """Add grades; a later word replaces an earlier one."""
        with self._writing() as connection:
            connection.executemany("INSERT OR REPLACE INTO grades VALUES (?, ?, ?)", grades)

    def leave_out(self, user_id: int, reason: str) -> None:
        """Say why the LMS gives no grades for a learner."""
        self.add_grades([(user_id, LEFT_OUT, reason)])

    def add_enrolled(self, enrolled: Iterable[EnrolledRow], walk: int) -> None:
        """Add learners who are actively enrolled; a later word replaces an earlier one.

        Args:
            enrolled: The learners.
            walk: Which walk over the list they were seen in, 1 for the first.
        """
        with self._writing() as connection:
            connection.executemany(
                f"INSERT OR REPLACE INTO enrolled VALUES (?, ?, ?, {int(walk)})", enrolled
            )

    def forget_walks(self) -> None:
        """Have the walks over the list of the enrolled counted from 1 again."""
        self._execute("UPDATE enrolled SET walk = 0")

    def drop_enrolled(self, usernames: Iterable[str]) -> None:
        """Drop learners who are not enrolled any more, or not at all."""
        with self._writing() as connection:
            connection.executemany(
                "DELETE FROM enrolled WHERE username = ?", ((each,) for each in usernames)
            )

    def count_grades(self) -> int:
        """Return how many learners have grades."""
        return self._number("SELECT count(*) FROM grades")

    def count_enrolled(self) -> int:
        """Return how many learners are enrolled, as far as they were read."""
        return self._number("SELECT count(*) FROM enrolled")

    def count_seen_in(self, walk: int) -> int:
        """Return how many enrolled learners a walk over the list has seen."""
        return self._number(f"SELECT count(*) FROM enrolled WHERE walk = {int(walk)}")

    def not_seen_in(self, walk: int) -> Sequence[str]:
        """Return the usernames of learners whom a walk over the list has not seen."""
        return [name for (name,) in self._rows(f"{_NAMES} WHERE walk <> ?", walk)]

    def username_of_two(self) -> bool:
        """Return whether two learners are said to have the same username."""
        query = "SELECT 1 FROM learners GROUP BY username HAVING count(*) > 1 LIMIT 1"
        return bool(self._rows(query))

    def usernames_without_id(self) -> Iterator[str]:
        """Yield the usernames of enrolled learners whose user id is not known."""
        rows = self._each(
            f"{_NAMES} WHERE username > ? AND username NOT IN (SELECT username FROM learners)"
            " ORDER BY username",
            "",
        )
        return (username for (username,) in rows)

    def enrolled_without_grades(self) -> Iterator[Learner]:
        """Yield the enrolled learners whom the gradebook does not list, by user id."""
        return self._each(
            "SELECT user_id, username FROM learners WHERE user_id > ?"
            " AND username IN (SELECT username FROM enrolled)"
            " AND user_id NOT IN (SELECT user_id FROM grades) ORDER BY user_id",
            _BELOW_ALL,
        )

    def grades_without_enrolment(self) -> Iterator[Learner]:
        """Yield the learners whom the gradebook lists, but not the list of the enrolled."""
        return self._each(
            "SELECT user_id, username FROM learners WHERE user_id > ?"
            " AND user_id IN (SELECT user_id FROM grades)"
            " AND username NOT IN (SELECT username FROM enrolled) ORDER BY user_id",
            _BELOW_ALL,
        )

    def grades_with_gaps(self) -> Iterator[GradesRow]:
        """Yield the grades in which points are not told, by user id."""
        return self._each(
            "SELECT user_id, layout, work FROM grades WHERE user_id > ? AND layout >= 0"
            f" AND instr(work, '{GAP}') ORDER BY user_id",
            _BELOW_ALL,
        )

    def usernames(self, user_ids: Sequence[int]) -> dict[int, str]:
        """Return the usernames of learners, as far as they are known."""
        found: dict[int, str] = {}
        for begin in range(0, len(user_ids), AT_ONCE):
            some = user_ids[begin : begin + AT_ONCE]
            marks = ", ".join("?" * len(some))
            query = f"SELECT user_id, username FROM learners WHERE user_id IN ({marks})"
            found.update(self._rows(query, *some))
        return found

    def _each(self, query: str, last: str | int) -> Iterator[Any]:
        """Yield the rows of a query, some at once, by a first value that is greater each time."""
        while rows := self._rows(f"{query} LIMIT {AT_ONCE}", last):
            yield from rows
            last = rows[-1][0]

    def _number(self, query: str) -> int:
        ((number,),) = self._rows(query)
        return int(number)

    def _rows(self, query: str, *values: object) -> list[Any]:
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def _execute(self, statement: str) -> None:
        with self._lock:
            self._connection.execute(statement)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN")
            try:
                yield self._connection
            finally:
                # There is no journal to roll back with; whoever fails drops the snapshot.
                self._connection.execute("COMMIT")


@contextmanager
def explained() -> Iterator[None]:
    """Raise what a snapshot's file fails with as an error of the data source."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        folder = tempfile.gettempdir()
        raise LmsError(f"a temporary file in {folder} cannot be used: {error}") from error


def lessons_text(lessons: Iterable[tuple[int, str]]) -> str | None:
    """Write the completion of lessons, each by its number, into one value."""
    return "".join(f" {number}={completed}" for number, completed in lessons) or None


def lesson_completed(lessons: str | None, number: int | None) -> str:
    """Read the completion of one lesson from what :func:`lessons_text` wrote; 0 if not in it."""
    if lessons is None or number is None:
        return "0"
    _, found, rest = lessons.partition(f" {number}=")
    return rest.partition(" ")[0] if found else "0"
