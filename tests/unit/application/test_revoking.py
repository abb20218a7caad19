"""Revoking: one, many, a run; recorded first, and no file of it stays public."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import pytest

from testamur.adapters.storage.memory import MemoryStorage
from testamur.application.aggregates import append, load
from testamur.application.choosing import Choice
from testamur.application.errors import AlreadyRunning, DocumentWithdrawn
from testamur.application.issuing import storage_key
from testamur.application.ports.register import CredentialFilter, CredentialRow
from testamur.application.ports.storage import StorableFile
from testamur.application.progress import Unwatched
from testamur.application.withdrawing import WITHDRAW, Withdrawal
from testamur.domain.credentials import (
    Credential,
    CredentialStatus,
    DocumentsWithdrawn,
    NotificationRequested,
    decide_supersede,
    evolve,
)
from testamur.domain.errors import DecisionRefused, InvalidInput, NotFound
from testamur.domain.identifiers import ConfigurationId, CredentialId, LearnerId, RunId
from tests.support.records import OTHER_COURSE, course
from tests.support.world import World

EVERYBODY = CredentialFilter()
UNKNOWN = CredentialId(UUID(int=7))


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


def world_with(*learners: str) -> tuple[World, ConfigurationId, RunId]:
    """Return an installation in which these learners were issued the credential by one run."""
    world = World()
    for learner in learners:
        world.enrol(learner)
    configuration = world.configure()
    return world, configuration, world.run(configuration)


def rows(world: World) -> dict[str, CredentialRow]:
    return {row.learner_id: row for row in world.credentials.all(EVERYBODY)}


def id_of(world: World, learner: str) -> CredentialId:
    return rows(world)[learner].credential_id


def key_of(id_: CredentialId) -> str:
    return storage_key(id_, ".txt")


def is_public(world: World, id_: CredentialId) -> bool:
    try:
        return bool(world.storage.get(key_of(id_)))
    except NotFound:
        return False


def state(world: World, id_: CredentialId) -> Credential:
    return world.credentials.get(id_)


def events_of(world: World, id_: CredentialId) -> list[str]:
    return [type(each.event).__name__ for each in world.events.load(id_)]


def awarded_only(world: World, configuration: ConfigurationId) -> RunId:
    """Carry out a run as far as the awards."""
    run_id = world.runs.start(configuration, world.request())
    world.runs.carry_out(run_id, Unwatched())
    return run_id


# One


def test_a_revoked_credential_does_not_hold_and_its_document_is_in_the_archive() -> None:
    world, _, _ = world_with("ann")
    id_ = id_of(world, "ann")
    content = world.credentials.document(id_)

    done = world.revoking.revoke(id_, " a slip of the pen ", world.request("user:dean"))

    assert (done.revoked, done.withdrawal) == (1, Withdrawal(withdrawn=1))
    assert state(world, id_).status is CredentialStatus.REVOKED
    answer = world.verifying.verify(id_)
    assert (answer.status, answer.reason) == ("revoked", "a slip of the pen")
    assert not is_public(world, id_)
    assert world.storage.archived(key_of(id_)) == content
    *_, revoked, withdrawn = world.events.load(id_)
    assert revoked.attribution.actor == "user:dean"
    assert withdrawn.event == DocumentsWithdrawn(archived=(key_of(id_),))
    assert withdrawn.attribution.actor == "system:archivist"
    assert withdrawn.attribution.correlation_id == revoked.attribution.correlation_id
    assert not rows(world)["ann"].withdrawal_pending


def test_others_keep_their_documents() -> None:
    world, _, _ = world_with("ann", "bob")
    world.revoking.revoke(id_of(world, "ann"), "a slip", world.request())
    assert is_public(world, id_of(world, "bob"))
    assert rows(world)["bob"].status is CredentialStatus.ISSUED


def test_a_reason_is_asked_for() -> None:
    world, _, _ = world_with("ann")
    id_ = id_of(world, "ann")
    with pytest.raises(InvalidInput, match="reason"):
        world.revoking.revoke(id_, "  ", world.request())
    assert state(world, id_).status is CredentialStatus.ISSUED


def test_what_is_revoked_cannot_be_revoked_again() -> None:
    world, _, _ = world_with("ann")
    id_ = id_of(world, "ann")
    world.revoking.revoke(id_, "a slip", world.request())
    with pytest.raises(DecisionRefused, match="revoked"):
        world.revoking.revoke(id_, "another slip", world.request())
    assert state(world, id_).revocation_reason == "a slip"


def test_what_does_not_exist_cannot_be_revoked() -> None:
    world = World()
    with pytest.raises(NotFound):
        world.revoking.revoke(UNKNOWN, "a slip", world.request())


def test_a_credential_revoked_before_it_is_issued_never_is() -> None:
    world = World()
    world.enrol("ann")
    configuration = world.configure()
    awarded_only(world, configuration)
    id_ = id_of(world, "ann")

    world.revoking.revoke(id_, "a slip", world.request(), tell=True)
    world.tick()
    world.run(configuration)

    assert state(world, id_).status is CredentialStatus.REVOKED
    assert events_of(world, id_) == ["CredentialAwarded", "CredentialRevoked", "DocumentsWithdrawn"]
    assert not is_public(world, id_)
    assert world.notifier.sent == []


def test_what_a_killed_pass_had_stored_of_a_credential_that_was_never_issued_goes() -> None:
    world = World()
    world.enrol("ann")
    awarded_only(world, world.configure())
    id_ = id_of(world, "ann")
    sha256 = "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c"
    world.storage.put([StorableFile(key_of(id_), b"foo\n", sha256, "text/plain")])

    world.revoking.revoke(id_, "a slip", world.request())

    assert not is_public(world, id_)
    with pytest.raises(NotFound):
        world.storage.archived(key_of(id_))


# Telling


def test_the_learner_is_told_only_if_asked_for() -> None:
    world, _, _ = world_with("ann", "bob")
    told = world.revoking.revoke(id_of(world, "ann"), "a slip", world.request(), tell=True)
    untold = world.revoking.revoke(id_of(world, "bob"), "a slip", world.request())

    assert (told.to_tell, untold.to_tell) == (1, 0)
    ann, bob = (world.events.load(id_of(world, each)) for each in ("ann", "bob"))
    asked = [each for each in ann if isinstance(each.event, NotificationRequested)]
    assert [each.event for each in asked] == [NotificationRequested(notice="revoked")]
    # In one transaction with what it tells of.
    assert asked[0].version == ann[-1].version - 1
    assert not any(isinstance(each.event, NotificationRequested) for each in bob)


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


# Reading documents


def test_the_document_of_a_revoked_credential_is_refused_and_can_be_read_in_the_archive() -> None:
    world, _, _ = world_with("ann")
    ann = id_of(world, "ann")
    content = world.credentials.document(ann)
    assert world.credentials.document(ann, archived=True) == content
    world.revoke(ann)

    for location in (f"memory:{key_of(ann)}", f"archive:{key_of(ann)}"):
        for refused in (world.credentials.document, world.credentials.location):
            with pytest.raises(DocumentWithdrawn, match="issued by mistake") as raised:
                refused(ann)
            assert raised.value.location == location
        with pytest.raises(DocumentWithdrawn):
            world.credentials.link(ann)
        assert world.credentials.document(ann, archived=True) == content
        assert world.credentials.location(ann, archived=True) == location
        world.tick()


def test_a_learner_is_handed_their_revoked_documents_too() -> None:
    world, _, _ = world_with("ann")
    ann = id_of(world, "ann")
    content = world.credentials.document(ann)
    world.revoking.revoke(ann, "a slip", world.request())
    export = world.exporting.of(LearnerId("ann"))
    ((held, exported),) = world.exporting.documents(export)
    assert (held.location, exported) == (f"archive:{key_of(ann)}", content)


# Many


def two_courses() -> World:
    world = World()
    world.source.facts_by_key[OTHER_COURSE] = course(OTHER_COURSE)
    for learner in ("ann", "bob"):
        world.enrol(learner)
    world.run(world.configure())
    world.run(world.configure(OTHER_COURSE))
    return world


def test_what_would_be_revoked_is_told_and_nothing_is_written() -> None:
    world, configuration, _ = world_with("ann", "bob")
    world.revoking.revoke(id_of(world, "ann"), "a slip", world.request())
    world.enrol("eve")
    awarded_only(world, configuration)
    before = world.tally()

    found = world.revoking.revocable(Choice(CredentialFilter(configuration_id=configuration)))

    assert (found.count, found.issued, found.awarded, found.ended) == (2, 1, 1, 1)
    assert [row.learner_id for row in found.first] == ["bob", "eve"]
    assert world.tally() == before


def test_those_that_fit_are_revoked_and_no_others() -> None:
    world = two_courses()
    choice = Choice(CredentialFilter(context_key=OTHER_COURSE))
    done = world.revoking.revoke_many(choice, "wrong exam", world.request(), expect=2)
    assert (done.revoked, done.withdrawal.withdrawn) == (2, 2)
    by_context = {
        (row.context_key == OTHER_COURSE, row.status) for row in world.credentials.all(EVERYBODY)
    }
    assert by_context == {(True, CredentialStatus.REVOKED), (False, CredentialStatus.ISSUED)}


def test_listed_learners_are_revoked_and_the_others_are_named() -> None:
    world, _, _ = world_with("ann", "bob", "eve")
    listed = tuple(map(LearnerId, ("eve", "nobody", "ann", "eve")))
    choice = Choice(EVERYBODY, listed)
    found = world.revoking.revocable(choice)
    assert (found.count, found.without, found.first_without) == (2, 1, ("nobody",))

    world.revoking.revoke_many(choice, "cheated", world.request(), expect=2)

    statuses = {learner: row.status for learner, row in rows(world).items()}
    assert statuses == {
        "ann": CredentialStatus.REVOKED,
        "bob": CredentialStatus.ISSUED,
        "eve": CredentialStatus.REVOKED,
    }


def test_another_number_than_was_confirmed_is_refused() -> None:
    world, configuration, _ = world_with("ann", "bob")
    choice = Choice(CredentialFilter(configuration_id=configuration))
    with pytest.raises(InvalidInput, match="2: so many"):
        world.revoking.revoke_many(choice, "a slip", world.request(), expect=1)
    assert world.tally().by_status == {CredentialStatus.ISSUED: 2}


def test_everything_at_once_is_never_revoked() -> None:
    world, _, _ = world_with("ann")
    with pytest.raises(InvalidInput, match="condition"):
        world.revoking.revoke_many(Choice(EVERYBODY), "a slip", world.request(), expect=1)
    with pytest.raises(InvalidInput, match="condition"):
        world.revoking.revocable(Choice(EVERYBODY))


def test_what_was_interrupted_goes_on_with_the_rest() -> None:
    world, configuration, _ = world_with("ann", "bob", "eve")
    world.revoking.revoke(id_of(world, "ann"), "a slip", world.request())
    choice = Choice(CredentialFilter(configuration_id=configuration))
    assert world.revoking.revocable(choice).count == 2
    done = world.revoking.revoke_many(choice, "a slip", world.request(), expect=2)
    assert done.revoked == 2
    assert world.tally().by_status == {CredentialStatus.REVOKED: 3}


def test_a_run_that_went_wrong_is_revoked_and_earlier_ones_stay() -> None:
    world, configuration, _ = world_with("ann")
    world.enrol("bob")
    second = world.run(configuration)
    assert world.revoking.revocable_of_run(second).count == 1

    world.revoking.revoke_run(second, "the wrong template", world.request(), expect=1)

    assert rows(world)["ann"].status is CredentialStatus.ISSUED
    assert rows(world)["bob"].status is CredentialStatus.REVOKED


def test_who_was_revoked_is_not_awarded_again_by_a_run() -> None:
    world, configuration, run = world_with("ann")
    world.revoking.revoke_run(run, "the wrong template", world.request(), expect=1)
    world.run(configuration)
    assert world.tally().by_status == {CredentialStatus.REVOKED: 1}


def test_a_run_that_never_was_is_not_found() -> None:
    world, _, _ = world_with("ann")
    unknown = RunId(id_of(world, "ann"))  # an id, and of no run
    with pytest.raises(NotFound, match="run"):
        world.revoking.revocable_of_run(unknown)


def test_no_more_than_was_confirmed_is_revoked(monkeypatch: pytest.MonkeyPatch) -> None:
    world, configuration, _ = world_with("ann", "bob")
    choice = Choice(CredentialFilter(configuration_id=configuration))
    counted = world.revoking.revocable(choice)
    world.enrol("eve")
    world.run(configuration)
    # Eve was awarded between the count and the revocation.
    monkeypatch.setattr(type(world.revoking), "revocable", lambda *_: counted)

    done = world.revoking.revoke_many(choice, "a slip", world.request(), expect=2)

    assert done.revoked == 2
    assert rows(world)["eve"].status is CredentialStatus.ISSUED


def test_the_moment_of_revoking_divides_what_is_told_of_a_credential() -> None:
    world, _, _ = world_with("ann")
    ann = id_of(world, "ann")
    world.clock.advance(timedelta(days=1))
    world.revoking.revoke(ann, "a slip", world.request())
    revoked_at = world.clock.now()
    world.clock.advance(timedelta(days=1))
    before = world.verifying.verify(ann, revoked_at - timedelta(seconds=1))
    assert (before.status, before.reason) == ("valid", None)
    for at in (revoked_at, None):
        after = world.verifying.verify(ann, at)
        assert (after.status, after.reason) == ("revoked", "a slip")
