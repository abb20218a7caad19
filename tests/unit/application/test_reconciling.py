"""Reconciling: what differs today is proposed, once, and no credential changes by it."""

from datetime import timedelta

import pytest
from pydantic import JsonValue

from testamur.application.awardees import Awardee
from testamur.application.comparing import Compared
from testamur.application.errors import AlreadyRunning, RetrievalError
from testamur.application.progress import Unwatched
from testamur.application.reconcile_locks import RECORD_FINDINGS
from testamur.domain.corrections import (
    Correction,
    CorrectionKind,
    CorrectionProposed,
    CorrectionWithdrawn,
)
from testamur.domain.credentials import CredentialStatus
from testamur.domain.identifiers import (
    ConfigurationId,
    CorrectionId,
    LearnerId,
    correction_id,
    credential_id,
)
from testamur.domain.personal_data import Person
from testamur.domain.reconciliations import ReconciliationCounts
from tests.support.world import World

DAY = timedelta(days=1)


def world_with(*learners: str, **options: JsonValue) -> tuple[World, ConfigurationId]:
    """Return an installation in which these learners were issued the credential."""
    world = World()
    for learner in learners:
        world.enrol(learner)
    configuration = world.configure()
    world.configurations.change_options(configuration, options, world.request())
    world.run(configuration)
    world.clock.advance(DAY)
    return world, configuration


def rename(world: World, learner: str, name: str) -> None:
    known = world.source.known_people[learner]
    world.source.known_people[learner] = known.model_copy(update={"full_name": name})


def reconcile(world: World, configuration: ConfigurationId) -> ReconciliationCounts:
    id_ = world.reconciling.start(configuration, world.request())
    return world.reconciling.carry_out(id_, Unwatched())


def dry(world: World, configuration: ConfigurationId) -> dict[str, Compared]:
    found = world.reconciling.dry_run(configuration, Unwatched())
    return {each.learner_id: each for each in found}


def waiting(world: World) -> dict[str, CorrectionKind]:
    return {
        correction.proposed.learner_id: correction.proposed.kind
        for _, correction in world.correcting.waiting()
    }


def correction(
    world: World, configuration: ConfigurationId, learner: str, kind: CorrectionKind
) -> Correction:
    return world.correcting.get(correction_id(configuration, LearnerId(learner), kind))


def id_of(configuration: ConfigurationId, learner: str, kind: CorrectionKind) -> CorrectionId:
    return correction_id(configuration, LearnerId(learner), kind)


def proposals(world: World) -> list[CorrectionProposed]:
    return [
        event
        for each in world.events.log()
        if isinstance(event := each.recorded.event, CorrectionProposed)
    ]


# What is found


def test_nothing_is_proposed_where_everything_is_as_it_was() -> None:
    world, configuration = world_with("ann", "bob", "cid")

    counts = reconcile(world, configuration)

    assert counts == ReconciliationCounts(compared=3)
    assert waiting(world) == {}


def test_whoever_does_not_meet_the_criteria_any_more_is_proposed_and_keeps_the_credential() -> None:
    world, configuration = world_with("ann", "bob")
    world.enrol("ann", "0.3")

    counts = reconcile(world, configuration)

    assert counts == ReconciliationCounts(compared=2, no_longer_eligible=1, proposed=1)
    assert waiting(world) == {"ann": "no-longer-eligible"}
    held = world.credentials.get(credential_id(configuration, LearnerId("ann")))
    assert held.status is CredentialStatus.ISSUED
    found = correction(world, configuration, "ann", "no-longer-eligible").proposed
    then, now = (
        {each.criterion: str(each.achieved) for each in results if each.required is not None}
        for results in (found.results_then, found.results_now)
    )
    assert (then, now) == ({"completion": "1"}, {"completion": "0.3"})


