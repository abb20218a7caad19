"""The lookout: asks database and queue how things stand, apart from those who do the work.

It has connections of its own that do not wait long, so that who asks learns soon what is wrong.
"""

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Self

from testamur.adapters.metrics.asked import Sample
from testamur.adapters.metrics.catalogue import (
    AUDIT_TRAIL_LAG,
    AWAITING_ISSUE,
    AWAITING_NOTIFICATION,
    LAST_TICK,
    LOG_EVENTS,
    OPEN_RUNS,
    QUEUE_AGE,
    QUEUE_MESSAGES,
    SEALING_LAG,
    Metric,
)
from testamur.application.errors import EventStoreError
from testamur.application.following import Following
from testamur.domain.errors import TestamurError
from testamur.entrypoints.databases import OpenDatabase, open_database
from testamur.entrypoints.setting_values import RedisUrl
from testamur.entrypoints.settings import Settings

if TYPE_CHECKING:
    from testamur.adapters.dramatiq_queue.figures import QueueStatus

#: The scheduler asks for a tick each minute. After so long without one, something is wrong.
TICKS_AT_LEAST_EVERY: Final = timedelta(minutes=5)

#: So many credentials that wait are counted; more are told as so many.
MOST_COUNTED: Final = 10_000

#: Whatever waits is to be counted, also what is to be tried again later.
_END_OF_TIME: Final = datetime(9000, 1, 1, tzinfo=UTC)

_NO_LONG_WAITS: Final = {
    "database_pool_size": 2,
    "database_connect_timeout_seconds": 3,
    "database_lock_timeout_seconds": 3.0,
    "database_reconnect_seconds": 0.0,
}

Status = Literal["ok", "degraded", "failing"]


