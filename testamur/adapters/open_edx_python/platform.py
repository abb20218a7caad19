"""What is used of edx-platform and its plugins, by name; the one module to mend for a new release.

Nothing of the platform is imported before it is used. Each function asks for one thing and gives
plain values; none yields in the midst of an answer, and none opens a transaction.
"""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

from testamur.adapters.open_edx_python.answers import (
    Account,
    Enrolment,
    Grades,
    Lesson,
    NoGrades,
    Overview,
    Pathway,
    User,
)
from testamur.adapters.open_edx_python.errors import (
    NobodyHasGrades,
    PlatformPluginMissing,
    UnknownContext,
)
from testamur.adapters.open_edx_python.importing import asking, load
from testamur.adapters.open_edx_python.options import LanguageSource
from testamur.domain.contexts import CourseKey, LessonKey, PathwayKey
from testamur.domain.learning import GradedSubsection


class Place(StrEnum):
    """Where each thing that is used is, as ``module:name``."""

    ENROLMENT = "common.djangoapps.student.models:CourseEnrollment"
    SPOKEN_LANGUAGE = "common.djangoapps.student.models:LanguageProficiency"
    PREFERENCE = "openedx.core.djangoapps.user_api.models:UserPreference"
    OVERVIEW = "openedx.core.djangoapps.content.course_overviews.api:get_course_overview_or_none"
    MODULESTORE = "xmodule.modulestore.django:modulestore"
    NO_SUCH_ITEM = "xmodule.modulestore.exceptions:ItemNotFoundError"
    GRADE_FACTORY = "lms.djangoapps.grades.api:CourseGradeFactory"
    PREFETCH_GRADES = "lms.djangoapps.grades.api:prefetch_course_and_subsection_grades"
    # The names are swapped there: `clear_prefetched_course_and_subsection_grades` clears less.
    CLEAR_GRADES = "lms.djangoapps.grades.api:clear_prefetched_course_grades"
    COMPLETION = "completion_aggregator.models:Aggregator"
    LIVE_COMPLETION = "completion_aggregator.serializers:AggregatorAdapter"
    PATHWAY = "learning_paths.models:LearningPath"
    PATHWAY_ENROLMENT = "learning_paths.models:LearningPathEnrollment"
    COURSE_KEY = "opaque_keys.edx.keys:CourseKey"
    USAGE_KEY = "opaque_keys.edx.keys:UsageKey"
    INVALID_KEY = "opaque_keys:InvalidKeyError"
    USER_MODEL = "django.contrib.auth:get_user_model"
    SETTINGS = "django.conf:settings"
    CONNECTIONS = "django.db:connections"
    DATABASE_ERROR = "django.db:Error"
    CURRENT_REQUEST = "crum:get_current_request"
    REQUEST_CACHE = "edx_django_utils.cache:RequestCache"


#: Import name of each plugin, and what cannot be answered without it.
PLUGINS: Final[Mapping[str, str]] = {
    "completion_aggregator": "completion",
    "learning_paths": "pathways",
}

#: Key of the preference that holds the language that a user chose for the site.
LANGUAGE_PREFERENCE: Final = "pref-lang"

#: If none of so many learners has grades, something they share is broken: the course's content,
#: a cache. Fewer can each have something of their own.
MANY: Final = 10


def site() -> str:
    """Return the host of the LMS."""
    with asking("its settings"):
        settings = _load(Place.SETTINGS)
        address = getattr(settings, "LMS_ROOT_URL", None) or ""
        return urlsplit(address).hostname or getattr(settings, "SITE_NAME", None) or "lms"


def examine() -> frozenset[str]:
    """Look up everything that is used, ask the database for a row, and return what is missing.

    Returns:
        The plugins that are not there, by their import names.

    Raises:
        NotInsideThePlatform, PlatformChanged, PlatformFailed: Something is not as it must be.
    """
    missing = set()
    for place in Place:
        try:
            _load(place)
        except PlatformPluginMissing as error:
            missing.add(error.plugin)
    with asking("its enrolments"):
        list(_load(Place.ENROLMENT).objects.filter(is_active=True)[:1])
    return frozenset(missing)


