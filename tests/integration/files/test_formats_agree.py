"""The same data give the same answers, those of a plain model, in every format and page size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from testamur.adapters.files import FileRetrievalSource
from testamur.application.ports.retrieval import Needs
from testamur.domain.contexts import (
    LearningContextKey,
    LessonKey,
    PathwayKey,
    parse_context_key,
)
from testamur.domain.identifiers import LearnerId
from testamur.domain.learning import Achievement, GradedSubsection, LearnerRecord
from testamur.domain.personal_data import Person
from tests.support.data_files import DataFolder, Format

COURSES = [f"course-v1:Uni+{name}+2026" for name in ("Art", "Biology", "Chemistry")]
LESSONS = [
    f"block-v1:Uni+{name}+2026+type@sequential+block@{number}"
    for name in ("Art", "Biology")
    for number in (1, 2)
]
PATHWAY = "path-v1:Uni+Science+2026+A"
CONTEXTS = [parse_context_key(key) for key in (*COURSES, *LESSONS, PATHWAY)]
FORMATS: tuple[Format, ...] = ("csv", "json", "jsonl")

LEARNER_IDS = st.text(st.sampled_from("aäz09 ._-,;'\"ק名😀"), min_size=1, max_size=6).filter(
    lambda text: text == text.strip()
)
NAMES = st.text(st.characters(codec="utf-8", categories=["L", "M", "N", "P", "S", "Zs", "Cf"]))
FRACTIONS = st.decimals(0, 1, places=3)
POINTS = st.decimals(0, 100, places=2)


@dataclass(frozen=True)
class Data:
    """Rows of a folder, by what names each."""

    steps: Sequence[str]
    names: Mapping[str, tuple[str, bool]]
    enrolments: Mapping[tuple[str, str], bool]
    completions: Mapping[tuple[str, str], Decimal]
    grades: Mapping[tuple[str, str, str], tuple[str, Decimal, Decimal]]

    def write(self, folder: Path, written: Format) -> Path:
        """Write them in a format."""
        files = DataFolder(folder)
        for course in COURSES:
            files.course(course)
        files.pathway(PATHWAY, self.steps)
        for learner, (name, active) in self.names.items():
            files.learner(learner, full_name=name, active=active)
        for (learner, context), active in self.enrolments.items():
            files.enrolment(learner, context, active=active)
        for (learner, context), completion in self.completions.items():
            files.completion(learner, context, f"{completion:f}")
        for (learner, course, subsection), (category, earned, possible) in self.grades.items():
            files.grade(learner, course, category, f"{earned:f}", f"{possible:f}", subsection)
        return files.write(written)

    def records(self, context: LearningContextKey) -> list[LearnerRecord]:
        """Return the records of a context, joined as plainly as can be."""
        match context:
            case LessonKey():
                course, lesson = str(context.course), str(context)
                return [
                    LearnerRecord(learner, active, self._achievement(learner, course, lesson))
                    for learner, active in self._enrolled(course)
                ]
            case PathwayKey():
                return [
                    LearnerRecord(
                        learner,
                        active,
                        steps={
                            course: self._achievement(learner, course)
                            for course in self.steps
                            if self.enrolments.get((learner, course))
                        },
                    )
                    for learner, active in self._enrolled(str(context))
                ]
        return [
            LearnerRecord(learner, active, self._achievement(learner, str(context)))
            for learner, active in self._enrolled(str(context))
        ]

    def _enrolled(self, context: str) -> list[tuple[LearnerId, bool]]:
        found = {
            LearnerId(learner): active
            for (learner, key), active in self.enrolments.items()
            if key == context
        }
        return sorted(found.items(), key=lambda each: each[0].encode())

    def _achievement(self, learner: str, course: str, lesson: str | None = None) -> Achievement:
        return Achievement(
            self.completions.get((learner, lesson or course)),
            tuple(
                GradedSubsection(subsection, *graded)
                for (whose, where, subsection), graded in self.grades.items()
                if (whose, where) == (learner, course) and lesson in (None, subsection)
            ),
        )


@st.composite
def data(draw: DrawFn) -> Data:
    """Rows that are right, of few learners and contexts so that they meet."""
    learners = draw(st.lists(LEARNER_IDS, min_size=1, max_size=6, unique=True))
    whose = st.sampled_from(learners)
    subsections = [(course, "final") for course in COURSES]
    subsections += [
        (str(lesson.course), str(lesson)) for lesson in CONTEXTS if isinstance(lesson, LessonKey)
    ]
    work = st.builds(lambda learner, part: (learner, *part), whose, st.sampled_from(subsections))
    category = st.sampled_from(["Exam", "Home, work", "Übung"])
    return Data(
        draw(st.lists(st.sampled_from(COURSES), min_size=1, unique=True)),
        {learner: (draw(NAMES), draw(st.booleans())) for learner in learners},
        draw(
            st.dictionaries(
                st.tuples(whose, st.sampled_from([*COURSES, PATHWAY])), st.booleans(), max_size=12
            )
        ),
        draw(
            st.dictionaries(
                st.tuples(whose, st.sampled_from([*COURSES, *LESSONS])), FRACTIONS, max_size=12
            )
        ),
        draw(st.dictionaries(work, st.tuples(category, POINTS, POINTS), max_size=12)),
    )


def in_any_order(records: Sequence[LearnerRecord]) -> list[object]:
    """Return records without the order of their subsections, which means nothing."""
    return [
        (
            record.learner_id,
            record.enrolled,
            plain(record.achievement),
            {course: plain(achievement) for course, achievement in record.steps.items()},
        )
        for record in records
    ]


def plain(achievement: Achievement) -> object:
    return achievement.completion, frozenset(achievement.subsections)


@settings(max_examples=20, deadline=None)
@given(data(), st.integers(1, 5), st.integers(1, 200))
def test_every_format_answers_as_the_model_does(
    data: Data, page_size: int, block_bytes: int
) -> None:
    learners = [LearnerId(learner) for learner in data.names]
    people = {
        learner: Person(full_name=name.strip(), mailable=active)
        for learner, (name, active) in data.names.items()
    }
    with TemporaryDirectory() as folder:
        for written in FORMATS:
            path = data.write(Path(folder) / written, written)
            with FileRetrievalSource(path, page_size, block_bytes) as source:
                assert source.people(learners) == people
                for context in CONTEXTS:
                    pages = list(source.records(context, Needs()))
                    records = [record for page in pages for record in page]
                    assert in_any_order(records) == in_any_order(data.records(context))
                    assert all(0 < len(page) <= page_size for page in pages)