@dataclass(frozen=True, slots=True)
class Health:
    """How an installation is.

    Args:
        database: What is wrong with the database; None: it answers.
        queue: What is wrong with the queue's server; None: it answers, or there is none.
        last_tick: When a worker last went through a tick (aware), if it is known.
        has_queue: Whether there are workers, and so ticks to look for.
        at: When this was found out (aware).
    """

    database: str | None
    queue: str | None
    last_tick: datetime | None
    has_queue: bool
    at: datetime

    @property
    def problems(self) -> dict[str, str]:
        """What is wrong, by what it is wrong with."""
        found = {"database": self.database, "queue": self.queue}
        if self.has_queue and self.queue is None:
            found["tick"] = self._late_tick()
        return {name: problem for name, problem in found.items() if problem is not None}

    @property
    def status(self) -> Status:
        """``failing``: no work can be done; ``degraded``: it can, and something is wrong."""
        if self.database is not None or self.queue is not None:
            return "failing"
        return "degraded" if self.problems else "ok"

    def told(self) -> dict[str, object]:
        """Return it for programs."""
        return {
            "status": self.status,
            "database": self.database or "ok",
            "queue": (self.queue or "ok") if self.has_queue else None,
            "last_tick": self.last_tick,
            "problems": self.problems,
        }

    def _late_tick(self) -> str | None:
        if self.last_tick is None:
            return "no worker has gone through a tick yet"
        if self.at - self.last_tick <= TICKS_AT_LEAST_EVERY:
            return None
        minutes = int((self.at - self.last_tick).total_seconds() // 60)
        return f"the last one was {minutes} minutes ago; is there a scheduler?"


def health_of(lookout: "Lookout", now: datetime) -> Health:
    """Return how an installation is, asked right now.

    Args:
        lookout: Asks database and queue.
        now: The present moment (aware).
    """
    database, queue = None, None
    last_tick: datetime | None = None
    try:
        lookout.try_database()
    except TestamurError as error:
        database = error.for_the_record()
    if lookout.has_queue:
        try:
            last_tick = next(iter(lookout.last_tick()), None)
        except TestamurError as error:
            queue = error.for_the_record()
    return Health(database, queue, last_tick, lookout.has_queue, now)


class Lookout:
    """Asks database and queue. Several threads may use it at once.

    Args:
        settings: Of the installation.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.model_copy(update=_NO_LONG_WAITS)
        self._resources = ExitStack()
        self._opening = threading.Lock()
        self._database: OpenDatabase | None = None
        self._queue: QueueStatus | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    @property
    def has_queue(self) -> bool:
        """Whether the installation has workers."""
        return isinstance(self._settings.queue, RedisUrl)

    def try_database(self) -> bool:
        """Return whether the database answers, which is always true.

        Raises:
            TestamurError: It does not.
        """
        self._opened_database().log.last_position()
        return True

    def last_tick(self) -> Sequence[datetime]:
        """Return when a worker last went through a tick; nothing where that is not known.

        Raises:
            QueueError: The queue's server does not answer.
        """
        last = self._opened_queue().last_tick()
        return () if last is None else (last,)

    def of_database(self) -> Sequence[Sample]:
        """Return what the database tells.

        Raises:
            TestamurError: It cannot be read.
        """
        database = self._opened_database()
        head = database.tree.latest_head()
        following = Following(database.log, database.audit_rows).status()
        register = database.register
        issue = [row.issue_failures for row in register.awaiting_issue(_END_OF_TIME, MOST_COUNTED)]
        notify = [
            row.notification_failures
            for row in (
                *register.awaiting_notification(_END_OF_TIME, MOST_COUNTED),
                *database.deliveries.awaiting(_END_OF_TIME, MOST_COUNTED),
            )
        ]
        runs = [row.failures for row in register.runs(open_only=True)]
        return [
            Sample(LOG_EVENTS, following.last_position),
            Sample(AUDIT_TRAIL_LAG, following.behind),
            Sample(SEALING_LAG, max(0, following.last_position - (head.size if head else 0))),
            *_by_failures(AWAITING_ISSUE, issue),
            *_by_failures(AWAITING_NOTIFICATION, notify),
            *_by_failures(OPEN_RUNS, runs),
        ]

    def of_queue(self) -> Sequence[Sample]:
        """Return what the queue's server tells.

        Raises:
            QueueError: It does not answer.
        """
        queue = self._opened_queue()
        samples = [Sample(LAST_TICK, last.timestamp()) for last in self.last_tick()]
        for name, figures in queue.figures(datetime.now(UTC)).items():
            samples += [
                Sample(QUEUE_MESSAGES, figures.waiting, (name, "waiting")),
                Sample(QUEUE_MESSAGES, figures.taken, (name, "taken")),
                Sample(QUEUE_MESSAGES, figures.delayed, (name, "delayed")),
                Sample(QUEUE_MESSAGES, figures.given_up, (name, "given-up")),
                Sample(QUEUE_AGE, figures.age_seconds, (name,)),
            ]
        return samples

    def _opened_database(self) -> OpenDatabase:
        with self._opening:
            if self._database is None:
                location = self._settings.database_location
                if isinstance(location, Path) and not location.exists():
                    raise EventStoreError(f"there is no database at {location} yet")
                with ExitStack() as resources:
                    self._database, _ = open_database(self._settings, resources)
                    self._resources.push(resources.pop_all())
            return self._database

    def _opened_queue(self) -> "QueueStatus":
        from testamur.adapters.dramatiq_queue import redis_client
        from testamur.adapters.dramatiq_queue.figures import QueueStatus

        with self._opening:
            if self._queue is None:
                if not isinstance(self._settings.queue, RedisUrl):
                    raise AssertionError("a lookout for a queue where there is none")
                self._queue = QueueStatus(
                    redis_client(self._settings.queue.reveal()), self._settings.queue_namespace
                )
                self._resources.callback(self._queue.close)
            return self._queue


def _by_failures(metric: Metric, failures: Sequence[int]) -> list[Sample]:
    failing = sum(1 for each in failures if each)
    return [
        Sample(metric, len(failures) - failing, ("new",)),
        Sample(metric, failing, ("failing",)),
    ]
