"""The databases that every contract test is run on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from testamur.adapters.event_store.memory import MemoryDatabase
from testamur.adapters.event_store.names import EventNames
from testamur.adapters.event_store.postgres import PostgresDatabase
from testamur.adapters.event_store.sqlite import SqliteDatabase
from tests.support.databases import Database
from tests.support.postgres_server import PostgresServer, started_postgres

KINDS = ["memory", "sqlite", "postgres"]


def open_database(kind: str, place: Path | str, names: EventNames | None = None) -> Database:
    """Open a database in a folder, or at the address of one on a PostgreSQL server."""
    match kind:
        case "memory":
            return MemoryDatabase(names)
        case "sqlite":
            return SqliteDatabase.open(Path(place) / "testamur.db", names=names)
        case _:
            return PostgresDatabase.open(str(place), names=names)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Name of the kind of database."""
    name: str = request.param
    return name


@pytest.fixture
def place(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path | str]:
    """Where a fresh database of this kind can be opened."""
    if kind != "postgres":
        yield tmp_path
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.lent_database() as address:
        yield address


@pytest.fixture
def database(kind: str, place: Path | str) -> Iterator[Database]:
    """A fresh database."""
    opened = open_database(kind, place)
    yield opened
    opened.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a database file may be made."""
    return tmp_path / "testamur.db"


@pytest.fixture
def on_disk(file: Path) -> Iterator[SqliteDatabase]:
    """A fresh database file."""
    with SqliteDatabase.open(file) as opened:
        yield opened


@pytest.fixture
def on_server(postgres: PostgresServer) -> Iterator[PostgresDatabase]:
    """A fresh database on a PostgreSQL server."""
    with postgres.lent_database() as address, PostgresDatabase.open(address) as opened:
        yield opened


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server that a test may stop, kill and start."""
    with started_postgres() as server:
        yield server
