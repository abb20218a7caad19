"""The actors: the module that the programs `dramatiq` and `periodiq` are given.

Importing it reads the settings and connects to nothing; `testamur worker` and `testamur scheduler`
start those two programs with what the settings say.
"""

from typing import Final

import dramatiq
from dramatiq.middleware import AgeLimit, Interrupt, Retries, ShutdownNotifications, TimeLimit
from periodiq import PeriodiqMiddleware, cron

from testamur.adapters.dramatiq_queue import redis_broker, redis_client
from testamur.adapters.dramatiq_queue.messages import (
    ADDRESSES,
    FOLLOW_QUEUE,
    SCHEDULE_QUEUE,
    credentials_in,
    reconciliation_in,
    run_in,
)
from testamur.application.errors import EventStoreError, QueueError
from testamur.application.ports.tasks import (
    AwardPage,
    AwardRun,
    IssueAwarded,
    IssueBatch,
    NotifyBatch,
    NotifyIssued,
    Reconcile,
)
from testamur.domain.errors import InvalidInput
from testamur.entrypoints.log_lines import take_over_logging
from testamur.entrypoints.observing import Observing
from testamur.entrypoints.setting_values import RedisUrl
from testamur.entrypoints.settings import load_settings
from testamur.entrypoints.worker_process import WorkerProcess

_SECOND: Final = 1_000
_MINUTE: Final = 60 * _SECOND
_HOUR: Final = 60 * _MINUTE

#: A tick that is older than this when a worker takes it is dropped: the next one is there.
LATE_TICK_SECONDS: Final = 50

#: How often work is tried again that ran into an error, at growing distances: about half an hour
#: in all. A tick finds what is given up here.
MOST_RETRIES: Final = 8
#: After 5 to 10 seconds, 10 to 20 and 20 to 40; by then the next one is there.
MOST_RETRIES_OF_FOLLOWING: Final = 3
_BACKOFF: Final = {"min_backoff": 5 * _SECOND, "max_backoff": 10 * _MINUTE}


def _is_tried_again(retries: int, error: BaseException) -> bool:
    """Tell whether the queue tries a run again.

    What a run runs into is recorded with the run, and a tick tries it again by that record. Only
    where nothing could be recorded, or another worker is in the way, does the queue do it.
    """
    is_recorded = not isinstance(error, EventStoreError | QueueError | Interrupt | dramatiq.Retry)
    return not is_recorded and retries < MOST_RETRIES


_settings = load_settings().settings
if not isinstance(_settings.queue, RedisUrl):
    raise InvalidInput("queue", _settings.queue, "redis://HOST:PORT/NUMBER where workers are used")
take_over_logging(_settings.log_format)
_observing: Final = Observing(_settings)
_process: Final = WorkerProcess(_settings, _observing)
broker: Final = redis_broker(
    redis_client(_settings.queue.reveal()),
    _settings.queue_namespace,
    [
        _observing,
        AgeLimit(),
        TimeLimit(),
        ShutdownNotifications(),
        Retries(max_retries=MOST_RETRIES, min_backoff=_BACKOFF["min_backoff"],
                max_backoff=_BACKOFF["max_backoff"]),
        PeriodiqMiddleware(skip_delay=LATE_TICK_SECONDS),
        _process,
    ],
)  # fmt: skip
dramatiq.set_broker(broker)


# Of two tasks that wait, the one with the lower priority number goes first: what is begun is
# finished before more is begun.


@dramatiq.actor(
    queue_name=SCHEDULE_QUEUE,
    priority=0,
    time_limit=30 * _MINUTE,
    max_retries=0,
    periodic=cron("* * * * *"),
)
def tick() -> None:
    """Find what is due and what a crash left behind."""
    _process.tick()


@dramatiq.actor(
    queue_name=FOLLOW_QUEUE,
    priority=1,
    time_limit=30 * _MINUTE,
    max_retries=MOST_RETRIES_OF_FOLLOWING,
    periodic=cron("* * * * *"),
)
def follow_log() -> None:
    """Seal what the log has gained, and bring the audit trail on."""
    _process.follow()


@dramatiq.actor(
    queue_name=ADDRESSES[AwardRun].queue,
    priority=40,
    time_limit=12 * _HOUR,
    retry_when=_is_tried_again,
)
def run_configuration(run_id: str) -> None:
    """Go over the learners of a run, and put those who are eligible on pages."""
    _process.do(AwardRun(run_in(run_id)))


@dramatiq.actor(
    queue_name=ADDRESSES[AwardPage].queue,
    priority=35,
    time_limit=_HOUR,
    retry_when=_is_tried_again,
)
def award_page(run_id: str, share: int, page: int) -> None:
    """Award those on a page of a run, and hand them on to be issued."""
    _process.do(AwardPage(run_in(run_id), share, page))


@dramatiq.actor(
    queue_name=ADDRESSES[Reconcile].queue,
    priority=50,
    time_limit=12 * _HOUR,
    retry_when=_is_tried_again,
)
def reconcile(reconciliation_id: str) -> None:
    """Compare a configuration's credentials with today's verdicts, page by page."""
    _process.do(Reconcile(reconciliation_in(reconciliation_id)))


@dramatiq.actor(queue_name=ADDRESSES[IssueAwarded].queue, priority=30, time_limit=30 * _MINUTE)
def issue_awarded(run_id: str | None) -> None:
    """Cut what waits to be issued into batches."""
    _process.do(IssueAwarded(None if run_id is None else run_in(run_id)))


@dramatiq.actor(queue_name=ADDRESSES[IssueBatch].queue, priority=20, time_limit=30 * _MINUTE)
def issue_batch(share: int, credential_ids: list[str]) -> None:
    """Issue a batch of credentials."""
    _process.do(IssueBatch(share, credentials_in(credential_ids)))


@dramatiq.actor(queue_name=ADDRESSES[NotifyIssued].queue, priority=11, time_limit=30 * _MINUTE)
def notify_issued(run_id: str | None) -> None:
    """Cut what learners wait to be told into batches."""
    _process.do(NotifyIssued(None if run_id is None else run_in(run_id)))


@dramatiq.actor(queue_name=ADDRESSES[NotifyBatch].queue, priority=10, time_limit=_HOUR)
def notify_batch(share: int, credential_ids: list[str]) -> None:
    """Tell the learners of a batch of credentials."""
    _process.do(NotifyBatch(share, credentials_in(credential_ids)))
