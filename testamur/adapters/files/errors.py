"""What can be wrong with a folder of data files, said with file, line and column."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from testamur.application.errors import RetrievalError

LONGEST_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the folder.

    Args:
        path: The file, or the folder where a file is missing.
        line: Line that the row begins on, 1 for the first; None where it is the file as a whole.
        column: Column of the table, if it is about one.
        record: For a JSON array: number of the object in it, 1 for the first.
    """

    path: Path
    line: int | None = None
    column: str | None = None
    record: int | None = None

    @property
    def row(self) -> str:
        """The row, as a phrase; empty where it is the file as a whole."""
        line = "" if self.line is None else f"line {self.line}"
        return line if self.record is None else f"{line}, object {self.record}"

    def __str__(self) -> str:
        return ", ".join(filter(None, (str(self.path), self.row, self.column)))


class DataFileError(RetrievalError):
    """A data file is not as it must be; no record of the folder was handed out.

    A run's error is kept in the event log for good, so that a personal value (a name, an e-mail
    address) is never part of the message: it is described, and ``value`` is None.

    Args:
        place: Where.
        allowed: What is allowed, as a phrase that follows "allowed:".
        value: The offending value; None where there is none or it is personal.
        problem: What is wrong; None: the value.
    """

    def __init__(
        self, place: Place, allowed: str, *, value: str | None = None, problem: str | None = None
    ) -> None:
        self.place = place
        self.path = place.path
        self.line = place.line
        self.column = place.column
        self.value = value
        self.allowed = allowed
        self.problem = problem or f"{shown(value or '')} is not allowed"
        super().__init__(f"{place}: {self.problem}; allowed: {allowed}")

    def for_the_record(self) -> str:
        """Return the message without the value: where fields are shifted, any may be a name."""
        if self.value is None or self.line is None:
            return str(self)
        return f"{self.place}: the value there is not allowed; allowed: {self.allowed}"


class DuplicateRow(DataFileError):
    """A row says again what a row before it has said.

    Args:
        place: The later row.
        first: The earlier row.
        key: What is the same in both, by column.
        allowed: What is allowed.
    """

    def __init__(self, place: Place, first: Place, key: str, allowed: str) -> None:
        self.first_line = first.line
        super().__init__(place, allowed, problem=f"{key} is on {first.row} already")


class UnknownReference(DataFileError):
    """A row names a learner, course or pathway that is not in its table."""


class UnknownContext(RetrievalError):
    """The folder does not know the learning context that was asked for.

    Args:
        folder: The folder.
        key: The context's key.
        reason: Why it is not known.
        known: Some keys that are known.
    """

    def __init__(self, folder: Path, key: object, reason: str, known: Iterable[str] = ()) -> None:
        self.key = str(key)
        self.known = tuple(known)
        hint = f"; there are: {', '.join(self.known)}" if self.known else ""
        super().__init__(f"{folder}: {shown(self.key)}: {reason}{hint}")


class EnoughProblems(Exception):
    """As many problems were collected as were asked for."""


class Problems:
    """Takes problems as they are found: raises the first, or collects some.

    Args:
        limit: How many to collect; None: raise the first.
    """

    def __init__(self, limit: int | None = None) -> None:
        self._limit = limit
        self.found: list[DataFileError] = []

    @property
    def wanted(self) -> int:
        """How many more are wanted; at least one."""
        return 1 if self._limit is None else self._limit - len(self.found)

    def add(self, problem: DataFileError) -> None:
        """Take a problem.

        Raises:
            DataFileError: The problem itself, where the first is to be raised.
            EnoughProblems: It was the last that is wanted.
        """
        if self._limit is None:
            raise problem
        self.found.append(problem)
        if len(self.found) >= self._limit:
            raise EnoughProblems


def shown(value: str) -> str:
    """Return a value for a message, shortened if it is long."""
    if not value:
        return "an empty value"
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