def start_afresh() -> None:
    """Let go of what this thread keeps from before: dead connections, and the request's cache.

    Django closes connections that are broken or past their age when a request begins and ends, and
    the platform empties its cache then. A management command or worker has no requests: without
    this a long run would meet a connection that the database has closed, see the course as it was
    when the process began, and keep something of every learner in memory.

    Inside a request nothing is done: both belong to the request. A connection in a transaction is
    left alone too, since closing it would break the transaction.
    """
    with asking("its connections"):
        connections = _load(Place.CONNECTIONS)
        if _load(Place.CURRENT_REQUEST)() is not None:
            return
        for connection in connections.all():
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()
        _load(Place.REQUEST_CACHE).clear_all_namespaces()


def overview(course: CourseKey) -> Overview:
    """Return name and dates of a course.

    Raises:
        UnknownContext: There is no such course.
    """
    with asking(f"the course {course}"):
        found = _load(Place.OVERVIEW)(_course(course))
        # MySQL compares keys without case; a second spelling would be a second course to us.
        if found is None or str(found.id) != str(course):
            raise UnknownContext(course, "the LMS has no such course, or cannot read it")
        return Overview(
            found.display_name or None,
            found.cert_name_long or None,
            _aware(found.start),
            _aware(found.end),
        )


def grading_policy(course: CourseKey) -> Mapping[str, Decimal]:
    """Return the weight of each assignment category, as a fraction.

    Raises:
        UnknownContext: The course has no content.
    """
    with asking(f"the grading policy of {course}"):
        block = _load(Place.MODULESTORE)().get_course(_course(course))
        if block is None:
            raise UnknownContext(course, "the LMS has no content of this course")
        if course.ccx is not None:
            # It was read while the block still had the key of the course that the CCX is made of.
            block._field_data_cache = {}  # noqa: SLF001 - as the platform's own grading does
        return {
            rule["type"]: _decimal(rule["weight"])
            for rule in block.grading_policy.get("GRADER") or ()
            if rule.get("weight") is not None
        }


def lesson(key: LessonKey) -> Lesson:
    """Return name and category of a lesson.

    Raises:
        UnknownContext: The course has no such lesson.
    """
    with asking(f"the lesson {key}"):
        usage_key = _block(key)
        try:
            block = _load(Place.MODULESTORE)().get_item(usage_key)
        except _load(Place.NO_SUCH_ITEM):
            raise UnknownContext(key, "the course has no such lesson") from None
        return Lesson(block.display_name or None, (block.format or "") if block.graded else None)


def enrolments(course: CourseKey, after: int, limit: int) -> Sequence[Enrolment]:
    """Return active enrolments by user id.

    Args:
        course: The course.
        after: Only of users with a greater id.
        limit: The most to return.
    """
    with asking(f"the enrolments of {course}"):
        of_course = _load(Place.ENROLMENT).objects.filter(course_id=_course(course))
        return _first(of_course.filter(is_active=True, user_id__gt=after), limit)


def enrolment(course: CourseKey, user_id: int) -> Enrolment | None:
    """Return a user's enrolment, active or not; None if there never was one."""
    with asking(f"an enrolment of {course}"):
        of_course = _load(Place.ENROLMENT).objects.filter(course_id=_course(course))
        return next(iter(_first(of_course.filter(user_id=user_id), 1)), None)


def actively_enrolled(course: CourseKey, users: Sequence[User]) -> frozenset[int]:
    """Return the ids of those users who are actively enrolled in a course."""
    with asking(f"the enrolments of {course}"):
        of_course = _load(Place.ENROLMENT).objects.filter(course_id=_course(course))
        active = of_course.filter(is_active=True, user_id__in=_ids(users))
        return frozenset(active.values_list("user_id", flat=True))


