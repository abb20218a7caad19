"""Starts processes quickly: each is forked from one that has loaded everything and holds nothing.

A process that runs tests has one fork server, and whoever starts it settles what it has loaded. So
all that fork in this way do it from here, whichever of them comes first.
"""

import multiprocessing
from typing import Final

PROCESSES: Final = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    [
        "tests.integration.event_store.postgres_processes",
        "tests.support.crashing",
        "tests.support.used_once",
    ]
)
