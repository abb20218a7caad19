"""Records of learners: enrolments in chunks, and what the learners of each have achieved."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from testamur.adapters.open_edx_python import platform
from testamur.adapters.open_edx_python.answers import Enrolment, Grades, NoGrades, User
from testamur.application.ports.retrieval import Needs
from testamur.domain.contexts import CourseKey, LessonKey, PathwayKey
from testamur.domain.identifiers import LearnerId
from testamur.domain.learning import Achievement, LearnerRecord

#: The form of an id, and no other spelling of it: 07 is nobody, as it is in the register.
_USER_ID: Final = re.compile(r"[1-9][0-9]{0,17}")

_Achieved = Achievement | NoGrades


def user_id_of(learner_id: LearnerId) -> int | None:
    """Return the user id that a learner id is; None if it is none."""
    return int(learner_id) if _USER_ID.fullmatch(learner_id) else None


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads the records of a course, lesson or pathway.

    Args:
        needs: Which parts of the achievement to read.
        chunk_size: Learners to ask about at once, at least 1.
        learner_id: Only this learner, with a completion that is calculated anew where it is
            stale; None: all who are actively enrolled, by their user ids.
    """

    needs: Needs
    chunk_size: int
    learner_id: LearnerId | None = None

    def of_course(
        self, course: CourseKey, lesson: LessonKey | None = None
    ) -> Iterator[Sequence[LearnerRecord]]:
        """Yield the learners of a course with what they achieved in it, or in a lesson of it."""
        chunks = self._chunks(
            lambda after: platform.enrolments(course, after, self.chunk_size),
            lambda user_id: platform.enrolment(course, user_id),
        )
        for chunk in chunks:
            read_at = datetime.now(UTC)
            achieved = self._achieved(course, lesson, [each.user for each in chunk])
            yield [_of_course(each, achieved[each.user.id], read_at) for each in chunk]

    def of_pathway(
        self, pathway: PathwayKey, courses: Sequence[CourseKey]
    ) -> Iterator[Sequence[LearnerRecord]]:
        """Yield the learners of a pathway with what they achieved in these courses."""
        chunks = self._chunks(
            lambda after: platform.pathway_enrolments(pathway, after, self.chunk_size),
            lambda user_id: platform.pathway_enrolment(pathway, user_id),
        )
        for chunk in chunks:
            read_at = datetime.now(UTC)
            steps: dict[int, dict[str, _Achieved]] = {each.user.id: {} for each in chunk}
            for course in courses:
                enrolled = platform.actively_enrolled(course, [each.user for each in chunk])
                users = [each.user for each in chunk if each.user.id in enrolled]
                for user_id, achieved in self._achieved(course, None, users).items():
                    steps[user_id][str(course)] = achieved
            yield [_of_pathway(each, steps[each.user.id], read_at) for each in chunk]

    def _chunks(
        self,
        after: Callable[[int], Sequence[Enrolment]],
        of_user: Callable[[int], Enrolment | None],
    ) -> Iterator[Sequence[Enrolment]]:
        if self.learner_id is not None:
            user_id = user_id_of(self.learner_id)
            found = None if user_id is None else of_user(user_id)
            if found is not None:
                yield [found]
            return
        last = 0
        while chunk := after(last):
            yield chunk
            last = chunk[-1].user.id
            platform.start_afresh()

    def _achieved(
        self, course: CourseKey, lesson: LessonKey | None, users: Sequence[User]
    ) -> Mapping[int, _Achieved]:
        if not users:
            return {}
        completion = self._completion(course, lesson, users) if self.needs.completion else {}
        grades = platform.grades(course, users) if self.needs.grades else None
        return {
            user.id: _joined(
                completion.get(user.id),
                () if grades is None else grades.get(user.id, NoGrades(None)),
                lesson,
            )
            for user in users
        }

    def _completion(
        self, course: CourseKey, lesson: LessonKey | None, users: Sequence[User]
    ) -> Mapping[int, Decimal | None]:
        if self.learner_id is None:
            return platform.completion(course, lesson, users)
        return {user.id: platform.live_completion(course, lesson, user) for user in users}


def _joined(completion: Decimal | None, grades: Grades, lesson: LessonKey | None) -> _Achieved:
    if isinstance(grades, NoGrades):
        return grades
    if lesson is not None:
        grades = tuple(each for each in grades if each.subsection_id == str(lesson))
    return Achievement(completion, grades)


def _of_course(enrolment: Enrolment, achieved: _Achieved, read_at: datetime) -> LearnerRecord:
    learner_id = LearnerId(str(enrolment.user.id))
    if isinstance(achieved, NoGrades):
        return LearnerRecord(
            learner_id, enrolment.active, left_out=_reason(achieved), retrieved_at=read_at
        )
    return LearnerRecord(learner_id, enrolment.active, achieved, retrieved_at=read_at)


def _of_pathway(
    enrolment: Enrolment, achieved: Mapping[str, _Achieved], read_at: datetime
) -> LearnerRecord:
    steps = {course: each for course, each in achieved.items() if isinstance(each, Achievement)}
    reasons = [
        _reason(each, course) for course, each in achieved.items() if isinstance(each, NoGrades)
    ]
    return LearnerRecord(
        LearnerId(str(enrolment.user.id)),
        enrolment.active,
        steps=steps,
        left_out="; ".join(reasons) or None,
        retrieved_at=read_at,
    )


def _reason(missing: NoGrades, course: str | None = None) -> str:
    where = f" in {course}" if course else ""
    why = f" ({missing.error})" if missing.error else ""
    return f"the LMS gives no grades for this learner{where}{why}"
