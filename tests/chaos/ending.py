"""The end: what is to be true when everything has come to rest, looked at from outside."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from email import message_from_bytes
from os import environ
from uuid import UUID

import redis

from testamur.adapters.dramatiq_queue.messages import QUEUES
from testamur.application.ports.event_store import EventStore
from testamur.domain.credentials import (
    Artifact,
    CredentialAwarded,
    CredentialIssued,
    IssuanceFailed,
    NotificationFailed,
    NotificationSent,
    NotificationSkipped,
)
from testamur.domain.events import DomainEvent
from testamur.domain.runs import LearnersRefused, RunCompleted, RunFailed, RunStarted
from testamur.entrypoints.container import Wiring
from testamur.entrypoints.setting_values import RedisUrl
from tests.chaos.stage import Stage
from tests.support.program import in_a_process
from tests.support.workers import variables_of

_MOST_TOLD = 5


@dataclass
class Ending:
    """What was found.

    Args:
        problems: What is not as it is to be.
        counts: What is worth knowing of it, for people.
    """

    problems: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def wrong(self, what: str, which: object) -> None:
        """Note that something is wrong."""
        told = sorted(map(str, which)) if isinstance(which, set | dict | list) else [str(which)]
        more = f" and {len(told) - _MOST_TOLD} more" if len(told) > _MOST_TOLD else ""
        self.problems.append(f"{what}: {', '.join(told[:_MOST_TOLD])}{more}")

    def require_same(self, what: str, found: object, expected: object) -> None:
        """Note that two things differ, if they do."""
        if isinstance(found, set | frozenset) and isinstance(expected, set | frozenset):
            self.require_between(what, found, expected, expected)
        elif found != expected:
            self.wrong(what, f"{found} instead of {expected}")

    def require_between(
        self, what: str, found: Set[object], least: Set[object], most: Set[object]
    ) -> None:
        """Note what there is too much, and what is missing, if anything."""
        if found - most:
            self.wrong(f"{what}, too many", set(found - most))
        if least - found:
            self.wrong(f"{what}, missing", set(least - found))


@dataclass
class _Log:
    """The log, sorted."""

    events: dict[type[DomainEvent], list[tuple[UUID, DomainEvent]]]

    def of(self, kind: type[DomainEvent]) -> list[tuple[UUID, DomainEvent]]:
        """Return the events of a kind, with their streams."""
        return self.events[kind]

    def streams(self, kind: type[DomainEvent]) -> Counter[UUID]:
        """Count the events of a kind in each stream."""
        return Counter(stream for stream, _ in self.events[kind])


def looked_at(stage: Stage) -> Ending:
    """Look at everything that the order of the day asks for."""
    ending = Ending()
    log = _read_log(stage)
    learners = _credentials(ending, stage, log)
    artifacts = _files(ending, stage, log, learners)
    _mails(ending, stage, log, learners, artifacts)
    _runs(ending, stage, log)
    _audit(ending, stage)
    for (_, outcome), count in stage.lms.requests.outcomes.items():
        if outcome in {"429", "503", "cut", "dropped", "outage"}:
            ending.counts[f"met: the LMS, {outcome}"] += count
    for kind in (IssuanceFailed, NotificationFailed, RunFailed):
        ending.counts[f"events {kind.__name__}"] = len(log.of(kind))
    return ending


def left_in_queue(stage: Stage) -> dict[str, int]:
    """Return the keys on the queue's server that hold work, with how much each holds.

    These are the queues, the delayed ones, and what workers have fetched. What may stay: signs of
    life of workers, marks and counts for people, and the dead letters, see :func:`dead_letters`.
    """
    beginnings = ("__acks__.", *(f"{name}." for name in QUEUES))
    left = {}
    with queue_server(stage) as client:
        for key in client.scan_iter():
            name = key.decode()
            of_queue = f"{name.partition(':')[2]}."
            if of_queue.startswith(beginnings) and ".XQ." not in of_queue:
                sizes = {"list": client.llen, "hash": client.hlen, "set": client.scard}
                if size := sizes.get(client.type(key).decode()):  # else it is gone by now
                    left[name] = int(size(name))
    return left


def dead_letters(stage: Stage) -> dict[str, int]:
    """Return how many messages of each queue were given up; a tick did their work again."""
    with queue_server(stage) as client:
        return {
            key.decode(): int(client.hlen(key.decode()))
            for key in client.scan_iter(match="*.XQ.msgs")
        }


def queue_server(stage: Stage) -> redis.Redis:
    """Return a client of the queue's server."""
    queue = stage.settings.queue
    assert isinstance(queue, RedisUrl)
    return redis.Redis.from_url(queue.reveal())


def _read_log(stage: Stage) -> _Log:
    events: dict[type[DomainEvent], list[tuple[UUID, DomainEvent]]] = defaultdict(list)
    with closing(Wiring.of(stage.settings)) as wiring:
        for logged in wiring.resolve(EventStore).log():
            recorded = logged.recorded
            events[type(recorded.event)].append((recorded.stream_id, recorded.event))
    return _Log(events)


