"""Forgotten: that nothing is left of who was erased, wherever it could be found."""

import subprocess
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import redis

from testamur import CredentialFilter, Testamur
from testamur.application.ports.secret_keys import SecretKeys
from testamur.domain.credentials import CredentialStatus
from testamur.domain.identifiers import LearnerId
from testamur.entrypoints.container import Wiring
from testamur.entrypoints.setting_values import PostgresUrl
from tests.chaos.ending import Ending, queue_server
from tests.chaos.stage import Stage
from tests.support.postgres_server import program
from tests.support.searching import files_below, found_in


def look_for_traces(ending: Ending, stage: Stage, testamur: Testamur) -> None:
    """Look for names and addresses of those who were erased, and for later messages."""
    erased = sorted(stage.erasures.erased)
    ending.require_same("erasures completed", len(erased), stage.erasures.begun)
    ending.counts["erasures asked for again"] = len(stage.erasures.again)
    _keys(ending, stage, erased)
    _persons(ending, stage, testamur)
    _later_messages(ending, stage)
    texts = [text for id_ in erased for text in (f"Example {id_}", f"learner{id_}@example.org")]
    for where, content in _contents(stage):
        if found := found_in(content, texts):
            ending.wrong(f"personal data left in {where}", found)


def _keys(ending: Ending, stage: Stage, erased: list[str]) -> None:
    with closing(Wiring.of(stage.settings)) as wiring:
        keys = wiring.resolve(SecretKeys).find(map(LearnerId, stage.expected.eligible))
    ending.require_same("learners without a key", set(stage.expected.eligible) - set(keys),
                        set(erased))  # fmt: skip


def _persons(ending: Ending, stage: Stage, testamur: Testamur) -> None:
    """Look whether the credentials of these, and of no others, are erased and name nobody."""
    rows = testamur.credentials(CredentialFilter(status=CredentialStatus.ERASED))
    by_learner = {str(row.learner_id): row.credential_id for row in rows}
    ending.require_same("whose credentials are erased", set(by_learner), set(stage.erasures.erased))
    for learner, id_ in by_learner.items():
        person = testamur.credential(id_).awarded.person
        ending.require_same(f"the person in the credential of {learner}", person, None)


def _later_messages(ending: Ending, stage: Stage) -> None:
    received = stage.mailbox.received
    for learner, before in stage.erasures.told_before.items():
        later = [each for each in received[before:]
                 if stage.expected.eligible[learner] in each.recipients]  # fmt: skip
        ending.require_same(f"messages to {learner} after the erasure", len(later), 0)


def _contents(stage: Stage) -> Iterator[tuple[str, bytes]]:
    """Yield whatever is kept: the database, the queue, data and logs, names of stored files."""
    database = stage.settings.database
    assert isinstance(database, PostgresUrl)
    dump = subprocess.run(
        [str(program("pg_dump")), database.reveal()], capture_output=True, check=True
    )
    yield "the database", dump.stdout
    with queue_server(stage) as client:
        for key in client.scan_iter():
            yield f"the queue's {key.decode()}", b"\n".join([key, *_values(client, key)])
    for file in files_below(stage.folder):
        yield str(file), file.read_bytes()


def _values(client: redis.Redis, key: bytes) -> list[bytes]:
    """Return what is kept under a key; not as `DUMP` does, which packs it."""
    found: Any
    match client.type(key):
        case b"string":
            found = [client.get(key) or b""]
        case b"hash":
            found = [part for pair in client.hgetall(key).items() for part in pair]
        case b"list":
            found = client.lrange(key, 0, -1)
        case b"set":
            found = client.smembers(key)
        case b"zset":
            found = client.zrange(key, 0, -1)
        case b"none":  # it expired in this moment
            found = []
        case other:
            raise NotImplementedError(f"a key of type {other!r}")
    return list(found)
