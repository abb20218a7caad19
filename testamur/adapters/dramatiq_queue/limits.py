"""A limit of requests that all workers share, kept on the Redis or Valkey server."""

import logging
from typing import Final

import redis
from dramatiq.rate_limits import BucketRateLimiter
from dramatiq.rate_limits.backends import RedisBackend

_SECONDS_IN_A_MINUTE: Final = 60
_logger: Final = logging.getLogger(__name__)


class RedisLimit:
    """Counts requests to each site, by whichever worker they are sent.

    Args:
        client: Of the server.
        namespace: What the names of all keys begin with.
    """

    def __init__(self, client: "redis.Redis", namespace: str) -> None:
        self._namespace = namespace
        # Types of the two packages do not quite agree; the backend takes any client.
        self._backend = RedisBackend(client=client)

    def take(self, origin: str, per_minute: int) -> bool:
        """Take one of the requests that may be sent now, and tell whether there was one left.

        Seconds are counted one by one, so that a minute's requests never go out at once. While the
        server cannot be reached none is left: workers without their queue have nothing to do.

        Args:
            origin: Scheme, host and port of the site.
            per_minute: The most requests of all workers in a minute.
        """
        of_a_second, more = divmod(per_minute, _SECONDS_IN_A_MINUTE)
        if of_a_second:
            milliseconds = 1_000 if not more else 1_000 * of_a_second * 60 // per_minute
        else:
            of_a_second, milliseconds = 1, 60_000 // per_minute
        limiter = BucketRateLimiter(  # type: ignore[no-untyped-call]
            self._backend,
            f"{self._namespace}:requests:{origin}",
            limit=of_a_second,
            bucket=milliseconds,
        )
        try:
            with limiter.acquire(raise_on_failure=False) as taken:
                return bool(taken)
        except redis.RedisError as error:
            _logger.warning("requests to %s wait for the queue's server: %s", origin, error)
            return False
