"""The courses of a generated population: between them they have every oddity of a policy."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from examples.stand_in_lms.catalogue import AssignmentType, Course, Subsection

DOTTED_PATHWAY = "path-v1:Example+Path1.5+2026+dotted"
CCX_NUMBER = 3

_POINTS = (10, 7, 3, 20, 5, 8, 12, 30)
_UNITS = (4, 3, 5, 4, 2, 6, 4, 4)
_CATEGORIES = ("Homework", "Homework", "Lab", "Homework", "Lab", "Quiz", "Quiz", "Final Exam")

_NAMES = (
    "Reading Sea Charts",
    "Bookbinding & <Letterpress>",
    "Observing the Night Sky\nPart 2: Autumn",
)


def generated_courses(count: int, graded: int, varying_points: bool) -> tuple[Course, ...]:
    """Make courses, and after them a custom course (CCX) of the first.

    Args:
        count: How many.
        graded: Graded subsections of each.
        varying_points: Whether the second subsection of the first is worth more to some learners.
    """
    courses = [_course(number, graded) for number in range(count)]
    if varying_points and courses and graded > 1:
        courses[0] = _with_varying_points(courses[0])
    return (*courses, *(_custom_course(course) for course in courses[:1]))


def _course(number: int, graded: int) -> Course:
    run = f"Example+T{number + 1:02}+2026"
    key = f"course-v1:{run}"
    usage = f"block-v1:{run}+type@sequential+block@"
    variant = number % len(_NAMES)
    subsections = [
        Subsection(
            block_key=f"{usage}graded{place + 1:02}",
            name=f"{_CATEGORIES[place % 8]} <{place + 1}>",
            category=_CATEGORIES[place % 8],
            possible=Decimal(_POINTS[place % 8]),
            blocks=_UNITS[place % 8],
        )
        for place in range(graded)
    ]
    if variant == 1:
        _change(subsections, 4, possible=Decimal(0))
        _change(subsections, 5, hidden_from_progress=True)
        # A third of a point: as a float it is never exact.
        _change(subsections, 6, smallest_part=Decimal(1) / 3)
    if variant == 2:
        _change(subsections, 5, category="Practice")
        _change(subsections, 7, attempted_by_nobody=True)
    graded_units = sum(each.blocks for each in subsections)
    subsections.insert(0, Subsection(f"{usage}welcome", "Welcome", blocks=2))
    # So many that nine tenths of all is a whole number.
    subsections.append(
        Subsection(f"{usage}farewell", "Farewell", blocks=(8 - graded_units) % 10 or 10)
    )
    subsections.append(Subsection(f"{usage}empty", "Nothing in it", blocks=0))
    repeated = number // len(_NAMES)
    return Course(
        key=key,
        name=_NAMES[variant] + (f" {repeated + 1}" if repeated else ""),
        start=datetime(2026, 2, 1 + number % 28, 8, tzinfo=UTC),
        end=None if variant == 2 else datetime(2026, 6, 30, 22, 30, tzinfo=UTC),
        policy=_policy(variant),
        subsections=tuple(subsections),
        hidden=variant == 1,
    )


def _policy(variant: int) -> tuple[AssignmentType, ...]:
    weights = ("0.3 0.2 0.1 0.4", "0.35 0.25 0.1 0.4", "0.5 0 0 0.3")[variant]
    homework, lab, quiz, exam = map(Decimal, weights.split())
    return (
        AssignmentType("Homework", 3, 1, homework, "HW"),
        AssignmentType("Lab", 2, 0, lab, "Lab"),
        AssignmentType("Quiz", 2, 0 if variant else 1, quiz, "Quiz"),
        AssignmentType("Final Exam", 1, 0, exam, "Exam"),
    )


def _custom_course(course: Course) -> Course:
    run = course.key.removeprefix("course-v1:")
    custom = f"{run}+ccx@{CCX_NUMBER}"
    return replace(
        course,
        key=f"ccx-v1:{custom}",
        name=f"{course.name} (evening group)",
        start=datetime(2026, 3, 1, 18, tzinfo=UTC),
        end=datetime(2026, 7, 31, 20, tzinfo=UTC),
        subsections=tuple(
            replace(
                each,
                block_key=each.block_key.replace(f"block-v1:{run}", f"ccx-block-v1:{custom}"),
                possible_by_learner=None,
            )
            for each in course.subsections
        ),
        policy=(*course.policy, AssignmentType("Extra", None, None, None)),
    )


def _with_varying_points(course: Course) -> Course:
    place = course.subsections.index(course.graded[1])
    changed = list(course.subsections)
    _change(changed, place, possible_by_learner=lambda user_id: Decimal(7 if user_id % 3 else 9))
    return replace(course, subsections=tuple(changed))


def _change(subsections: list[Subsection], place: int, **changes: object) -> None:
    """Replace fields of a subsection, where the course has so many."""
    if place < len(subsections):
        subsections[place] = replace(subsections[place], **changes)  # type: ignore[arg-type]
