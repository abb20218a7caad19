"""What the processes do that tests start; each opens the database file on its own."""

import random
from collections.abc import Sequence
from multiprocessing.synchronize import Event
from pathlib import Path
from uuid import UUID

from testamur.adapters.event_store.sqlite import SqliteDatabase
from testamur.application.errors import ConcurrencyConflict
from tests.support.databases import Database
from tests.support.events import an_award, awarding, by

#: Awards in each batch of a process that is killed.
BATCH = 7


def award_each(database: Database, learners: Sequence[str], seed: int) -> tuple[int, int]:
    """Award learners one by one in an order of one's own; return how many, and the
    streams that others were first on."""
    order = list(learners)
    random.Random(seed).shuffle(order)
    awarded = conflicts = 0
    for learner in order:
        try:
            database.events.append(awarding(an_award(learner)), by())
        except ConcurrencyConflict as conflict:
            conflicts += len(conflict.stream_ids)
        else:
            awarded += 1
    return awarded, conflicts


def award_each_in_a_process(
    arguments: tuple[Path, Sequence[str], int],
) -> tuple[int, int]:
    """Award learners one by one, in a file that others do the same in."""
    file, learners, seed = arguments
    with SqliteDatabase.open(file) as database:
        return award_each(database, learners, seed)


def open_and_award(arguments: tuple[Path, int]) -> None:
    """Open a fresh file while others do so too, and award one learner in it."""
    file, number = arguments
    with SqliteDatabase.open(file) as database:
        database.events.append(awarding(an_award(f"learner-{number}")), by())


def award_until_killed(file: Path, first: int, started: Event) -> None:
    """Award batch after batch, each with a correlation id of its own."""
    with SqliteDatabase.open(file) as database:
        for batch in range(first, first + 1_000_000):
            awards = [an_award(f"learner-{batch}-{number}") for number in range(BATCH)]
            database.events.append(awarding(*awards), by(correlation_id=UUID(int=batch)))
            started.set()
