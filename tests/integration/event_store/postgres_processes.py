"""What the processes do that tests start on a PostgreSQL database; each opens it on its own."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Event

from testamur.adapters.event_store.postgres import PostgresDatabase
from testamur.adapters.event_store.postgres.connections import Datastore
from testamur.adapters.event_store.postgres.locks import PostgresLocks
from tests.integration.event_store.processes import award_each
from tests.support.events import an_award, awarding, by


def award_each_in_threads(arguments: tuple[str, Sequence[str], Sequence[int]]) -> tuple[int, int]:
    """Award the same learners in several threads, each in an order of its own."""
    url, learners, seeds = arguments
    with PostgresDatabase.open(url) as database, ThreadPoolExecutor(len(seeds)) as pool:
        counts = list(pool.map(lambda seed: award_each(database, learners, seed), seeds))
    return sum(awarded for awarded, _ in counts), sum(conflicts for _, conflicts in counts)


def open_and_award(arguments: tuple[str, int]) -> None:
    """Open an empty database while others do so too, and award one learner in it."""
    url, number = arguments
    with PostgresDatabase.open(url) as database:
        database.events.append(awarding(an_award(f"learner-{number}")), by())


def hold_until_killed(url: str, work: str, held: Event) -> None:
    """Hold a lock for longer than any test lasts."""
    with PostgresLocks(Datastore(url)).hold(work):
        held.set()
        time.sleep(600)
