"""Messages: what a task looks like in the queue. JSON, so that nothing in it is ever executed."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from uuid import UUID

from testamur.application.ports.tasks import (
    AwardRun,
    IssueAwarded,
    IssueBatch,
    NotifyBatch,
    NotifyIssued,
    Task,
)
from testamur.domain.identifiers import CredentialId, RunId


class Address(NamedTuple):
    """Where a task goes: to an actor, through the actor's queue."""

    actor: str
    queue: str


ADDRESSES: Final[Mapping[type, Address]] = {
    AwardRun: Address("run_configuration", "runs"),
    IssueAwarded: Address("issue_awarded", "issue"),
    IssueBatch: Address("issue_batch", "issue"),
    NotifyIssued: Address("notify_issued", "notify"),
    NotifyBatch: Address("notify_batch", "notify"),
}

#: Queue of the tick, and that of whatever follows the log.
SCHEDULE_QUEUE: Final = "schedule"
FOLLOW_QUEUE: Final = "follow"

QUEUES: Final = (*dict.fromkeys(each.queue for each in ADDRESSES.values()),
                 SCHEDULE_QUEUE, FOLLOW_QUEUE)  # fmt: skip


def arguments_of(task: Task) -> dict[str, Any]:
    """Return a task as the arguments of its actor, all of which JSON knows."""
    match task:
        case AwardRun(run_id):
            return {"run_id": str(run_id)}
        case IssueAwarded(run) | NotifyIssued(run):
            return {"run_id": None if run is None else str(run)}
        case IssueBatch(share, ids) | NotifyBatch(share, ids):
            return {"share": share, "credential_ids": [str(id_) for id_ in ids]}


def run_in(run_id: str) -> RunId:
    """Return the run that a message is about.

    Raises:
        ValueError: It is no id.
    """
    return RunId(UUID(run_id))


def credentials_in(credential_ids: list[str]) -> tuple[CredentialId, ...]:
    """Return the credentials that a message is about.

    Raises:
        ValueError: One is no id.
    """
    return tuple(CredentialId(UUID(each)) for each in credential_ids)


def subject_of(arguments: Mapping[str, Any], *, in_full: bool = False) -> str:
    """Return what a message is about, for people and programs that read logs.

    Args:
        arguments: Those of its actor.
        in_full: Whether credentials are named one by one, and not only counted.
    """
    told = []
    if arguments.get("run_id"):
        told.append(f"run={arguments['run_id']}")
    if "share" in arguments:
        told.append(f"share={arguments['share']}")
    if ids := arguments.get("credential_ids"):
        told.append(f"credentials={','.join(ids) if in_full else len(ids)}")
    return " ".join(told) or "all"
