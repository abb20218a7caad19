"""Fetching a course: its lists into a snapshot, compared with each other, with nobody missing."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from typing import Final

from testamur.adapters.open_edx.catalogue import course_details
from testamur.adapters.open_edx.completion import (
    CompletionMissing,
    completions,
    count_enrolled,
    enrolled_row_of,
    enrolled_rows,
)
from testamur.adapters.open_edx.concurrency import Stop, each, side_by_side
from testamur.adapters.open_edx.connection import Connection
from testamur.adapters.open_edx.enrolments import enrolments, is_enrolled
from testamur.adapters.open_edx.errors import LmsError, LmsRefused, LmsUnavailable
from testamur.adapters.open_edx.gradebook import (
    GradebookOff,
    GradebookReader,
    gradebook,
    gradebook_of,
    learners_listed,
)
from testamur.adapters.open_edx.grades import Progress
from testamur.adapters.open_edx.grades_by_learner import fetch_grades_by_learner
from testamur.adapters.open_edx.missing_points import fetch_missing_points
from testamur.adapters.open_edx.people import ids_of
from testamur.adapters.open_edx.shapes import Row, text, truth
from testamur.adapters.open_edx.snapshot import EnrolledRow, Learner, Part, Snapshot
from testamur.adapters.open_edx.walking import Roster, walk_until_settled

#: Learners missing in the gradebook whom it is asked for one by one; the others are left out.
MOST_SINGLE_TRIES: Final = 200

#: For how many learners less is asked at once where there is much to say of each: in the gradebook,
#: and where the completion of each lesson of a course is told. Pages are what takes memory.
GRADES_LENGTHEN: Final = 2
LESSONS_LENGTHEN: Final = 20

#: Why a learner is left out, for people to read.
NO_GRADES: Final = "the LMS gives no grades for this learner"


class CourseFetch:
    """Fetches parts of one course into its snapshot.

    Args:
        connection: The LMS.
        progress: Asks for the progress of learners.
        snapshot: Where to; on an error it is not to be used any more.
        page_size: Learners asked for at once.
        stop: Tells to give up.
    """

    def __init__(
        self,
        connection: Connection,
        progress: Progress,
        snapshot: Snapshot,
        page_size: int,
        stop: Stop,
    ) -> None:
        self._connection = connection
        self._progress = progress
        self._snapshot = snapshot
        self._course = snapshot.course
        self._page_size = page_size
        self._stop = stop
        self._listed: int | None = None

    def fetch(self, parts: frozenset[Part]) -> None:
        """Fetch parts that the snapshot does not hold.

        Raises:
            LmsError: Something cannot be had in full.
        """
        tasks: list[Callable[[], None]] = []
        if Part.GRADES in parts:
            tasks.append(self._read_gradebook)
        if parts & {Part.COMPLETION, Part.LESSONS}:
            tasks.append(partial(self._read_completions, lessons=Part.LESSONS in parts))
        side_by_side(tasks, self._stop, len(tasks))
        held = self._snapshot.held | parts
        has_roster = Part.COMPLETION in held
        if Part.GRADES in held and not has_roster:
            has_roster = self._read_roster_if_needed()
        if has_roster:
            self._require_known()
            self._resolve_ids()
        off = self._snapshot.gradebook_off
        if off is not None:
            fetch_grades_by_learner(
                self._connection, self._progress, self._snapshot, off, NO_GRADES
            )
        elif Part.GRADES in held and has_roster:
            self._ask_for_missing_grades()
            if Part.COMPLETION in held:
                self._ask_for_missing_enrolments(lessons=Part.LESSONS in held)
        if Part.GRADES in held and off is None:
            fetch_missing_points(self._connection, self._progress, self._snapshot)
        if self._snapshot.username_of_two():
            raise LmsError(
                f"learners of {self._course}: usernames changed while they were read; run it again"
            )
        self._snapshot.held = held

    def _read_gradebook(self) -> None:
        reader = GradebookReader(self._snapshot.points, f"gradebook of {self._course}")
        page_size = max(1, self._page_size // GRADES_LENGTHEN)
        try:
            for page in gradebook(self._connection, self._course, page_size):
                self._stop.check()
                learners, grades = reader.read(page.rows)
                self._snapshot.add_learners(learners)
                self._snapshot.add_grades(grades)
                self._listed = learners_listed(page)
        except GradebookOff as off:
            self._snapshot.gradebook_off = off

    def _read_completions(self, *, lessons: bool) -> None:
        page_size = max(1, self._page_size // LESSONS_LENGTHEN) if lessons else self._page_size
        roster = Roster(
            walk=lambda: completions(self._connection, self._course, page_size, lessons=lessons),
            read=lambda rows: enrolled_rows(self._snapshot, rows, lessons=lessons),
            ask=lambda username: enrolled_row_of(
                self._connection, self._snapshot, username, lessons=lessons
            ),
        )
        walk_until_settled(roster, self._snapshot, self._connection, self._stop)

    def _read_roster_if_needed(self) -> bool:
        """Read who is enrolled, unless the gradebook is seen to list as many; say if it was."""
        try:
            expected = count_enrolled(self._connection, self._course)
            has_aggregator = True
        except CompletionMissing:
            expected = self._listed if self._listed is not None else -1
            has_aggregator = False
        if self._snapshot.gradebook_off is None and expected == self._snapshot.count_grades():
            return False
        if has_aggregator:
            self._read_completions(lessons=False)
        else:
            self._read_enrolments()
        return True

    def _read_enrolments(self) -> None:
        roster = Roster(
            walk=lambda: enrolments(self._connection, self._course),
            read=lambda rows: _actively_enrolled(rows, self._course),
            ask=self._enrolment_of,
        )
        walk_until_settled(roster, self._snapshot, self._connection, self._stop)

    def _enrolment_of(self, username: str) -> EnrolledRow | None:
        enrolled = is_enrolled(self._connection, self._course, username)
        return (username, None, None) if enrolled else None

    def _require_known(self) -> None:
        """Look an empty course up: completion knows no learners of one that does not exist."""
        if not self._snapshot.count_enrolled():
            course_details(self._connection, self._course)

    def _resolve_ids(self) -> None:
        """Find the user ids of the enrolled; who has no account any more is gone."""
        for learners in ids_of(self._connection, self._snapshot.usernames_without_id()):
            self._stop.check()
            self._snapshot.add_learners(learners)
        self._snapshot.drop_enrolled(list(self._snapshot.usernames_without_id()))

    def _ask_for_missing_grades(self) -> None:
        """Ask for each learner whom the gradebook leaves out; who fails again is left out."""
        missing = self._snapshot.enrolled_without_grades()
        reader = GradebookReader(self._snapshot.points, f"gradebook of {self._course}")
        unavailable: LmsUnavailable | None = None
        tried = each(
            self._connection,
            self._grades_of,
            islice(missing, MOST_SINGLE_TRIES),
            self._connection.concurrency,
        )
        for (user_id, username), row in tried:
            self._stop.check()
            if row is None:
                self._snapshot.drop_enrolled([username])
            elif isinstance(row, LmsError):
                unavailable = row if isinstance(row, LmsUnavailable) else unavailable
                self._snapshot.leave_out(user_id, NO_GRADES)
            else:
                learners, grades = reader.read([row])
                self._snapshot.add_learners(learners)
                self._snapshot.add_grades(grades)
        for user_id, _ in missing:
            self._snapshot.leave_out(user_id, NO_GRADES)
        if unavailable is not None:
            # Should the LMS be down altogether, nobody is left out: the run fails.
            next(gradebook(self._connection, self._course, 1), None)

    def _grades_of(self, learner: Learner) -> Row | LmsError | None:
        try:
            return gradebook_of(self._connection, self._course, *learner)
        except (LmsUnavailable, LmsRefused) as error:
            return error

    def _ask_for_missing_enrolments(self, *, lessons: bool) -> None:
        """Ask for each learner whom only the gradebook lists; most of them have just left."""
        missing = self._snapshot.grades_without_enrolment()
        found = each(
            self._connection,
            lambda learner: enrolled_row_of(
                self._connection, self._snapshot, learner[1], lessons=lessons
            ),
            missing,
            self._connection.concurrency,
        )
        for _, row in found:
            self._stop.check()
            if row is not None:
                self._snapshot.add_enrolled([row], 0)


def _actively_enrolled(rows: Sequence[Row], course: str) -> list[EnrolledRow]:
    what = f"enrolments in {course}"
    return [(text(row, "user", what), None, None) for row in rows if truth(row, "is_active", what)]
