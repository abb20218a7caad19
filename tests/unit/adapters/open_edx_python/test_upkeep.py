"""What a long run costs the process: statements, prefetched grades, connections, caches."""

import pytest

from testamur.adapters.open_edx_python.errors import PlatformFailed
from testamur.adapters.open_edx_python.options import OpenEdxPythonOptions
from testamur.adapters.open_edx_python.source import OpenEdxPythonSource
from testamur.application.ports.retrieval import EVERYTHING
from testamur.domain.contexts import parse_context_key
from testamur.domain.errors import TestamurError
from testamur.domain.identifiers import LearnerId
from tests.support.edx_platform import StandInLms
from tests.support.edx_platform.content import Connection
from tests.support.records import COURSE, OTHER_COURSE, PATHWAY
from tests.unit.adapters.open_edx_python.asking import EXAM, pages, records


def add_course_with_learners(lms: StandInLms, count: int) -> None:
    lms.add_course(COURSE, lessons={EXAM: ("Exam", 20)})
    lms.add_course(OTHER_COURSE)
    pathway = lms.add_pathway(PATHWAY, {COURSE: 1, OTHER_COURSE: 2})
    for user_id in range(1, count + 1):
        user = lms.add_user(user_id, preference="pl")
        lms.enrol(user, COURSE)
        lms.enrol(user, OTHER_COURSE)
        lms.enrol_in_pathway(user, pathway)
        lms.score(user, EXAM, 10)
        lms.complete(user, COURSE, 0.9)


@pytest.mark.parametrize("context", [COURSE, EXAM, PATHWAY])
def test_a_chunk_costs_as_many_statements_whatever_its_size(context: str) -> None:
    counts = []
    for learners in (3, 60):
        lms = StandInLms()
        add_course_with_learners(lms, learners)
        source = OpenEdxPythonSource(OpenEdxPythonOptions(chunk_size=learners))
        with lms.installed():
            assert [len(page) for page in pages(source, context)] == [learners]
        counts.append(len(lms.database.statements))

    assert counts[0] == counts[1] <= 14


@pytest.mark.parametrize("language", ["preference", "profile"])
def test_people_cost_two_statements_a_chunk(lms: StandInLms, language: str) -> None:
    add_course_with_learners(lms, 10)
    source = OpenEdxPythonSource(
        OpenEdxPythonOptions.model_validate({"chunk_size": 5, "language": language})
    )

    assert len(source.people([LearnerId(str(each)) for each in range(1, 11)])) == 10
    assert len(lms.database.statements) == 4


def test_grades_are_prefetched_for_each_chunk_and_let_go_before_it_is_handed_out(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    add_course_with_learners(lms, 5)

    kept = [
        dict(lms.gradebook.prefetched)
        for _ in source.records(parse_context_key(COURSE), EVERYTHING)
    ]

    assert lms.gradebook.prefetches == [2, 2, 1]
    assert "PersistentCourseGrade of one user" not in lms.database.statements
    assert kept == [{}, {}, {}]


@pytest.mark.parametrize("table", ["PersistentCourseGrade", "PersistentSubsectionGrade"])
def test_prefetched_grades_are_let_go_after_an_error(
    lms: StandInLms, source: OpenEdxPythonSource, table: str
) -> None:
    add_course_with_learners(lms, 1)
    lms.database.fails_for = table

    with pytest.raises(PlatformFailed, match=r"the grades of .*: OperationalError"):
        pages(source, COURSE)

    assert lms.gradebook.prefetched == {}
    lms.database.fails_for = None
    # Had half a prefetch been kept, the learner would now seem to have attempted nothing.
    assert records(source, COURSE)["1"].achievement.subsections[0].earned == 10


@pytest.mark.parametrize(
    ("table", "what"),
    [
        ("CourseEnrollment", "the enrolments of course-v1:"),
        ("Aggregator", "the completion of course-v1:"),
        ("CourseOverview", "the course course-v1:"),
    ],
)
def test_a_broken_database_is_an_error_that_names_what_was_asked_and_nobody(
    lms: StandInLms, source: OpenEdxPythonSource, table: str, what: str
) -> None:
    add_course_with_learners(lms, 1)
    lms.database.fails_for = table

    with pytest.raises(PlatformFailed, match=f"did not give {what}.*: OperationalError") as told:
        pages(source, COURSE)

    assert "Ann Smith" not in told.value.for_the_record()
    assert "Ann Smith" in str(told.value.__cause__)


def test_a_connection_that_died_between_two_pages_is_replaced(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    add_course_with_learners(lms, 4)
    found = source.records(parse_context_key(COURSE), EVERYTHING)
    next(found)
    connection = lms.connections.of_this_thread[0]
    connection.is_broken = True

    next(found)

    assert connection.is_closed


def test_a_connection_in_a_transaction_is_left_alone(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    add_course_with_learners(lms, 4)
    lms.connections.of_this_thread[:] = [Connection(in_atomic_block=True), Connection(True)]

    pages(source, COURSE)

    assert [each.is_closed for each in lms.connections.of_this_thread] == [False, True]


def test_inside_a_request_its_connections_and_its_cache_are_left_alone(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    add_course_with_learners(lms, 4)
    lms.request = object()
    lms.connections.of_this_thread[0].is_broken = True
    lms.cache.data["of the request"] = 1

    pages(source, COURSE)
    source.people([LearnerId("1")])

    assert not lms.connections.of_this_thread[0].is_closed
    assert lms.cache.data["of the request"] == 1


def test_what_the_platform_keeps_of_learners_is_let_go_between_chunks(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    add_course_with_learners(lms, 4)
    found = source.records(parse_context_key(COURSE), EVERYTHING)
    next(found)
    lms.cache.data["of learner 1"] = "a lot"

    next(found)

    assert "of learner 1" not in lms.cache.data


def test_a_check_tells_where_it_runs_and_what_is_missing(source: OpenEdxPythonSource) -> None:
    lms = StandInLms()

    with lms.installed():
        assert source.check() == "learn.example.org answers in this process"
    with lms.installed(without={"completion_aggregator", "learning_paths"}):
        assert source.check() == (
            "learn.example.org answers in this process; "
            "no completion (completion_aggregator is missing); "
            "no pathways (learning_paths is missing)"
        )


def test_a_check_finds_a_database_that_does_not_answer(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    lms.database.fails_for = "CourseEnrollment"

    with pytest.raises(TestamurError, match="did not give its enrolments: OperationalError"):
        source.check()


def test_closing_leaves_the_connections_to_django(lms: StandInLms) -> None:
    with OpenEdxPythonSource(OpenEdxPythonOptions()) as source:
        source.check()

    assert not lms.connections.of_this_thread[0].is_closed
