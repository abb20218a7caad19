"""One learner, asked about now: the same numbers as a run over the whole course gives."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from testamur.adapters.open_edx.completion import completion_of
from testamur.adapters.open_edx.connection import Connection
from testamur.adapters.open_edx.enrolments import is_enrolled
from testamur.adapters.open_edx.errors import LmsRefused, LmsUnavailable
from testamur.adapters.open_edx.fetching import NO_GRADES
from testamur.adapters.open_edx.gradebook import (
    GradebookOff,
    GradebookReader,
    gradebook,
    gradebook_of,
)
from testamur.adapters.open_edx.grades import Progress, ProgressOf
from testamur.adapters.open_edx.grades_by_learner import GradesOff, graded_modules, work_of
from testamur.adapters.open_edx.points import CannotTell, CoursePoints, Restoring, gaps
from testamur.application.ports.retrieval import Needs
from testamur.domain.identifiers import LearnerId
from testamur.domain.learning import Achievement, GradedSubsection, LearnerRecord

#: Other learners whose work is looked at for what subsections are worth, and of them at once.
MOST_OTHERS: Final = 2_000
OTHERS_AT_ONCE: Final = 250


@dataclass(frozen=True, slots=True)
class OneLearner:
    """Asks about one learner.

    Where a run finds points of unattempted work that this does not find (progress does not show
    the subsection, and the gradebook is off, or none of its first learners attempted it), the
    learner is left out, unless it makes no difference.

    Args:
        connection: The LMS.
        progress: Asks for the progress of learners.
        user_id: Whom to ask about.
        username: Their username now.
    """

    connection: Connection
    progress: Progress
    user_id: int
    username: str

    def record(
        self, course: str, needs: Needs, retrieved_at: datetime, lesson: str | None = None
    ) -> LearnerRecord | None:
        """Return the learner's record in a course or a lesson; None: never enrolled.

        Args:
            course: Key of the course.
            needs: Which parts of the achievement to ask for.
            retrieved_at: The present moment (aware).
            lesson: Usage key of the lesson to look at; None: the whole course.
        """
        enrolled = is_enrolled(self.connection, course, self.username)
        if enrolled is None:
            return None
        learner_id = LearnerId(str(self.user_id))
        found = self._achievement(course, needs, lesson) if enrolled else None
        if found is None:
            return LearnerRecord(learner_id, enrolled=False, retrieved_at=retrieved_at)
        if isinstance(found, str):
            return LearnerRecord(learner_id, left_out=found, retrieved_at=retrieved_at)
        return LearnerRecord(learner_id, achievement=found, retrieved_at=retrieved_at)

    def achievement(self, course: str, needs: Needs) -> Achievement | str | None:
        """Return what the learner has achieved in a course, or why it cannot be told.

        Returns:
            None: the learner is not actively enrolled.
        """
        if not is_enrolled(self.connection, course, self.username):
            return None
        return self._achievement(course, needs, None)

    def _achievement(
        self, course: str, needs: Needs, lesson: str | None
    ) -> Achievement | str | None:
        completed = None
        if needs.completion:
            told = completion_of(self.connection, course, self.username, lesson=lesson)
            if told is None:
                return None
            completed = Decimal(told)
        if not needs.grades:
            return Achievement(completed)
        subsections = self._subsections(course, lesson)
        if isinstance(subsections, tuple):
            return Achievement(completed, subsections)
        return None if subsections is None else str(subsections)

    def _subsections(
        self, course: str, lesson: str | None
    ) -> tuple[GradedSubsection, ...] | CannotTell | str | None:
        points = CoursePoints()
        graded = tuple(
            module
            for module in graded_modules(self.connection, course)
            if lesson in {None, module.module_id}
        )
        if not graded:
            return ()
        asking = ProgressOf(self.progress, course)
        work = work_of(self.connection, asking, graded, self.user_id)
        if work is not None:
            layout = points.layout((module.module_id, module.category) for module in graded)
        else:
            try:
                found = self._work_of_gradebook(course, points)
            except GradebookOff as off:
                raise GradesOff(course) from off
            if found is None or isinstance(found, str):
                return found
            layout, work = found
        wanted = {
            module_id
            for module_id in gaps(points.layouts[layout], work)
            if lesson in {None, module_id}
        }
        if wanted:
            self._ask_others(course, points, wanted, sees_progress=asking.answered)
        return Restoring(points.layouts, points.known, lesson).subsections(layout, work)

    def _work_of_gradebook(self, course: str, points: CoursePoints) -> tuple[int, str] | str | None:
        """Return layout and work, or why there is none; None: the learner is not enrolled."""
        try:
            row = gradebook_of(self.connection, course, self.user_id, self.username)
        except (LmsUnavailable, LmsRefused):
            # Should the LMS be down altogether, the learner is not left out: this fails too.
            next(gradebook(self.connection, course, 1), None)
            return NO_GRADES
        if row is None:
            return None
        _, ((_, layout, work),) = GradebookReader(points, f"gradebook of {course}").read([row])
        return layout, work

    def _ask_others(
        self, course: str, points: CoursePoints, wanted: set[str], *, sees_progress: bool
    ) -> None:
        """Read the gradebook until it is known what subsections are worth, but not all of it.

        Where all of it was read, what nobody has attempted does not count, as in a run.
        """
        reader = GradebookReader(points, f"gradebook of {course}")
        read = 0
        try:
            for page in gradebook(self.connection, course, OTHERS_AT_ONCE):
                if read >= MOST_OTHERS:
                    return
                reader.read(page.rows)
                read += len(page.rows)
                if all(points.known.any_of(module_id) for module_id in wanted):
                    return
        except GradebookOff:
            # What is not known then is said of the learner.
            return
        if sees_progress:
            for module_id in wanted:
                if not points.known.any_of(module_id):
                    points.known.leave_uncounted(module_id)
