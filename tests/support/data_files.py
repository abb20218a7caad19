"""A builder of folders with data files, in any format that the file data source reads.

```python
folder = (
    DataFolder(tmp_path)
    .course(COURSE, name="Mathematics", weights={"Homework": "0.4", "Exam": "0.6"})
    .learner("learner-1", full_name="Ada Lovelace")
    .enrolment("learner-1", COURSE)
    .completion("learner-1", COURSE, "0.95")
    .grade("learner-1", COURSE, "Homework", "11", "20")
    .write()
)
```
"""

import csv
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Literal, Self

from testamur.adapters.files.tables import COMPLETIONS, GRADES, TABLES

Format = Literal["csv", "json", "jsonl"]
Value = str | int | Decimal | bool | None
Row = Mapping[str, Value]


class DataFolder:
    """Collects rows of tables, and writes them as files.

    Args:
        path: The folder; made if need be.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self._rows: dict[str, list[Row]] = {
            name: []
            for name, table in TABLES.items()
            if table.required or table in (COMPLETIONS, GRADES)
        }

    def course(
        self, course_key: str, *, weights: Mapping[str, str] | None = None, **columns: Value
    ) -> Self:
        """Add a course, and the weights of its grading policy."""
        self.row("courses", course_key=course_key, **columns)
        for category, weight in (weights or {}).items():
            self.row(
                "grading_policy", course_key=course_key, category=category, weight=Decimal(weight)
            )
        return self

    def lesson(self, lesson_key: str, **columns: Value) -> Self:
        """Add a lesson."""
        return self.row("lessons", lesson_key=lesson_key, **columns)

    def pathway(self, pathway_key: str, courses: Sequence[str], **columns: Value) -> Self:
        """Add a pathway of these courses, in this order."""
        self.row("pathways", pathway_key=pathway_key, **columns)
        for position, course_key in enumerate(courses, start=1):
            self.row(
                "pathway_steps", pathway_key=pathway_key, position=position, course_key=course_key
            )
        return self

    def learner(self, learner_id: str, **columns: Value) -> Self:
        """Add a learner."""
        return self.row("learners", learner_id=learner_id, **columns)

    def enrolment(self, learner_id: str, context_key: str, **columns: Value) -> Self:
        """Enrol a learner in a course or pathway."""
        return self.row("enrolments", learner_id=learner_id, context_key=context_key, **columns)

    def completion(self, learner_id: str, context_key: str, completion: str) -> Self:
        """Add how much of a course or lesson a learner has completed."""
        return self.row(
            "completions",
            learner_id=learner_id,
            context_key=context_key,
            completion=Decimal(completion),
        )

    def grade(
        self,
        learner_id: str,
        course_key: str,
        category: str,
        earned: str,
        possible: str,
        subsection_id: str | None = None,
    ) -> Self:
        """Add a learner's points in a subsection, or in a category as a whole."""
        return self.row(
            "grades",
            learner_id=learner_id,
            course_key=course_key,
            category=category,
            subsection_id=subsection_id,
            earned=Decimal(earned),
            possible=Decimal(possible),
        )

    def row(self, table: str, **columns: Value) -> Self:
        """Add a row as it is, right or wrong."""
        self._rows.setdefault(table, []).append(columns)
        return self

    def without(self, table: str) -> Self:
        """Leave out a table that is written unless told, even if it is empty."""
        del self._rows[table]
        return self

    def file(self, name: str, content: str | bytes) -> Self:
        """Write a file as it is, right or wrong."""
        (self.path / name).write_bytes(
            content if isinstance(content, bytes) else content.encode("utf-8")
        )
        return self

    def write(self, format: Format = "csv") -> Path:  # noqa: A002 - reads best where it is used
        """Write all tables in a format, and return the folder.

        Tables that are required, and those of completions and grades, are written even if they
        are empty.
        """
        written = {"csv": _csv, "json": _json, "jsonl": _json_lines}[format]
        for name, rows in self._rows.items():
            self.file(f"{name}.{format}", written(name, rows))
        return self.path


def _csv(table: str, rows: Sequence[Row]) -> str:
    columns = {column.name: None for column in TABLES[table].columns if not column.optional}
    for row in rows:
        columns.update(dict.fromkeys(row))
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        values = (row.get(column) for column in columns)
        writer.writerow(_words(value) if isinstance(value, bool) else value for value in values)
    return text.getvalue()


def _words(value: bool) -> str:
    return "true" if value else "false"


def _json(table: str, rows: Sequence[Row]) -> str:
    return "[\n" + ",\n".join(map(_object, rows)) + "\n]\n"


def _json_lines(table: str, rows: Sequence[Row]) -> str:
    return "".join(f"{_object(row)}\n" for row in rows)


def _object(row: Row) -> str:
    fields = (f"{json.dumps(name)}: {_value(value)}" for name, value in row.items())
    return "{" + ", ".join(fields) + "}"


def _value(value: Value) -> str:
    return str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)
