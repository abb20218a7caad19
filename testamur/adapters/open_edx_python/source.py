"""The data source: answers what the port asks by calling the LMS's own functions."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from types import TracebackType
from typing import ClassVar, Final, Self

from testamur.adapters.open_edx_python import platform
from testamur.adapters.open_edx_python.errors import UnknownContext
from testamur.adapters.open_edx_python.options import OpenEdxPythonOptions
from testamur.adapters.open_edx_python.records import Reading, user_id_of
from testamur.application.ports.retrieval import EVERYTHING, Needs
from testamur.domain.contexts import (
    ALLOWED_KEYS,
    CourseKey,
    LearningContextKey,
    LessonKey,
    OpaqueKey,
    PathwayKey,
    parse_context_key,
)
from testamur.domain.errors import InvalidInput
from testamur.domain.identifiers import LearnerId
from testamur.domain.learning import ContextFacts, LearnerRecord
from testamur.domain.personal_data import Person

NAME: Final = "open-edx-python"


class OpenEdxPythonSource:
    """An Open edX LMS, asked inside its own process.

    It needs a process in which the LMS's Django is set up: a management command, a Celery worker,
    or the web process. Nothing of the platform is imported before it is asked. The source writes
    nothing of its own (the platform may store a grade that it calculates), opens no transaction,
    and keeps nothing between two questions, so that several threads may use it; Django gives each
    of them a database connection of its own.

    Args:
        options: How much to ask for at once.
    """

    options_model: ClassVar = OpenEdxPythonOptions
    context_kinds: ClassVar[Mapping[str, str]] = {}

    def __init__(self, options: OpenEdxPythonOptions) -> None:
        self._options = options

    @property
    def name(self) -> str:
        """``open-edx-python:`` and the host of the LMS."""
        return f"{NAME}:{platform.site()}"

    def facts(self, context: LearningContextKey, needs: Needs = EVERYTHING) -> ContextFacts:
        """Return what is the same for all learners of the context.

        A lesson has the dates of its course, and gives the whole weight to the category that it is
        graded in, so that the total is the lesson's own score. A pathway has no dates.

        Raises:
            UnknownContext: The LMS does not know the context.
            PlatformError: The LMS cannot be asked, or fails.
        """
        platform.start_afresh()
        match context:
            case CourseKey():
                return _course(context, needs)
            case LessonKey():
                return _lesson(context)
            case PathwayKey():
                found = platform.pathway(context)
                steps = tuple(_course(each, needs) for each in _steps(context, found.courses))
                return ContextFacts(str(context), found.name, steps=steps)
            case OpaqueKey():
                raise _not_of_open_edx(context)

    def records(
        self, context: LearningContextKey, needs: Needs, learner_id: LearnerId | None = None
    ) -> Iterator[Sequence[LearnerRecord]]:
        """Yield the learners who are actively enrolled in the context, by their user ids.

        A learner asked for by id is reported also after they left, as not enrolled; their
        completion is calculated anew where it is stale, while that of all is as it is stored.

        Raises:
            UnknownContext: The LMS does not know the context.
            PlatformError: The LMS cannot be asked, or fails.
        """
        platform.start_afresh()
        reading = Reading(needs, self._options.chunk_size, learner_id)
        match context:
            case CourseKey():
                platform.overview(context)
                yield from reading.of_course(context)
            case LessonKey():
                platform.lesson(context)
                yield from reading.of_course(context.course, context)
            case PathwayKey():
                courses = _steps(context, platform.pathway(context).courses)
                for course in courses:
                    platform.overview(course)
                yield from reading.of_pathway(context, courses)
            case OpaqueKey():
                raise _not_of_open_edx(context)

    def people(self, learner_ids: Sequence[LearnerId]) -> Mapping[LearnerId, Person]:
        """Return who these learners are; those whom the LMS does not know are left out.

        As the platform itself does, only those are mailed who are active and have a password that
        can be used.

        Raises:
            PlatformError: The LMS cannot be asked, or fails.
        """
        platform.start_afresh()
        user_ids = [each for each in map(user_id_of, learner_ids) if each is not None]
        found: dict[LearnerId, Person] = {}
        for begin in range(0, len(user_ids), self._options.chunk_size):
            some = user_ids[begin : begin + self._options.chunk_size]
            for account in platform.accounts(some, self._options.language):
                found[LearnerId(str(account.user_id))] = Person(
                    full_name=account.full_name,
                    email=account.email or None,
                    locale=account.language,
                    mailable=account.active and account.can_log_in,
                )
        return found

    def check(self) -> str:
        """Try everything that the source uses, and return what was found.

        Raises:
            PlatformError: The LMS cannot be asked, is of a release that is not known, or fails.
        """
        platform.start_afresh()
        missing = platform.examine()
        without = [f"no {platform.PLUGINS[each]} ({each} is missing)" for each in sorted(missing)]
        return "; ".join([f"{platform.site()} answers in this process", *without])

    def close(self) -> None:
        """Do nothing: connections belong to Django."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _course(key: CourseKey, needs: Needs) -> ContextFacts:
    found = platform.overview(key)
    return ContextFacts(
        str(key),
        found.name,
        found.certificate_name,
        found.start,
        found.end,
        weights=platform.grading_policy(key) if needs.grades else {},
    )


def _lesson(key: LessonKey) -> ContextFacts:
    course = platform.overview(key.course)
    found = platform.lesson(key)
    weights = {} if found.category is None else {found.category: Decimal(1)}
    return ContextFacts(str(key), found.name, start=course.start, end=course.end, weights=weights)


def _steps(pathway: PathwayKey, courses: Sequence[str]) -> Sequence[CourseKey]:
    if not courses:
        # Nobody could ever earn it, so it is more likely that they were forgotten.
        raise UnknownContext(pathway, "the pathway has no courses")
    return [_course_key(each, pathway) for each in courses]


def _course_key(text: str, pathway: PathwayKey) -> CourseKey:
    try:
        key = parse_context_key(text)
    except InvalidInput:
        key = None
    if not isinstance(key, CourseKey):
        raise UnknownContext(pathway, f"its step {text!r} is not a course as we know them")
    return key


def _not_of_open_edx(context: OpaqueKey) -> UnknownContext:
    return UnknownContext(context, f"Open edX has only contexts with such keys: {ALLOWED_KEYS}")
