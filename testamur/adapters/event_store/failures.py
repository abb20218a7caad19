"""Failures: errors of `eventsourcing` become the port's own, so that nobody else knows it."""

from collections.abc import Iterator
from contextlib import contextmanager

from eventsourcing.domain import EventSourcingError
from eventsourcing.persistence import ConnectionPoolClosedError

from testamur.application.errors import EventStoreError


@contextmanager
def as_event_store_errors(database: str) -> Iterator[None]:
    """Turn errors of the library and of the database below it into `EventStoreError`.

    Args:
        database: Name of the database for people, e.g. its path.
    """
    try:
        yield
    except ConnectionPoolClosedError as error:
        raise EventStoreError(f"the event store {database} is closed") from error
    except UnicodeEncodeError as error:
        raise EventStoreError(
            f"the event store {database} cannot hold a text that is not Unicode: {error.reason}"
        ) from error
    except EventSourcingError as error:
        raise EventStoreError(f"the event store {database} failed: {error}") from error
