"""Erasing: everything personal goes, whatever goes on at the same time or breaks on the way."""

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread

import pytest

from testamur.application.errors import AlreadyRunning, EventStoreError
from testamur.application.issuing import IssueCounts, storage_key, storage_stem
from testamur.application.ports.event_store import Attribution, NewEvents
from testamur.application.ports.storage import StorableFile
from testamur.application.progress import Unwatched
from testamur.domain.credentials import (
    CredentialAwarded,
    CredentialIssued,
    CredentialStatus,
    PersonalDataErased,
)
from testamur.domain.erasures import ErasureCompleted, ErasureRequested
from testamur.domain.errors import InvalidInput, NotFound
from testamur.domain.identifiers import CredentialId, LearnerId, credential_id, erasure_id
from tests.support.records import OTHER_COURSE, course
from tests.support.world import World

ANN, BOB = LearnerId("ann"), LearnerId("bob")
REASON = "asked for by letter"


def a_world(*learners: str) -> tuple[World, Callable[[LearnerId], CredentialId]]:
    """Return a world in which these have been issued the credential, and how to find it."""
    world = World()
    configuration = world.configure()
    for each in learners:
        world.enrol(each)
    world.run(configuration)
    return world, lambda learner: credential_id(configuration, learner)


def erase(world: World, learner: LearnerId = ANN) -> ErasureCompleted:
    return world.erasing.erase(learner, REASON, world.request("user:registrar"))


def holds_file(world: World, key: str) -> bool:
    try:
        world.storage.get(key)
    except NotFound:
        return False
    return True


def name_of(world: World, id_: CredentialId) -> str | None:
    person = world.credentials.get(id_).awarded.person
    return person.full_name if person else None


def test_an_erasure_takes_key_document_and_message_and_leaves_those_of_others() -> None:
    world, of = a_world("ann", "bob")
    assert erase(world) == ErasureCompleted(credentials=1, files=1, messages=1)
    assert world.credentials.get(of(ANN)).status is CredentialStatus.ERASED
    assert name_of(world, of(ANN)) is None
    assert not holds_file(world, storage_key(of(ANN), ".txt"))
    assert world.database.keys.find([ANN]) == {}
    assert name_of(world, of(BOB)) == "Learner bob"
    assert holds_file(world, storage_key(of(BOB), ".txt"))
    assert [each.email for each in world.notifier.sent] == ["bob@example.org"]


def test_it_is_recorded_who_asked_for_it_and_what_went() -> None:
    world, of = a_world("ann")
    erase(world)
    requested, completed = world.events.load(erasure_id(ANN))
    assert requested.event == ErasureRequested(learner_id=ANN, reason=REASON)
    assert completed.event == ErasureCompleted(credentials=1, files=1, messages=1)
    erased = world.events.load(of(ANN))[-1]
    assert erased.event == PersonalDataErased(reason=REASON)
    assert {each.attribution.actor for each in (requested, completed, erased)} == {"user:registrar"}
    assert len({each.attribution.correlation_id for each in (requested, completed, erased)}) == 1


@pytest.mark.parametrize("status", ["revoked", "awarded"])
def test_a_credential_is_erased_whatever_its_status(status: str) -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann")
    world.storage.broken = status == "awarded"
    world.run(configuration)
    world.storage.broken = False
    id_ = credential_id(configuration, ANN)
    if status == "revoked":
        world.revoke(id_)
    erase(world)
    assert world.credentials.get(id_).status is CredentialStatus.ERASED
    assert world.tick().issued == IssueCounts()
    assert world.tally().by_status == {CredentialStatus.ERASED: 1}


def test_an_unknown_learner_is_refused_and_nothing_is_written() -> None:
    world, _ = a_world("ann")
    before = world.database.log.last_position()
    with pytest.raises(NotFound, match="no known learner 'nobody'"):
        erase(world, LearnerId("nobody"))
    assert world.database.log.last_position() == before


@pytest.mark.parametrize("followed", [True, False])
def test_a_learner_whom_only_a_run_names_is_known(followed: bool) -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann", name="Żółć")
    world.run(configuration)
    if followed:
        world.following.catch_up()
    assert erase(world) == ErasureCompleted(credentials=0, files=0, messages=0)


@pytest.mark.parametrize("reason", ["ann@example.org asked", "Learner Ann asked for it"])
def test_a_reason_that_names_the_learner_is_refused_and_nothing_is_written(reason: str) -> None:
    world, of = a_world("ann")
    before = world.database.log.last_position()
    with pytest.raises(InvalidInput, match="stays in the history"):
        world.erasing.erase(ANN, reason, world.request())
    assert world.database.log.last_position() == before
    assert name_of(world, of(ANN)) == "Learner ann"


