"""The actors of `testamur worker`, with delays of seconds where production has minutes.

Nothing else is changed: this sets the constants that say how long to wait, lets the processes note
which locks they hold, imports the module that `testamur worker` gives to Dramatiq, and is given to
Dramatiq in its place.
"""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from dramatiq import Broker
from dramatiq.middleware import Retries

from testamur.adapters.dramatiq_queue import broker as queue_server
from testamur.adapters.dramatiq_queue import queue
from testamur.application import dividing
from testamur.domain import runs
from testamur.domain.credentials import retries
from tests.chaos import holders

_SECOND: Final = timedelta(seconds=1)

DELAYS: Final[Mapping[ModuleType, Mapping[str, Any]]] = {
    # A minute, doubling up to twelve hours.
    retries: {"FIRST_RETRY_AFTER": _SECOND, "LONGEST_RETRY_AFTER": 4 * _SECOND},
    # Five minutes, doubling.
    runs: {"FIRST_RETRY_AFTER": _SECOND},
    # Twenty seconds.
    dividing: {"PATIENCE_OF_A_BATCH_SECONDS": 2.0},
    # Five minutes.
    queue: {"WAITS_AT_MOST_MILLISECONDS": 5_000},
    # Half a minute; and one command in twenty.
    queue_server: {"HEARTBEAT_TIMEOUT_MILLISECONDS": 4_000, "MAINTENANCE_CHANCE": 200_000},
}

for _module, _delays in DELAYS.items():
    for _name, _value in _delays.items():
        if not hasattr(_module, _name):
            raise AttributeError(f"{_module.__name__} has no {_name} any more")
        setattr(_module, _name, _value)

holders.note_holders(Path(os.environ[holders.VARIABLE]))

# Only now: some of these names are imported by others.
from testamur.entrypoints import worker, worker_process  # noqa: E402

worker_process.SHARE_TAKEN_MILLISECONDS = 1_000  # type: ignore[misc] # fifteen seconds

broker: Final[Broker] = worker.broker
for _middleware in broker.middleware:
    if isinstance(_middleware, Retries):  # five seconds, doubling up to ten minutes
        _middleware.min_backoff, _middleware.max_backoff = 500, 4_000
