"""Keys of learning contexts: what is read, what is written, and what is refused."""

import pytest
from hypothesis import given

from testamur.domain.contexts import (
    LONGEST_KEY,
    CourseKey,
    LearningContextKey,
    LessonKey,
    OpaqueKey,
    PathwayKey,
    parse_context_key,
)
from testamur.domain.errors import InvalidInput
from tests.support.domain_strategies import (
    OPAQUE_KINDS,
    context_keys,
    course_keys,
    lesson_keys,
    tries,
)

COURSE = CourseKey("Uni", "Maths", "2026")
CCX = CourseKey("Uni", "Maths", "2026", ccx=3)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("course-v1:Uni+Maths+2026", COURSE),
        ("ccx-v1:Uni+Maths+2026+ccx@3", CCX),
        ("block-v1:Uni+Maths+2026+type@sequential+block@a1", LessonKey(COURSE, "a1")),
        ("ccx-block-v1:Uni+Maths+2026+ccx@3+type@sequential+block@a1", LessonKey(CCX, "a1")),
        ("path-v1:Uni+Science+2026+A", PathwayKey("Uni", "Science", "2026", "A")),
        (
            "course-v1:Uczelnia_Łódź+Kurs-1.0~β+2026_小学",
            CourseKey("Uczelnia_Łódź", "Kurs-1.0~β", "2026_小学"),
        ),
        ("course-v1:Uni:A+M%20+1", CourseKey("Uni:A", "M%20", "1")),
    ],
)
def test_a_key_is_read_as_what_it_names(text: str, key: LearningContextKey) -> None:
    assert parse_context_key(text) == key


@tries(80)
@given(key=context_keys)
def test_every_key_reads_back_as_it_was_written(key: LearningContextKey) -> None:
    assert parse_context_key(str(key), OPAQUE_KINDS) == key


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (COURSE, "course"),
        (CCX, "course"),
        (LessonKey(COURSE, "a1"), "lesson"),
        (PathwayKey("Uni", "Science", "2026", "A"), "pathway"),
    ],
)
def test_a_key_knows_its_kind(key: LearningContextKey, kind: str) -> None:
    assert key.kind == kind


@tries(30)
@given(lesson=lesson_keys)
def test_a_lesson_is_of_the_course_in_its_key(lesson: LessonKey) -> None:
    read = parse_context_key(str(lesson))

    assert isinstance(read, LessonKey)
    assert parse_context_key(str(read.course)) == lesson.course


@tries(30)
@given(one=course_keys, other=course_keys)
def test_different_courses_have_different_keys(one: CourseKey, other: CourseKey) -> None:
    assert (str(one) == str(other)) == (one == other)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "course-v1",
        "course-v1:",
        "course-v1:Uni+Maths",
        "course-v1:Uni+Maths+2026+more",
        "course-v1:Uni++2026",
        "course-v1:Uni+Maths+20 26",
        "course-v1:Uni/Maths/2026",
        "Course-v1:Uni+Maths+2026",
        " course-v1:Uni+Maths+2026",
        "course-v1:Uni+Maths+2026 ",
        "course-v1:Uni+Maths+2026\n",
        "course-v1:Uni\n+Maths+2026",
        "course-v1:Uni+Maths+2026\x00",
        "Uni/Maths/2026",
        "ccx-v1:Uni+Maths+2026",
        "ccx-v1:Uni+Maths+2026+ccx@",
        "ccx-v1:Uni+Maths+2026+ccx@-3",
        "ccx-v1:Uni+Maths+2026+ccx@3\n",
        "ccx-v1:Uni+Maths+2026+ccx@x",
        "block-v1:Uni+Maths+2026+type@sequential+block@",
        "block-v1:Uni+Maths+2026+type@sequential+block@a1\n",
        "block-v1:Uni+Maths+2026+type@vertical+block@a1",
        "block-v1:Uni+Maths+2026+ccx@3+type@sequential+block@a1",
        "ccx-block-v1:Uni+Maths+2026+type@sequential+block@a1",
        "path-v1:Uni+Science+2026",
        "path-v1:Uni+Science+2026+A\n",
        "moodle-course:42",
    ],
)
def test_what_is_not_a_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_context_key(text)

    assert refused.value.value == text


@pytest.mark.parametrize("number", ["03", "+3", "³", "٣", "1_0"])
def test_a_custom_course_has_one_spelling_only(number: str) -> None:
    with pytest.raises(InvalidInput):
        parse_context_key(f"ccx-v1:Uni+Maths+2026+ccx@{number}")


def test_a_key_has_255_characters_at_most() -> None:
    longest = "course-v1:Uni+Maths+".ljust(LONGEST_KEY, "x")

    assert str(parse_context_key(longest)) == longest
    with pytest.raises(InvalidInput, match="at most 255 characters"):
        parse_context_key(longest + "x")
    with pytest.raises(InvalidInput, match="at most 255 characters"):
        parse_context_key("moodle-course:".ljust(LONGEST_KEY + 1, "4"), OPAQUE_KINDS)


def test_a_refusal_names_the_field_the_value_and_what_is_allowed() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_context_key("Maths 101\n", OPAQUE_KINDS, field="configuration.context")

    assert str(refused.value) == (
        "configuration.context: 'Maths 101\\n' is not allowed; allowed: "
        "course-v1:ORG+COURSE+RUN, ccx-v1:ORG+COURSE+RUN+ccx@N, "
        "block-v1:ORG+COURSE+RUN+type@sequential+block@ID, path-v1:ORG+NUMBER+RUN+GROUP, "
        "canvas:…, moodle-course:… (at most 255 characters)"
    )


def test_a_scheme_of_a_plugin_is_an_opaque_key_of_its_kind() -> None:
    key = parse_context_key("moodle-course:42 / Advanced", {"moodle-course": "course"})

    assert key == OpaqueKey("course", "moodle-course:42 / Advanced")
    assert key.kind == "course"


@pytest.mark.parametrize("rest", ["", " 42", "42 ", "42\n", "4\n2", "4\x1f2", "4\ud8002"])
def test_an_opaque_key_is_printable_text_without_space_at_its_ends(rest: str) -> None:
    with pytest.raises(InvalidInput):
        parse_context_key(f"moodle-course:{rest}", OPAQUE_KINDS)


def test_a_plugin_cannot_take_over_a_scheme_of_open_edx() -> None:
    kinds = {"course-v1": "anything"}

    assert parse_context_key("course-v1:Uni+Maths+2026", kinds) == COURSE
    with pytest.raises(InvalidInput):
        parse_context_key("course-v1:anything goes", kinds)
