"""The LMS as a whole: what a test puts into it, and installing it among Python's modules."""

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

from tests.support.edx_platform import models
from tests.support.edx_platform.completion import StaleCompletions
from tests.support.edx_platform.content import (
    Connections,
    CourseBlock,
    ItemNotFoundError,
    Modulestore,
    RequestCache,
    SequenceBlock,
)
from tests.support.edx_platform.grades import Gradebook, Shape, Subsection
from tests.support.edx_platform.keys import CourseKey, InvalidKeyError, LearningPathKey, UsageKey
from tests.support.edx_platform.querysets import Database, DoesNotExist, Error, Manager, Row


class StandInLms:
    """An LMS without courses and users; put some in, then install it."""

    def __init__(self, shape: Shape = "method") -> None:
        self.database = Database()
        self.gradebook = Gradebook(self.database, shape)
        self.stale = StaleCompletions(self.database)
        self.connections = Connections()
        self.request: object | None = None
        self.cache = _new_cache()
        self.modulestore = Modulestore(self.cache)
        self.settings = SimpleNamespace(LMS_ROOT_URL="https://learn.example.org")
        self.users = self._manager(models.User)
        self.profiles = self._manager(models.UserProfile)
        self.languages = self._manager(models.LanguageProficiency)
        self.preferences = self._manager(models.UserPreference)
        self.enrolments = self._manager(models.CourseEnrollment)
        self.overviews = self._manager(models.CourseOverview)
        self.aggregators = self._manager(models.Aggregator)
        self.pathways = self._manager(models.LearningPath)
        self.pathway_enrolments = self._manager(models.LearningPathEnrollment)

    def add_user(
        self,
        user_id: int,
        *,
        name: str | None = "Ann Smith",
        email: str = "ann@example.org",
        active: bool = True,
        password: str = "pbkdf2$…",
        preference: str | None = None,
        speaks: Sequence[str] = (),
    ) -> Row:
        """Add a user; with ``name`` None one who has no profile."""
        user = self.users.add(
            id=user_id,
            username=f"user{user_id}",
            email=email,
            is_active=active,
            password=password,
            profile=None,
        )
        if name is not None:
            profile = self.profiles.add(id=user_id, user=user, name=name)
            user.profile = profile
            for code in speaks:
                self.languages.add(user_profile=profile, code=code)
        if preference is not None:
            self.preferences.add(user=user, key="pref-lang", value=preference)
        self.preferences.add(user=user, key="time_zone", value="Europe/Warsaw")
        return user

    def add_course(
        self,
        course: str,
        *,
        name: str | None = "Algebra",
        certificate_name: str = "",
        start: datetime | None = None,
        end: datetime | None = None,
        weights: Mapping[str, float | None] | None = None,
        lessons: Mapping[str, tuple[str, float]] | None = None,
    ) -> None:
        """Add a course; ``lessons``: category and points by the lesson's usage key."""
        key = CourseKey.from_string(course)
        self.overviews.add(
            id=key, display_name=name, cert_name_long=certificate_name, start=start, end=end
        )
        self.modulestore.courses[course] = CourseBlock(policy(weights or {}))
        for lesson, (category, possible) in (lessons or {}).items():
            self.gradebook.subsections[course].append(
                Subsection(UsageKey.from_string(lesson), category, possible)
            )
            self.modulestore.items[lesson] = SequenceBlock(f"Lesson {lesson[-1]}", category, True)

    def enrol(self, user: Row, course: str, *, active: bool = True) -> None:
        """Enrol a user in a course, or have them leave it."""
        self.enrolments.add(
            user=user, course_id=CourseKey.from_string(course), is_active=active, mode="audit"
        )

    def score(self, user: Row, lesson: str, earned: float) -> None:
        """Give a user points in a lesson."""
        self.gradebook.earned[user.id, lesson] = earned

    def complete(self, user: Row, course: str, percent: float, lesson: str | None = None) -> None:
        """Store how much of a course, or of a lesson of it, a user has completed."""
        self.aggregators.add(
            user=user,
            course_key=CourseKey.from_string(course),
            aggregation_name="sequential" if lesson else "course",
            block_key=UsageKey.from_string(lesson or f"{_blocks_of(course)}+type@course+block@c"),
            percent=percent,
        )

    def add_pathway(
        self, pathway: str, courses: Mapping[str, int | None], name: str = "Sciences"
    ) -> Row:
        """Add a pathway; ``courses``: the order of each by its key."""
        steps = self._manager(models.LearningPathStep)
        for number, (course, order) in enumerate(courses.items()):
            steps.add(id=number, course_key=CourseKey.from_string(course), order=order)
        key = LearningPathKey.from_string(pathway)
        return self.pathways.add(id=1, key=key, display_name=name, steps=steps)

    def enrol_in_pathway(self, user: Row, pathway: Row, *, active: bool = True) -> None:
        """Enrol a user in a pathway, or have them leave it."""
        self.pathway_enrolments.add(user=user, learning_path=pathway, is_active=active)

    @contextmanager
    def installed(self, without: Collection[str] = ()) -> Iterator[None]:
        """Install the LMS among Python's modules, and remove it afterwards.

        Args:
            without: Packages to leave out.
        """
        modules = {
            name: contents
            for name, contents in self.modules().items()
            if name.partition(".")[0] not in without
        }
        roots = {name.partition(".")[0] for name in self.modules()}
        before = {name: each for name, each in sys.modules.items() if _root(name) in roots}
        for name in before:
            del sys.modules[name]
        sys.modules.update(_as_modules(modules))
        try:
            yield
        finally:
            for name in [name for name in sys.modules if _root(name) in roots]:
                del sys.modules[name]
            sys.modules.update(before)

    def modules(self) -> dict[str, dict[str, Any]]:
        """Return what each module of the platform has, by the module's name."""
        return {
            "common.djangoapps.student.models": {
                "CourseEnrollment": _model(self.enrolments),
                "LanguageProficiency": _model(self.languages),
            },
            "openedx.core.djangoapps.user_api.models": {"UserPreference": _model(self.preferences)},
            "openedx.core.djangoapps.content.course_overviews.api": {
                "get_course_overview_or_none": self._overview_or_none
            },
            "xmodule.modulestore.django": {"modulestore": lambda: self.modulestore},
            "xmodule.modulestore.exceptions": {"ItemNotFoundError": ItemNotFoundError},
            "lms.djangoapps.grades.api": {
                "CourseGradeFactory": self.gradebook.factory(),
                "prefetch_course_and_subsection_grades": (
                    self.gradebook.prefetch_course_and_subsection_grades
                ),
                "clear_prefetched_course_grades": self.gradebook.clear_prefetched_course_grades,
            },
            "completion_aggregator.models": {"Aggregator": _model(self.aggregators)},
            "completion_aggregator.serializers": {"AggregatorAdapter": self.stale.adapter()},
            "learning_paths.models": {
                "LearningPath": _model(self.pathways),
                "LearningPathEnrollment": _model(self.pathway_enrolments),
            },
            "opaque_keys": {"InvalidKeyError": InvalidKeyError},
            "opaque_keys.edx.keys": {"CourseKey": CourseKey, "UsageKey": UsageKey},
            "django.contrib.auth": {"get_user_model": lambda: _model(self.users)},
            "django.conf": {"settings": self.settings},
            "django.db": {"connections": self.connections, "Error": Error},
            "crum": {"get_current_request": lambda: self.request},
            "edx_django_utils.cache": {"RequestCache": self.cache},
        }

    def _overview_or_none(self, course_id: CourseKey) -> Row | None:
        found = list(self.overviews.filter(id=course_id))
        return found[0] if found else None

    def _manager(self, model: type[Row]) -> Manager:
        return Manager(self.database, model)