def test_a_file_that_no_event_knows_of_is_found_by_the_credential() -> None:
    world, of = a_world("ann", "bob")
    leftover = storage_stem(of(ANN)) + ".json"
    bobs = storage_stem(of(BOB)) + ".json"
    content = b"Learner ann"
    sha256 = "0b5d6ca8ffeb6d2c1b5e2b55d6ecc3cd5b40d2c95a17b3ac1b4d7e3b2ca1c6a1"
    for key in (leftover, bobs):
        file = StorableFile(key, content, sha256, "application/json")
        world.storage._files[key] = file
    assert erase(world).files == 2
    assert not holds_file(world, leftover)
    assert holds_file(world, bobs)


def test_a_storage_that_cannot_look_for_files_is_given_all_likely_keys() -> None:
    world, of = a_world("ann")
    leftover = storage_stem(of(ANN)) + ".pdf"
    world.storage._files[leftover] = StorableFile(leftover, b"x", "", "application/pdf")
    plain = PlainStorage(world.storage)
    object.__setattr__(world.erasing, "storage", plain)
    assert erase(world).files == 1
    assert set(plain.deleted) == {storage_key(of(ANN), ".txt"), leftover}
    assert not holds_file(world, leftover)


class PlainStorage:
    """Deletes by key, and can do nothing else that an erasure needs."""

    def __init__(self, inner: object) -> None:
        self._inner = inner
        self.deleted: list[str] = []

    def delete(self, keys: list[str]) -> None:
        self.deleted += keys
        self._inner.delete(keys)  # type: ignore[attr-defined]


# What goes on at the same time


def test_an_erasure_waits_for_documents_and_messages_that_are_being_made() -> None:
    world, of = a_world("ann")
    world.erasing.ask(ANN, REASON, world.request())
    for work in ("issue", "notify"):
        with world.locks.hold(work), pytest.raises(AlreadyRunning, match=work):
            world.erasing.finish(ANN, wait_seconds=0)
    assert world.database.keys.find([ANN]) != {}
    assert world.erasing.unfinished() == [ANN]
    assert world.tick().erased == [ANN]
    assert name_of(world, of(ANN)) is None


def test_a_document_that_is_stored_while_its_learner_is_erased_does_not_stay() -> None:
    world = World()
    configuration = world.configure()
    for each in ("ann", "bob"):
        world.enrol(each)
    run_id = world.runs.start(configuration, world.request())
    world.runs.carry_out(run_id, Unwatched())
    key = storage_key(credential_id(configuration, ANN), ".txt")
    stored, erased = Barrier(2, timeout=20), Barrier(2, timeout=20)
    put = world.storage.put
    waited: list[bool] = []

    def put_and_wait(files: list[StorableFile]) -> None:
        put(files)
        if not waited:
            waited.append(True)
            stored.wait()
            erased.wait()

    world.storage.put = put_and_wait  # type: ignore[method-assign, assignment]
    issuing = Thread(target=lambda: world.issuing.issue_awaiting(Unwatched()))
    issuing.start()
    stored.wait()
    assert holds_file(world, key)
    # All that an erasure does before it waits for the pass: the pass has to find out by itself.
    world.erasing.ask(ANN, REASON, world.request())
    with pytest.raises(AlreadyRunning):
        world.erasing.finish(ANN, wait_seconds=0)
    erased.wait()
    issuing.join(20)
    assert not holds_file(world, key)
    assert world.tally().by_status == {CredentialStatus.ERASED: 1, CredentialStatus.ISSUED: 1}
    world.tick()
    assert world.erasing.unfinished() == []


def test_an_award_that_nobody_can_read_any_more_is_erased_and_not_tried_for_ever() -> None:
    world, _ = a_world("ann")
    erase(world)
    world.source.facts_by_key[OTHER_COURSE] = course(OTHER_COURSE)
    configuration = world.configure(OTHER_COURSE)
    # The award was encrypted under the key of before, and recorded after that was destroyed.
    run_id = world.runs.start(configuration, world.request())
    world.runs.carry_out(run_id, Unwatched())
    world.database.keys.destroy(ANN)
    assert world.issuing.issue_awaiting(Unwatched()) == IssueCounts()
    assert world.tally().by_status == {CredentialStatus.ERASED: 2}
    assert world.database.keys.find([ANN]) == {}


def test_an_award_whose_key_is_lost_without_an_erasure_is_a_failure_and_not_an_erasure() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann")
    run_id = world.runs.start(configuration, world.request())
    world.runs.carry_out(run_id, Unwatched())
    world.database.keys.destroy(ANN)
    assert world.issuing.issue_awaiting(Unwatched()) == IssueCounts(failed=1)
    assert world.tally().by_status == {CredentialStatus.AWARDED: 1}


# What breaks on the way


