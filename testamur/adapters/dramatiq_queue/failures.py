"""Failures of the queue's server, in the application's words."""

from collections.abc import Iterator
from contextlib import contextmanager

import redis

from testamur.application.errors import QueueError


@contextmanager
def as_queue_errors() -> Iterator[None]:
    """Raise what the server's client raises as `QueueError`."""
    try:
        yield
    except redis.RedisError as error:
        raise QueueError(f"the queue cannot be used: {error}") from error
