"""What the audit trail asks of a database: queries, bulk loads, and which set of tables is read.

Queries are written once for every database: ``?`` is a value, and ``#`` the number of the set.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol, Self, TypeVar
from uuid import UUID

Answer = TypeVar("Answer")

Column = Sequence[int] | Sequence[int | None] | Sequence[str] | Sequence[UUID]
"""Values of one column; what they hold tells a database how to write them all."""

#: Positions in a block, of which it is kept when its events were recorded.
BLOCK: Final = 4096
#: Learner of a row whose event names several: they are among the mentions.
SEVERAL: Final = 0
MICROSECONDS_OF_A_DAY: Final = 86_400_000_000

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class AuditTables(Protocol):
    """The tables within one transaction."""

    @property
    def log_position(self) -> str:
        """Name of the column of the log with the position."""
        ...

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return what a query finds; nothing for a statement that only writes."""
        ...

    def run(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Run a statement with each of these values."""
        ...

    def load(self, table: str, columns: str, values: Sequence[Column]) -> None:
        """Add rows as fast as the database can.

        Args:
            table: To which.
            columns: Names of its columns.
            values: Of each column those of all rows; there is a row at least.
        """
        ...

    def count(self, table: str, rows: Sequence[tuple[int, int, int]]) -> None:
        """Add to the counts of deeds, facets or correlations.

        Args:
            table: Of which.
            rows: How many more, the last position, and the number.
        """
        ...

    def lock_state(self) -> None:
        """Make sure that there is a state, and let nobody else write until the end."""
        ...

    def walk(
        self, index: "Walk", numbers: Sequence[int], low: int, high: int, limit: int
    ) -> list[int]:
        """Return positions of rows along an index, in order, at most ``limit``.

        Args:
            index: How.
            numbers: Which of what it is an index of.
            low: First position…
            high: …and last one.
            limit: The most to return.
        """
        ...

    def among(self, column: str) -> str:
        """Return the condition that a column is one of the values of one parameter."""
        ...

    def many(self, values: Iterable[object]) -> object:
        """Return values as that parameter."""
        ...

    def id_value(self, id_: UUID) -> object:
        """Return an id as columns of ids hold it."""
        ...

    def id_of(self, value: Any) -> UUID:
        """Return the id that a column holds."""
        ...

    def empty(self, tables: Sequence[str]) -> None:
        """Take all rows out of tables, which nobody reads."""
        ...


class AuditDatabase(Protocol):
    """A database with the tables of the audit trail."""

    def read(self, work: Callable[[AuditTables], Answer], *, by_index: bool = False) -> Answer:
        """Return what is read at one moment.

        Args:
            work: Reads it.
            by_index: Whether each query finds few rows along an index, whatever is asked for, so
                that one plan suits all values.
        """
        ...

    def write(self, work: Callable[[AuditTables], Answer]) -> Answer:
        """Do something in one transaction."""
        ...


@dataclass(frozen=True, slots=True)
class Walk:
    """How rows are walked along an index.

    Args:
        column: ``deed`` or ``facet``.
        newest_first: Whether it goes backwards.
        number: Of the set.
        correlation: Only rows of this one, for deeds.
        condition: What else must hold; may be empty.
        values: Values in it.
    """

    column: str
    newest_first: bool
    number: int
    correlation: int | None = None
    condition: str = ""
    values: tuple[object, ...] = ()

    @property
    def index(self) -> str:
        """Name of the index."""
        by = self.column if self.correlation is None else "correlation"
        return f"audit_by_{by}_{self.number}"


@dataclass(frozen=True, slots=True)
class Generation:
    """One filling of a set of tables.

    Args:
        generation: Its number, which no other has.
        number: Of the set.
        position: How far it has come.
    """

    generation: int
    number: int
    position: int


@dataclass(frozen=True, slots=True)
class State:
    """Which set is read, and which one is being made anew.

    Args:
        live: The one that is read.
        next_generation: Number of the one that is made anew, or was last.
        rebuilt_to: How far that has come; None where nothing is made anew.
    """

    live: Generation
    next_generation: int
    rebuilt_to: int | None

    @classmethod
    def of(cls, tables: AuditTables) -> Self:
        """Read the state; before anything was written, it is that of an empty trail."""
        rows = tables.ask(
            "SELECT live_set, live_generation, position, next_generation, rebuilt_to "
            "FROM audit_state"
        )
        if not rows:
            return cls(Generation(0, 0, 0), 0, None)
        number, generation, position, next_generation, rebuilt_to = rows[0]
        return cls(Generation(generation, number, position), next_generation, rebuilt_to)

    @property
    def next(self) -> Generation | None:
        """The set that is being made anew, if one is."""
        if self.rebuilt_to is None:
            return None
        return Generation(self.next_generation, 1 - self.live.number, self.rebuilt_to)


class AuditSet:
    """One set of the tables within a transaction.

    Args:
        tables: The tables.
        generation: Which filling of which set.
    """

    def __init__(self, tables: AuditTables, generation: Generation) -> None:
        self.tables = tables
        self.number = generation.number
        self.position = generation.position

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        return self.tables.ask(query.replace("#", str(self.number)), *values)

    def run(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Run a statement with each of these values."""
        if rows:
            self.tables.run(statement.replace("#", str(self.number)), rows)

    def load(self, table: str, columns: str, values: Sequence[Column]) -> None:
        """Add rows to a table, given by its columns; there may be none."""
        if values and values[0]:
            self.tables.load(table.replace("#", str(self.number)), columns, values)


def microseconds(moment: datetime) -> int:
    """Return a moment (aware) as microseconds since 1970 in UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(microseconds: int) -> datetime:
    """Return the moment, in UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)
