"""Migrations: the steps from an empty database to the tables of this release, on every kind."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from testamur.application.errors import EventStoreError

_TABLE: Final = re.compile(r"\bCREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(\w+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Migration:
    """One step; what was released of it is never changed.

    Args:
        version: Of the schema that it leads to, from 1.
        name: What it is about, for people to read.
        statements: In order; they are run in one transaction.
        derived: Whether its tables only hold what can be made anew from the log.
    """

    version: int
    name: str
    statements: tuple[str, ...]
    derived: bool = False

    @property
    def tables(self) -> list[str]:
        """Names of the tables that it creates, in order."""
        return [name for each in self.statements for name in _TABLE.findall(each)]


Told = Callable[[Migration], None]
"""Is told of each migration before it is run."""


def migrations_of(
    first: tuple[str, ...], audit: tuple[str, ...], tree: tuple[str, ...]
) -> tuple[Migration, ...]:
    """Return the migrations of a kind of database from its tables: the same steps on every kind.

    Args:
        first: Statements for the log, the register and the keys.
        audit: Statements for the audit trail.
        tree: Statements for the Merkle tree.
    """
    return (
        Migration(1, "log, register and keys", first),
        Migration(2, "audit trail", audit, derived=True),
        Migration(3, "Merkle tree", tree),
    )


def tables_to_copy(migrations: Sequence[Migration]) -> list[str]:
    """Return the names of all tables that hold more than can be made anew from the log."""
    return [table for each in migrations if not each.derived for table in each.tables]


@dataclass(frozen=True, slots=True)
class Survey:
    """What is in a database, whatever its schema.

    Args:
        version: Of its schema; 0 where there is none yet.
        applied: Versions of the migrations that it went through, each with the time (aware) where
            the database keeps it.
        events: How many.
        last_position: Position of the last one; 0 where there is none.
        size: In bytes.
        software: Name and version of what keeps it.
    """

    version: int
    applied: Mapping[int, datetime | None]
    events: int
    last_position: int
    size: int
    software: str


def refuse_other_schema(database: str, version: int, needed: int) -> None:
    """Let nobody use a database of another schema than this release's.

    Args:
        database: Its name for people.
        version: Of its schema.
        needed: Of the schema that this release knows.

    Raises:
        EventStoreError: The schema is an older or a newer one.
    """
    if version > needed:
        raise EventStoreError(
            f"the database {database} has schema {version}, and this release of Testamur knows "
            f"schema {needed} at most; upgrade Testamur"
        )
    if version < needed:
        raise EventStoreError(
            f"the database {database} has schema {version}, and this release of Testamur needs "
            f"schema {needed}; back the database up, then run `testamur database migrate`"
        )


def failed(database: str, migration: Migration, error: Exception) -> EventStoreError:
    """Return the error that a migration did not work, and left the database as it was."""
    return EventStoreError(
        f"migration {migration.version} ({migration.name}) of the database {database} failed: "
        f"{str(error).strip()}; it was rolled back, and the database has schema "
        f"{migration.version - 1} still"
    )