def _credentials(ending: Ending, stage: Stage, log: _Log) -> dict[str, str]:
    """Look whether each eligible learner holds exactly one; return whose each credential is."""
    awarded: dict[str, str] = {}
    for stream, event in log.of(CredentialAwarded):
        assert isinstance(event, CredentialAwarded)
        awarded[str(stream)] = str(event.learner_id)
    ending.require_same("who was awarded", set(awarded.values()), set(stage.expected.eligible))
    twice = {id_ for id_, times in Counter(awarded.values()).items() if times != 1}
    if twice:
        ending.wrong("awarded more than once", twice)
    kept = {id_ for id_, learner in awarded.items() if learner not in stage.erasures.erased}
    for kind, least in ((CredentialAwarded, set(awarded)), (CredentialIssued, kept)):
        streams = log.streams(kind)
        found = set(map(str, streams))
        ending.require_between(f"{kind.__name__}, streams", found, least, set(awarded))
        if several := {stream for stream, times in streams.items() if times != 1}:
            ending.wrong(f"{kind.__name__} more than once", several)
    refused = {
        str(each.learner_id)
        for _, event in log.of(LearnersRefused)
        if isinstance(event, LearnersRefused)
        for each in event.refusals
    }
    ending.require_same("who was refused", refused, set(stage.expected.nameless))
    ending.counts["credentials"] = len(awarded)
    return awarded


def _files(
    ending: Ending, stage: Stage, log: _Log, learners: Mapping[str, str]
) -> dict[str, Artifact]:
    """Look whether each file is there as it was recorded, past the proxy; return the records.

    Those of learners who were erased must be gone.
    """
    recorded: dict[str, Artifact] = {}
    of_credentials: dict[str, Artifact] = {}
    for stream, event in log.of(CredentialIssued):
        assert isinstance(event, CredentialIssued)
        (artifact,) = event.artifacts
        of_credentials[str(stream)] = artifact
        if learners[str(stream)] not in stage.erasures.erased:
            recorded[artifact.storage_key] = artifact
    client = stage.s3.client

    def found(key: str) -> tuple[str, int]:
        answer = client.get_object(stage.bucket, key)
        try:
            content = answer.read()
        finally:
            answer.close()
            answer.release_conn()
        return hashlib.sha256(content).hexdigest(), len(content)

    stored = {
        str(each.object_name)
        for each in client.list_objects(stage.bucket, "credentials/", recursive=True)
    }
    ending.require_same("files", stored, set(recorded))
    there = sorted(stored & set(recorded))
    with ThreadPoolExecutor(4) as threads:
        for key, of_file in zip(there, threads.map(found, there), strict=True):
            expected = (recorded[key].sha256, recorded[key].size)
            ending.require_same(f"hash and size of {key}", of_file, expected)
    ending.counts["files"] = len(stored)
    return of_credentials


def _mails(
    ending: Ending,
    stage: Stage,
    log: _Log,
    learners: Mapping[str, str],
    artifacts: Mapping[str, Artifact],
) -> None:
    """Look whether whoever can be told was told, and each by one Message-ID only.

    Learners who were erased may have been told before.
    """
    domain = stage.settings.mail_sender.rpartition("@")[2]
    mailable = stage.expected.mailable
    expected = {
        f"<issued.{credential}@{domain}>": (mailable[learner], artifacts[credential].sha256)
        for credential, learner in learners.items()
        if learner in mailable and credential in artifacts
    }
    ids: Counter[str] = Counter()
    for message in stage.mailbox.received:
        # By the old reader, which is quicker; there may be thousands.
        email = message_from_bytes(message.content)
        message_id = str(email["Message-ID"])
        ids[message_id] += 1
        (attached,) = (
            part for part in email.walk() if part.get_content_disposition() == "attachment"
        )
        content = attached.get_payload(decode=True)
        assert isinstance(content, bytes)
        found = (message.recipients, hashlib.sha256(content).hexdigest())
        address, sha256 = expected.get(message_id, ("nobody", ""))
        ending.require_same(f"recipient and document of {message_id}", found, ((address,), sha256))
    erased = stage.erasures.erased
    kept = {
        message_id
        for message_id, (address, _) in expected.items()
        if address not in {mailable[learner] for learner in erased}
    }
    ending.require_between("messages", set(ids), kept, set(expected))
    sent = log.streams(NotificationSent)
    told = {learners[str(stream)] for stream in sent}
    ending.require_between("recorded as told", told, set(mailable) - erased, set(mailable))
    skipped = {learners[str(stream)] for stream in log.streams(NotificationSkipped)}
    ending.require_same("recorded as not to be told", skipped,
                        set(stage.expected.eligible) - set(mailable))  # fmt: skip
    if several := {stream for stream, times in sent.items() if times != 1}:
        ending.wrong("recorded as told more than once", several)
    ending.counts["messages"] = len(ids)
    ending.counts["messages sent again with the same Message-ID"] = ids.total() - len(ids)


def _runs(ending: Ending, stage: Stage, log: _Log) -> None:
    """Look whether each slot had one run, which was completed."""
    slots = Counter(event.slot for _, event in log.of(RunStarted) if isinstance(event, RunStarted))
    started, completed = log.streams(RunStarted), log.streams(RunCompleted)
    ending.require_same("runs of each slot", set(slots.values()), {1})
    ending.require_same("runs completed", dict(completed), dict(started))
    ending.counts["runs"] = len(started)


def _audit(ending: Ending, stage: Stage) -> None:
    """Look whether the whole log verifies, and what follows it has caught up with it."""
    environment = {**environ, **variables_of(stage.settings)}
    verified = in_a_process(stage.folder, "audit", "verify", environment=environment)
    if verified.returncode:
        ending.wrong("testamur audit verify", verified.stdout + verified.stderr)
    status = in_a_process(stage.folder, "projections", "status", "--json", environment=environment)
    for each in json.loads(status.stdout):
        ending.require_same(f"events that {each['name']} is behind", each["behind"], 0)
