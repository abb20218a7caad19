"""Servers that many tests talk to, started once for each process that runs tests."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.postgres_server import PostgresServer
    from tests.support.s3_server import S3Server
    from tests.support.valkey_server import ValkeyServer


@pytest.fixture(scope="session")
def postgres() -> "Iterator[PostgresServer]":
    """A PostgreSQL server; ask it for a fresh database of your own."""
    # Loaded by those who need it: psycopg takes a while, and most tests have no database.
    from tests.support.postgres_server import started_postgres  # noqa: PLC0415

    with started_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def s3() -> "Iterator[S3Server]":
    """An S3 server; ask it for a fresh bucket of your own."""
    from tests.support.s3_server import started_s3  # noqa: PLC0415

    with started_s3() as server:
        yield server


@pytest.fixture(scope="session")
def valkey() -> "Iterator[ValkeyServer]":
    """A Valkey server; ask it for a fresh database of your own."""
    from tests.support.valkey_server import started_valkey  # noqa: PLC0415

    with started_valkey() as server:
        yield server
