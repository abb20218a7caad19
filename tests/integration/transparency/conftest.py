"""A sealed log in a real database, and somebody who changes that behind Testamur's back."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from testamur.adapters.event_store.postgres import PostgresDatabase
from testamur.adapters.event_store.sqlite import SqliteDatabase
from tests.support.postgres_server import PostgresServer
from tests.support.sealed import Sealed, a_sealed_log


class Intruder:
    """Runs SQL on a database file, or on a server; ``?`` is a value, ``{position}`` its column.

    Args:
        place: The file, or the server's address.
    """

    def __init__(self, place: Path | str) -> None:
        self._place = place
        self.position = "rowid" if isinstance(place, Path) else "position"

    def run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement, and return its rows."""
        statement = statement.replace("{position}", self.position)
        if isinstance(self._place, Path):
            with closing(sqlite3.connect(self._place)) as connection, connection:
                return connection.execute(statement, values).fetchall()
        with psycopg.connect(self._place) as server:
            server.execute("SET search_path TO testamur")
            cursor = server.execute(statement.replace("?", "%s"), values)
            return cursor.fetchall() if cursor.description else []

    def state(self, position: int) -> bytes:
        """Return what is stored of an event."""
        query = "SELECT state FROM stored_events WHERE {position} = ?"
        ((state,),) = self.run(query, position)
        return bytes(state)

    def move(self, first: int, by: int) -> None:
        """Give all events from a position on other ones, as much later or earlier."""
        far = 1_000_000
        for change in (far, by - far):
            self.run(
                "UPDATE stored_events SET {position} = {position} + ? WHERE {position} >= ?",
                change,
                first if change == far else far,
            )


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path | str]:
    """Where a fresh database can be opened."""
    if request.param == "sqlite":
        yield tmp_path / "testamur.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.lent_database() as address:
        yield address


@pytest.fixture
def sealed(place: Path | str, tmp_path: Path) -> Iterator[Sealed]:
    """A log of 704 events, sealed after 330 and after 660 of them."""
    opened = SqliteDatabase.open(place) if isinstance(place, Path) else PostgresDatabase.open(place)
    with opened:
        yield a_sealed_log(opened, tmp_path)


@pytest.fixture
def intruder(place: Path | str, sealed: Sealed) -> Intruder:
    """Somebody who may write to the database, and is not Testamur."""
    return Intruder(place)
