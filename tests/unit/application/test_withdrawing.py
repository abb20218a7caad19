"""Withdrawing: what was revoked or superseded is put away, whatever crashes, fails or races."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from testamur.adapters.storage.memory import MemoryStorage
from testamur.application.aggregates import append, load
from testamur.application.choosing import Choice
from testamur.application.errors import AlreadyRunning, DocumentWithdrawn
from testamur.application.ports.register import CredentialFilter
from testamur.application.ports.storage import StorableFile
from testamur.application.progress import Unwatched
from testamur.application.withdrawing import WITHDRAW, Withdrawal
from testamur.domain.credentials import (
    CredentialStatus,
    DocumentsWithdrawn,
    decide_supersede,
    evolve,
)
from testamur.domain.errors import NotFound
from testamur.domain.identifiers import LearnerId
from tests.support.world import World
from tests.unit.application.revoked import (
    UNKNOWN,
    awarded_only,
    events_of,
    id_of,
    is_public,
    key_of,
    rows,
    state,
    world_with,
)


@dataclass
class StorageWithoutArchive:
    """A storage of a plugin that can put no files away."""

    inner: MemoryStorage

    def put(self, files: Sequence[StorableFile]) -> None:
        self.inner.put(files)

    def get(self, key: str) -> bytes:
        return self.inner.get(key)

    def delete(self, keys: Sequence[str]) -> None:
        self.inner.delete(keys)

    def location(self, key: str) -> str:
        return self.inner.location(key)


# Races with a pass of issuing


def test_a_document_stored_while_its_credential_is_revoked_does_not_stay() -> None:
    world = World()
    world.enrol("ann")
    world.enrol("bob")
    awarded_only(world, world.configure())
    ann, bob = id_of(world, "ann"), id_of(world, "bob")
    world.storage.after_next_put = lambda: world.revoke(ann)

    counts = world.issuing.issue_awaiting(Unwatched())

    assert counts.issued == 1
    assert not is_public(world, ann)
    assert is_public(world, bob)
    assert state(world, ann).status is CredentialStatus.REVOKED
    world.tick()
    assert not rows(world)["ann"].withdrawal_pending


def test_a_document_that_another_issued_and_that_was_put_away_is_not_left_public_again() -> None:
    world = World()
    world.enrol("ann")
    configuration = world.configure()
    awarded_only(world, configuration)
    ann = id_of(world, "ann")
    other = replace(world.issuing, locks=World().locks)

    def meanwhile() -> None:
        other.issue_awaiting(Unwatched())
        world.revoking.revoke(ann, "a slip", world.request())

    world.storage.before_next_put = meanwhile
    world.issuing.issue_awaiting(Unwatched())

    assert state(world, ann).status is CredentialStatus.REVOKED
    assert not is_public(world, ann)
    assert world.storage.archived(key_of(ann))


def test_one_that_is_being_issued_is_left_until_that_has_ended() -> None:
    world = World()
    world.enrol("ann")
    awarded_only(world, world.configure())
    ann = id_of(world, "ann")
    world.revoke(ann)
    with world.locks.hold("issue"):
        assert world.withdrawing.withdraw([ann], 0) == Withdrawal(waiting=1)
        assert rows(world)["ann"].withdrawal_pending
    assert world.tick().withdrawn == Withdrawal(withdrawn=1)


def test_who_is_told_in_the_moment_of_revoking_is_revoked_all_the_same() -> None:
    world, _, _ = world_with()
    world.enrol("ann")
    run = awarded_only(world, next(iter(world.configurations.all()))[0])
    world.issuing.issue_awaiting(Unwatched(), run)
    ann = id_of(world, "ann")
    world.notifier.after_next = lambda: world.revoking.revoke(ann, "a slip", world.request())
    world.notifying.notify_awaiting(Unwatched())
    assert state(world, ann).status is CredentialStatus.REVOKED
    assert not is_public(world, ann)


# What a crash leaves, and storages that fail


def test_what_was_recorded_and_not_put_away_is_finished_by_the_tick() -> None:
    world, _, _ = world_with("ann", "bob")
    for learner in ("ann", "bob"):
        world.revoke(id_of(world, learner))
    assert world.withdrawing.pending() == 2
    assert is_public(world, id_of(world, "ann"))

    report = world.tick()

    assert report.withdrawn == Withdrawal(withdrawn=2)
    assert report.problems == []
    for learner in ("ann", "bob"):
        assert not is_public(world, id_of(world, learner))
    assert world.withdrawing.pending() == 0
    assert world.tick().withdrawn == Withdrawal()


def test_what_was_put_away_and_not_recorded_is_recorded_by_the_tick() -> None:
    world, _, _ = world_with("ann")
    ann = id_of(world, "ann")
    world.revoke(ann)
    world.storage.archive([key_of(ann)])
    assert world.tick().withdrawn == Withdrawal(withdrawn=1)
    assert events_of(world, ann)[-1] == "DocumentsWithdrawn"


def test_the_documents_of_superseded_credentials_are_put_away_too() -> None:
    world, _, _ = world_with("ann")
    ann = id_of(world, "ann")
    known = load(world.events, ann, evolve)
    newer = UNKNOWN
    attribution = world.request().attribution(world.clock)
    append(world.events, known, decide_supersede(known.state, newer), attribution)

    assert world.withdrawing.withdraw([ann]) == Withdrawal(withdrawn=1)
    assert not is_public(world, ann)
    with pytest.raises(DocumentWithdrawn, match=str(newer)):
        world.credentials.document(ann)


def test_a_storage_that_fails_is_told_and_tried_again() -> None:
    world, _, _ = world_with("ann")
    ann = id_of(world, "ann")
    world.storage.broken = True

    done = world.revoking.revoke(ann, "a slip", world.request())

    assert (done.revoked, done.withdrawal.waiting) == (1, 1)
    assert "the file is locked" in done.withdrawal.failures[0]
    assert state(world, ann).status is CredentialStatus.REVOKED
    assert [str(each.error) for each in world.tick().problems] == list(done.withdrawal.failures)
    world.storage.broken = False
    assert world.tick().withdrawn == Withdrawal(withdrawn=1)
    assert not is_public(world, ann)


def test_one_file_that_cannot_be_moved_keeps_no_other() -> None:
    world, _, _ = world_with("ann", "bob", "eve")
    world.storage.refuses = {key_of(id_of(world, "bob"))}
    choice = Choice(CredentialFilter(type_slug="completion"))

    done = world.revoking.revoke_many(choice, "a slip", world.request(), expect=3)

    assert (done.revoked, done.withdrawal.withdrawn, done.withdrawal.waiting) == (3, 2, 1)
    assert [is_public(world, id_of(world, each)) for each in ("ann", "bob", "eve")] == [
        False,
        True,
        False,
    ]


def test_a_file_that_is_nowhere_is_told_once_and_recorded() -> None:
    world, _, _ = world_with("ann")
    ann = id_of(world, "ann")
    world.storage.delete([key_of(ann)])
    done = world.revoking.revoke(ann, "a slip", world.request())
    assert done.withdrawal == Withdrawal(withdrawn=1, missing=(key_of(ann),))
    assert world.events.load(ann)[-1].event == DocumentsWithdrawn(missing=(key_of(ann),))
    assert world.tick().withdrawn == Withdrawal()


def test_where_the_storage_has_no_archive_evidence_stays_and_that_is_said() -> None:
    world, _, _ = world_with("ann")
    ann = id_of(world, "ann")
    withdrawing = replace(world.withdrawing, storage=StorageWithoutArchive(world.storage))
    revoking = replace(world.revoking, withdrawing=withdrawing)

    done = revoking.revoke(ann, "a slip", world.request())

    assert done.withdrawal == Withdrawal(left_public=1)
    assert is_public(world, ann)
    assert withdrawing.finish() == Withdrawal()
    assert withdrawing.pending() == 1
    # Once there is a storage that can, it is made up for.
    assert world.tick().withdrawn == Withdrawal(withdrawn=1)


def test_an_erased_credential_has_nothing_to_put_away() -> None:
    world, _, _ = world_with("ann")
    ann = id_of(world, "ann")
    world.revoke(ann)
    world.erasing.erase(LearnerId("ann"), "asked for", world.request())
    assert world.withdrawing.pending() == 0
    assert world.tick().withdrawn == Withdrawal()
    with pytest.raises(NotFound):
        world.storage.archived(key_of(ann))


def test_an_erasure_waits_until_nothing_is_being_put_away() -> None:
    world, _, _ = world_with("ann")
    world.erasing.ask(LearnerId("ann"), "asked for", world.request())
    with world.locks.hold(WITHDRAW), pytest.raises(AlreadyRunning):
        world.erasing.finish(LearnerId("ann"), 0)
    assert world.tick().erased == ["ann"]


def test_an_erasure_takes_what_is_in_the_archive() -> None:
    world, _, _ = world_with("ann")
    ann = id_of(world, "ann")
    world.revoking.revoke(ann, "a slip", world.request())
    assert world.erasing.erase(LearnerId("ann"), "asked for", world.request()).files == 1
    with pytest.raises(NotFound):
        world.storage.archived(key_of(ann))


def test_nothing_is_put_away_while_another_is_at_it() -> None:
    world, _, _ = world_with("ann")
    ann = id_of(world, "ann")
    world.revoke(ann)
    with world.locks.hold(WITHDRAW):
        assert world.withdrawing.withdraw([ann], 0) == Withdrawal(waiting=1)
        assert WITHDRAW in world.tick().left_to_others
    assert world.tick().withdrawn == Withdrawal(withdrawn=1)
