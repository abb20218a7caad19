"""The databases that every contract test is run on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from testamur.adapters.event_store.memory import MemoryDatabase
from testamur.adapters.event_store.names import EventNames
from testamur.adapters.event_store.sqlite import SqliteDatabase
from tests.support.databases import Database


def open_database(kind: str, folder: Path, names: EventNames | None = None) -> Database:
    if kind == "memory":
        return MemoryDatabase(names)
    return SqliteDatabase.open(folder / "testamur.db", names=names)


@pytest.fixture(params=["memory", "sqlite"])
def kind(request: pytest.FixtureRequest) -> str:
    """Name of the kind of database."""
    name: str = request.param
    return name


@pytest.fixture
def database(kind: str, tmp_path: Path) -> Iterator[Database]:
    """A fresh database."""
    opened = open_database(kind, tmp_path)
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
