"""Correcting: what people accept is carried out once, in their name; what they reject is not."""

from datetime import timedelta

import pytest

from testamur.application.correcting import CorrectionFilter
from testamur.application.issuing import storage_stem
from testamur.application.progress import Unwatched
from testamur.application.requests import Request
from testamur.domain.corrections import Correction, CorrectionKind
from testamur.domain.credentials import (
    Credential,
    CredentialAwarded,
    CredentialRevoked,
    CredentialStatus,
    CredentialSuperseded,
)
from testamur.domain.errors import DecisionRefused, InvalidInput, NotFound
from testamur.domain.identifiers import (
    ConfigurationId,
    CorrectionId,
    LearnerId,
    correction_id,
    credential_id,
)
from tests.support.world import World

ANN, BOB = LearnerId("ann"), LearnerId("bob")
REASON = "the exam was graded anew"


def found(kind: CorrectionKind, *learners: str) -> tuple[World, ConfigurationId]:
    """Return an installation in which this was found about these learners' credentials."""
    world = World()
    for learner in learners:
        world.enrol(learner)
    configuration = world.configure()
    world.run(configuration)
    for learner in learners:
        if kind == "no-longer-eligible":
            world.enrol(learner, "0.3")
        elif kind == "data-changed":
            world.enrol(learner, name=f"{learner} Novak")
        else:
            world.revoke(credential_id(configuration, LearnerId(learner)))
            world.enrol(learner, "0.95")
    world.clock.advance(timedelta(days=1))
    reconcile(world, configuration)
    assert len(list(world.correcting.waiting())) == len(learners)
    return world, configuration


def reconcile(world: World, configuration: ConfigurationId) -> None:
    id_ = world.reconciling.start(configuration, world.request())
    world.reconciling.carry_out(id_, Unwatched())


def only(world: World) -> CorrectionId:
    ((id_, _),) = world.correcting.waiting()
    return id_


def state(world: World, configuration: ConfigurationId, edition: int = 1) -> Credential:
    return world.credentials.get(credential_id(configuration, ANN, edition))


def correction(world: World, id_: CorrectionId) -> Correction:
    return world.correcting.get(id_)


# Accepted


def test_who_is_not_eligible_any_more_is_revoked_in_the_name_of_whoever_accepts() -> None:
    world, configuration = found("no-longer-eligible", "ann")
    id_ = only(world)

    done = world.correcting.accept(id_, f" {REASON} ", world.request("user:dean"))

    credential = credential_id(configuration, ANN)
    assert (done.done, done.result) == (1, credential)
    assert state(world, configuration).status is CredentialStatus.REVOKED
    assert state(world, configuration).revocation_reason == REASON
    (revoked,) = [
        each for each in world.events.load(credential) if isinstance(each.event, CredentialRevoked)
    ]
    assert revoked.attribution.actor == "user:dean"
    assert correction(world, id_).status == "done"
    assert list(world.correcting.waiting()) == []


def test_another_name_makes_a_new_edition() -> None:
    world, configuration = found("data-changed", "ann")

    done = world.correcting.accept(only(world), "a wedding", world.request("user:dean"))

    assert done.result == credential_id(configuration, ANN, 2)
    after = state(world, configuration, 2)
    assert after.awarded.person is not None
    assert after.awarded.person.full_name == "ann Novak"
    assert state(world, configuration).status is CredentialStatus.SUPERSEDED
    reconcile(world, configuration)
    assert list(world.correcting.waiting()) == []


def test_who_is_eligible_again_is_reinstated() -> None:
    world, configuration = found("now-eligible", "ann")

    done = world.correcting.accept(only(world), REASON, world.request())

    assert done.result == credential_id(configuration, ANN, 2)
    assert state(world, configuration, 2).status is CredentialStatus.ISSUED


def test_who_was_revoked_by_a_correction_and_meets_the_criteria_again_is_proposed() -> None:
    world, configuration = found("no-longer-eligible", "ann")
    world.correcting.accept(only(world), REASON, world.request())
    world.enrol("ann", "1")

    reconcile(world, configuration)

    ((_, proposed),) = world.correcting.waiting()
    assert proposed.proposed.kind == "now-eligible"


def test_who_never_had_one_is_awarded_on_what_is_so_now() -> None:
    world = World()
    world.enrol("ann", name="Łucja")
    configuration = world.configure()
    world.run(configuration)
    world.enrol("ann", name="Lucja")
    reconcile(world, configuration)

    done = world.correcting.accept(only(world), "the name can be drawn", world.request("user:dean"))

    (awarded, *_) = world.events.load(credential_id(configuration, ANN))
    assert isinstance(awarded.event, CredentialAwarded)
    assert awarded.attribution.actor == "user:dean"
    assert awarded.event.evidence.results[-1].met
    assert done.done == 1
    world.tick()
    assert state(world, configuration).status is CredentialStatus.ISSUED