@pytest.mark.parametrize("at", range(1, 7))
def test_an_erasure_that_broke_anywhere_is_finished_by_the_next_tick(at: int) -> None:
    world, of = a_world("ann", "bob")
    broken = BreaksOnce(world, at)
    with pytest.raises(EventStoreError, match="power failure"):
        erase(world)
    broken.mend()
    report = world.tick()
    assert report.problems == []
    assert report.erased == ([] if at == 1 else [ANN])
    if at == 1:  # nothing was recorded, so it is as if nobody had asked
        assert name_of(world, of(ANN)) == "Learner ann"
        return
    assert world.erasing.unfinished() == []
    assert name_of(world, of(ANN)) is None
    assert not holds_file(world, storage_key(of(ANN), ".txt"))
    assert [each.email for each in world.notifier.sent] == ["bob@example.org"]
    assert isinstance(world.events.load(erasure_id(ANN))[-1].event, ErasureCompleted)
    assert name_of(world, of(BOB)) == "Learner bob"


class BreaksOnce:
    """Lets the world break before one of the steps by which an erasure changes anything.

    They are: requested, marked, files, messages, key, completed.
    """

    def __init__(self, world: World, at: int) -> None:
        self._left = at
        append, destroy = world.events.append, world.database.keys.destroy
        sweep, forget = world.storage.sweep, world.notifier.forget

        def watched(step: Callable[..., object]) -> Callable[..., object]:
            def stepping(*arguments: object) -> object:
                self._left -= 1
                if self._left == 0:
                    raise EventStoreError("power failure")
                return step(*arguments)

            return stepping

        def set_(owner: object, name: str, step: Callable[..., object]) -> None:
            setattr(owner, name, watched(step))

        set_(world.events, "append", append)
        set_(world.database.keys, "destroy", destroy)
        set_(world.storage, "sweep", sweep)
        set_(world.notifier, "forget", forget)

    def mend(self) -> None:
        self._left = 1_000_000


def test_a_tick_reports_an_erasure_that_fails_and_goes_on_with_the_rest() -> None:
    world, _ = a_world("ann", "bob")
    broken = BreaksOnce(world, 5)
    with pytest.raises(EventStoreError):
        erase(world)
    broken._left = 3  # and again, in the tick
    report = world.tick()
    assert [each.subject for each in report.problems] == ["erasure of ann"]
    broken.mend()
    world.clock.advance(timedelta(minutes=1))
    assert world.tick().erased == [ANN]


# Who comes back


def test_who_was_erased_holds_what_they_held_and_may_earn_something_else() -> None:
    world, _ = a_world("ann")
    configuration = next(iter(world.configurations.all()))[0]
    erase(world)
    world.run(configuration)
    assert world.tally().by_status == {CredentialStatus.ERASED: 1}
    world.source.facts_by_key[OTHER_COURSE] = course(OTHER_COURSE)
    other = world.configure(OTHER_COURSE)
    world.run(other)
    assert name_of(world, credential_id(other, ANN)) == "Learner ann"
    assert erase(world) == ErasureCompleted(credentials=2, files=1, messages=1)
    assert name_of(world, credential_id(other, ANN)) is None
    kinds = [type(each.event) for each in world.events.load(erasure_id(ANN))]
    assert kinds == [ErasureRequested, ErasureCompleted] * 2


def test_erasing_again_what_is_erased_is_recorded_and_harmless() -> None:
    world, _ = a_world("ann")
    erase(world)
    assert erase(world) == ErasureCompleted(credentials=1, files=0, messages=0)


def test_what_will_go_is_told_before() -> None:
    world, of = a_world("ann")
    told = world.erasing.erasable(ANN)
    assert told.names == ("Learner ann",)
    assert told.credentials == {CredentialStatus.ISSUED: 1}
    assert told.files == (storage_key(of(ANN), ".txt"),)
    assert (told.told, told.has_key, told.under_way) == (1, True, False)


def test_whatever_is_recorded_after_an_erasure_was_asked_for_loses() -> None:
    world, of = a_world("ann")
    awarded, *_ = world.events.load(of(ANN))
    assert isinstance(awarded.event, CredentialAwarded)
    append = world.events.append
    interrupted: list[bool] = []

    def meanwhile(batch: list[NewEvents], attribution: Attribution) -> None:
        erases = any(isinstance(each, PersonalDataErased) for new in batch for each in new.events)
        if erases and not interrupted:
            interrupted.append(True)
            world.revoke(of(ANN))
        append(batch, attribution)

    world.events.append = meanwhile  # type: ignore[method-assign, assignment]
    erase(world)
    kinds = [type(each.event) for each in world.events.load(of(ANN))]
    assert kinds.index(CredentialIssued) < kinds.index(PersonalDataErased) == len(kinds) - 1
