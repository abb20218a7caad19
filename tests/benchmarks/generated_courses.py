"""Data files of courses of any size, all of whose learners have completed them, and a type."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from testamur import Issuer, Testamur, TypeDefinition

TEMPLATE: Final = Path(__file__).parents[2] / "examples" / "demo" / "templates" / "completion.pdf"
TYPE: Final = "completion"

#: Every third name is written in a script that has to be shaped, as in a course for the world.
_NAMES: Final = ("Zoë Żółć {0}", "Ann Example {0}", "محمد عبد الله {0}")


def course_key(name: str) -> str:
    """Return the key of a course."""
    return f"course-v1:Bench+{name}+2026"


def write_courses(folder: Path, sizes: Mapping[str, int], *, shaped: bool = True) -> Path:
    """Write data files of courses, each with learners of its own, and return their folder.

    Args:
        folder: Is made.
        sizes: How many learners, by the course's name.
        shaped: Whether every third name is Arabic; else all are Latin.
    """
    folder.mkdir(parents=True)
    names = _NAMES if shaped else _NAMES[:2]
    with (
        (folder / "courses.csv").open("w", encoding="utf-8") as courses,
        (folder / "learners.csv").open("w", encoding="utf-8") as learners,
        (folder / "enrolments.csv").open("w", encoding="utf-8") as enrolments,
        (folder / "completions.csv").open("w", encoding="utf-8") as completions,
    ):
        courses.write("course_key,name\n")
        learners.write("learner_id,full_name,email\n")
        enrolments.write("learner_id,context_key\n")
        completions.write("learner_id,context_key,completion\n")
        for course, size in sizes.items():
            key = course_key(course)
            courses.write(f"{key},Introduction to {course}\n")
            for number in range(size):
                learner = f"{course.lower()}-{number:07}"
                name = names[number % len(names)].format(number)
                learners.write(f'{learner},"{name}",{learner}@example.org\n')
                enrolments.write(f"{learner},{key}\n")
                completions.write(f"{learner},{key},1\n")
    return folder


def define_type(testamur: Testamur) -> None:
    """Add the designed A4 template of the demonstration, and define a type that draws over it."""
    testamur.add_asset("template", TEMPLATE)
    testamur.define_type(
        TYPE,
        TypeDefinition(
            name="Certificate of Completion",
            issuer=Issuer(name="Example University"),
            criteria="completion",
            renderer="pdf",
            options={"rendering": {"template": "template"}},
        ),
    )
