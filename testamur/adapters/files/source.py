"""The data source: answers what the port asks from the indexes of a folder of files."""

# ruff: noqa: S608 - a name in a query is one of the schema's own, and values are bound

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from testamur.adapters.files.batches import BLOCK_BYTES
from testamur.adapters.files.catalogue import Catalogue
from testamur.adapters.files.checking import CheckReport, check_folder
from testamur.adapters.files.errors import UnknownContext
from testamur.adapters.files.index import FolderIndex
from testamur.adapters.files.records import Joining
from testamur.adapters.files.tables import (
    COMPLETIONS,
    COURSES,
    ENROLMENTS,
    GRADES,
    GRADING_POLICY,
    LEARNERS,
    LESSONS,
    PATHWAY_STEPS,
    PATHWAYS,
)
from testamur.application.ports.retrieval import EVERYTHING, Needs
from testamur.domain.contexts import (
    ALLOWED_KEYS,
    CourseKey,
    LearningContextKey,
    LessonKey,
    OpaqueKey,
    PathwayKey,
)
from testamur.domain.errors import InvalidInput
from testamur.domain.identifiers import LearnerId
from testamur.domain.learning import ContextFacts, LearnerRecord
from testamur.domain.personal_data import Person

#: Learners of a page unless told: enough that a page costs little more than its learners.
PAGE_SIZE: Final = 2000

#: Problems that a check collects unless told.
MOST_PROBLEMS: Final = 50

#: Learners looked up at once; below SQLite's oldest limit of 999 values.
_PEOPLE_AT_ONCE: Final = 500


class FileRetrievalSource:
    """A folder of CSV and JSON files, as ``docs/reference/data-files.md`` describes them.

    Whatever is wrong with a table that an answer needs is reported before the first record. Tables
    are indexed in a temporary folder when they are first needed, and again when their files have
    changed. Several threads may use one source.

    Args:
        folder: The folder.
        page_size: The most learners of a page, at least 1.
        block_bytes: How much of a file to read at once.
    """

    def __init__(
        self, folder: Path, page_size: int = PAGE_SIZE, block_bytes: int = BLOCK_BYTES
    ) -> None:
        if page_size < 1:
            raise InvalidInput("page_size", page_size, "a whole number from 1")
        self._folder = folder
        self._page_size = page_size
        self._index = FolderIndex(folder, block_bytes)

    @property
    def name(self) -> str:
        """``files:`` and the folder's own name."""
        return f"files:{self._folder.resolve().name}"

    @property
    def dates_achievements(self) -> bool:
        """Whether it tells when something was achieved: where rows have an ``achieved_at``."""
        return True

    def facts(self, context: LearningContextKey, needs: Needs = EVERYTHING) -> ContextFacts:
        """Return what is the same for all learners of the context.

        A lesson has the dates of its course. Its weights give the whole weight to each category
        that it is graded in, so that the total is the lesson's own score; they are looked up in
        the grades when they are first read. A pathway has no dates.

        Raises:
            UnknownContext: The folder does not know the context.
            DataFileError: A file is not as it must be.
        """
        match context:
            case CourseKey():
                with self._index.opened((COURSES, GRADING_POLICY)) as connections:
                    return Catalogue(self._folder, connections).course(context)
            case LessonKey():
                with self._index.opened((COURSES, LESSONS)) as connections:
                    facts = Catalogue(self._folder, connections).lesson(context)
                return replace(facts, weights=_LessonWeights(lambda: self._categories(context)))
            case PathwayKey():
                tables = (COURSES, GRADING_POLICY, PATHWAYS, PATHWAY_STEPS)
                with self._index.opened(tables) as connections:
                    return Catalogue(self._folder, connections).pathway(context)
            case OpaqueKey():
                raise self._opaque(context)

    def records(
        self, context: LearningContextKey, needs: Needs, learner_id: LearnerId | None = None
    ) -> Iterator[Sequence[LearnerRecord]]:
        """Yield the learners who have an enrolment in the context, active or not, by their ids.

        All pages are of the files as they were when the first was asked for.

        Raises:
            UnknownContext: The folder does not know the context.
            DataFileError: A file is not as it must be, or a table that is needed is not there.
        """
        needed = [
            table
            for table, is_needed in ((COMPLETIONS, needs.completion), (GRADES, needs.grades))
            if is_needed
        ]
        tables = (ENROLMENTS, COURSES, PATHWAYS, PATHWAY_STEPS, *needed)
        with self._index.opened(tables, needed) as connections:
            catalogue = Catalogue(self._folder, connections)
            joining = Joining(connections, needs, self._page_size)
            match context:
                case CourseKey():
                    catalogue.require(context)
                    yield from joining.of_course(str(context), learner_id)
                case LessonKey():
                    catalogue.require(context)
                    course, lesson = str(context.course), str(context)
                    yield from joining.of_course(course, learner_id, lesson)
                case PathwayKey():
                    courses = catalogue.steps(context)
                    yield from joining.of_pathway(str(context), courses, learner_id)
                case OpaqueKey():
                    raise self._opaque(context)

    def people(self, learner_ids: Sequence[LearnerId]) -> Mapping[LearnerId, Person]:
        """Return who these learners are; those not in the table of learners are left out.

        Raises:
            DataFileError: A file is not as it must be.
        """
        found: dict[LearnerId, Person] = {}
        with self._index.opened((LEARNERS,)) as connections:
            for begin in range(0, len(learner_ids), _PEOPLE_AT_ONCE):
                some = learner_ids[begin : begin + _PEOPLE_AT_ONCE]
                rows = connections[LEARNERS.name].execute(
                    "SELECT learner_id, full_name, email, language, active FROM rows"
                    f" WHERE learner_id IN ({', '.join('?' * len(some))})",
                    some,
                )
                for learner_id, full_name, email, language, active in rows:
                    found[LearnerId(learner_id)] = Person(
                        full_name=full_name or "",
                        email=email or None,
                        locale=language,
                        mailable=bool(active),
                    )
        return found

    def check(self, limit: int = MOST_PROBLEMS) -> CheckReport:
        """Check all tables of the folder, whether an answer would need them or not.

        Args:
            limit: The most problems to collect, at least 1.

        Raises:
            RetrievalError: The temporary index cannot be written.
        """
        if limit < 1:
            raise InvalidInput("limit", limit, "a whole number from 1")
        return check_folder(self._folder, limit)

    def close(self) -> None:
        """Delete the indexes; iterations that have begun can be finished."""
        self._index.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _categories(self, lesson: LessonKey) -> Sequence[str]:
        with self._index.opened((GRADES,)) as connections:
            return Catalogue(self._folder, connections).categories(lesson)

    def _opaque(self, context: OpaqueKey) -> UnknownContext:
        return UnknownContext(
            self._folder, context, f"data files know only contexts with such keys: {ALLOWED_KEYS}"
        )


class _LessonWeights(Mapping[str, Decimal]):
    """Is looked up when it is read, so that asking when a run is due does not read all grades."""

    def __init__(self, look_up_categories: Callable[[], Sequence[str]]) -> None:
        self._look_up_categories = look_up_categories

    @cached_property
    def _weights(self) -> Mapping[str, Decimal]:
        return dict.fromkeys(self._look_up_categories(), Decimal(1))

    def __getitem__(self, category: str) -> Decimal:
        return self._weights[category]

    def __iter__(self) -> Iterator[str]:
        return iter(self._weights)

    def __len__(self) -> int:
        return len(self._weights)
