"""Writes the sample tables: ``python -m examples.demo_sources.make_data``.

The same seed gives the same bytes.
"""

import csv
import io
import json
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from examples.demo_sources.courses import (
    COURSES,
    LESSON,
    LESSON_CERTIFICATE_NAME,
    LESSON_NAME,
    LESSON_UNITS,
    PATHWAY,
    PATHWAY_CERTIFICATE_NAME,
    PATHWAY_NAME,
    RESEARCH_DATA,
    Course,
    Graded,
    Work,
)
from examples.demo_sources.expected_numbers import expected_numbers
from examples.demo_sources.names import LANGUAGES, Dice, Language, full_name
from examples.demo_sources.special_cases import SPECIAL_CASES, SpecialCase

FOLDER = Path(__file__).parents[1] / "demo"
SEED = 20260612
LEARNERS = 1200
FIRST_NUMBER = 1000001
NUMBERED_CASES = dict(enumerate(SPECIAL_CASES, start=FIRST_NUMBER))

Item = TypeVar("Item")

#: How likely it is that an ordinary learner …
HAS_INACTIVE_ACCOUNT = 0.03
HAS_NO_EMAIL = 0.01
IS_IN_PATHWAY = 0.16
TAKES_SECOND_COURSE = 0.3
TAKES_LESSON = 0.45
HAS_LEFT = 0.04
HAS_NO_COMPLETION = 0.015
LEFT_OUT_A_PIECE = 0.04


@dataclass(frozen=True)
class Learner:
    """One row of the learners, and what the learner did by context key."""

    learner_id: str
    full_name: str
    email: str
    language: str
    active: bool
    work: Mapping[str, Work]


def sample_learners() -> list[Learner]:
    """Return the learners: first the special cases, then ordinary ones in a mixed order."""
    dice = random.Random(SEED).random  # the one method whose numbers no Python version changes
    languages = shuffled([language for language in LANGUAGES for _ in range(language.share)], dice)
    special = [special_learner(number, case) for number, case in NUMBERED_CASES.items()]
    first = FIRST_NUMBER + len(special)
    numbers = range(first, FIRST_NUMBER + LEARNERS)
    return special + [
        ordinary_learner(number, language, dice)
        for number, language in zip(numbers, languages, strict=False)
    ]


def special_learner(number: int, case: SpecialCase) -> Learner:
    """Return a special case as a learner."""
    return Learner(
        learner_id=learner_id(number),
        full_name=case.full_name,
        email=email(number) if case.has_email else "",
        language=case.language,
        active=case.active,
        work=case.work,
    )


def ordinary_learner(number: int, language: Language, dice: Dice) -> Learner:
    """Return a learner with a name in this language and results as they come."""
    return Learner(
        learner_id=learner_id(number),
        full_name=full_name(language, dice),
        email=email(number) if dice() >= HAS_NO_EMAIL else "",
        language=language.tag,
        active=dice() >= HAS_INACTIVE_ACCOUNT,
        work=ordinary_work(dice),
    )


def learner_id(number: int) -> str:
    """Return the opaque id of a learner."""
    return f"u{number}"


def email(number: int) -> str:
    """Return the address of a learner, in a domain that is for examples only."""
    return f"{learner_id(number)}@learners.example.org"


def shuffled(items: Sequence[Item], dice: Dice) -> list[Item]:
    """Return the items in another order."""
    return sorted(items, key=lambda _: dice())


def ordinary_work(dice: Dice) -> dict[str, Work]:
    """Return what an ordinary learner did; who does well in one course tends to in all."""
    drive = dice()
    in_pathway = dice() < IS_IN_PATHWAY
    courses: Sequence[Course] = COURSES
    if not in_pathway:
        count = 2 if dice() < TAKES_SECOND_COURSE else 1
        chosen = shuffled(COURSES, dice)[:count]
        courses = [course for course in COURSES if course in chosen]
    work = {
        course.key: Work(
            completion=completion(course.units, drive, dice),
            graded=tuple(points(course, drive, dice)),
            enrolled=dice() >= HAS_LEFT,
        )
        for course in courses
    }
    if RESEARCH_DATA in courses and dice() < TAKES_LESSON:
        work[LESSON] = Work(completion(LESSON_UNITS, drive, dice))
    if in_pathway:
        work[PATHWAY] = Work(enrolled=dice() >= HAS_LEFT)
    return work


