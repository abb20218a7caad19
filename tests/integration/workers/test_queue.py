"""The queue on a real Valkey server: what is in it, and what becomes of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
import redis

from testamur.adapters.dramatiq_queue import DramatiqQueue, redis_client
from testamur.application.errors import QueueError
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
from testamur.entrypoints.doctor import examine
from testamur.entrypoints.settings import load_settings
from tests.support.valkey_server import ValkeyServer, started_valkey

pytestmark = pytest.mark.integration

RUN = RunId(UUID("7d444840-9dc0-11d1-b245-5ffdce74fad2"))
CREDENTIAL = CredentialId(UUID("7d444840-9dc0-11d1-b245-5ffdce74fad3"))
NAMESPACE = "tests"


@pytest.fixture
def url(valkey: ValkeyServer) -> str:
    return valkey.fresh_database()


@pytest.fixture
def queue(url: str) -> Iterator[DramatiqQueue]:
    queue = DramatiqQueue(redis_client(url), NAMESPACE)
    yield queue
    queue.close()


@pytest.mark.parametrize(
    ("task", "actor", "arguments"),
    [
        (AwardRun(RUN), "run_configuration", {"run_id": str(RUN)}),
        (AwardPage(RUN, 3, 12), "award_page", {"run_id": str(RUN), "share": 3, "page": 12}),
        (IssueAwarded(), "issue_awarded", {"run_id": None}),
        (NotifyIssued(RUN), "notify_issued", {"run_id": str(RUN)}),
        (
            Reconcile(ReconciliationId(RUN)),
            "reconcile",
            {"reconciliation_id": str(RUN)},
        ),
        (
            IssueBatch(3, (CREDENTIAL,)),
            "issue_batch",
            {"share": 3, "credential_ids": [str(CREDENTIAL)]},
        ),
        (
            NotifyBatch(3, (CREDENTIAL,)),
            "notify_batch",
            {"share": 3, "credential_ids": [str(CREDENTIAL)]},
        ),
    ],
)
def test_a_task_is_kept_as_json(
    url: str, queue: DramatiqQueue, task: Task, actor: str, arguments: dict[str, object]
) -> None:
    queue.send(task)

    with redis.Redis.from_url(url) as client:
        (name,) = client.keys(f"{NAMESPACE}:*.msgs")
        (message,) = client.hvals(name.decode())
    told = json.loads(message)
    assert (told["actor_name"], told["kwargs"]) == (actor, arguments)


def test_a_task_that_waits_is_not_sent_again_until_it_is_begun(queue: DramatiqQueue) -> None:
    queue.send(AwardRun(RUN))
    queue.send(AwardRun(RUN))
    assert queue.waiting()["runs"] == 1

    queue.begun(AwardRun(RUN))
    queue.send(AwardRun(RUN))
    assert queue.waiting()["runs"] == 2


def test_other_tasks_are_sent_beside_one_that_waits(queue: DramatiqQueue) -> None:
    queue.send(IssueAwarded())
    queue.send(IssueAwarded(RUN))
    queue.send(IssueBatch(1, (CREDENTIAL,)))
    queue.send(NotifyBatch(1, (CREDENTIAL,)))

    waiting = queue.waiting()
    assert (waiting["issue"], waiting["notify"]) == (3, 1)


def test_installations_on_one_server_are_kept_apart(url: str, queue: DramatiqQueue) -> None:
    queue.send(AwardRun(RUN))
    other = DramatiqQueue(redis_client(url), "another")

    assert other.waiting()["runs"] == 0
    other.send(AwardRun(RUN))
    assert other.waiting()["runs"] == 1
    other.close()


def test_what_was_sent_survives_the_death_of_the_server() -> None:
    with started_valkey() as server:
        queue = DramatiqQueue(redis_client(server.url()), NAMESPACE)
        queue.send(AwardRun(RUN))
        server.kill()
        with pytest.raises(QueueError, match="the queue cannot be used"):
            queue.send(IssueAwarded(RUN))
        server.start()

        assert queue.waiting()["runs"] == 1
        queue.close()


def test_a_task_that_could_not_be_sent_can_be_sent_later() -> None:
    with started_valkey() as server:
        queue = DramatiqQueue(redis_client(server.url()), NAMESPACE)
        server.stop()
        with pytest.raises(QueueError):
            queue.send(AwardRun(RUN))
        server.start()

        queue.send(AwardRun(RUN))
        assert queue.waiting()["runs"] == 1
        queue.close()


def test_learners_looked_at_are_counted_for_who_watches(queue: DramatiqQueue) -> None:
    assert queue.evaluated(RUN) is None
    queue.note_evaluated(RUN, 500)
    queue.note_evaluated(RUN, 1_000)
    assert queue.evaluated(RUN) == 1_000


def test_the_server_is_named(queue: DramatiqQueue) -> None:
    assert queue.check().startswith("Valkey ")
    assert queue.is_lasting()


def test_the_doctor_looks_at_the_queue(url: str, queue: DramatiqQueue, tmp_path: Path) -> None:
    queue.send(AwardRun(RUN))
    file = tmp_path / "testamur.toml"
    file.write_text(f'queue = "{url}"\nqueue_namespace = "{NAMESPACE}"\n')
    lost = url.replace("127.0.0.1:", "x:open-sesame@127.0.0.1:1")

    (found,) = [each for each in examine(lambda: load_settings(file)) if each.subject == "queue"]
    assert found.ok
    assert "messages: runs 1, award 0, issue 0" in found.found

    file.write_text(f'queue = "{lost[: lost.rindex(":")]}:1/0"\n')
    (found,) = [each for each in examine(lambda: load_settings(file)) if each.subject == "queue"]
    assert not found.ok
    assert "the queue cannot be used" in found.found
    assert "open-sesame" not in f"{found}"
