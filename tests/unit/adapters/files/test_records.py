"""What the data source answers from files in which nothing is wrong."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from testamur.adapters.files import DataFileError, FileRetrievalSource, UnknownContext
from testamur.application.errors import RetrievalError
from testamur.application.ports.retrieval import Needs, RetrievalSource
from testamur.domain.contexts import (
    CourseKey,
    LearningContextKey,
    LessonKey,
    OpaqueKey,
    PathwayKey,
    parse_context_key,
)
from testamur.domain.criteria import GradeCriteria
from testamur.domain.eligibility import Inquiry, judge
from testamur.domain.errors import InvalidInput
from testamur.domain.identifiers import LearnerId
from testamur.domain.learning import Achievement, ContextFacts, GradedSubsection, LearnerRecord
from testamur.domain.personal_data import Person
from tests.support.data_files import DataFolder
from tests.support.records import COURSE, OTHER_COURSE, PATHWAY, RETRIEVED_AT

MATHS = CourseKey("Uni", "Maths", "2026")
PHYSICS = CourseKey("Uni", "Physics", "2026")
SCIENCE = PathwayKey("Uni", "Science", "2026", "A")
LESSON = LessonKey(MATHS, "one")
UNNAMED_LESSON = LessonKey(MATHS, "two")


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    """Two courses, their pathway, a lesson, and learners of all sorts."""
    return (
        DataFolder(tmp_path / "exports")
        .course(
            COURSE,
            name="Mathematics",
            certificate_name="Mathematics\nfor Engineers",
            start="2026-01-01",
            end="2026-06-30T18:00:00+02:00",
            weights={"Homework": "0.4", "Exam": "0.6"},
        )
        .course(OTHER_COURSE)
        .lesson(str(LESSON), name="Numbers")
        .pathway(PATHWAY, [OTHER_COURSE, COURSE], name="Science")
        .learner("zoe", full_name="Zoë Ünal ", email="zoe@example.org", language="pt_BR")
        .learner("adam", full_name="Adam", active=False)
        .learner("mia")
        .learner("noah")
        .enrolment("zoe", COURSE)
        .enrolment("zoe", PATHWAY)
        .enrolment("zoe", OTHER_COURSE)
        .enrolment("mia", COURSE)
        .enrolment("mia", PATHWAY)
        .enrolment("mia", OTHER_COURSE, active=False)
        .enrolment("adam", COURSE, active=False)
        .enrolment("adam", PATHWAY, active=False)
        .completion("zoe", COURSE, "0.95")
        .completion("zoe", OTHER_COURSE, "1")
        .completion("zoe", str(LESSON), "0.5")
        .completion("adam", COURSE, "0.333")
        .completion("noah", COURSE, "1")
        .grade("zoe", COURSE, "Homework", "11", "20", str(LESSON))
        .grade("zoe", COURSE, "Homework", "0", "5", str(UNNAMED_LESSON))
        .grade("zoe", COURSE, "Exam", "12.5", "10", "exam")
        .grade("zoe", OTHER_COURSE, "Exam", "1", "2")
        .grade("noah", COURSE, "Exam", "10", "10", "exam")
    )


@pytest.fixture
def source(folder: DataFolder) -> Iterator[FileRetrievalSource]:
    with FileRetrievalSource(folder.write(), page_size=2) as opened:
        yield opened


def records(
    source: RetrievalSource,
    context: LearningContextKey,
    needs: Needs | None = None,
    learner_id: str | None = None,
) -> list[LearnerRecord]:
    only = LearnerId(learner_id) if learner_id else None
    return [record for page in source.records(context, needs or Needs(), only) for record in page]


def work(subsection_id: object, category: str, earned: str, possible: str) -> GradedSubsection:
    return GradedSubsection(str(subsection_id), category, Decimal(earned), Decimal(possible))


ZOE_IN_MATHS = Achievement(
    Decimal("0.95"),
    (
        work(LESSON, "Homework", "11", "20"),
        work(UNNAMED_LESSON, "Homework", "0", "5"),
        work("exam", "Exam", "12.5", "10"),
    ),
)


def test_the_source_is_named_after_its_folder(source: RetrievalSource) -> None:
    assert source.name == "files:exports"


def test_every_learner_with_an_enrolment_is_reported_once(source: RetrievalSource) -> None:
    assert records(source, MATHS) == [
        LearnerRecord(LearnerId("adam"), False, Achievement(Decimal("0.333"))),
        LearnerRecord(LearnerId("mia"), True, Achievement()),
        LearnerRecord(LearnerId("zoe"), True, ZOE_IN_MATHS),
    ]


def test_pages_are_no_longer_than_asked_for(source: RetrievalSource) -> None:
    pages = [len(page) for page in source.records(MATHS, Needs())]

    assert pages == [2, 1]


def test_a_lesson_has_the_learners_of_its_course_with_its_own_numbers(
    source: RetrievalSource,
) -> None:
    assert records(source, LESSON) == [
        LearnerRecord(LearnerId("adam"), False, Achievement()),
        LearnerRecord(LearnerId("mia"), True, Achievement()),
        LearnerRecord(
            LearnerId("zoe"),
            True,
            Achievement(Decimal("0.5"), (work(LESSON, "Homework", "11", "20"),)),
        ),
    ]


def test_a_pathway_has_steps_where_the_learner_is_actively_enrolled(
    source: RetrievalSource,
) -> None:
    in_physics = Achievement(Decimal(1), (work("", "Exam", "1", "2"),))

    assert records(source, SCIENCE) == [
        LearnerRecord(LearnerId("adam"), False),
        LearnerRecord(LearnerId("mia"), True, steps={COURSE: Achievement()}),
        LearnerRecord(
            LearnerId("zoe"), True, steps={OTHER_COURSE: in_physics, COURSE: ZOE_IN_MATHS}
        ),
    ]


@pytest.mark.parametrize("context", [MATHS, LESSON, SCIENCE])
def test_one_learner_is_as_among_all(source: RetrievalSource, context: LearningContextKey) -> None:
    together = records(source, context)

    assert together
    for record in together:
        assert records(source, context, learner_id=record.learner_id) == [record]


@pytest.mark.parametrize("learner_id", ["noah", "nobody"])
def test_a_learner_without_enrolment_has_no_record(
    source: RetrievalSource, learner_id: str
) -> None:
    assert records(source, MATHS, learner_id=learner_id) == []


def test_what_the_criteria_do_not_look_at_is_not_read(folder: DataFolder) -> None:
    folder.without("grades").without("completions").write()
    folder.file("grades.csv", "broken").file("completions.csv", "learner_id\n")

    with FileRetrievalSource(folder.path) as source:
        found = records(source, MATHS, Needs(completion=False, grades=False))

    assert [record.achievement for record in found] == [Achievement()] * 3


@pytest.mark.parametrize(
    ("needs", "table"),
    [
        (Needs(completion=True, grades=False), "completions"),
        (Needs(completion=False, grades=True), "grades"),
    ],
)
def test_a_table_that_the_criteria_look_at_must_be_there(
    folder: DataFolder, needs: Needs, table: str
) -> None:
    folder.without(table)

    with (
        FileRetrievalSource(folder.write()) as source,
        pytest.raises(DataFileError, match=f"the table {table} is missing"),
    ):
        records(source, MATHS, needs)


def test_nothing_is_handed_out_before_all_that_is_read_is_checked(folder: DataFolder) -> None:
    folder.completion("zoe", "course-v1:Not+in+courses", "1")

    with (
        FileRetrievalSource(folder.write(), page_size=1) as source,
        pytest.raises(DataFileError, match=r"completions\.csv, line 7, context_key: "),
    ):
        next(source.records(MATHS, Needs()))


def test_a_course_has_its_names_dates_and_weights(source: RetrievalSource) -> None:
    assert source.facts(MATHS) == ContextFacts(
        COURSE,
        "Mathematics",
        "Mathematics\nfor Engineers",
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 6, 30, 16, tzinfo=UTC),
        {"Homework": Decimal("0.4"), "Exam": Decimal("0.6")},
    )
    assert source.facts(PHYSICS) == ContextFacts(OTHER_COURSE)


def test_a_lesson_has_the_dates_of_its_course_and_the_whole_weight(
    source: RetrievalSource,
) -> None:
    course = source.facts(MATHS)

    assert source.facts(LESSON) == ContextFacts(
        str(LESSON), "Numbers", None, course.start, course.end, {"Homework": Decimal(1)}
    )


def test_a_lesson_needs_no_row_of_its_own_if_its_course_has_one(source: RetrievalSource) -> None:
    facts = source.facts(UNNAMED_LESSON)

    assert facts.name is None
    assert facts.weights == {"Homework": Decimal(1)}
    assert len(records(source, UNNAMED_LESSON)) == 3


def test_a_lessons_total_is_its_own_score(source: RetrievalSource) -> None:
    criteria = GradeCriteria(required_grades={"Total": Decimal("0.55")})
    inquiry = Inquiry(criteria, source.facts(LESSON), source.name, RETRIEVED_AT)

    verdicts = [judge(record, inquiry) for record in records(source, LESSON)]

    assert [verdict.learner_id for verdict in verdicts if verdict.eligible] == ["zoe"]
    assert verdicts[-1].evidence.results[-1].achieved == Decimal("0.55")


def test_a_lessons_grades_are_not_read_to_say_its_dates(folder: DataFolder) -> None:
    folder.without("grades").write()
    folder.file("grades.csv", "broken")

    with FileRetrievalSource(folder.path) as source:
        facts = source.facts(LESSON)
        assert facts.start is not None
        with pytest.raises(DataFileError, match=r"grades\.csv, line 1"):
            dict(facts.weights)


def test_a_lesson_that_nobody_has_a_grade_in_has_no_weights(folder: DataFolder) -> None:
    folder.without("grades")

    with FileRetrievalSource(folder.write()) as source:
        assert dict(source.facts(LESSON).weights) == {}


def test_a_pathway_has_its_courses_in_the_order_of_their_positions(folder: DataFolder) -> None:
    folder.course("course-v1:Uni+Art+2026").row(
        "pathway_steps", pathway_key=PATHWAY, position=0, course_key="course-v1:Uni+Art+2026"
    )

    with FileRetrievalSource(folder.write()) as source:
        facts = source.facts(SCIENCE)
        courses = tuple(source.facts(course) for course in (PHYSICS, MATHS))

    assert (facts.key, facts.name, facts.start, facts.end) == (PATHWAY, "Science", None, None)
    assert facts.steps == (ContextFacts("course-v1:Uni+Art+2026"), *courses)


@pytest.mark.parametrize(
    ("context", "reason"),
    [
        ("course-v1:Uni+Maths+2025", "the table courses does not have it"),
        (
            "block-v1:Uni+Maths+2025+type@sequential+block@one",
            "the table courses does not have its course course-v1:Uni+Maths+2025",
        ),
        ("path-v1:Uni+Science+2025+A", "the table pathways does not have it"),
    ],
)
def test_an_unknown_context_is_refused_with_some_that_are_known(
    source: RetrievalSource, context: str, reason: str
) -> None:
    known = PATHWAY if context.startswith("path") else COURSE
    key = parse_context_key(context)

    for ask in (lambda: source.facts(key), lambda: records(source, key)):
        with pytest.raises(UnknownContext) as refused:
            ask()
        assert reason in str(refused.value)
        assert f"; there are: {known}" in str(refused.value)
    assert isinstance(refused.value, RetrievalError)


def test_a_pathway_without_steps_is_refused(folder: DataFolder) -> None:
    folder.row("pathways", pathway_key="path-v1:Uni+Arts+2026+A")
    arts = PathwayKey("Uni", "Arts", "2026", "A")

    with FileRetrievalSource(folder.write()) as source:
        for ask in (lambda: source.facts(arts), lambda: records(source, arts)):
            with pytest.raises(UnknownContext, match="pathway_steps has no step of it"):
                ask()


def test_a_key_of_another_system_is_refused(source: RetrievalSource) -> None:
    key = OpaqueKey("course", "moodle:42")

    for ask in (lambda: source.facts(key), lambda: records(source, key)):
        with pytest.raises(UnknownContext, match=r"moodle:42.*only contexts with such keys: cou"):
            ask()


def test_people_are_as_the_table_of_learners_has_them(source: RetrievalSource) -> None:
    asked = [LearnerId(each) for each in ("zoe", "mia", "nobody", "adam")]

    assert source.people(asked) == {
        "zoe": Person(full_name="Zoë Ünal", email="zoe@example.org", locale="pt-BR"),
        "mia": Person(full_name=""),
        "adam": Person(full_name="Adam", mailable=False),
    }


def test_any_number_of_people_can_be_asked_for(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    ids = [LearnerId(f"l{number}") for number in range(1201)]
    for id_ in ids:
        folder.learner(id_, full_name=f"Name of {id_}")

    with FileRetrievalSource(folder.write()) as source:
        people = source.people(ids)
        assert source.people([]) == {}

    assert {id_: person.full_name for id_, person in people.items()} == {
        id_: f"Name of {id_}" for id_ in ids
    }


def test_the_order_of_rows_in_the_files_does_not_matter(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path).course(COURSE)
    numbers = [3, 1, 7, 0, 9, 2, 8, 5, 4, 6]
    for number in numbers:
        folder.learner(f"l{number}").enrolment(f"l{number}", COURSE)
    for number in reversed(numbers):
        folder.completion(f"l{number}", COURSE, f"0.{number}")

    with FileRetrievalSource(folder.write(), page_size=3) as source:
        found = records(source, MATHS)

    assert [(record.learner_id, record.achievement.completion) for record in found] == [
        (f"l{number}", Decimal(f"0.{number}")) for number in range(10)
    ]


@pytest.mark.parametrize("page_size", [0, -1])
def test_a_page_has_at_least_one_learner(tmp_path: Path, page_size: int) -> None:
    with pytest.raises(InvalidInput, match="page_size"):
        FileRetrievalSource(tmp_path, page_size)


def test_a_check_collects_at_least_one_problem(source: FileRetrievalSource) -> None:
    with pytest.raises(InvalidInput, match="limit"):
        source.check(limit=0)


def test_when_something_was_achieved_is_told_where_it_matters(tmp_path: Path) -> None:
    of_zoe = {"learner_id": "zoe", "course_key": COURSE, "earned": "7", "possible": "10"}
    folder = (
        DataFolder(tmp_path)
        .course(COURSE)
        .learner("zoe")
        .enrolment("zoe", COURSE)
        .row(
            "completions",
            learner_id="zoe",
            context_key=COURSE,
            completion="1",
            achieved_at="2026-05-30",
        )
        .row("grades", **of_zoe, category="Exam", achieved_at="2026-05-31T18:00+02:00")
        .row("grades", **of_zoe, category="Homework", achieved_at="")
    )

    with FileRetrievalSource(folder.write()) as source:
        (dated,) = next(source.records(MATHS, Needs(dates=True)))
        (undated,) = next(source.records(MATHS, Needs()))

    assert dated.achievement.completed_at == datetime(2026, 5, 30, tzinfo=UTC)
    assert {each.category: each.achieved_at for each in dated.achievement.subsections} == {
        "Exam": datetime(2026, 5, 31, 16, tzinfo=UTC),
        "Homework": None,
    }
    assert undated.achievement.completed_at is None
    assert {each.achieved_at for each in undated.achievement.subsections} == {None}