def test_another_name_is_proposed_with_what_else_the_document_would_say() -> None:
    world, configuration = world_with("ann", "bob")
    rename(world, "ann", "Ann Novak")
    world.configurations.change_options(
        configuration, {"context": {"certificate_name": "Sailing"}}, world.request()
    )

    reconcile(world, configuration)

    assert waiting(world) == {"ann": "data-changed", "bob": "data-changed"}
    of_ann = correction(world, configuration, "ann", "data-changed").proposed
    assert of_ann.differs == ("full_name", "context_name")
    assert (of_ann.full_name, of_ann.context_name) == ("Ann Novak", "Sailing")
    of_bob = correction(world, configuration, "bob", "data-changed").proposed
    assert of_bob.differs == ("context_name",)
    assert of_bob.full_name is None


def test_one_thing_at_a_time_is_proposed_about_a_credential() -> None:
    world, configuration = world_with("ann")
    world.enrol("ann", "0.3", name="Ann Novak")

    reconcile(world, configuration)
    assert waiting(world) == {"ann": "no-longer-eligible"}

    id_ = id_of(configuration, "ann", "no-longer-eligible")
    world.correcting.reject(id_, "the exam board let it stand", world.request())
    counts = reconcile(world, configuration)
    assert counts.rejected_before == 1
    assert waiting(world) == {"ann": "data-changed"}


def test_who_cannot_be_judged_is_counted_apart_and_never_proposed() -> None:
    world, configuration = world_with("ann", "bob", "cid")
    world.leave_out("ann")
    del world.source.learners["bob"]
    del world.source.known_people["cid"]

    counts = reconcile(world, configuration)

    assert counts == ReconciliationCounts(compared=2, left_out=2, unknown=1)
    assert waiting(world) == {}
    assert {id_: each.apart for id_, each in dry(world, configuration).items()} == {
        "ann": "left-out",
        "bob": "unknown",
        "cid": "left-out",
    }


def test_what_was_awarded_by_hand_is_not_judged_by_the_criteria() -> None:
    world, configuration = world_with("ann")
    world.enrol("eve", "0.1", name="Eve")
    eve = Awardee.parse("eve", "Eve")
    world.manual_awards.award(configuration, eve, "for merit", world.request())

    counts = reconcile(world, configuration)
    assert counts == ReconciliationCounts(compared=2, not_judged=1)

    rename(world, "eve", "Eve Adams")
    reconcile(world, configuration)
    assert waiting(world) == {"eve": "data-changed"}


def test_nothing_is_told_of_the_erased() -> None:
    world, configuration = world_with("ann", "bob")
    rename(world, "ann", "Ann Novak")
    world.erasing.erase(LearnerId("ann"), "asked for", world.request())

    assert reconcile(world, configuration) == ReconciliationCounts(compared=1)
    assert waiting(world) == {}


def test_an_erasure_takes_the_name_out_of_what_was_proposed() -> None:
    world, configuration = world_with("ann")
    rename(world, "ann", "Ann Novak")
    reconcile(world, configuration)

    world.erasing.erase(LearnerId("ann"), "asked for", world.request())

    assert correction(world, configuration, "ann", "data-changed").proposed.full_name is None
    reconcile(world, configuration)
    assert waiting(world) == {}


def test_no_name_is_recorded_of_who_is_erased_in_this_moment() -> None:
    world, configuration = world_with("ann")
    rename(world, "ann", "Ann Novak")
    id_ = world.reconciling.start(configuration, world.request())

    def erase() -> None:
        # The next lock is the one that findings are recorded under.
        world.locks.before_next = lambda: world.erasing.erase(
            LearnerId("ann"), "asked for", world.request()
        )

    world.locks.before_next = erase
    world.reconciling.carry_out(id_, Unwatched())

    assert proposals(world) == []


# Eligible now


def test_who_was_refused_and_can_be_awarded_now_is_proposed() -> None:
    world = World()
    world.enrol("ann", name="Łucja")
    configuration = world.configure()
    world.run(configuration)
    assert reconcile(world, configuration).now_eligible == 0

    rename(world, "ann", "Lucja")
    reconcile(world, configuration)

    assert waiting(world) == {"ann": "now-eligible"}


def test_who_failed_is_proposed_where_no_run_will_come_any_more() -> None:
    world, configuration = world_with("ann")
    world.enrol("bob", "0.5")
    world.run(configuration)
    world.enrol("bob", "0.95")

    world.configurations.enable(configuration, world.request())
    reconcile(world, configuration)
    assert waiting(world) == {}

    world.configurations.disable(configuration, "the course is over", world.request())
    reconcile(world, configuration)
    assert waiting(world) == {"bob": "now-eligible"}


