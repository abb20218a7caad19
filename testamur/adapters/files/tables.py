"""The schema: which tables a folder has, their columns, and what each value may be.

`docs/reference/data-files.md` describes it for people; a test keeps the two the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from testamur.adapters.files.values import (
    Amount,
    Category,
    CategoryKey,
    ContextKey,
    Email,
    Kind,
    Language,
    LearnerIdentity,
    Moment,
    Position,
    Stored,
    Text,
    Truth,
    Work,
)

#: A column or file whose name begins so is somebody else's, and is not looked at.
FOREIGN: Final = "x_"

Raw = Mapping[str, Sequence[str]]
"""Values of a batch of rows by column, as the file has them."""


@dataclass(frozen=True)
class Column:
    """A column.

    Args:
        name: Its name.
        kind: What its values may be.
        optional: Whether the column may be left out and its values be empty.
        default: What is stored for an empty value.
    """

    name: str
    kind: Kind
    optional: bool = False
    default: Stored = None


@dataclass(frozen=True)
class Derived:
    """A column that the index has and the file has not.

    Args:
        column: The column.
        work_out: Returns its values for a batch of rows.
    """

    column: Column
    work_out: Callable[[Raw], Sequence[str]]


@dataclass(frozen=True)
class Key:
    """Columns of the index that together name a row.

    Args:
        columns: The columns.
        of: The columns of the file that they stand for, as a phrase.
    """

    columns: tuple[str, ...]
    of: str


@dataclass(frozen=True)
class Table:
    """A table: one file of the folder.

    Args:
        name: Its name; the file is ``NAME.csv``, ``NAME.json`` or ``NAME.jsonl``.
        columns: Columns of the file.
        keys: What may stand in it only once.
        required: Whether the file must be there.
        derived: Further columns of the index.
        unstored: Columns of the file that the index does without.
        coded: Columns of few different values, which the index keeps as numbers.
        covered: Columns that are read together with the first key.
    """

    name: str
    columns: tuple[Column, ...]
    keys: tuple[Key, ...]
    required: bool = False
    derived: tuple[Derived, ...] = ()
    unstored: frozenset[str] = frozenset()
    coded: frozenset[str] = frozenset()
    covered: tuple[str, ...] = ()

    @property
    def stored(self) -> tuple[str, ...]:
        """Names of the columns of the index."""
        own = tuple(column.name for column in self.columns if column.name not in self.unstored)
        return own + tuple(derived.column.name for derived in self.derived)

    def unknown_column(self, name: str) -> str | None:
        """Return what is wrong with a column's name, or None if it is known or foreign."""
        known = [column.name for column in self.columns]
        if name in known or name.startswith(FOREIGN):
            return None
        return f"there is no column {name!r}{suggestion(name, known)}"

    @property
    def allowed_columns(self) -> str:
        """What columns are allowed, as a phrase."""
        names = ", ".join(column.name for column in self.columns)
        return f"{names}; others only if their name begins with {FOREIGN}"


def suggestion(name: str, known: Sequence[str]) -> str:
    """Return a phrase that names the nearest of some names, or nothing."""
    near = get_close_matches(name.strip().lower(), known, n=1, cutoff=0.7)
    return f" (did you mean {near[0]}?)" if near else ""


_COURSE = ContextKey(("course",))
_COURSE_KEY = Column("course_key", _COURSE)
_LEARNER_ID = Column("learner_id", LearnerIdentity())
_ACTIVE = Column("active", Truth(), optional=True, default=1)
_NAMES = (
    Column("name", Text(lines=True), optional=True),
    Column("certificate_name", Text(lines=True), optional=True),
)
_CATEGORY = Column("category", Category())
_POINTS = Amount(None, "7.5")
_ACHIEVED_AT = Column("achieved_at", Moment(), optional=True)

COURSES: Final = Table(
    "courses",
    (
        _COURSE_KEY,
        *_NAMES,
        Column("start", Moment(), optional=True),
        Column("end", Moment(), optional=True),
    ),
    (Key(("course_key",), "course_key"),),
    required=True,
)
LESSONS: Final = Table(
    "lessons",
    (Column("lesson_key", ContextKey(("lesson",))), *_NAMES),
    (Key(("lesson_key",), "lesson_key"),),
)
PATHWAYS: Final = Table(
    "pathways",
    (Column("pathway_key", ContextKey(("pathway",))), *_NAMES),
    (Key(("pathway_key",), "pathway_key"),),
)
PATHWAY_STEPS: Final = Table(
    "pathway_steps",
    (
        Column("pathway_key", ContextKey(("pathway",))),
        Column("position", Position()),
        _COURSE_KEY,
    ),
    (
        Key(("pathway_key", "position"), "pathway_key and position"),
        Key(("pathway_key", "course_key"), "pathway_key and course_key"),
    ),
)
GRADING_POLICY: Final = Table(
    "grading_policy",
    (_COURSE_KEY, _CATEGORY, Column("weight", Amount(1, "0.25"))),
    (Key(("course_key", "category_key"), "course_key and category"),),
    derived=(Derived(Column("category_key", CategoryKey()), lambda raw: raw["category"]),),
)
LEARNERS: Final = Table(
    "learners",
    (
        _LEARNER_ID,
        Column("full_name", Text(personal=True), optional=True, default=""),
        Column("email", Email(), optional=True),
        Column("language", Language(), optional=True),
        _ACTIVE,
    ),
    (Key(("learner_id",), "learner_id"),),
    required=True,
)
ENROLMENTS: Final = Table(
    "enrolments",
    (_LEARNER_ID, Column("context_key", ContextKey(("course", "pathway"))), _ACTIVE),
    (Key(("context_key", "learner_id"), "learner_id and context_key"),),
    required=True,
    coded=frozenset({"context_key"}),
    covered=("active",),
)
GRADES: Final = Table(
    "grades",
    (
        _LEARNER_ID,
        _COURSE_KEY,
        _CATEGORY,
        Column("subsection_id", Text(), optional=True),
        Column(
            "earned", Amount(None, "7.5", "; 0 where it was not attempted; may exceed possible")
        ),
        Column("possible", _POINTS),
        _ACHIEVED_AT,
    ),
    (
        Key(
            ("course_key", "learner_id", "work"),
            "learner_id, course_key and subsection_id (or category, where subsection_id is empty)",
        ),
    ),
    derived=(
        Derived(
            Column("work", Work()),
            lambda raw: Work.of(raw["subsection_id"], raw["category"]),
        ),
    ),
    unstored=frozenset({"subsection_id"}),
    coded=frozenset({"course_key", "category", "work"}),
    covered=("category", "earned", "possible", "achieved_at"),
)
COMPLETIONS: Final = Table(
    "completions",
    (
        _LEARNER_ID,
        Column("context_key", ContextKey(("course", "lesson"))),
        Column("completion", Amount(1, "0.85")),
        _ACHIEVED_AT,
    ),
    (Key(("context_key", "learner_id"), "learner_id and context_key"),),
    coded=frozenset({"context_key"}),
    covered=("completion", "achieved_at"),
)

TABLES: Final = {
    table.name: table
    for table in (
        COURSES,
        LESSONS,
        PATHWAYS,
        PATHWAY_STEPS,
        GRADING_POLICY,
        LEARNERS,
        ENROLMENTS,
        GRADES,
        COMPLETIONS,
    )
}
