"""Failures: errors of `eventsourcing` become the port's own, so that nobody else knows it."""

from types import TracebackType

from eventsourcing.domain import EventSourcingError
from eventsourcing.persistence import ConnectionPoolClosedError

from testamur.application.errors import EventStoreError


class as_event_store_errors:  # noqa: N801 - it reads as what it does
    """Turn errors of the library and of the database below it into `EventStoreError`.

    A class, because each reading of a stream goes through it, and a generator takes as long as
    reading a small event.

    Args:
        database: Name of the database for people, e.g. its path.
    """

    __slots__ = ("_database",)

    def __init__(self, database: str) -> None:
        self._database = database

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        """Raise the error that it is for others.

        Raises:
            EventStoreError: There was an error of the library, or of the database.
        """
        if error is None:
            return
        database = self._database
        if isinstance(error, ConnectionPoolClosedError):
            raise EventStoreError(f"the event store {database} is closed") from error
        if isinstance(error, UnicodeEncodeError):
            raise EventStoreError(
                f"the event store {database} cannot hold a text that is not Unicode: {error.reason}"
            ) from error
        if isinstance(error, EventSourcingError):
            raise EventStoreError(f"the event store {database} failed: {error}") from error