def grades(course: CourseKey, users: Sequence[User]) -> Mapping[int, Grades]:
    """Return the graded subsections of users by user id, unattempted ones included.

    What fails for one learner is told of that learner; where a database fails, nothing is told.

    Raises:
        NobodyHasGrades: There are none for any of :data:`MANY` users or more.
    """
    with asking(f"the grades of {course}"):
        course_key = _course(course)
        try:
            _load(Place.PREFETCH_GRADES)(course_key, users)
            results = _load(Place.GRADE_FACTORY)().iter(users, course_key=course_key)
            found = {student.id: _grades(grade, error) for student, grade, error in results}
        finally:
            # Even after half a prefetch: a learner whom it lacks seems to have attempted nothing.
            _load(Place.CLEAR_GRADES)(course_key)
    without = [each for each in found.values() if isinstance(each, NoGrades)]
    if len(without) == len(users) >= MANY:
        raise NobodyHasGrades(course, len(users), without[0].error)
    return found


def completion(
    course: CourseKey, lesson_key: LessonKey | None, users: Sequence[User]
) -> Mapping[int, Decimal]:
    """Return the stored completion of a course, or of a lesson of it, by user id.

    What is stored can lag behind. Users of whom nothing is stored are left out.
    """
    with asking(f"the completion of {lesson_key or course}"):
        stored = _stored_completion(course, lesson_key).filter(user_id__in=_ids(users))
        rows = stored.values_list("user_id", "percent")
        return {user_id: _decimal(percent) for user_id, percent in rows}


def live_completion(course: CourseKey, lesson_key: LessonKey | None, user: User) -> Decimal | None:
    """Return a user's completion, calculated anew where what is stored is stale.

    It costs far more than :func:`completion` and is meant for one user.
    """
    with asking(f"the completion of {lesson_key or course}"):
        stored = _stored_completion(course, lesson_key).filter(user_id=user.id)
        adapter = _load(Place.LIVE_COMPLETION)(
            user,
            _course(course),
            aggregators=list(stored.select_related("user")),
            recalculate_stale=True,
        )
        if lesson_key is None:
            return None if adapter.possible is None else _decimal(adapter.percent)
        of_lesson = [each for each in adapter.sequential if str(each.block_key) == str(lesson_key)]
        return _decimal(of_lesson[0].percent) if of_lesson else None


def pathway(key: PathwayKey) -> Pathway:
    """Return name and courses of a pathway.

    Raises:
        UnknownContext: There is no such pathway.
    """
    with asking(f"the pathway {key}"):
        model = _load(Place.PATHWAY)
        try:
            found = model.objects.get(key=str(key))
        except model.DoesNotExist:
            found = None
        if found is None or str(found.key) != str(key):
            raise UnknownContext(key, "the LMS has no such pathway")
        # Not every release of the plugin gives them in order; those without a number come last.
        steps = sorted(
            found.steps.all(), key=lambda step: (step.order is None, step.order or 0, step.id)
        )
        return Pathway(found.display_name or None, tuple(str(step.course_key) for step in steps))


def pathway_enrolments(key: PathwayKey, after: int, limit: int) -> Sequence[Enrolment]:
    """Return active enrolments in a pathway by user id; arguments as of :func:`enrolments`."""
    with asking(f"the enrolments of {key}"):
        of_pathway = _load(Place.PATHWAY_ENROLMENT).objects.filter(learning_path__key=str(key))
        return _first(of_pathway.filter(is_active=True, user_id__gt=after), limit)


def pathway_enrolment(key: PathwayKey, user_id: int) -> Enrolment | None:
    """Return a user's enrolment in a pathway, active or not; None if there never was one."""
    with asking(f"an enrolment of {key}"):
        of_pathway = _load(Place.PATHWAY_ENROLMENT).objects.filter(learning_path__key=str(key))
        return next(iter(_first(of_pathway.filter(user_id=user_id), 1)), None)


