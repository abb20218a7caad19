"""Servers that many tests talk to, started once for each process that runs tests."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.postgres_server import PostgresServer


@pytest.fixture(scope="session")
def postgres() -> "Iterator[PostgresServer]":
    """A PostgreSQL server; ask it for a fresh database of your own."""
    # Loaded by those who need it: psycopg takes a while, and most tests have no database.
    from tests.support.postgres_server import started_postgres  # noqa: PLC0415

    with started_postgres() as server:
        yield server
