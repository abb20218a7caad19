"""Snapshots of courses: what is written is read, also by those who opened them before."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from testamur.adapters.open_edx.joining import CourseReader, pathway_pages
from testamur.adapters.open_edx.snapshot import Snapshot, lesson_completed, lessons_text
from testamur.application.ports.retrieval import Needs
from testamur.domain.learning import LearnerRecord

COURSE = "course-v1:Example+Sailing+2026"
READ_AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
EARLIER = datetime(2026, 6, 1, 11, tzinfo=UTC)


@pytest.fixture
def snapshot(tmp_path: Path) -> Iterator[Snapshot]:
    made = Snapshot(tmp_path / "course.sqlite", COURSE, READ_AT)
    yield made
    made.delete()


def add(
    snapshot: Snapshot, user_id: int, work: str | None = None, completion: str | None = None
) -> None:
    """Add a learner with work in one homework, or with completion, or both."""
    layout = snapshot.points.layout([("hw1", "Homework")])
    snapshot.add_learners([(user_id, f"learner_{user_id}")])
    if work is not None:
        snapshot.add_grades([(user_id, layout, work)])
    if completion is not None:
        snapshot.add_enrolled([(f"learner_{user_id}", completion, None)], 1)


def read(snapshot: Snapshot, needs: Needs, page_size: int = 2000) -> list[LearnerRecord]:
    with closing(CourseReader(snapshot, needs)) as reader:
        return [record for page in reader.pages(page_size) for record in page]


def test_learners_come_by_their_user_id_in_pages(snapshot: Snapshot) -> None:
    for user_id in (30, 4, 200, 5, 1):
        add(snapshot, user_id, "1/2", "0.5")
    with closing(CourseReader(snapshot, Needs())) as reader:
        pages = [[record.learner_id for record in page] for page in reader.pages(2)]
    assert pages == [["1", "4"], ["5", "30"], ["200"]]


def test_grades_and_completion_of_a_learner_are_joined(snapshot: Snapshot) -> None:
    add(snapshot, 1, "1.5/2", "0.25")
    (record,) = read(snapshot, Needs())
    assert record.achievement.completion == Decimal("0.25")
    ((subsection),) = record.achievement.subsections
    assert (subsection.earned, subsection.possible) == (Decimal("1.5"), Decimal(2))
    assert record.enrolled
    assert record.retrieved_at == READ_AT


def test_only_what_is_needed_is_read(snapshot: Snapshot) -> None:
    add(snapshot, 1, "1/2", "0.25")
    (with_grades,) = read(snapshot, Needs(completion=False))
    (with_completion,) = read(snapshot, Needs(grades=False))
    assert with_grades.achievement.completion is None
    assert len(with_grades.achievement.subsections) == 1
    assert with_completion.achievement.completion == Decimal("0.25")
    assert with_completion.achievement.subsections == ()


def test_who_is_left_out_says_why_where_grades_are_needed(snapshot: Snapshot) -> None:
    add(snapshot, 1, completion="0.25")
    snapshot.leave_out(1, "no grades")
    assert [each.left_out for each in read(snapshot, Needs())] == ["no grades"]
    assert [each.left_out for each in read(snapshot, Needs(grades=False))] == [None]


def test_a_reader_stays_good_when_the_snapshot_is_deleted(snapshot: Snapshot) -> None:
    for user_id in range(1, 6):
        add(snapshot, user_id, "1/2", "0.5")
    with closing(CourseReader(snapshot, Needs())) as reader:
        pages = reader.pages(2)
        next(pages)
        snapshot.delete()
        assert [len(page) for page in pages] == [2, 1]


def test_a_reader_does_not_see_points_that_are_learnt_later(snapshot: Snapshot) -> None:
    add(snapshot, 1, "-", "0.5")
    snapshot.points.known.add("hw1", "2")
    with closing(CourseReader(snapshot, Needs())) as reader:
        snapshot.points.known.add("hw1", "3")
        ((record,),) = reader.pages(2000)
    assert [each.possible for each in record.achievement.subsections] == [2]


def test_a_renamed_learner_has_the_name_that_was_told_last(snapshot: Snapshot) -> None:
    snapshot.add_learners([(1, "before")])
    snapshot.add_learners([(1, "after")])
    assert snapshot.usernames([1, 2]) == {1: "after"}


def test_two_learners_of_one_name_are_noticed(snapshot: Snapshot) -> None:
    snapshot.add_learners([(1, "kate"), (2, "jo")])
    assert not snapshot.username_of_two()
    snapshot.add_learners([(2, "kate")])
    assert snapshot.username_of_two()


def test_who_is_missing_on_either_side_is_found(snapshot: Snapshot) -> None:
    add(snapshot, 1, "1/2", "0.5")
    add(snapshot, 2, "1/2")
    add(snapshot, 3, completion="0.5")
    snapshot.add_enrolled([("nobody", "0.5", None)], 1)
    assert list(snapshot.grades_without_enrolment()) == [(2, "learner_2")]
    assert list(snapshot.enrolled_without_grades()) == [(3, "learner_3")]
    assert list(snapshot.usernames_without_id()) == ["nobody"]


def test_many_are_looked_up_in_several_steps(snapshot: Snapshot) -> None:
    snapshot.add_learners([(user_id, f"learner_{user_id}") for user_id in range(1, 1201)])
    snapshot.add_enrolled([(f"learner_{user_id}", "0", None) for user_id in range(1, 1201)], 1)
    assert len(snapshot.usernames(range(1, 1201))) == 1200
    assert len(list(snapshot.enrolled_without_grades())) == 1200


def test_who_was_not_seen_in_the_last_walk_is_known(snapshot: Snapshot) -> None:
    snapshot.add_enrolled([("jo", "0", None), ("kate", "0", None)], 1)
    snapshot.add_enrolled([("kate", "0.5", None)], 2)
    assert snapshot.not_seen_in(2) == ["jo"]
    assert (snapshot.count_enrolled(), snapshot.count_seen_in(2)) == (2, 1)


def test_completion_of_lessons_is_kept_by_number() -> None:
    written = lessons_text([(1, "0.5"), (11, "1"), (2, "0.25")])
    assert [lesson_completed(written, each) for each in (1, 11, 2, 3)] == ["0.5", "1", "0.25", "0"]
    assert lesson_completed(None, 1) == "0"
    assert lesson_completed(written, None) == "0"
    assert lessons_text([]) is None


def test_pathway_learners_have_the_courses_that_they_are_enrolled_in(tmp_path: Path) -> None:
    first = Snapshot(tmp_path / "first.sqlite", "course-v1:A+B+C", READ_AT)
    second = Snapshot(tmp_path / "second.sqlite", "course-v1:D+E+F", EARLIER)
    add(first, 1, "1/2", "0.5")
    add(first, 2, "2/2", "1")
    add(second, 2, "0/2", "0")
    add(second, 9, "2/2", "1")
    second.leave_out(2, "no grades")
    with (
        closing(CourseReader(first, Needs())) as of_first,
        closing(CourseReader(second, Needs())) as of_second,
    ):
        pages = list(pathway_pages([1, 2, 3], [of_first, of_second], READ_AT, 2))
    one, two, three = (record for page in pages for record in page)
    assert [len(page) for page in pages] == [2, 1]
    assert list(one.steps) == ["course-v1:A+B+C"]
    assert (one.left_out, one.retrieved_at) == (None, EARLIER)
    assert two.left_out == "course-v1:D+E+F: no grades"
    assert three.steps == {}
    first.delete()
    second.delete()