def test_who_was_revoked_for_another_reason_is_not_proposed_and_who_improved_is() -> None:
    world, configuration = world_with("ann", "bob")
    for learner in ("ann", "bob"):
        world.revoke(credential_id(configuration, LearnerId(learner)))
    world.enrol("bob", "0.95")

    reconcile(world, configuration)

    assert waiting(world) == {"bob": "now-eligible"}


def test_nobody_is_to_be_awarded_by_what_is_retired() -> None:
    world, configuration = world_with("ann")
    world.enrol("bob")
    world.enrol("ann", "0.1")
    world.configurations.retire(configuration, "over", world.request())

    reconcile(world, configuration)

    assert waiting(world) == {"ann": "no-longer-eligible"}


# Again


def test_the_same_is_proposed_once_however_often_it_is_found() -> None:
    world, configuration = world_with("ann", "bob")
    world.enrol("ann", "0.3")
    rename(world, "bob", "Bob Novak")

    assert reconcile(world, configuration).proposed == 2
    assert reconcile(world, configuration).proposed == 0
    assert len(proposals(world)) == 2


def test_what_changed_meanwhile_is_proposed_anew_in_place_of_what_was() -> None:
    world, configuration = world_with("ann")
    rename(world, "ann", "Ann Novak")
    reconcile(world, configuration)
    rename(world, "ann", "Ann Novakova")

    assert reconcile(world, configuration).proposed == 1

    assert len(waiting(world)) == 1
    now = correction(world, configuration, "ann", "data-changed").proposed
    assert now.full_name == "Ann Novakova"


def test_what_does_not_apply_any_more_is_withdrawn_and_may_come_back() -> None:
    world, configuration = world_with("ann")
    world.enrol("ann", "0.3")
    reconcile(world, configuration)
    world.enrol("ann", "1")

    assert reconcile(world, configuration).withdrawn == 1
    assert waiting(world) == {}

    world.enrol("ann", "0.3")
    assert reconcile(world, configuration).proposed == 1
    assert waiting(world) == {"ann": "no-longer-eligible"}


def test_what_was_proposed_about_who_left_the_data_source_is_withdrawn() -> None:
    world, configuration = world_with("ann")
    world.enrol("ann", "0.3")
    reconcile(world, configuration)
    del world.source.learners["ann"]

    assert reconcile(world, configuration) == ReconciliationCounts(unknown=1, withdrawn=1)
    (gone,) = [
        event
        for each in world.events.log()
        if isinstance(event := each.recorded.event, CorrectionWithdrawn)
    ]
    assert "does not know" in gone.reason


def test_what_was_proposed_about_who_cannot_be_judged_now_stays() -> None:
    world, configuration = world_with("ann")
    world.enrol("ann", "0.3")
    reconcile(world, configuration)
    world.leave_out("ann")

    reconcile(world, configuration)

    assert waiting(world) == {"ann": "no-longer-eligible"}


def test_what_was_rejected_is_proposed_again_only_when_something_changes() -> None:
    world, configuration = world_with("ann")
    world.enrol("ann", "0.85")
    reconcile(world, configuration)
    id_ = id_of(configuration, "ann", "no-longer-eligible")
    world.correcting.reject(id_, "it is close enough", world.request())

    assert reconcile(world, configuration) == ReconciliationCounts(
        compared=1, no_longer_eligible=1, rejected_before=1
    )
    assert waiting(world) == {}

    world.enrol("ann", "0.2")
    reconcile(world, configuration)
    assert waiting(world) == {"ann": "no-longer-eligible"}


def test_a_new_edition_is_compared_and_not_the_one_before() -> None:
    world, configuration = world_with("ann")
    first = credential_id(configuration, LearnerId("ann"))
    world.reissuing.reissue(first, "a wedding", world.request(), full_name="Ann Novak")

    reconcile(world, configuration)

    found = correction(world, configuration, "ann", "data-changed").proposed
    assert found.credential_id == credential_id(configuration, LearnerId("ann"), 2)
    assert found.full_name == "Learner ann"


