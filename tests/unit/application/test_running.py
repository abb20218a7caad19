"""Runs: who is awarded, who is not, and what is recorded of it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import JsonValue

from testamur.application.errors import AlreadyRunning, RetrievalError
from testamur.application.ports.register import CredentialFilter
from testamur.application.ports.tasks import AwardRun
from testamur.application.progress import Unwatched
from testamur.application.prospects import Prospect
from testamur.domain.credentials import (
    CredentialAwarded,
    CredentialIssued,
    CredentialStatus,
    NotificationSent,
)
from testamur.domain.errors import DecisionRefused, InvalidOptions, NotFound
from testamur.domain.identifiers import LearnerId, credential_id
from testamur.domain.personal_data import Person
from testamur.domain.run_results import LeftOut, RunCounts
from testamur.domain.runs import LearnersLeftOut, LearnersRefused
from tests.support.records import COURSE, course, learner
from tests.support.world import MONDAY, World


def test_an_eligible_learner_is_awarded_issued_and_told() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann", name="Ann Example")
    world.run(configuration)
    id_ = credential_id(configuration, LearnerId("ann"))
    recorded = [each.event for each in world.events.load(id_)]
    assert [type(event) for event in recorded] == [
        CredentialAwarded,
        CredentialIssued,
        NotificationSent,
    ]
    assert world.credentials.document(id_).decode().splitlines()[1] == "Ann Example"
    assert [each.email for each in world.notifier.sent] == ["ann@example.org"]


def test_the_award_freezes_who_why_and_by_whose_decision() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann", "0.95", name="Ann Example")
    run_id = world.run(configuration)
    recorded = world.events.load(credential_id(configuration, LearnerId("ann")))[0]
    award = recorded.event
    assert isinstance(award, CredentialAwarded)
    assert award.person == Person(full_name="Ann Example", email="ann@example.org")
    completion = award.evidence.results[-1]
    assert (str(completion.required), str(completion.achieved)) == ("0.9", "0.95")
    assert award.evidence.source == "tests"
    assert recorded.attribution.actor == "user:registrar"
    assert recorded.attribution.correlation_id == run_id


def test_a_learner_who_has_not_reached_the_criteria_is_not_awarded() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann", "0.89")
    run_id = world.run(configuration)
    assert world.tally().by_status == {}
    assert world.runs.get(run_id).counts == RunCounts(evaluated=1, not_eligible=1)


def test_a_second_run_awards_nobody_again() -> None:
    world = World()
    configuration = world.configure()
    for name in ("ann", "bob", "cid"):
        world.enrol(name)
    world.run(configuration)
    second = world.run(configuration)
    assert world.runs.get(second).counts == RunCounts(evaluated=3, already_held=3)
    assert world.tally().by_status == {CredentialStatus.ISSUED: 3}
    assert len(world.notifier.sent) == 3


def test_a_revoked_learner_is_not_awarded_again() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann")
    world.run(configuration)
    credential = credential_id(configuration, LearnerId("ann"))
    world.revoke(credential)
    world.run(configuration)
    assert world.tally().by_status == {CredentialStatus.REVOKED: 1}


def test_a_learner_without_a_name_is_refused_and_tried_again_by_the_next_run() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann", name=" ")
    first = world.run(configuration)
    assert world.runs.get(first).refused == {"ann"}
    world.enrol("ann", name="Ann Example")
    world.run(configuration)
    assert world.tally().by_status == {CredentialStatus.ISSUED: 1}


def test_a_name_that_cannot_be_drawn_is_refused_before_anything_is_awarded() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann", name="Ann 🎓")
    run_id = world.run(configuration)
    assert world.tally().by_status == {}
    assert world.runs.get(run_id).counts == RunCounts(evaluated=1, eligible=1, refused=1)


def test_a_learner_whom_the_source_does_not_know_as_a_person_is_refused() -> None:
    world = World()
    configuration = world.configure()
    world.source.learners["ann"] = learner("ann", completion="1")
    run_id = world.run(configuration)
    assert world.runs.get(run_id).counts == RunCounts(evaluated=1, eligible=1, refused=1)


def test_a_limit_leaves_the_rest_for_a_later_run() -> None:
    world = World()
    configuration = world.configure()
    for name in ("ann", "bob", "cid", "dan", "eve"):
        world.enrol(name)
    run_id = world.run(configuration, limit=3)
    assert world.runs.get(run_id).counts == RunCounts(
        evaluated=5, eligible=5, awarded=3, over_limit=2
    )
    world.run(configuration)
    assert world.tally().by_status == {CredentialStatus.ISSUED: 5}


def test_a_run_for_one_learner_leaves_the_others_alone() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann")
    world.enrol("bob")
    run_id = world.runs.start(configuration, world.request(), learner_id=LearnerId("bob"))
    world.queue.send(AwardRun(run_id))
    rows = list(world.credentials.all(CredentialFilter()))
    assert [row.learner_id for row in rows] == ["bob"]


def test_a_run_for_a_learner_whom_the_source_does_not_know_is_refused_and_not_recorded() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann")
    with pytest.raises(NotFound, match="no learner of course-v1:Uni"):
        world.runs.start(configuration, world.request(), learner_id=LearnerId("nobody"))
    with pytest.raises(NotFound, match="'nobody'"):
        list(world.runs.dry_run(configuration, Unwatched(), learner_id=LearnerId("nobody")))
    assert world.register.runs() == []


def test_a_source_that_fails_halfway_fails_the_run_and_keeps_what_was_awarded() -> None:
    world = World()
    configuration = world.configure()
    for name in ("ann", "bob", "cid"):
        world.enrol(name)
    world.source.fails_after_pages = 1
    run_id = world.runs.start(configuration, world.request())
    with pytest.raises(RetrievalError):
        world.queue.send(AwardRun(run_id))
    assert not world.runs.get(run_id).completed
    assert world.tally().by_status == {CredentialStatus.AWARDED: 2}
    world.source.fails_after_pages = None
    world.queue.send(AwardRun(run_id))
    assert world.runs.get(run_id).counts == RunCounts(evaluated=3, eligible=3, awarded=3)
    assert world.tally().by_status == {CredentialStatus.ISSUED: 3}


def test_a_completed_run_is_left_alone() -> None:
    world = World()
    configuration = world.configure()
    run_id = world.run(configuration)
    world.enrol("ann")
    world.queue.send(AwardRun(run_id))
    assert world.tally().by_status == {}


def test_two_runs_of_a_configuration_never_go_at_once() -> None:
    world = World()
    configuration = world.configure()
    run_id = world.runs.start(configuration, world.request())
    with (
        world.locks.hold(f"run {configuration}"),
        pytest.raises(AlreadyRunning, match=str(configuration)),
    ):
        world.runs.carry_out(run_id, Unwatched())


def test_a_dry_run_tells_what_a_run_would_do_and_writes_nothing() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann")
    world.run(configuration)
    world.enrol("bob", name="Bob Example")
    world.enrol("cid", "0.5")
    world.enrol("dan", name="")
    written = len(list(world.events.log()))
    prospects = {each.learner_id: each for each in world.runs.dry_run(configuration, Unwatched())}
    assert {id_: each.outcome for id_, each in prospects.items()} == {
        "ann": "already-held",
        "bob": "award",
        "cid": "not-eligible",
        "dan": "refused",
    }
    assert prospects[LearnerId("bob")].full_name == "Bob Example"
    verdict = prospects[LearnerId("cid")].verdict
    assert verdict is not None
    assert str(verdict.evidence.results[-1].achieved) == "0.5"
    assert len(list(world.events.log())) == written


def test_an_option_that_is_not_allowed_is_refused_before_anything_is_written() -> None:
    world = World()
    world.define_type()
    written = len(list(world.events.log()))
    with pytest.raises(InvalidOptions) as refused:
        world.configure(criteria={"required_completion": 90}, rendering={"headin": "x"})
    assert [problem.field for problem in refused.value.problems] == [
        "criteria.required_completion",
        "rendering.headin",
    ]
    assert len(list(world.events.log())) == written


def test_the_award_date_is_that_of_the_issuers_time_zone() -> None:
    world = World(time_zone="Pacific/Auckland")
    world.clock.advance(timedelta(hours=2))
    configuration = world.configure()
    world.enrol("ann")
    world.run(configuration)
    state = world.credentials.get(credential_id(configuration, LearnerId("ann")))
    assert state.awarded.award_date.isoformat() == "2026-06-02"


def test_a_run_that_another_process_completed_in_that_very_moment_is_left_alone() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann")
    run_id = world.runs.start(configuration, world.request())
    world.locks.before_next = lambda: world.runs.carry_out(run_id, Unwatched())
    assert world.runs.carry_out(run_id, Unwatched()) == RunCounts(
        evaluated=1, eligible=1, awarded=1
    )


def test_a_retired_configuration_is_not_run_by_hand() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann")
    world.configurations.retire(configuration, "the course is over", world.request())
    written = len(list(world.events.log()))
    with pytest.raises(DecisionRefused, match="retired"):
        world.run(configuration)
    assert len(list(world.events.log())) == written


def test_a_renderer_that_breaks_on_one_name_refuses_that_learner_only() -> None:
    world = World()
    configuration = world.configure(rendering={"check_crashes_on": "Ann Example"})
    world.enrol("ann", name="Ann Example")
    world.enrol("bob")
    run_id = world.run(configuration)
    assert world.runs.get(run_id).counts == RunCounts(evaluated=2, eligible=2, awarded=1, refused=1)
    refused = [each.event for each in world.events.load(run_id)][1]
    assert isinstance(refused, LearnersRefused)
    assert [(each.reason, each.detail) for each in refused.refusals] == [
        ("renderer", "the renderer broke with ZeroDivisionError")
    ]


# Learners whom the data source leaves out


def test_a_learner_whom_the_source_cannot_tell_about_is_left_out_and_tried_by_the_next_run() -> (
    None
):
    world = World()
    configuration = world.configure()
    world.enrol("ann")
    world.enrol("bob")
    world.leave_out("bob", "the LMS has no grade")
    first = world.run(configuration)
    assert world.runs.get(first).counts == RunCounts(evaluated=2, eligible=1, awarded=1, left_out=1)
    recorded = [each.event for each in world.events.load(first)]
    assert recorded[1] == LearnersLeftOut(
        learners=(LeftOut(learner_id=LearnerId("bob"), reason="the LMS has no grade"),)
    )
    world.enrol("bob")
    second = world.run(configuration)
    assert world.runs.get(second).counts == RunCounts(
        evaluated=2, already_held=1, eligible=1, awarded=1
    )


def test_a_holder_whom_the_source_cannot_tell_about_holds_the_credential_all_the_same() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann")
    world.run(configuration)
    world.leave_out("ann")
    second = world.run(configuration)
    assert world.runs.get(second).counts == RunCounts(evaluated=1, already_held=1)
    assert world.runs.get(second).left_out == frozenset()


def test_a_learner_is_left_out_once_of_a_run_that_is_tried_again() -> None:
    world = World()
    configuration = world.configure()
    for name in ("ann", "bob", "cid"):
        world.enrol(name)
        world.leave_out(name)
    world.source.fails_after_pages = 1
    run_id = world.runs.start(configuration, world.request())
    with pytest.raises(RetrievalError):
        world.runs.carry_out(run_id, Unwatched())
    world.source.fails_after_pages = None
    assert world.runs.carry_out(run_id, Unwatched()) == RunCounts(evaluated=3, left_out=3)
    recorded = [each.event for each in world.events.load(run_id)]
    left_out = [event.learners for event in recorded if isinstance(event, LearnersLeftOut)]
    assert [[each.learner_id for each in learners] for learners in left_out] == [
        ["ann", "bob"],
        ["cid"],
    ]


def test_a_run_for_one_learner_who_is_left_out_completes() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann")
    world.leave_out("ann")
    run_id = world.runs.start(configuration, world.request(), learner_id=LearnerId("ann"))
    assert world.runs.carry_out(run_id, Unwatched()) == RunCounts(evaluated=1, left_out=1)


def test_a_dry_run_tells_who_would_be_left_out_and_why() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann")
    world.leave_out("ann", "the LMS has no grade")
    assert list(world.runs.dry_run(configuration, Unwatched())) == [
        Prospect(LearnerId("ann"), "left-out", detail="the LMS has no grade")
    ]


# How fresh what was read has to be


def test_a_run_of_the_schedule_does_with_what_was_read_since_its_slot() -> None:
    world = World()
    configuration = world.configure()
    world.clock.advance(timedelta(minutes=1))
    run_id = world.runs.start_scheduled(configuration, MONDAY, world.request())
    world.clock.advance(timedelta(minutes=1))
    world.runs.carry_out(run_id, Unwatched())
    assert {needs.not_before for needs in world.source.asked} == {MONDAY}


def test_a_run_by_hand_does_with_what_was_read_since_it_was_started() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann")
    run_id = world.runs.start(configuration, world.request(), learner_id=LearnerId("ann"))
    world.clock.advance(timedelta(hours=1))
    world.runs.carry_out(run_id, Unwatched())
    assert {needs.not_before for needs in world.source.asked} == {MONDAY}


def test_a_dry_run_does_with_what_was_read_since_it_was_asked_for() -> None:
    world = World()
    configuration = world.configure()
    world.clock.advance(timedelta(hours=1))
    list(world.runs.dry_run(configuration, Unwatched()))
    asked_at = MONDAY + timedelta(hours=1)
    assert {needs.not_before for needs in world.source.asked} == {asked_at}


def test_the_evidence_says_when_the_source_read_the_record() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann")
    read_at = MONDAY - timedelta(minutes=3)
    world.source.learners["ann"] = replace(world.source.learners["ann"], retrieved_at=read_at)
    world.run(configuration)
    state = world.credentials.get(credential_id(configuration, LearnerId("ann")))
    assert state.awarded.evidence.retrieved_at == read_at


def test_what_the_criteria_do_not_look_at_is_not_asked_for() -> None:
    world = World()
    configuration = world.configure()
    world.run(configuration)
    assert {(needs.completion, needs.grades) for needs in world.source.asked} == {(True, False)}


# The name on the certificate


def test_a_certificate_name_of_the_options_goes_before_those_of_the_source() -> None:
    world = World()
    world.source.facts_by_key[COURSE] = course(name="MATH-1", certificate_name="Mathematics")
    configuration = world.configure(context={"certificate_name": "Higher\nMathematics"})
    world.enrol("ann")
    world.run(configuration)
    id_ = credential_id(configuration, LearnerId("ann"))
    assert world.credentials.get(id_).awarded.context_name == "Higher\nMathematics"
    assert world.credentials.document(id_).decode().splitlines()[2:4] == ["Higher", "Mathematics"]


def test_a_certificate_name_that_is_changed_never_changes_what_was_awarded() -> None:
    world = World()
    configuration = world.configure(context={"certificate_name": "Mathematics"})
    world.enrol("ann")
    world.run(configuration)
    renamed: dict[str, JsonValue] = {"context": {"certificate_name": "Algebra"}}
    world.configurations.change_options(configuration, renamed, world.request())
    world.enrol("bob")
    world.run(configuration)
    names = [
        world.credentials.get(credential_id(configuration, LearnerId(name))).awarded.context_name
        for name in ("ann", "bob")
    ]
    assert names == ["Mathematics", "Algebra"]


# Runs at the same time


def test_a_run_asked_for_while_another_goes_on_is_refused_and_never_done_later() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann")
    with world.locks.hold(f"run {configuration}"), pytest.raises(AlreadyRunning):
        world.run(configuration, limit=1)
    assert world.tick().resumed == []
    assert world.tally().by_status == {}