def test_learners_are_told_where_somebody_wants_that() -> None:
    world, _ = found("no-longer-eligible", "ann")
    world.correcting.accept(only(world), REASON, world.request(), tell=True)
    world.tick()
    assert [each.notice for each in world.notifier.sent] == ["issued", "revoked"]


def test_a_reason_that_names_the_learner_is_refused_before_anything_is_recorded() -> None:
    world, configuration = found("data-changed", "ann")
    id_ = only(world)
    for reason in ("", "now ann Novak", "was Learner ann", "ann@example.org said so"):
        with pytest.raises(InvalidInput, match="reason"):
            world.correcting.accept(id_, reason, world.request())
        with pytest.raises(InvalidInput, match="reason"):
            world.correcting.reject(id_, reason, world.request())
    assert correction(world, id_).status == "open"
    assert state(world, configuration).status is CredentialStatus.ISSUED


def test_what_was_decided_stays_decided() -> None:
    world, configuration = found("no-longer-eligible", "ann")
    id_ = only(world)
    world.correcting.reject(id_, "it stands", world.request())
    world.correcting.reject(id_, "it stands", world.request())
    with pytest.raises(DecisionRefused, match="rejected"):
        world.correcting.accept(id_, REASON, world.request())
    assert state(world, configuration).status is CredentialStatus.ISSUED

    accepted, other = found("no-longer-eligible", "ann")
    id_ = only(accepted)
    accepted.correcting.accept(id_, REASON, accepted.request())
    assert accepted.correcting.accept(id_, REASON, accepted.request()).done == 1
    with pytest.raises(DecisionRefused, match="done"):
        accepted.correcting.reject(id_, "it stands", accepted.request())
    revoked = accepted.events.load(credential_id(other, ANN))
    assert sum(isinstance(each.event, CredentialRevoked) for each in revoked) == 1
    with pytest.raises(NotFound):
        accepted.correcting.get(correction_id(other, BOB, "data-changed"))


# Something else in between


def test_accepting_what_somebody_revoked_by_hand_does_nothing_more() -> None:
    world, configuration = found("no-longer-eligible", "ann")
    id_ = only(world)
    world.revoke(credential_id(configuration, ANN))

    done = world.correcting.accept(id_, REASON, world.request())

    assert (done.done, done.dropped) == (0, 1)
    assert correction(world, id_).status == "withdrawn"
    assert state(world, configuration).revocation_reason == "issued by mistake"


def test_another_name_never_reinstates_what_was_revoked_in_this_moment() -> None:
    world, configuration = found("data-changed", "ann")
    id_ = only(world)
    # The new document is stored already; then somebody is first.
    world.storage.after_next_put = lambda: world.revoke(credential_id(configuration, ANN))

    done = world.correcting.accept(id_, "a wedding", world.request())

    assert done.dropped == 1
    assert state(world, configuration).status is CredentialStatus.REVOKED
    with pytest.raises(NotFound):
        state(world, configuration, 2)


def test_a_name_that_is_another_by_now_is_not_put_on_it() -> None:
    world, configuration = found("data-changed", "ann")
    id_ = only(world)
    world.enrol("ann", name="Ann Nowak")

    assert world.correcting.accept(id_, "a wedding", world.request()).dropped == 1

    assert state(world, configuration).status is CredentialStatus.ISSUED
    reconcile(world, configuration)
    ((_, proposed),) = world.correcting.waiting()
    assert proposed.proposed.full_name == "Ann Nowak"


@pytest.mark.parametrize("kind", ["no-longer-eligible", "data-changed", "now-eligible"])
def test_nothing_is_done_about_who_was_erased_in_between(kind: CorrectionKind) -> None:
    world, configuration = found(kind, "ann")
    id_ = only(world)
    world.erasing.erase(ANN, "asked for", world.request())

    assert world.correcting.accept(id_, REASON, world.request()).dropped == 1

    assert state(world, configuration).status is CredentialStatus.ERASED
    with pytest.raises(NotFound):
        state(world, configuration, 2)


def test_who_was_awarded_by_a_run_in_between_is_not_awarded_again() -> None:
    world = World()
    world.enrol("ann", name="Łucja")
    configuration = world.configure()
    world.run(configuration)
    world.enrol("ann", name="Lucja")
    reconcile(world, configuration)
    id_ = only(world)
    world.run(configuration)

    done = world.correcting.accept(id_, "she can be drawn", world.request())

    assert (done.done, done.dropped) == (0, 1)
    awards = world.events.load(credential_id(configuration, ANN))
    assert sum(isinstance(each.event, CredentialAwarded) for each in awards) == 1


# Failed, or left half done


