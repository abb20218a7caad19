"""`lms.djangoapps.grades.api`, in the shapes of new and of old releases."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple

from tests.support.edx_platform.keys import CourseKey, UsageKey
from tests.support.edx_platform.querysets import Database

Shape = Literal["method", "attribute"]


@dataclass(frozen=True)
class Subsection:
    """A graded subsection of a course.

    Args:
        location: Its usage key.
        format: The category that it is graded in.
        possible: Points that it is worth.
    """

    location: UsageKey
    format: str
    possible: float


class Total(NamedTuple):
    earned: float
    possible: float


@dataclass(frozen=True)
class SubsectionGrade:
    location: UsageKey
    format: str
    graded_total: Total
    graded: bool = True


class GradeResult(NamedTuple):
    student: Any
    course_grade: Any
    error: Any


@dataclass
class Gradebook:
    """What the course is made of and what everybody has earned in it."""

    database: Database
    shape: Shape = "method"
    subsections: dict[str, list[Subsection]] = field(default_factory=lambda: defaultdict(list))
    earned: dict[tuple[int, str], float] = field(default_factory=dict)
    breaks_in_iter: dict[int, Exception | str | None] = field(default_factory=dict)
    breaks_when_read: dict[int, Exception] = field(default_factory=dict)
    prefetched: dict[str, set[int]] = field(default_factory=dict)
    prefetches: list[int] = field(default_factory=list)

    def prefetch_course_and_subsection_grades(self, course_key: CourseKey, users: Any) -> None:
        self.prefetches.append(len(users))
        self.prefetched[str(course_key)] = set()
        self.database.execute("PersistentCourseGrade")
        self.database.execute("PersistentSubsectionGrade")
        self.prefetched[str(course_key)] = {user.id for user in users}

    def clear_prefetched_course_grades(self, course_key: CourseKey) -> None:
        self.prefetched.pop(str(course_key), None)

    def factory(self) -> type:
        """Return the class `CourseGradeFactory` over these grades."""
        gradebook = self

        class CourseGradeFactory:
            def iter(
                self,
                users: Any,
                course: Any = None,
                collected_block_structure: Any = None,
                course_key: CourseKey | None = None,
                force_update: bool = False,
            ) -> Iterator[GradeResult]:
                if course_key is None or course or collected_block_structure or force_update:
                    raise ValueError("the stand-in iterates by course key")
                for user in users:
                    yield gradebook.result(user, course_key)

        return CourseGradeFactory

    def result(self, user: Any, course_key: CourseKey) -> GradeResult:
        if user.id in self.breaks_in_iter:
            return GradeResult(user, None, self.breaks_in_iter[user.id])
        return GradeResult(user, self._course_grade(user, course_key), None)

    def _course_grade(self, user: Any, course_key: CourseKey) -> Any:
        is_known = True
        if str(course_key) in self.prefetched:
            # Whom the prefetched grades lack is taken to have none.
            is_known = user.id in self.prefetched[str(course_key)]
        else:
            self.database.execute("PersistentCourseGrade of one user")
            self.database.execute("PersistentSubsectionGrade of one user")
        grades = [
            SubsectionGrade(
                each.location,
                each.format,
                Total(
                    self.earned.get((user.id, str(each.location)), 0.0) if is_known else 0.0,
                    each.possible,
                ),
            )
            for each in self.subsections[str(course_key)]
        ]
        shape = NewCourseGrade if self.shape == "method" else OldCourseGrade
        return shape(grades, self.breaks_when_read.get(user.id))


class CourseGrade:
    def __init__(self, grades: Sequence[SubsectionGrade], error: Exception | None) -> None:
        self._grades = grades
        self._error = error

    def _by_format(self) -> Mapping[str, Mapping[UsageKey, SubsectionGrade]]:
        if self._error:
            raise self._error
        found: dict[str, dict[UsageKey, SubsectionGrade]] = defaultdict(dict)
        for each in self._grades:
            if each.graded_total.possible > 0:
                found[each.format][each.location] = each
        return found


class NewCourseGrade(CourseGrade):
    def graded_subsections_by_format(
        self, visible_grades_only: bool = False, has_staff_access: bool = False
    ) -> Mapping[str, Mapping[UsageKey, SubsectionGrade]]:
        if visible_grades_only or has_staff_access:
            raise ValueError("all grades count, whether the learner may see them or not")
        return self._by_format()


class OldCourseGrade(CourseGrade):
    @cached_property
    def graded_subsections_by_format(self) -> Mapping[str, Mapping[UsageKey, SubsectionGrade]]:
        return self._by_format()
