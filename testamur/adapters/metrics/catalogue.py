"""Every metric that there is: its name, what it says, and its labels. None names a person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from testamur.adapters.dramatiq_queue.messages import ADDRESSES, QUEUES

#: Tasks that no message of the application stands for.
TICK: Final = "tick"
FOLLOW: Final = "follow_log"

_TASKS: Final = (*(address.actor for address in ADDRESSES.values()), TICK, FOLLOW)
_OUTCOMES: Final = ("done", "retried", "given-up", "skipped")


class Step(StrEnum):
    """What is timed within a task."""

    READ_LEARNERS = "read-learners"
    READ_PEOPLE = "read-people"
    CHECK = "check"
    RENDER = "render"
    STORE = "store"
    LOAD = "load"
    RECORD = "record"
    NOTIFY = "notify"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Args:
        name: As Prometheus knows it.
        says: What it says, in one sentence.
        labels: Every label with all values that it may have; without values, they are found out
            when it is read.
        buckets: Upper bounds of a histogram, in seconds.
        at_once: Whether it says how much there is now, summed over the processes that live.
    """

    name: str
    says: str
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    buckets: tuple[float, ...] = ()
    at_once: bool = False


AWARDED: Final = Metric("testamur_credentials_awarded_total", "Credentials that were awarded.")
ISSUED: Final = Metric(
    "testamur_credentials_issued_total", "Credentials whose document was made and stored."
)
FAILED: Final = Metric(
    "testamur_credentials_failed_total",
    "Attempts to make or store a document that failed; each is tried again.",
)
EVALUATED: Final = Metric(
    "testamur_learners_evaluated_total", "Learners that runs read from the data source."
)
REFUSED: Final = Metric(
    "testamur_learners_refused_total", "Eligible learners who could not be awarded a credential."
)
NOTIFICATIONS: Final = Metric(
    "testamur_notifications_total",
    "Attempts to tell a learner, by what became of them.",
    {"outcome": ("sent", "skipped", "failed")},
)
RUNS: Final = Metric(
    "testamur_runs_total",
    "Runs, by what became of them.",
    {"outcome": ("started", "completed", "failed", "needs-approval")},
)
STEP_SECONDS: Final = Metric(
    "testamur_step_seconds",
    "How long a step took: a page of learners, a document, a batch that is stored or recorded, a "
    "message.",
    {"step": tuple(Step)},
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
             300),
)  # fmt: skip
TASK_SECONDS: Final = Metric(
    "testamur_task_seconds",
    "How long a task took, by how it ended.",
    {"task": _TASKS, "outcome": _OUTCOMES},
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200),
)
TASK_RETRIES: Final = Metric(
    "testamur_task_retries_total", "Tasks that were put off to be tried again.", {"task": _TASKS}
)
TASKS_GIVEN_UP: Final = Metric(
    "testamur_tasks_given_up_total",
    "Tasks that were tried for the last time; a tick finds what they left.",
    {"task": _TASKS},
)
TASKS_AT_ONCE: Final = Metric(
    "testamur_tasks_in_progress",
    "Tasks that are being done.",
    {"task": _TASKS},
    at_once=True,
)
TICK_PROBLEMS: Final = Metric(
    "testamur_tick_problems_total", "What ticks could not do; the log says what it was."
)

COUNTED: Final = (
    AWARDED,
    ISSUED,
    FAILED,
    EVALUATED,
    REFUSED,
    NOTIFICATIONS,
    RUNS,
    STEP_SECONDS,
    TASK_SECONDS,
    TASK_RETRIES,
    TASKS_GIVEN_UP,
    TASKS_AT_ONCE,
    TICK_PROBLEMS,
)
"""What worker processes count as they work."""

_QUEUE_STATES: Final = ("waiting", "taken", "delayed", "given-up")
_IN_QUEUE: Final = {"queue": (*QUEUES,)}

DATABASE_UP: Final = Metric("testamur_database_up", "Whether the database answered (1 or 0).")
QUEUE_UP: Final = Metric("testamur_queue_up", "Whether the queue's server answered (1 or 0).")
QUEUE_MESSAGES: Final = Metric(
    "testamur_queue_messages",
    "Messages in a queue, by state: taken ones are being worked on, or soon will be.",
    {**_IN_QUEUE, "state": _QUEUE_STATES},
)
QUEUE_AGE: Final = Metric(
    "testamur_queue_age_seconds",
    "How long the first message has waited that no worker has taken yet.",
    _IN_QUEUE,
)
LAST_TICK: Final = Metric(
    "testamur_last_tick_timestamp_seconds",
    "When a worker last went through a tick to its end (Unix time).",
)
LOG_EVENTS: Final = Metric("testamur_log_events", "Events in the log.")
AUDIT_TRAIL_LAG: Final = Metric(
    "testamur_audit_trail_lag_events", "Events that the audit trail does not have yet."
)
SEALING_LAG: Final = Metric("testamur_sealing_lag_events", "Events that no signed head covers yet.")
AWAITING_ISSUE: Final = Metric(
    "testamur_credentials_awaiting_issue",
    "Credentials without their document yet; failing ones have failed before. 10000: or more.",
    {"state": ("new", "failing")},
)
AWAITING_NOTIFICATION: Final = Metric(
    "testamur_credentials_awaiting_notification",
    "Credentials whose learner waits to be told; failing ones have failed before. 10000: or more.",
    {"state": ("new", "failing")},
)
OPEN_RUNS: Final = Metric(
    "testamur_runs_open",
    "Runs that have not gone over all learners; failing ones have failed before.",
    {"state": ("new", "failing")},
)

OF_DATABASE: Final = (
    LOG_EVENTS,
    AUDIT_TRAIL_LAG,
    SEALING_LAG,
    AWAITING_ISSUE,
    AWAITING_NOTIFICATION,
    OPEN_RUNS,
)
"""What the database is asked for when metrics are read."""

OF_QUEUE: Final = (QUEUE_MESSAGES, QUEUE_AGE, LAST_TICK)
"""What the queue's server is asked for when metrics are read."""

ASKED: Final = (DATABASE_UP, *OF_DATABASE, QUEUE_UP, *OF_QUEUE)
METRICS: Final = (*COUNTED, *ASKED)
