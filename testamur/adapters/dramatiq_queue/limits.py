"""A limit of requests that all workers share, kept on the Redis or Valkey server."""

import logging
from typing import Final

import redis

_SECONDS_IN_A_MINUTE: Final = 60
_MICROSECONDS: Final = 1_000_000

#: Requests of so many seconds may go out at once after a time of silence.
_BURST_SECONDS: Final = 1.0

#: While the server cannot be reached, it is asked again after so many seconds.
_AWAY_SECONDS: Final = 1.0

# Each site has one key: the moment when its meter will be empty, in microseconds on the clock of
# the server, since those of the workers' machines may differ. It expires at that moment. Lua by
# itself would write it with fourteen digits only, which are tenths of milliseconds.
_MOMENTS: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local empty_at = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local function keep(moment)
    local milliseconds = math.ceil((moment - now) / 1000)
    redis.call('SET', KEYS[1], string.format('%.0f', moment), 'PX', milliseconds)
end
"""

# Given how much a request fills the meter by, and how full it may be before.
_TAKE: Final = f"""{_MOMENTS}
local too_full = empty_at - now - tonumber(ARGV[2])
if too_full > 0 then
    return math.ceil(too_full)
end
keep(empty_at + tonumber(ARGV[1]))
return 0
"""

# Given for how long the meter is not to be empty.
_PAUSE: Final = f"""{_MOMENTS}
local until_then = now + tonumber(ARGV[1])
if until_then > empty_at then
    keep(until_then)
end
"""

_logger: Final = logging.getLogger(__name__)


class RedisLimit:
    """Counts requests to each site, by whichever worker they are sent, and lets all pause.

    Works like a meter that each request fills by its own interval and that time empties (the
    generic cell rate algorithm, ITU-T I.371); a pause fills it further. One script on the server
    asks and counts, in one go and one round trip.

    Args:
        client: Of the server.
        namespace: What the names of all keys begin with.
    """

    def __init__(self, client: "redis.Redis", namespace: str) -> None:
        self._namespace = namespace
        self._take = client.register_script(_TAKE)
        self._pause = client.register_script(_PAUSE)

    def take(self, origin: str, per_minute: int) -> float:
        """Take one of the requests that may be sent now, if there is one left.

        Requests are spaced evenly, and those of a second may go at once after a time of silence.
        While the server cannot be reached none is left: workers without their queue have nothing
        to do.

        Args:
            origin: Scheme, host and port of the site.
            per_minute: The most requests of all workers in a minute.

        Returns:
            0.0 where it was taken; else seconds after which it is worth asking again.
        """
        interval = _SECONDS_IN_A_MINUTE * _MICROSECONDS / per_minute
        slack = max(_BURST_SECONDS * _MICROSECONDS - interval, 0)
        try:
            left = self._take(keys=[self._key(origin)], args=[interval, slack])
        except redis.RedisError as error:
            _logger.warning("requests to %s wait for the queue's server: %s", origin, error)
            return _AWAY_SECONDS
        return int(left) / _MICROSECONDS

    def pause(self, origin: str, seconds: float) -> None:
        """Let nobody take a request for so many seconds from now, and no burst afterwards.

        A longer pause that holds already stays. It ends by itself, on the clock of the server.
        While the server cannot be reached the others are not told, and that is logged.

        Args:
            origin: Scheme, host and port of the site.
            seconds: How long the site asks to wait.
        """
        full = (seconds + _BURST_SECONDS) * _MICROSECONDS
        try:
            self._pause(keys=[self._key(origin)], args=[full])
        except redis.RedisError as error:
            _logger.warning(
                "only this process pauses its requests to %s for %.0f s, as the queue's server"
                " cannot be told: %s", origin, seconds, error,
            )  # fmt: skip

    def _key(self, origin: str) -> str:
        return f"{self._namespace}:requests:{origin}"
