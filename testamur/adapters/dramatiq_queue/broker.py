"""The broker: how Dramatiq reaches the Redis or Valkey server, and what it keeps there."""

from collections.abc import Sequence
from typing import Any, Final

import redis
from dramatiq import Middleware
from dramatiq.brokers.redis import RedisBroker

from testamur.adapters.dramatiq_queue.consuming import LastingRedisBroker

#: A worker that gave no sign of life for so long counts as dead, and its messages go to others.
HEARTBEAT_TIMEOUT_MILLISECONDS: Final = 30_000

#: Out of a million commands, so many look for dead workers. Each queue is asked for about once a
#: second, so that the messages of a dead one go to others within a minute.
MAINTENANCE_CHANCE: Final = 50_000

_CONNECT_SECONDS: Final = 5.0
_ANSWER_SECONDS: Final = 30.0
_CHECK_IDLE_CONNECTIONS_AFTER_SECONDS: Final = 30


def redis_client(url: str) -> "redis.Redis":
    """Return a client of a server; it connects when it is first needed.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``.
    """
    client: redis.Redis = redis.Redis.from_url(
        url,
        **{
            # What the address itself says goes before these.
            "socket_timeout": _ANSWER_SECONDS,
            "health_check_interval": _CHECK_IDLE_CONNECTIONS_AFTER_SECONDS,
            **({} if url.startswith("unix:") else {"socket_connect_timeout": _CONNECT_SECONDS}),
        },
    )
    return client


def redis_broker(
    client: "redis.Redis", namespace: str, middleware: Sequence[Middleware] = ()
) -> RedisBroker:
    """Return a broker.

    Args:
        client: Of the server.
        namespace: What the names of all keys begin with.
        middleware: What looks after the work; whoever only sends needs none.
    """
    options: dict[str, Any] = {
        "client": client,
        "namespace": namespace,
        "middleware": list(middleware),
        "heartbeat_timeout": HEARTBEAT_TIMEOUT_MILLISECONDS,
        "maintenance_chance": MAINTENANCE_CHANCE,
    }
    return LastingRedisBroker(**options)