# Interrupted


def test_one_that_fails_halfway_keeps_what_it_found_and_another_goes_on() -> None:
    world, configuration = world_with("ann", "bob", "cid")
    for learner in ("ann", "cid"):
        world.enrol(learner, "0.3")
    world.source.fails_after_pages = 1
    with pytest.raises(RetrievalError):
        reconcile(world, configuration)
    assert waiting(world) == {"ann": "no-longer-eligible"}

    world.source.fails_after_pages = None
    assert reconcile(world, configuration).proposed == 1
    assert set(waiting(world)) == {"ann", "cid"}


def test_two_at_once_are_refused() -> None:
    world, configuration = world_with("ann")
    with (
        world.locks.hold(f"reconcile {configuration}"),
        pytest.raises(AlreadyRunning),
    ):
        reconcile(world, configuration)


def test_a_dry_run_writes_nothing() -> None:
    world, configuration = world_with("ann", "bob")
    world.enrol("ann", "0.3")
    before = len(list(world.events.log()))

    found = dry(world, configuration)

    assert [each.kind for each in found["ann"].findings] == ["no-longer-eligible"]
    assert list(found) == ["ann"]
    assert len(list(world.events.log())) == before


# By the option


def test_the_tick_reconciles_when_it_is_due_and_only_proposes() -> None:
    world, configuration = world_with("ann", reconcile={"every_days": 7})
    world.enrol("ann", "0.3")

    report = world.tick()

    assert len(report.reconciling) == 1
    assert (report.corrections, report.corrected.done) == (1, 0)
    assert waiting(world) == {"ann": "no-longer-eligible"}
    held = world.credentials.get(credential_id(configuration, LearnerId("ann")))
    assert held.status is CredentialStatus.ISSUED
    world.clock.advance(6 * DAY)
    assert world.tick().reconciling == []
    world.clock.advance(DAY)
    assert len(world.tick().reconciling) == 1


def test_the_tick_reconciles_at_the_times_of_a_cron_expression() -> None:
    world, _ = world_with("ann", reconcile={"cron": "0 3 * * *", "time_zone": "Europe/Warsaw"})
    assert len(world.tick().reconciling) == 1
    assert world.tick().reconciling == []
    world.clock.advance(DAY)
    assert len(world.tick().reconciling) == 1


def test_one_that_fails_is_tried_again_later() -> None:
    world, _ = world_with("ann", reconcile={"every_days": 7})
    world.source.fails_after_pages = 0

    report = world.tick()
    assert [problem.error for problem in report.problems]
    assert world.tick().problems == []

    world.source.fails_after_pages = None
    world.clock.advance(timedelta(minutes=2))
    assert len(world.tick().reconciling) == 1
    world.clock.advance(timedelta(minutes=2))
    assert world.tick().reconciling == []


def test_a_configuration_without_the_option_is_never_reconciled_by_itself() -> None:
    world, configuration = world_with("ann", reconcile={"every_days": 7})
    world.configurations.change_options(configuration, {}, world.request())
    assert world.tick().reconciling == []
    world.configurations.change_options(
        configuration, {"reconcile": {"every_days": 1}}, world.request()
    )
    world.configurations.retire(configuration, "over", world.request())
    assert world.tick().reconciling == []


def test_a_person_without_a_name_today_is_left_out() -> None:
    world, configuration = world_with("ann")
    world.source.known_people["ann"] = Person(full_name=" ")
    assert reconcile(world, configuration) == ReconciliationCounts(compared=1, left_out=1)


def test_an_erasure_waits_until_what_was_found_is_recorded() -> None:
    world, configuration = world_with("ann")
    world.erasing.ask(LearnerId("ann"), "asked for", world.request())
    with world.locks.hold(RECORD_FINDINGS), pytest.raises(AlreadyRunning):
        world.erasing.finish(LearnerId("ann"), 0)
    assert world.erasing.finish(LearnerId("ann"), 0).credentials == 1
    assert reconcile(world, configuration) == ReconciliationCounts()
