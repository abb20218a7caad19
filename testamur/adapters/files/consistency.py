"""What holds between rows: everything that is named is there, and no grade is counted twice."""

# ruff: noqa: S608 - a name in a query is one of the schema's own, and values are bound

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Final

from testamur.adapters.files.columns import MOST_WORDS
from testamur.adapters.files.errors import DataFileError, Problems, UnknownReference
from testamur.adapters.files.table_index import TableIndex, Words
from testamur.adapters.files.tables import (
    COMPLETIONS,
    COURSES,
    ENROLMENTS,
    GRADES,
    GRADING_POLICY,
    LEARNERS,
    LESSONS,
    PATHWAY_STEPS,
    PATHWAYS,
    Table,
)
from testamur.adapters.files.values import Work
from testamur.domain.contexts import LessonKey, parse_context_key
from testamur.domain.criteria import category_key


@dataclass(frozen=True, slots=True)
class Reference:
    """A column whose values name rows of other tables.

    Args:
        table: The table of the column.
        column: The column.
        to: The tables that hold what it names; a lesson stands for its course.
    """

    table: Table
    column: str
    to: tuple[Table, ...]


REFERENCES: Final = (
    Reference(LESSONS, "lesson_key", (COURSES,)),
    Reference(PATHWAY_STEPS, "pathway_key", (PATHWAYS,)),
    Reference(PATHWAY_STEPS, "course_key", (COURSES,)),
    Reference(GRADING_POLICY, "course_key", (COURSES,)),
    Reference(ENROLMENTS, "learner_id", (LEARNERS,)),
    Reference(ENROLMENTS, "context_key", (COURSES, PATHWAYS)),
    Reference(GRADES, "learner_id", (LEARNERS,)),
    Reference(GRADES, "course_key", (COURSES,)),
    Reference(COMPLETIONS, "learner_id", (LEARNERS,)),
    Reference(COMPLETIONS, "context_key", (COURSES,)),
)


@dataclass(frozen=True, slots=True)
class _Unknown:
    value: str
    line: int
    record: int


def check_reference(
    reference: Reference, indexes: Mapping[str, TableIndex], problems: Problems
) -> None:
    """Check that everything a column names is there.

    Args:
        reference: The column.
        indexes: The tables by name, at least those of the reference.
        problems: Takes what is not there: each learner and each context once.
    """
    index = indexes[reference.table.name]
    targets = [indexes[table.name] for table in reference.to]
    with closing(index.connect()) as connection:
        if reference.to == (LEARNERS,):
            unknown = _unknown_learners(connection, indexes[LEARNERS.name], problems.wanted)
        else:
            unknown = _unknown_contexts(connection, reference, targets)
        for each in unknown:
            problems.add(_not_there(reference, index, each))


def _unknown_learners(
    connection: sqlite3.Connection, learners: TableIndex, limit: int
) -> list[_Unknown]:
    connection.execute("ATTACH ? AS learners", (learners.uri,))
    # The first key of every table with learners is a context and the learner: within a context
    # its rows come in the order of the learners' own index.
    rows = connection.execute(
        "SELECT learner_id, line, min(rowid) FROM main.rows AS named INDEXED BY key_0"
        " WHERE learner_id IS NOT NULL AND NOT EXISTS"
        " (SELECT 1 FROM learners.rows AS known WHERE known.learner_id = named.learner_id)"
        " GROUP BY learner_id ORDER BY min(rowid) LIMIT ?",
        (limit,),
    )
    return [_Unknown(*row) for row in rows]


def _unknown_contexts(
    connection: sqlite3.Connection, reference: Reference, targets: list[TableIndex]
) -> list[_Unknown]:
    words = Words(connection, reference.column)
    coded = reference.column in reference.table.coded
    stored = (_few if coded else _many)(connection, reference.column)
    unknown = []
    with ExitStack() as opened:
        known = [
            (target.table.keys[0].columns[0], opened.enter_context(closing(target.connect())))
            for target in targets
        ]
        for value in stored:
            key = words.word(value)
            if not any(_has(target, name, _course_or_self(key)) for name, target in known):
                line, record = connection.execute(
                    f"SELECT line, rowid FROM rows WHERE {reference.column} = ?"
                    " ORDER BY rowid LIMIT 1",
                    (value,),
                ).fetchone()
                unknown.append(_Unknown(key, line, record))
    return sorted(unknown, key=lambda each: each.record)