def completion(units: int, drive: float, dice: Dice) -> str | None:
    """Return the completed fraction: nearly all or all by those who stayed, anything by others."""
    if dice() < HAS_NO_COMPLETION:
        return None
    stayed = dice() < 0.56 + 0.4 * drive
    left_out = dice() * (0.15 if stayed else 1)
    return f"{(units - int(left_out * units)) / units:g}"


def points(course: Course, drive: float, dice: Dice) -> Iterator[Graded]:
    """Yield the points for each piece of work, in halves."""
    for part in course.parts:
        for number in range(1, part.pieces + 1):
            share = min(1.0, max(0.0, 0.5 + 0.45 * drive + 0.4 * (dice() - 0.5)))
            earned = 0.0 if dice() < LEFT_OUT_A_PIECE else round(share * part.possible * 2) / 2
            piece = f"{part.category.casefold()}-{number}"
            yield Graded(part.category, piece, f"{earned:g}", str(part.possible))


def tables(learners: Sequence[Learner]) -> dict[str, list[Sequence[str]]]:
    """Return each table's rows, the header first."""
    work = [
        (learner.learner_id, key, work)
        for learner in learners
        for key, work in learner.work.items()
    ]
    return {
        "courses": [
            ("course_key", "name", "certificate_name", "start", "end"),
            *((c.key, c.name, c.certificate_name, c.start, c.end) for c in COURSES),
        ],
        "lessons": [
            ("lesson_key", "name", "certificate_name"),
            (LESSON, LESSON_NAME, LESSON_CERTIFICATE_NAME),
        ],
        "pathways": [
            ("pathway_key", "name", "certificate_name"),
            (PATHWAY, PATHWAY_NAME, PATHWAY_CERTIFICATE_NAME),
        ],
        "pathway_steps": [
            ("pathway_key", "position", "course_key"),
            *((PATHWAY, str(n), course.key) for n, course in enumerate(COURSES, start=1)),
        ],
        "grading_policy": [
            ("course_key", "category", "weight"),
            *((c.key, part.category, part.weight) for c in COURSES for part in c.parts),
        ],
        "learners": [
            ("learner_id", "full_name", "email", "language", "active"),
            *(
                (one.learner_id, one.full_name, one.email, one.language, flag(one.active))
                for one in learners
            ),
        ],
        "enrolments": [
            ("learner_id", "context_key", "active"),
            *(
                (learner_id, key, flag(done.enrolled))
                for learner_id, key, done in work
                if key != LESSON  # whoever is enrolled in the course is in its lessons
            ),
        ],
        "grades": [
            ("learner_id", "course_key", "category", "subsection_id", "earned", "possible"),
            *(
                (learner_id, key, row.category, row.piece, row.earned, row.possible)
                for learner_id, key, done in work
                for row in done.graded
            ),
        ],
        "completions": [
            ("learner_id", "context_key", "completion"),
            *(
                (learner_id, key, done.completion)
                for learner_id, key, done in work
                if done.completion is not None
            ),
        ],
    }


def flag(value: bool) -> str:
    """Return how a table writes yes and no."""
    return "true" if value else "false"


def csv_text(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as CSV (RFC 4180, but with plain line feeds)."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def write(folder: Path) -> None:
    """Write the tables into ``folder/data`` and what is to come of them into ``expected.json``.

    Args:
        folder: Where to write; the types and configurations are read from beside this module.
    """
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    for name, rows in tables(sample_learners()).items():
        (data / f"{name}.csv").write_text(csv_text(rows), encoding="utf-8", newline="")
    refused = {learner_id(n): case.refused for n, case in NUMBERED_CASES.items() if case.refused}
    expected = {
        "seed": SEED,
        "configurations": expected_numbers(data, FOLDER, refused),
        "special_cases": {learner_id(n): case.what for n, case in NUMBERED_CASES.items()},
    }
    (folder / "expected.json").write_text(
        json.dumps(expected, ensure_ascii=False, indent=2) + "\n", encoding="utf-8", newline=""
    )


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
