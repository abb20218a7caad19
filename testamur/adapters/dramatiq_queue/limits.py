"""A limit of requests that all workers share, kept on the Redis or Valkey server."""

import logging
import time
from typing import Final

import redis
from dramatiq.rate_limits import BucketRateLimiter
from dramatiq.rate_limits.backends import RedisBackend

_SECONDS_IN_A_MINUTE: Final = 60
_MILLISECONDS: Final = 1_000

#: Who finds nothing left, or the server away, asks again after so many seconds at most.
_ASK_AGAIN_SECONDS: Final = 1.0

#: Looked at and lengthened in one go; PEXPIRE … GT would do, from Redis 7.
_LENGTHEN: Final = """
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then
    redis.call('SET', KEYS[1], '', 'PX', ARGV[1])
end
"""

_logger: Final = logging.getLogger(__name__)


class RedisLimit:
    """Counts requests to each site, by whichever worker they are sent, and lets all pause.

    Dramatiq's limiter counts. It goes by the clock of the worker's machine, so that machines whose
    clocks differ count for themselves around the turn of a second. Pauses go by the server's.

    Args:
        client: Of the server.
        namespace: What the names of all keys begin with.
    """

    def __init__(self, client: "redis.Redis", namespace: str) -> None:
        self._client = client
        self._namespace = namespace
        # Types of the two packages do not quite agree; the backend takes any client.
        self._backend = RedisBackend(client=client)
        self._lengthen = client.register_script(_LENGTHEN)

    def take(self, origin: str, per_minute: int) -> float:
        """Take one of the requests that may be sent now, if there is one left.

        Seconds are counted one by one, so that a minute's requests never go out at once. While the
        server cannot be reached none is left: workers without their queue have nothing to do.

        Args:
            origin: Scheme, host and port of the site.
            per_minute: The most requests of all workers in a minute.

        Returns:
            0.0 where it was taken; else seconds after which it is worth asking again.
        """
        of_a_second, more = divmod(per_minute, _SECONDS_IN_A_MINUTE)
        if of_a_second:
            bucket = 1_000 if not more else 1_000 * of_a_second * 60 // per_minute
        else:
            of_a_second, bucket = 1, 60_000 // per_minute
        limiter = BucketRateLimiter(  # type: ignore[no-untyped-call]
            self._backend,
            f"{self._namespace}:requests:{origin}",
            limit=of_a_second,
            bucket=bucket,
        )
        try:
            paused = int(self._client.pttl(self._pause_of(origin)))
            if paused > 0:
                return paused / _MILLISECONDS
            with limiter.acquire(raise_on_failure=False) as taken:
                if taken:
                    return 0.0
        except redis.RedisError as error:
            _logger.warning("requests to %s wait for the queue's server: %s", origin, error)
            return _ASK_AGAIN_SECONDS
        until_the_next = bucket - int(time.time() * _MILLISECONDS) % bucket
        return min(until_the_next / _MILLISECONDS, _ASK_AGAIN_SECONDS)

    def pause(self, origin: str, seconds: float) -> None:
        """Let nobody take a request for so many seconds from now.

        A longer pause that holds already stays. It ends by itself, on the clock of the server.
        While the server cannot be reached the others are not told, and that is logged.

        Args:
            origin: Scheme, host and port of the site.
            seconds: How long the site asks to wait.
        """
        milliseconds = max(round(seconds * _MILLISECONDS), 1)
        try:
            self._lengthen(keys=[self._pause_of(origin)], args=[milliseconds])
        except redis.RedisError as error:
            _logger.warning(
                "only this process pauses its requests to %s for %.0f s, as the queue's server"
                " cannot be told: %s", origin, seconds, error,
            )  # fmt: skip

    def _pause_of(self, origin: str) -> str:
        return f"{self._namespace}:pause:{origin}"