def test_what_could_not_be_carried_out_is_tried_again_by_ticks() -> None:
    world, configuration = found("data-changed", "ann")
    id_ = only(world)
    world.storage.broken = True

    done = world.correcting.accept(id_, "a wedding", world.request("user:dean"))
    assert (done.done, done.waiting) == (0, 1)
    assert correction(world, id_).status == "accepted"
    assert correction(world, id_).error == "the disk is full"

    world.storage.broken = False
    assert world.tick().corrected.done == 0, "too early"
    world.clock.advance(timedelta(minutes=2))
    assert world.tick().corrected.done == 1
    (awarded, *_) = world.events.load(credential_id(configuration, ANN, 2))
    assert awarded.attribution.actor == "user:dean"
    assert correction(world, id_).status == "done"


@pytest.mark.parametrize("kind", ["no-longer-eligible", "data-changed", "now-eligible"])
def test_what_a_crash_left_between_doing_and_recording_is_not_done_twice(
    kind: CorrectionKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, configuration = found(kind, "ann")
    id_ = only(world)
    request = Request(world.request("user:dean").actor, world.request().correlation_id)

    with monkeypatch.context() as crashing:
        crashing.setattr("testamur.domain.corrections.decide_carried_out", _killed)
        with pytest.raises(KeyboardInterrupt):
            world.correcting.accept(id_, REASON, request)
    assert correction(world, id_).status == "accepted"
    before = len(list(world.events.log()))

    assert world.correcting.finish().done == 1

    assert correction(world, id_).status == "done"
    assert len(list(world.events.log())) == before + 1
    expected = credential_id(configuration, ANN, 1 if kind == "no-longer-eligible" else 2)
    assert correction(world, id_).result == expected


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_what_was_accepted_and_not_carried_out_is_finished_by_the_tick(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, configuration = found("no-longer-eligible", "ann", "bob")
    where = CorrectionFilter(configuration)
    with monkeypatch.context() as crashing:
        crashing.setattr("testamur.application.carrying_out.CarryingOut.do", _killed)
        with pytest.raises(KeyboardInterrupt):
            world.correcting.accept_many(where, REASON, world.request("user:dean"), expect=2)
    assert state(world, configuration).status is CredentialStatus.ISSUED

    report = world.tick()

    assert (report.corrected.done, report.corrections) == (2, 0)
    assert state(world, configuration).status is CredentialStatus.REVOKED
    assert world.tick().corrected.done == 0


def test_a_reconciliation_leaves_alone_what_was_accepted_and_waits() -> None:
    world, configuration = found("data-changed", "ann")
    id_ = only(world)
    world.storage.broken = True
    world.correcting.accept(id_, "a wedding", world.request())

    for name in ("Learner ann", "Ann Nowak"):
        world.enrol("ann", name=name)
        reconcile(world, configuration)
        assert correction(world, id_).status == "accepted"


# Many


def test_many_are_accepted_if_they_are_as_many_as_somebody_saw() -> None:
    world, configuration = found("no-longer-eligible", "ann", "bob", "cid")
    where = CorrectionFilter(configuration, "no-longer-eligible")
    with pytest.raises(InvalidInput, match="3: so many would be accepted now"):
        world.correcting.accept_many(where, REASON, world.request(), expect=2)
    assert state(world, configuration).status is CredentialStatus.ISSUED

    done = world.correcting.accept_many(where, REASON, world.request(), expect=3)

    assert (done.done, done.waiting, done.dropped) == (3, 0, 0)
    assert state(world, configuration).status is CredentialStatus.REVOKED


def test_many_are_rejected() -> None:
    world, configuration = found("data-changed", "ann", "bob")
    learner = CorrectionFilter(learner_id=ANN)
    assert world.correcting.reject_many(learner, "no wish", world.request(), expect=1) == 1
    ((_, left),) = world.correcting.waiting()
    assert left.proposed.learner_id == BOB
    others = CorrectionFilter(kind="now-eligible")
    assert list(world.correcting.waiting(others)) == []
    superseded = [
        each
        for learner_id in (ANN, BOB)
        for each in world.events.load(credential_id(configuration, learner_id))
        if isinstance(each.event, CredentialSuperseded)
    ]
    assert superseded == []


def test_what_is_accepted_while_the_document_is_being_stored_leaves_none() -> None:
    world = World()
    world.enrol(ANN)
    configuration = world.configure()
    world.runs.carry_out(world.runs.start(configuration, world.request()), Unwatched())
    id_ = credential_id(configuration, ANN)
    world.enrol(ANN, "0.3")
    world.clock.advance(timedelta(days=1))
    reconcile(world, configuration)
    accepted = only(world)
    world.storage.after_next_put = lambda: world.correcting.accept(
        accepted, REASON, world.request("user:dean")
    )

    world.issuing.issue_awaiting(Unwatched())
    world.tick()

    assert state(world, configuration).status is CredentialStatus.REVOKED
    assert not [key for key in world.storage._files if key.startswith(storage_stem(id_))]
    assert world.notifier.sent == []
