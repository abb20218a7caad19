"""The task queue of several workers: Dramatiq on a Redis or Valkey server."""

from testamur.adapters.dramatiq_queue.broker import redis_broker, redis_client
from testamur.adapters.dramatiq_queue.limits import RedisLimit
from testamur.adapters.dramatiq_queue.queue import DramatiqQueue

__all__ = ["DramatiqQueue", "RedisLimit", "redis_broker", "redis_client"]
