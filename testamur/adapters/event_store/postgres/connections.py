"""Connections to the PostgreSQL server, and the transactions that run on them."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from time import monotonic, sleep
from typing import Any, Final, TypeVar

import psycopg
from eventsourcing import persistence
from psycopg.conninfo import make_conninfo

from testamur.adapters.event_store.postgres.address import read_address
from testamur.adapters.event_store.postgres.lending import (
    Connection,
    ConnectionLost,
    Lender,
    keep_from_children,
)

#: PostgreSQL 14, the oldest that its makers kept up when this was written, as libpq counts.
OLDEST_SERVER: Final = 140000

DEFAULT_SCHEMA: Final = "testamur"
DEFAULT_POOL_SIZE: Final = 10
DEFAULT_CONNECT_TIMEOUT_SECONDS: Final = 10
DEFAULT_LOCK_TIMEOUT_SECONDS: Final = 30.0
#: Nothing that Testamur asks takes nearly as long.
DEFAULT_STATEMENT_TIMEOUT_SECONDS: Final = 600.0
#: A client that hangs in the middle of writing keeps all others out for so long at most.
DEFAULT_IDLE_TIMEOUT_SECONDS: Final = 300.0
#: A restart of the server takes seconds; going over to a standby, half a minute.
DEFAULT_RECONNECT_SECONDS: Final = 30.0

_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 1.0

#: A server that is cut off without a word is noticed in half a minute.
_NETWORK: Final = {
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
_SET: Final = "SELECT " + ", ".join(
    f"set_config('{setting}', %s, false)"
    for setting in (
        "search_path",
        "lock_timeout",
        "statement_timeout",
        "idle_in_transaction_session_timeout",
        "TimeZone",
    )
)
#: What is committed survives a crash of the server, whatever its administrator prefers.
_DURABLE: Final = """
    SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') = 'off'