def accounts(user_ids: Sequence[int], language: LanguageSource) -> Sequence[Account]:
    """Return who these users are; unknown ones are left out."""
    with asking("the accounts of learners"):
        users = _load(Place.USER_MODEL)().objects.filter(id__in=user_ids)
        languages = (
            _chosen_languages(user_ids) if language == "preference" else _only_languages(user_ids)
        )
        return [
            Account(
                user.id,
                # A user without a profile does not have the attribute.
                getattr(getattr(user, "profile", None), "name", None) or "",
                user.email or "",
                user.is_active,
                user.has_usable_password(),
                languages.get(user.id),
            )
            for user in users.select_related("profile")
        ]


def _chosen_languages(user_ids: Sequence[int]) -> Mapping[int, str]:
    rows = _load(Place.PREFERENCE).objects.filter(user_id__in=user_ids, key=LANGUAGE_PREFERENCE)
    return {user_id: tag for user_id, tag in rows.values_list("user_id", "value") if tag}


def _only_languages(user_ids: Sequence[int]) -> Mapping[int, str]:
    rows = _load(Place.SPOKEN_LANGUAGE).objects.filter(user_profile__user_id__in=user_ids)
    spoken: dict[int, list[str]] = {}
    for user_id, code in rows.values_list("user_profile__user_id", "code"):
        spoken.setdefault(user_id, []).append(code)
    return {user_id: codes[0] for user_id, codes in spoken.items() if len(codes) == 1}


def _grades(course_grade: Any, error: Any) -> Grades:
    if error or course_grade is None:
        return _no_grades(error)
    try:
        by_category = course_grade.graded_subsections_by_format
        if callable(by_category):  # a method in new releases, an attribute in old ones
            by_category = by_category()
        return tuple(
            GradedSubsection(
                str(subsection.location),
                category or "",
                _decimal(subsection.graded_total.earned),
                _decimal(subsection.graded_total.possible),
            )
            for category, subsections in by_category.items()
            for subsection in subsections.values()
        )
    # Subsections are read only now, when the platform no longer minds each learner's errors.
    except Exception as failure:  # noqa: BLE001 - one learner's grades must not stop the others'
        return _no_grades(failure)


def _no_grades(error: Any) -> NoGrades:
    # Releases differ: an error is the exception itself, or its text.
    if not isinstance(error, BaseException):
        return NoGrades(None)
    if isinstance(error, _database_errors()):
        raise error
    return NoGrades(type(error).__name__)


def _database_errors() -> tuple[type[BaseException], ...]:
    mongo = sys.modules.get("pymongo.errors")  # loaded by whoever could have raised its errors
    return (_load(Place.DATABASE_ERROR), *([mongo.PyMongoError] if mongo else []))


def _stored_completion(course: CourseKey, lesson_key: LessonKey | None) -> Any:
    stored = _load(Place.COMPLETION).objects.filter(course_key=_course(course))
    if lesson_key is None:
        return stored.filter(aggregation_name="course")
    return stored.filter(aggregation_name="sequential", block_key=_block(lesson_key))


def _first(found: Any, limit: int) -> Sequence[Enrolment]:
    rows = found.select_related("user").order_by("user_id")[:limit]
    return [Enrolment(row.user, row.is_active) for row in rows]


def _ids(users: Sequence[User]) -> list[int]:
    return [user.id for user in users]


def _course(key: CourseKey) -> Any:
    return _opaque(Place.COURSE_KEY, key)


def _block(key: LessonKey) -> Any:
    return _opaque(Place.USAGE_KEY, key)


def _opaque(kind: Place, key: CourseKey | LessonKey) -> Any:
    try:
        return _load(kind).from_string(str(key))
    except _load(Place.INVALID_KEY):
        raise UnknownContext(key, "the LMS does not allow such a key") from None


def _decimal(number: float) -> Decimal:
    return Decimal(str(number))  # the shortest text that means this number, not its binary digits


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def _load(place: Place) -> Any:
    return load(place, PLUGINS)