def _few(connection: sqlite3.Connection, column: str) -> Iterator[str | int]:
    """Yield the values of a column that few different ones repeat in, skipping along its index."""
    value = connection.execute(f"SELECT min({column}) FROM rows").fetchone()[0]
    while value is not None:
        yield value
        value = connection.execute(
            f"SELECT min({column}) FROM rows WHERE {column} > ?", (value,)
        ).fetchone()[0]


def _many(connection: sqlite3.Connection, column: str) -> Iterator[str]:
    for (value,) in connection.execute(
        f"SELECT DISTINCT {column} FROM rows WHERE {column} IS NOT NULL"
    ):
        yield value


def _has(connection: sqlite3.Connection, column: str, key: str) -> bool:
    found = connection.execute(f"SELECT 1 FROM rows WHERE {column} = ?", (key,)).fetchone()
    return found is not None


def _course_or_self(key: str) -> str:
    parsed = parse_context_key(key)
    return str(parsed.course) if isinstance(parsed, LessonKey) else key


def _not_there(reference: Reference, index: TableIndex, unknown: _Unknown) -> UnknownReference:
    tables = " or ".join(table.name for table in reference.to)
    what = "what is in"
    if reference.column in ("lesson_key", "context_key") and COURSES in reference.to:
        what = "what, or whose course, is in"
    return UnknownReference(
        index.place(unknown.line, unknown.record, reference.column),
        f"{what} the table {tables}",
        value=unknown.value,
        problem=f"{unknown.value!r} is unknown",
    )


def check_grades_count_once(grades: TableIndex, problems: Problems) -> None:
    """Check that no learner has grades both for a category as a whole and for parts of it.

    Both would be added up, and the same points be counted twice.
    """
    with closing(grades.connect()) as connection:
        if not _has_both(connection):
            return
        works, categories = Words(connection, "work"), Words(connection, "category")
        rows = connection.execute(
            "SELECT course_key, learner_id, work, category, rowid FROM rows INDEXED BY key_0"
            " WHERE course_key IS NOT NULL AND learner_id IS NOT NULL"
            " AND work IS NOT NULL AND category IS NOT NULL ORDER BY course_key, learner_id"
        )
        for _, group in groupby(rows, key=itemgetter(0, 1)):
            parts: dict[str, int] = {}
            wholes: dict[str, int] = {}
            for _, _, work, category, record in group:
                found = wholes if works.word(work).startswith(Work.CATEGORY_MARK) else parts
                key = category_key(categories.word(category))
                found[key] = min(record, found.get(key, record))
            for key in wholes.keys() & parts.keys():
                problems.add(_counted_twice(connection, grades, wholes[key], parts[key]))


def _has_both(connection: sqlite3.Connection) -> bool:
    """Return whether the table may have rows of both kinds; most exports have one of them."""
    kinds, words = connection.execute(
        "SELECT count(DISTINCT substr(word, 1, 1) = ?), count(*)"
        " FROM words WHERE in_column = 'work'",
        (Work.CATEGORY_MARK,),
    ).fetchone()
    return bool(kinds > 1 or words >= MOST_WORDS)


def _counted_twice(
    connection: sqlite3.Connection, grades: TableIndex, whole: int, part: int
) -> DataFileError:
    first, second = (
        grades.place(line, record, "category")
        for line, record in connection.execute(
            "SELECT line, rowid FROM rows WHERE rowid IN (?, ?) ORDER BY rowid", (whole, part)
        )
    )
    return DataFileError(
        second,
        "for a learner and category either one row without subsection_id, or a row for each "
        "subsection",
        problem=f"with {first.row} the learner has the category both as a whole and in parts",
    )