"""
#: All statements of a reading transaction see the same moment; those of a writing one see what
#: was committed before they began, thus all that was written before the lock was had.
_BEGIN_READING: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_BEGIN_WRITING: Final = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"

_ERRORS: Final[Sequence[tuple[type[psycopg.Error], type[persistence.PersistenceError]]]] = (
    (psycopg.InterfaceError, persistence.InterfaceError),
    (psycopg.OperationalError, persistence.OperationalError),
    (psycopg.DataError, persistence.DataError),
    (psycopg.IntegrityError, persistence.IntegrityError),
    (psycopg.InternalError, persistence.InternalError),
    (psycopg.ProgrammingError, persistence.ProgrammingError),
    (psycopg.NotSupportedError, persistence.NotSupportedError),
    (psycopg.DatabaseError, persistence.DatabaseError),
    (psycopg.Error, persistence.PersistenceError),
)

Cursor = psycopg.Cursor[tuple[Any, ...]]
Values = Sequence[object] | Mapping[str, object] | None
Answer = TypeVar("Answer")


class Datastore:
    """Connections to one schema of one database, for many threads, and for a child after a fork.

    Nothing is connected before it is needed. Waiting always ends: for a lock, a connection, an
    answer, or the network. Errors are those of `eventsourcing.persistence`.

    Args:
        url: ``postgresql://USER:PASSWORD@HOST:PORT/DATABASE``, with any parameter of libpq.
        schema: The PostgreSQL schema that the tables are in; names are looked up in it only.
        pool_size: The most connections that are open at once.
        connect_timeout_seconds: How long opening a connection may take; at least 2.
        lock_timeout_seconds: How long to wait for what another connection has locked.
        statement_timeout_seconds: How long one statement may take; 0: as long as it likes.
        idle_timeout_seconds: How long a transaction may do nothing; 0: as long as it likes.
        reconnect_seconds: How long to go on trying while the server restarts.

    Raises:
        EventStoreError: The URL cannot be read.
    """

    def __init__(
        self,
        url: str,
        *,
        schema: str = DEFAULT_SCHEMA,
        pool_size: int = DEFAULT_POOL_SIZE,
        connect_timeout_seconds: int = DEFAULT_CONNECT_TIMEOUT_SECONDS,
        lock_timeout_seconds: float = DEFAULT_LOCK_TIMEOUT_SECONDS,
        statement_timeout_seconds: float = DEFAULT_STATEMENT_TIMEOUT_SECONDS,
        idle_timeout_seconds: float = DEFAULT_IDLE_TIMEOUT_SECONDS,
        reconnect_seconds: float = DEFAULT_RECONNECT_SECONDS,
    ) -> None:
        self._address = read_address(url)
        self.schema = schema
        self.lock_timeout_seconds = lock_timeout_seconds
        self.statement_timeout_seconds = statement_timeout_seconds
        self.reconnect_seconds = reconnect_seconds
        defaults = {
            "connect_timeout": str(connect_timeout_seconds),
            "application_name": "testamur",
            **_NETWORK,
        }
        self._conninfo = make_conninfo(
            **(defaults | self._address.parameters | {"client_encoding": "UTF8"})
        )
        self._settings = (
            f"{_quoted(schema)}, pg_temp",
            _milliseconds(lock_timeout_seconds),
            _milliseconds(statement_timeout_seconds),
            _milliseconds(idle_timeout_seconds),
            "UTC",
        )
        self._was_reached = False
        self._lender = Lender(self.connect, pool_size, lock_timeout_seconds)

    @property
    def shown_url(self) -> str:
        """The database's name for people, without the password."""
        return self._address.shown

    def lock_key(self, purpose: str) -> int:
        """Return the number of an advisory lock of this schema.

        Args:
            purpose: What it is held for; the same words give the same number everywhere.
        """
        name = f"testamur\0{self.schema}\0{purpose}".encode("utf-8", "surrogatepass")
        return int.from_bytes(hashlib.sha256(name).digest()[:8], "big", signed=True)

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[Cursor]:
        """Run statements in a transaction that is rolled back on an error.

        Args:
            commit: Whether it may write; what reads only sees one moment throughout.

        Raises:
            ConnectionLost: The server went away. If that was at the end of a transaction that
                wrote, it may have been committed or not.
            PersistenceError: The database refused something; its kinds are those of the module.
        """
        with self.errors(), self._lender.lend() as connection:
            connection.execute(_BEGIN_WRITING if commit else _BEGIN_READING)
            try:
                with connection.cursor(binary=True) as cursor:
                    yield cursor
                ended = connection.execute("COMMIT")
            except BaseException:
                with suppress(psycopg.Error):  # it stays lost; the first error is what counts
                    connection.execute("ROLLBACK")
                raise
            if ended.statusmessage != "COMMIT":
                raise persistence.OperationalError(
                    "an error was passed over in the transaction, so it was not committed"
                )

    def select(self, query: str, values: Values = None) -> list[tuple[Any, ...]]:
        """Return what one query finds; asked again where the connection was lost.

        A transaction around a single query would take three times as long.
        """
        return self.persist(lambda: self.run(query, values))

    def run(self, statement: str, values: Values = None) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own, or in none; return its rows, if any.

        Raises:
            ConnectionLost: The server went away, and nobody knows whether it was done.
        """
        # Written out, because it is what reading a stream takes most of its time with.
        connection = self._lender.take()
        try:
            cursor = connection.cursor(binary=True)
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.rownumber is not None else []
        except psycopg.Error as error:
            raise self._translated(error) from error
        finally:
            self._lender.give_back(connection)

    def read(self, reading: Callable[[Cursor], Answer]) -> Answer:
        """Return what several queries find at one moment; asked again on a lost connection."""

        def attempt() -> Answer:
            with self.transaction(commit=False) as cursor:
                return reading(cursor)

        return self.persist(attempt)

    def persist(self, attempt: Callable[[], Answer]) -> Answer:
        """Do what may be done twice until it comes through, while the server restarts.

        A server that was never reached is not waited for.

        Raises:
            ConnectionLost: The server did not come back in time.
        """
        started, pause = monotonic(), _PAUSE_SECONDS
        while True:
            try:
                return attempt()
            except ConnectionLost:
                if not self._was_reached or monotonic() - started > self.reconnect_seconds:
                    raise
            sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def connect(self) -> Connection:
        """Open a connection set up as all are; who asks for it closes it.

        Raises:
            ConnectionLost: The server cannot be reached or lets nobody in.
            OperationalError: It is too old, or the database is not in UTF-8.
        """
        with self.errors():
            try:
                connection: Connection = psycopg.connect(self._conninfo, autocommit=True)
            except psycopg.OperationalError as error:
                message = self._address.without_secrets(" ".join(str(error).split()))
                raise ConnectionLost(message) from None
            try:
                _check(connection)
                connection.execute(_SET, self._settings)
                connection.execute(_DURABLE)
            except BaseException:
                connection.close()
                raise
        self._was_reached = True
        return keep_from_children(connection)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn errors of psycopg into those of `eventsourcing.persistence`."""
        try:
            yield
        except psycopg.Error as error:
            raise self._translated(error) from error

    def close(self) -> None:
        """Close all connections. Closing again is harmless."""
        self._lender.close()

    def _translated(self, error: psycopg.Error) -> persistence.PersistenceError:
        # The details are left out: they quote whole rows.
        message = self._address.without_secrets(error.diag.message_primary or str(error).strip())
        if isinstance(error, psycopg.errors.LockNotAvailable):
            return persistence.OperationalError(
                f"another connection has held a lock for {self.lock_timeout_seconds:g} s that this "
                "one waits for; if it does not end by itself, look at pg_stat_activity"
            )
        if isinstance(error, psycopg.errors.QueryCanceled):
            return persistence.OperationalError(
                f"{message} (a statement may take {self.statement_timeout_seconds:g} s)"
            )
        if error.diag.constraint_name and error.diag.constraint_name not in message:
            message += f" ({error.diag.constraint_name})"
        if _is_loss(error):
            return ConnectionLost(message)
        return next(ours for theirs, ours in _ERRORS if isinstance(error, theirs))(message)


def _check(connection: Connection) -> None:
    version = connection.info.server_version
    if version < OLDEST_SERVER:
        raise persistence.OperationalError(
            f"the server is PostgreSQL {version // 10000}, and Testamur needs "
            f"{OLDEST_SERVER // 10000} or newer; upgrade the server"
        )
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise persistence.OperationalError(
            f"the database is in {encoding}, which cannot hold every name; "
            "make one with CREATE DATABASE … ENCODING 'UTF8'"
        )


def _is_loss(error: psycopg.Error) -> bool:
    """Tell whether the connection is gone, rather than a statement refused."""
    # 57P01 to 57P03: the server shuts down, crashed, or starts; class 08: the connection
    # (https://www.postgresql.org/docs/current/errcodes-appendix.html).
    state = error.sqlstate
    if state is None:
        return isinstance(error, psycopg.OperationalError)
    return state.startswith("08") or state in {"57P01", "57P02", "57P03", "57P05", "25P03"}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _milliseconds(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"
