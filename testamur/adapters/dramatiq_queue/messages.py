"""Messages: what a task looks like in the queue. JSON, so that nothing in it is ever executed."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from uuid import UUID

from testamur.application.ports.tasks import (
    AwardPage,
    AwardRun,
    IssueAwarded,
    IssueBatch,
    NotifyBatch,
    NotifyIssued,
    Reconcile,
    Task,
)
from testamur.domain.identifiers import CredentialId, ReconciliationId, RunId


class Address(NamedTuple):
    """Where a task goes: to an actor, through the actor's queue."""

    actor: str
    queue: str


ADDRESSES: Final[Mapping[type, Address]] = {
    AwardRun: Address("run_configuration", "runs"),
    AwardPage: Address("award_page", "award"),
    IssueAwarded: Address("issue_awarded", "issue"),
    IssueBatch: Address("issue_batch", "issue"),
    NotifyIssued: Address("notify_issued", "notify"),
    NotifyBatch: Address("notify_batch", "notify"),
    Reconcile: Address("reconcile", "runs"),
}

#: Queue of the tick, and that of whatever follows the log.
SCHEDULE_QUEUE: Final = "schedule"
FOLLOW_QUEUE: Final = "follow"

QUEUES: Final = (*dict.fromkeys(each.queue for each in ADDRESSES.values()),
                 SCHEDULE_QUEUE, FOLLOW_QUEUE)  # fmt: skip


#: Options of a message: what it belongs to, and when it came into its queue (Unix time in
#: milliseconds), which is later than when it was first sent where it was tried again.
CORRELATION_ID: Final = "correlation_id"
QUEUED_AT: Final = "queued_at"


def arguments_of(task: Task) -> dict[str, Any]:
    """Return a task as the arguments of its actor, all of which JSON knows."""
    match task:
        case AwardRun(run_id):
            return {"run_id": str(run_id)}
        case AwardPage(run_id, share, number):
            return {"run_id": str(run_id), "share": share, "page": number}
        case IssueAwarded(run) | NotifyIssued(run):
            return {"run_id": None if run is None else str(run)}
        case IssueBatch(share, ids) | NotifyBatch(share, ids):
            return {"share": share, "credential_ids": [str(id_) for id_ in ids]}
        case Reconcile(id_):
            return {"reconciliation_id": str(id_)}


def run_in(run_id: str) -> RunId:
    """Return the run that a message is about.

    Raises:
        ValueError: It is no id.
    """
    return RunId(UUID(run_id))


def reconciliation_in(reconciliation_id: str) -> ReconciliationId:
    """Return the reconciliation that a message is about.

    Raises:
        ValueError: It is no id.
    """
    return ReconciliationId(UUID(reconciliation_id))


def credentials_in(credential_ids: list[str]) -> tuple[CredentialId, ...]:
    """Return the credentials that a message is about.

    Raises:
        ValueError: One is no id.
    """
    return tuple(CredentialId(UUID(each)) for each in credential_ids)


def subject_of(arguments: Mapping[str, Any], *, in_full: bool = False) -> dict[str, Any]:
    """Return what a message is about, by name, for people and programs that read logs.

    Args:
        arguments: Those of its actor.
        in_full: Whether credentials are named one by one, and not only counted.
    """
    ids = arguments.get("credential_ids")
    about = {
        "run": arguments.get("run_id"),
        "reconciliation": arguments.get("reconciliation_id"),
        "share": arguments.get("share"),
        "page": arguments.get("page"),
        "credentials": None if ids is None else ids if in_full else len(ids),
    }
    return {name: value for name, value in about.items() if value is not None}
