"""The sample institution's courses, lesson and pathway, and what learners did in them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """A kind of graded work: so many pieces, each worth so many points, with its weight."""

    category: str
    weight: str
    pieces: int
    possible: int


@dataclass(frozen=True)
class Course:
    """A course run.

    Args:
        key: Its key.
        name: Display name.
        certificate_name: Name for certificates, or "" for the display name.
        start: When it starts, ISO 8601 with offset.
        end: When it ends, or "" where everybody goes at their own pace.
        units: How many units there are to complete; 1/units is the step of a completion.
        parts: Its graded work.
    """

    key: str
    name: str
    certificate_name: str
    start: str
    end: str
    units: int
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Graded:
    """The points of one learner for one piece of work."""

    category: str
    piece: str
    earned: str
    possible: str


@dataclass(frozen=True)
class Work:
    """What one learner did in one course, lesson or pathway.

    Args:
        completion: Completed fraction as written in the table; None: no row.
        graded: Points, one row each.
        enrolled: Whether the enrolment is active.
    """

    completion: str | None = None
    graded: tuple[Graded, ...] = ()
    enrolled: bool = True


RESEARCH_DATA = Course(
    key="course-v1:ExampleU+DATA201+2026",
    name="Research Data Management",
    certificate_name="Research Data Management:\nFrom Plan to Archive",
    start="2026-02-02T08:00:00+01:00",
    end="2026-06-12T20:00:00+02:00",
    units=40,
)
STATISTICS = Course(
    key="course-v1:ExampleU+STAT101+2026",
    name="Introduction to Statistics",
    certificate_name="",
    start="2026-02-02T08:00:00+01:00",
    end="2026-06-12T20:00:00+02:00",
    units=32,
    parts=(Part("Homework", "0.35", 4, 10), Part("Exam", "0.65", 1, 100)),
)
PYTHON = Course(
    key="course-v1:ExampleU+PY101+2026",
    name="PY101: Python",
    certificate_name="Programming in Python for the Sciences",
    start="2026-01-12T08:00:00+01:00",
    end="",
    units=50,
    parts=(Part("Quiz", "0.3", 3, 20), Part("Project", "0.7", 2, 50)),
)
COURSES = (RESEARCH_DATA, STATISTICS, PYTHON)

LESSON = "block-v1:ExampleU+DATA201+2026+type@sequential+block@research-integrity"
LESSON_NAME = "Lesson 3: Research integrity"
LESSON_CERTIFICATE_NAME = "Research Integrity"
LESSON_UNITS = 8

PATHWAY = "path-v1:ExampleU+DATASCI+2026+A"
PATHWAY_NAME = "Data science pathway, group A"
PATHWAY_CERTIFICATE_NAME = "Foundations of Data Science"


def graded(course: Course, **earned: tuple[str, ...]) -> tuple[Graded, ...]:
    """Return the rows for points earned, by category.

    Args:
        course: Where the work belongs.
        earned: For each category, in any case, the points for its pieces in order.
    """
    parts = {part.category.casefold(): part for part in course.parts}
    return tuple(
        Graded(
            category,
            f"{category.casefold()}-{number}",
            points,
            str(parts[category.casefold()].possible),
        )
        for category, pieces in earned.items()
        for number, points in enumerate(pieces, start=1)
    )
