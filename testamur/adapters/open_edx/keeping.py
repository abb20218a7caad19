"""Keeping snapshots of courses for a while, so that what shares a course reads it once."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from testamur.adapters.open_edx.concurrency import Stop
from testamur.adapters.open_edx.connection import Connection
from testamur.adapters.open_edx.errors import LmsError
from testamur.adapters.open_edx.fetching import CourseFetch
from testamur.adapters.open_edx.grades import Progress
from testamur.adapters.open_edx.joining import CourseReader
from testamur.adapters.open_edx.snapshot import Part, Snapshot
from testamur.adapters.temporary import TemporaryFolder
from testamur.application.ports.retrieval import Needs

#: Snapshots that are kept at the same time.
MOST_KEPT: Final = 16

#: How long a snapshot is kept: runs of several hours still look up usernames in it.
KEPT_FOR: Final = timedelta(hours=12)


class Snapshots:
    """Snapshots of courses, in a temporary folder that only this user can read.

    Several threads may use it; what one of them reads of a course, others wait for.

    Args:
        connection: The LMS.
        progress: Asks for the progress of learners.
        page_size: Learners asked for at once.
        now: Tells the present moment (aware).
    """

    def __init__(
        self,
        connection: Connection,
        progress: Progress,
        page_size: int,
        now: Callable[[], datetime],
    ) -> None:
        self._connection = connection
        self._progress = progress
        self._page_size = page_size
        self._now = now
        self._temporary = TemporaryFolder()
        self._lock = Lock()
        self._of_course: defaultdict[str, Lock] = defaultdict(Lock)
        self._kept: dict[str, Snapshot] = {}
        self._closed = False

    def reader(
        self, course: str, needs: Needs, lesson: str | None = None, stop: Stop | None = None
    ) -> CourseReader:
        """Return a reader of a course, which is read from the LMS unless it was before.

        Args:
            course: Key of the course.
            needs: What is needed of it, and how fresh it has to be.
            lesson: Usage key of the lesson to look at; None: the whole course.
            stop: Tells to give up.

        Raises:
            LmsError: Something cannot be had in full.
        """
        needed = _parts(needs, of_lesson=lesson is not None)
        with self._lock:
            of_course = self._of_course[course]
        with of_course:
            snapshot = self._take(course, needs.not_before)
            try:
                if missing := needed - snapshot.held:
                    CourseFetch(
                        self._connection,
                        self._progress,
                        snapshot,
                        self._page_size,
                        stop or Stop(),
                    ).fetch(missing)
                    snapshot.release_memory()
                reader = CourseReader(snapshot, needs, lesson)
            except BaseException:
                # It holds a part of what it should.
                snapshot.delete()
                raise
            self._keep(snapshot)
            return reader

    def usernames(self, user_ids: Sequence[int]) -> dict[int, str]:
        """Return the usernames of learners, as far as a snapshot tells them."""
        found: dict[int, str] = {}
        with self._lock:
            for snapshot in reversed(self._kept.values()):
                missing = [user_id for user_id in user_ids if user_id not in found]
                if missing:
                    found.update(snapshot.usernames(missing))
        return found

    def close(self) -> None:
        """Delete all snapshots; readers that are open stay good."""
        with self._lock:
            self._closed = True
            for snapshot in self._kept.values():
                snapshot.delete()
            self._kept.clear()
            self._temporary.remove()

    def _take(self, course: str, not_before: datetime | None) -> Snapshot:
        """Take the snapshot of a course away from those kept, or make a new one."""
        with self._lock:
            self._require_open()
            kept = self._kept.pop(course, None)
            if kept is not None:
                if not_before is not None and kept.retrieved_at >= not_before:
                    return kept
                kept.delete()
            return Snapshot(self._temporary.new_path("course"), course, self._now())

    def _keep(self, snapshot: Snapshot) -> None:
        """Keep a snapshot, and delete those that are too old or too many."""
        with self._lock:
            if self._closed:
                snapshot.delete()
                return
            self._kept[snapshot.course] = snapshot
            oldest = self._now() - KEPT_FOR
            too_many = max(0, len(self._kept) - MOST_KEPT)
            for number, (course, kept) in enumerate(list(self._kept.items())):
                if number < too_many or kept.retrieved_at < oldest:
                    kept.delete()
                    del self._kept[course]

    def _require_open(self) -> None:
        if self._closed:
            raise LmsError("the data source is closed")
        if self._temporary.is_of_another_process():
            raise LmsError("the data source was opened by another process")


def _parts(needs: Needs, *, of_lesson: bool) -> frozenset[Part]:
    parts = {Part.GRADES} if needs.grades else set()
    if needs.completion or not needs.grades:
        parts.add(Part.COMPLETION)
        if of_lesson and needs.completion:
            parts.add(Part.LESSONS)
    return frozenset(parts)
