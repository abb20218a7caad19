"""The data source: answers what the port asks from an Open edX LMS, over HTTP."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from threading import Lock
from types import TracebackType
from typing import ClassVar, Final, Self

from testamur.adapters.open_edx.catalogue import own_username, pathway_learners
from testamur.adapters.open_edx.concurrency import Stop, side_by_side
from testamur.adapters.open_edx.connection import Connection
from testamur.adapters.open_edx.errors import UnknownContext
from testamur.adapters.open_edx.facts import Facts
from testamur.adapters.open_edx.grades import Progress
from testamur.adapters.open_edx.joining import CourseReader, pathway_pages, pathway_record
from testamur.adapters.open_edx.keeping import Snapshots
from testamur.adapters.open_edx.options import OpenEdxOptions
from testamur.adapters.open_edx.people import is_global_staff, people_of, user_id, username_of
from testamur.adapters.open_edx.single import OneLearner
from testamur.adapters.open_edx.snapshot import explained
from testamur.application.ports.retrieval import EVERYTHING, Needs
from testamur.domain.contexts import (
    ALLOWED_KEYS,
    CourseKey,
    LearningContextKey,
    LessonKey,
    OpaqueKey,
    PathwayKey,
)
from testamur.domain.identifiers import LearnerId
from testamur.domain.learning import ContextFacts, LearnerRecord
from testamur.domain.personal_data import Person

#: Learners of a page: enough that a page costs little more than its learners.
PAGE_SIZE: Final = 2000

#: Lists of a course that are read at the same time.
_LISTS_OF_A_COURSE: Final = 2

#: Learners whose usernames are remembered after they were asked about one by one.
_MOST_REMEMBERED: Final = 10_000


class OpenEdxSource:
    """An Open edX LMS. Several threads may use one source.

    A learner's id is the LMS's user id as text, such as ``1007``. A course is read as a whole
    before the first learner is given out (docs/decisions/0012); memory does not grow with it.

    Args:
        options: Which LMS, and how hard to ask it.
        now: Tells the present moment (aware).
    """

    options_model = OpenEdxOptions
    context_kinds: ClassVar[Mapping[str, str]] = {}

    def __init__(
        self, options: OpenEdxOptions, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._options = options
        self._now = now
        self.connection = Connection(options)
        self._progress = Progress(self.connection)
        self._facts = Facts(self.connection, now)
        self._snapshots = Snapshots(self.connection, self._progress, options.page_size, now)
        self._usernames: dict[int, str] = {}
        self._lock = Lock()

    @property
    def name(self) -> str:
        """``open-edx:`` and the LMS's host."""
        return f"open-edx:{self.connection.site}"

    def facts(self, context: LearningContextKey, needs: Needs = EVERYTHING) -> ContextFacts:
        """Return what is the same for all learners of the context.

        A lesson has the dates of its course. Its weights give the whole weight to the category
        that it is graded in, so that the total is the lesson's own score. A pathway has no dates.
        The name that a course's staff set for certificates is not served over HTTP.

        Raises:
            UnknownContext: The LMS does not know the context.
            LmsError: There is no usable answer.
        """
        match context:
            case CourseKey():
                return self._facts.course(context, needs)
            case LessonKey():
                return self._facts.lesson(context, needs)
            case PathwayKey():
                return self._facts.pathway(context, needs)
            case OpaqueKey():
                raise _not_of_open_edx(context)

    def records(
        self, context: LearningContextKey, needs: Needs, learner_id: LearnerId | None = None
    ) -> Iterator[Sequence[LearnerRecord]]:
        """Yield the learners who are actively enrolled in the context, by their user ids.

        One learner is asked about now, and reported as not enrolled where they left.

        Raises:
            UnknownContext: The LMS does not know the context.
            LmsError: Something cannot be had in full.
        """
        if isinstance(context, OpaqueKey):
            raise _not_of_open_edx(context)
        if learner_id is not None:
            record = self._record(context, needs, learner_id)
            if record is not None:
                yield [record]
            return
        with explained():
            match context:
                case CourseKey():
                    with closing(self._snapshots.reader(str(context), needs)) as reader:
                        yield from reader.pages(PAGE_SIZE)
                case LessonKey():
                    course, lesson = str(context.course), str(context)
                    with closing(self._snapshots.reader(course, needs, lesson)) as reader:
                        yield from reader.pages(PAGE_SIZE)
                case PathwayKey():
                    yield from self._records_of_pathway(context, needs)

    def people(self, learner_ids: Sequence[LearnerId]) -> Mapping[LearnerId, Person]:
        """Return who these learners are; those whom the LMS does not know are left out.

        Raises:
            LmsError: There is no usable answer.
        """
        user_ids = [
            id_ for id_ in (user_id(each) for each in dict.fromkeys(learner_ids)) if id_ is not None
        ]
        with explained():
            usernames = {**self._snapshots.usernames(user_ids), **self._remembered(user_ids)}
        return people_of(
            self.connection,
            user_ids,
            usernames,
            by_preference=self._options.language == "preference",
        )

    def check(self) -> str:
        """Try to sign in, and return as one line who that is and whether they may read all.

        Raises:
            LmsError: The LMS cannot be asked, or does not take the token.
        """
        username = own_username(self.connection)
        if is_global_staff(self.connection):
            return f"{self.connection.site}: signed in as {username}, who is global staff"
        return (
            f"{self.connection.site}: signed in as {username}, who is not global staff and may "
            "not read what is needed; make it global staff in the LMS"
        )

    def close(self) -> None:
        """Delete what was read, and close the connection; nothing more can be asked."""
        self._snapshots.close()
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _records_of_pathway(
        self, key: PathwayKey, needs: Needs
    ) -> Iterator[Sequence[LearnerRecord]]:
        retrieved_at = self._now()
        courses = list(dict.fromkeys(map(str, self._facts.steps(key, needs).steps)))
        user_ids = pathway_learners(self.connection, key)
        stop = Stop()
        opened: list[CourseReader] = []

        def read(course: str) -> None:
            opened.append(self._snapshots.reader(course, needs, stop=stop))

        try:
            side_by_side(
                [partial(read, course) for course in courses],
                stop,
                max(1, self._options.concurrency // _LISTS_OF_A_COURSE),
            )
            readers = sorted(opened, key=lambda reader: courses.index(reader.course))
            yield from pathway_pages(user_ids, readers, retrieved_at, PAGE_SIZE)
        finally:
            for reader in opened:
                reader.close()

    def _record(
        self, context: CourseKey | LessonKey | PathwayKey, needs: Needs, learner_id: LearnerId
    ) -> LearnerRecord | None:
        retrieved_at = self._now()
        id_ = user_id(learner_id)
        username = None if id_ is None else username_of(self.connection, id_)
        if id_ is None or username is None:
            return None
        self._remember(id_, username)
        learner = OneLearner(self.connection, self._progress, id_, username)
        match context:
            case CourseKey():
                return learner.record(str(context), needs, retrieved_at)
            case LessonKey():
                return learner.record(str(context.course), needs, retrieved_at, str(context))
            case PathwayKey():
                return self._record_of_pathway(context, needs, learner, retrieved_at)

    def _record_of_pathway(
        self, key: PathwayKey, needs: Needs, learner: OneLearner, retrieved_at: datetime
    ) -> LearnerRecord | None:
        if learner.user_id not in pathway_learners(self.connection, key, learner.username):
            return None
        courses = list(dict.fromkeys(map(str, self._facts.steps(key, needs).steps)))
        found = side_by_side(
            [partial(learner.achievement, course, needs) for course in courses],
            Stop(),
            self._options.concurrency,
        )
        steps = {
            course: achieved
            for course, achieved in zip(courses, found, strict=True)
            if achieved is not None
        }
        return pathway_record(learner.user_id, steps, retrieved_at)

    def _remember(self, id_: int, username: str) -> None:
        with self._lock:
            if len(self._usernames) >= _MOST_REMEMBERED:
                self._usernames.clear()
            self._usernames[id_] = username

    def _remembered(self, user_ids: Sequence[int]) -> Mapping[int, str]:
        with self._lock:
            return {id_: self._usernames[id_] for id_ in user_ids if id_ in self._usernames}


def _not_of_open_edx(context: OpaqueKey) -> UnknownContext:
    return UnknownContext(context, f"Open edX knows only contexts with such keys: {ALLOWED_KEYS}")