def policy(weights: Mapping[str, float | None]) -> dict[str, Any]:
    """Return a grading policy as a course block has it."""
    return {
        "GRADER": [
            {"type": category, "min_count": 1, "drop_count": 1, "weight": weight}
            for category, weight in weights.items()
        ],
        "GRADE_CUTOFFS": {"Pass": 0.5},
    }


def _new_cache() -> type[RequestCache]:
    class RequestCacheOfOneThread(RequestCache):
        data: ClassVar[dict[str, Any]] = {}

    return RequestCacheOfOneThread


def _model(manager: Manager) -> SimpleNamespace:
    return SimpleNamespace(objects=manager, DoesNotExist=DoesNotExist)


def _blocks_of(course: str) -> str:
    return course.replace("course-v1", "block-v1").replace("ccx-v1", "ccx-block-v1")


def _root(name: str) -> str:
    return name.partition(".")[0]


def _as_modules(contents: Mapping[str, Mapping[str, Any]]) -> dict[str, ModuleType]:
    modules: dict[str, ModuleType] = {}
    for full_name, names in contents.items():
        parts = full_name.split(".")
        for depth in range(1, len(parts) + 1):
            name = ".".join(parts[:depth])
            if name not in modules:
                modules[name] = ModuleType(name)
                modules[name].__path__ = []
        vars(modules[full_name]).update(names)
    return modules
