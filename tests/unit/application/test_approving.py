"""Runs that need approval: nobody is awarded before it, and exactly the list after it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import pytest

from testamur.application import passes
from testamur.application.errors import AlreadyRunning, EventStoreError, RetrievalError
from testamur.application.ports.event_store import NewEvents
from testamur.application.ports.register import CredentialFilter
from testamur.application.ports.tasks import AwardRun
from testamur.application.progress import Unwatched
from testamur.application.run_status import RunStatuses
from testamur.domain import proposals
from testamur.domain.credentials import CredentialAwarded
from testamur.domain.errors import DecisionRefused, InvalidInput, NotFound
from testamur.domain.identifiers import (
    ConfigurationId,
    LearnerId,
    RunId,
    credential_id,
    proposal_page_id,
)
from testamur.domain.personal_data import Person
from testamur.domain.proposals import LearnersProposed
from testamur.domain.run_results import RunCounts
from testamur.domain.runs import RunApproved, RunNeedsApproval
from testamur.domain.schedules import IntervalRule, Schedule
from tests.support.events import an_award, by
from tests.support.records import COURSE
from tests.support.world import World

DAILY = Schedule(rule=IntervalRule(every=timedelta(days=1)))


def guarded(world: World, most: int = 2, *, schedule: Schedule | None = None) -> ConfigurationId:
    return world.configure(guard={"max_new_per_run": most}, schedule=schedule)


def enrol(world: World, *names: str) -> None:
    for name in names:
        world.enrol(name)


def waiting(world: World, *names: str, most: int = 2) -> RunId:
    """Return a run that needs approval, as it found these learners."""
    enrol(world, *names)
    return world.run(guarded(world, most))


def holders(world: World) -> set[str]:
    return {row.learner_id for row in world.credentials.all(CredentialFilter())}


def approve(world: World, run_id: RunId) -> None:
    """Approve a run, and carry it out."""
    world.approvals.approve(run_id, "seen", world.request("user:dean"))
    world.queue.send(AwardRun(run_id))


# Before anybody has decided


def test_a_run_up_to_the_limit_awards_by_itself() -> None:
    world = World()
    enrol(world, "ann", "bob")
    run_id = world.run(guarded(world))
    assert holders(world) == {"ann", "bob"}
    assert world.runs.get(run_id).counts == RunCounts(evaluated=2, eligible=2, awarded=2)


def test_a_run_beyond_the_limit_awards_nobody_and_waits_with_the_list() -> None:
    world = World()
    world.enrol("eve", "0.5")
    run_id = waiting(world, "ann", "bob", "cid")
    assert holders(world) == set()
    run = world.runs.get(run_id)
    assert run.approval == "needed"
    assert run.asked is not None
    assert (run.asked.reason, run.asked.limit, run.asked.proposed) == ("max-new", 2, 3)
    assert run.asked.counts == RunCounts(evaluated=4, not_eligible=1, eligible=3)
    assert list(world.approvals.proposed(run_id)) == ["ann", "bob", "cid"]


def test_who_is_refused_or_left_out_is_recorded_and_not_on_the_list() -> None:
    world = World()
    world.enrol("dan", name=" ")
    world.enrol("eve")
    world.leave_out("eve")
    run_id = waiting(world, "ann", "bob", "cid")
    run = world.runs.get(run_id)
    assert run.refused == {"dan"}
    assert run.left_out == {"eve"}
    assert list(world.approvals.proposed(run_id)) == ["ann", "bob", "cid"]


def test_a_change_of_scale_needs_approval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("testamur.application.guarding.SMALLEST_SCALE", 2)
    world = World()
    configuration = world.configure(guard={"change_of_scale": 2})
    for number in range(3):
        enrol(world, f"early-{number}")
        world.run(configuration)
    enrol(world, "late-1", "late-2", "late-3")
    run = world.runs.get(world.run(configuration))
    assert run.asked is not None
    assert (run.asked.reason, run.asked.limit) == ("change-of-scale", 2)
    assert run.asked.usual == 1


def test_a_list_has_pages_of_a_thousand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("testamur.application.proposing.LEARNERS_OF_A_PAGE", 3)
    world = World()
    run_id = waiting(world, *"abcdefg")
    run = world.runs.get(run_id)
    assert run.asked is not None
    assert run.asked.pages == 3
    assert [
        event.learner_ids
        for page in (1, 2, 3)
        for each in world.events.load(proposal_page_id(run_id, page))
        if isinstance(event := each.event, LearnersProposed)
    ] == [("a", "b", "c"), ("d", "e", "f"), ("g",)]
    assert list(world.approvals.proposed(run_id)) == list("abcdefg")


def test_a_run_that_waits_is_left_alone_when_its_task_is_done_again() -> None:
    world = World()
    run_id = waiting(world, "ann", "bob", "cid")
    written = len(list(world.events.log()))
    world.queue.send(AwardRun(run_id))
    assert len(list(world.events.log())) == written


def test_a_run_with_a_limit_of_its_own_lists_no_more_than_that() -> None:
    world = World()
    enrol(world, *"abcde")
    run_id = world.run(guarded(world), limit=4)
    assert list(world.approvals.proposed(run_id)) == list("abcd")
    approve(world, run_id)
    assert holders(world) == set("abcd")
    assert world.runs.get(run_id).counts == RunCounts(
        evaluated=5, eligible=5, awarded=4, over_limit=1
    )


def test_a_run_with_a_limit_within_the_guards_needs_no_approval() -> None:
    world = World()
    enrol(world, *"abcde")
    world.run(guarded(world), limit=2)
    assert holders(world) == {"a", "b"}


# Once it is approved


def test_an_approved_run_awards_its_list_and_issues_and_tells() -> None:
    world = World()
    run_id = waiting(world, "ann", "bob", "cid")
    approve(world, run_id)
    assert holders(world) == {"ann", "bob", "cid"}
    assert world.runs.get(run_id).counts == RunCounts(evaluated=3, eligible=3, awarded=3)
    assert len(world.notifier.sent) == 3


def test_who_decided_and_why_is_recorded() -> None:
    world = World()
    run_id = waiting(world, "ann", "bob", "cid")
    world.approvals.approve(run_id, " the term has ended ", world.request("user:dean"))
    (approved,) = [
        each for each in world.events.load(run_id) if isinstance(each.event, RunApproved)
    ]
    assert approved.event == RunApproved(reason="the term has ended")
    assert approved.attribution.actor == "user:dean"
    with pytest.raises(InvalidInput, match="reason"):
        world.approvals.approve(run_id, " ", world.request())


def test_who_lost_eligibility_since_is_not_awarded_and_who_gained_it_is_left_to_the_next_run() -> (
    None
):
    world = World()
    run_id = waiting(world, "ann", "bob", "cid")
    world.enrol("ann", "0.5")
    world.enrol("dan")
    approve(world, run_id)
    assert holders(world) == {"bob", "cid"}
    assert world.runs.get(run_id).counts == RunCounts(
        evaluated=4, not_eligible=1, eligible=3, awarded=2, over_limit=1
    )


def test_who_was_awarded_by_another_run_in_between_is_dropped() -> None:
    world = World()
    run_id = waiting(world, "ann", "bob", "cid")
    configuration = world.runs.get(run_id).started.configuration_id
    other = world.runs.start(configuration, world.request(), learner_id=LearnerId("ann"))
    world.queue.send(AwardRun(other))
    approve(world, run_id)
    assert holders(world) == {"ann", "bob", "cid"}
    assert len(world.notifier.sent) == 3
    assert world.runs.get(run_id).counts == RunCounts(
        evaluated=3, already_held=1, eligible=2, awarded=2
    )


def test_who_was_revoked_in_between_stays_revoked() -> None:
    world = World()
    run_id = waiting(world, "ann", "bob", "cid")
    configuration = world.runs.get(run_id).started.configuration_id
    other = world.runs.start(configuration, world.request(), learner_id=LearnerId("ann"))
    world.queue.send(AwardRun(other))
    world.revoke(credential_id(configuration, LearnerId("ann")))
    approve(world, run_id)
    counts = world.runs.get(run_id).counts
    assert counts is not None
    assert counts.awarded == 2


def test_approving_twice_awards_once() -> None:
    world = World()
    run_id = waiting(world, "ann", "bob", "cid")
    approve(world, run_id)
    approve(world, run_id)
    assert len(world.notifier.sent) == 3
    approvals = [each for each in world.events.load(run_id) if isinstance(each.event, RunApproved)]
    assert len(approvals) == 1


def test_a_crash_after_the_approval_is_finished_by_the_next_tick() -> None:
    world = World()
    run_id = waiting(world, "ann", "bob", "cid")
    world.approvals.approve(run_id, "seen", world.request())
    report = world.tick()
    assert report.resumed == [run_id]
    assert holders(world) == {"ann", "bob", "cid"}


def test_a_crash_in_the_middle_of_an_approved_run_is_finished_with_the_same_list() -> None:
    world = World()
    run_id = waiting(world, *"abcde")
    world.approvals.approve(run_id, "seen", world.request())
    world.source.fails_after_pages = 1
    with pytest.raises(RetrievalError):
        world.queue.send(AwardRun(run_id))
    assert holders(world) == {"a", "b"}
    world.source.fails_after_pages = None
    enrol(world, "f")
    world.queue.send(AwardRun(run_id))
    assert holders(world) == set("abcde")
    assert world.runs.get(run_id).counts == RunCounts(
        evaluated=6, eligible=6, awarded=5, over_limit=1
    )


def test_a_list_that_is_not_the_one_that_was_asked_about_awards_nobody() -> None:
    world = World()
    run_id = waiting(world, "ann", "bob", "cid")
    page_id = proposal_page_id(run_id, 1)
    (page,) = world.events.load(page_id)
    assert isinstance(page.event, LearnersProposed)
    longer = page.event.model_copy(update={"learner_ids": (*page.event.learner_ids, "mallory")})
    world.events.append(
        [NewEvents(page_id, 1, proposals.decide_propose(page.event, longer))],
        world.request().attribution(world.clock),
    )
    world.approvals.approve(run_id, "seen", world.request())
    with pytest.raises(EventStoreError, match="not the one that approval was asked for"):
        world.queue.send(AwardRun(run_id))
    assert holders(world) == set()


# Once it is rejected


def test_a_rejected_run_awards_nobody_and_is_over() -> None:
    world = World()
    run_id = waiting(world, "ann", "bob", "cid")
    world.approvals.reject(run_id, "a slip", world.request())
    world.approvals.reject(run_id, "a slip", world.request())
    world.queue.send(AwardRun(run_id))
    world.tick()
    assert holders(world) == set()
    assert world.register.runs(open_only=True) == []
    with pytest.raises(DecisionRefused, match="rejected already"):
        world.approvals.approve(run_id, "after all", world.request())


def test_only_a_run_that_there_is_and_that_needs_it_is_decided_on() -> None:
    world = World()
    enrol(world, "ann")
    run_id = world.run(guarded(world))
    with pytest.raises(DecisionRefused, match="needs approval"):
        world.approvals.approve(run_id, "seen", world.request())
    with pytest.raises(DecisionRefused, match="no list"):
        world.approvals.proposed(run_id)
    nothing = RunId(world.ids.request_id())
    with pytest.raises(NotFound):
        world.approvals.reject(nothing, "seen", world.request())
    with pytest.raises(NotFound):
        world.approvals.proposed(nothing)


# Two at once


@pytest.mark.parametrize("first", ["approve", "reject"])
def test_of_two_who_decide_at_once_the_first_one_counts(first: str) -> None:
    world = World()
    run_id = waiting(world, "ann", "bob", "cid")
    deeds: dict[str, Callable[[], None]] = {
        "approve": lambda: world.approvals.approve(run_id, "seen", world.request()),
        "reject": lambda: world.approvals.reject(run_id, "a slip", world.request()),
    }
    other = next(name for name in deeds if name != first)
    append = world.events.append

    def first_comes_the_other(*arguments: object) -> None:
        world.events.append = append  # type: ignore[method-assign]
        deeds[first]()
        append(*arguments)  # type: ignore[arg-type]

    world.events.append = first_comes_the_other  # type: ignore[method-assign,assignment]
    with pytest.raises(DecisionRefused, match="already"):
        deeds[other]()
    assert world.runs.get(run_id).approval == {"approve": "approved", "reject": "rejected"}[first]


def test_an_approved_run_waits_for_another_of_its_configuration() -> None:
    world = World()
    run_id = waiting(world, "ann", "bob", "cid")
    configuration = world.runs.get(run_id).started.configuration_id
    with world.locks.hold(f"run {configuration}"), pytest.raises(AlreadyRunning):
        approve(world, run_id)
    assert world.tick().resumed == [run_id]
    assert holders(world) == {"ann", "bob", "cid"}


def test_who_is_awarded_by_another_in_the_very_moment_is_awarded_once() -> None:
    world = World()
    run_id = waiting(world, "ann", "bob", "cid")
    configuration = world.runs.get(run_id).started.configuration_id
    id_ = credential_id(configuration, LearnerId("ann"))
    people, met = world.source.people, False

    def another_awards_ann(learner_ids: Sequence[LearnerId]) -> Mapping[LearnerId, Person]:
        nonlocal met
        if not met:
            met = True
            award = an_award("ann").model_copy(update={"configuration_id": configuration})
            world.events.append([NewEvents(id_, 0, [award])], by())
        return people(learner_ids)

    world.source.people = another_awards_ann  # type: ignore[method-assign]
    approve(world, run_id)
    assert [type(each.event) for each in world.events.load(id_)].count(CredentialAwarded) == 1
    assert world.runs.get(run_id).counts == RunCounts(
        evaluated=3, already_held=1, eligible=2, awarded=2
    )


# Interrupted before it was asked


def test_a_list_that_was_interrupted_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("testamur.application.proposing.LEARNERS_OF_A_PAGE", 2)
    world = World()
    enrol(world, *"abcdef")
    run_id = world.runs.start(guarded(world, 1), world.request())
    world.source.fails_after_pages = 2
    with pytest.raises(RetrievalError):
        world.queue.send(AwardRun(run_id))
    world.source.fails_after_pages = None
    world.enrol("b", "0.5")
    world.queue.send(AwardRun(run_id))
    assert list(world.approvals.proposed(run_id)) == list("acdef")


def test_a_run_that_had_begun_to_award_goes_on_within_the_limit() -> None:
    world = World()
    enrol(world, *"abc")
    configuration = guarded(world, 3)
    run_id = world.runs.start(configuration, world.request())
    award = world.awarding.award
    calls = 0

    def dies_at_the_second_page(*arguments: object) -> int:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        return award(*arguments)  # type: ignore[arg-type]

    object.__setattr__(world.runs, "awarding", _Replaced(world.awarding, dies_at_the_second_page))
    with pytest.raises(KeyboardInterrupt):
        world.queue.send(AwardRun(run_id))
    object.__setattr__(world.runs, "awarding", world.awarding)
    assert holders(world) == {"a", "b"}
    enrol(world, "d", "e")
    assert world.tick().resumed == [run_id]
    assert holders(world) == {"a", "b", "c"}
    assert world.runs.get(run_id).counts == RunCounts(
        evaluated=5, eligible=5, awarded=3, over_limit=2
    )


class _Replaced:
    """Awarding with another way to award."""

    def __init__(self, awarding: object, award: Callable[..., int]) -> None:
        self._awarding = awarding
        self.award = award

    def __getattr__(self, name: str) -> object:
        return getattr(self._awarding, name)


def test_a_run_of_more_than_are_kept_is_gone_over_twice_and_awards_no_more_than_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passes, "MOST_KEPT", 1)
    world = World()
    enrol(world, *"abcd")
    configuration = guarded(world, 4)
    run_id = world.runs.start(configuration, world.request())
    records, passed = world.source.records, 0

    def two_more_the_second_time(*arguments: object) -> object:
        nonlocal passed
        passed += 1
        if passed == 2:
            enrol(world, "e", "f")
        return records(*arguments)  # type: ignore[arg-type]

    world.source.records = two_more_the_second_time  # type: ignore[method-assign,assignment]
    world.queue.send(AwardRun(run_id))
    assert passed == 2
    assert holders(world) == set("abcd")
    assert world.runs.get(run_id).counts == RunCounts(
        evaluated=6, eligible=6, awarded=4, over_limit=2
    )


def test_a_run_of_few_is_gone_over_once() -> None:
    world = World()
    enrol(world, *"ab")
    configuration = guarded(world, 4)
    asked_before = len(world.source.asked)
    world.run(configuration)
    assert len(world.source.asked) - asked_before == 2  # facts, and records


# Ticks


def test_while_a_run_waits_no_slot_of_its_configuration_is_started_and_every_tick_says_so() -> None:
    world = World()
    enrol(world, *"abc")
    configuration = guarded(world, schedule=DAILY)
    world.configurations.enable(configuration, world.request())
    (run_id,) = world.tick().started
    for _ in range(3):
        world.clock.advance(timedelta(days=1))
        report = world.tick()
        assert (report.started, report.resumed, report.problems) == ([], [], [])
        assert report.needs_approval == [run_id]
    world.approvals.reject(run_id, "a slip", world.request())
    report = world.tick()
    assert len(report.started) == 1
    assert report.needs_approval == report.started


def test_a_run_by_hand_that_waits_holds_up_the_schedule_too() -> None:
    world = World()
    enrol(world, *"abc")
    configuration = guarded(world, schedule=DAILY)
    run_id = world.run(configuration)
    world.configurations.enable(configuration, world.request())
    report = world.tick()
    assert (report.started, report.needs_approval) == ([], [run_id])
    approve(world, run_id)
    assert len(world.tick().started) == 1


def test_a_run_that_failed_before_it_needed_approval_waits_like_any_other() -> None:
    world = World()
    enrol(world, *"abc")
    ends = Schedule(rule=IntervalRule(every=timedelta(days=1)), end=world.clock.now())
    configuration = guarded(world, schedule=ends)
    world.configurations.enable(configuration, world.request())
    world.source.fails_after_pages = 1
    (run_id,) = world.tick().started
    world.source.fails_after_pages = None
    world.clock.advance(timedelta(minutes=5))
    assert world.tick().needs_approval == [run_id]
    world.clock.advance(timedelta(days=2))
    assert world.tick().disabled == {}
    world.approvals.approve(run_id, "seen", world.request())
    assert world.tick().resumed == [run_id]
    assert holders(world) == set("abc")


def test_another_configuration_is_not_held_up() -> None:
    world = World()
    run_id = waiting(world, *"abc")
    world.define_type("other")
    other = world.configurations.create("other", COURSE, world.request())
    world.configurations.enable(other, world.request())
    report = world.tick()
    assert len(report.started) == 1
    assert report.needs_approval == [run_id]
    assert holders(world) == set("abc")


def test_a_configuration_that_has_ended_is_disabled_only_after_the_decision() -> None:
    world = World()
    enrol(world, *"abc")
    ends = Schedule(rule=IntervalRule(every=timedelta(days=1)), end=world.clock.now())
    configuration = guarded(world, schedule=ends)
    world.configurations.enable(configuration, world.request())
    (run_id,) = world.tick().started
    world.clock.advance(timedelta(days=2))
    assert world.tick().disabled == {}
    approve(world, run_id)
    assert holders(world) == set("abc")
    assert configuration in world.tick().disabled


# Told afterwards


def test_the_status_of_a_run_tells_why_it_waits_and_what_was_decided() -> None:
    world = World()
    run_id = waiting(world, "ann", "bob", "cid")
    statuses = RunStatuses(world.events, world.register)
    before = statuses.of(run_id)
    assert (before.state, before.evaluated, before.awarded) == ("needs-approval", 3, 0)
    assert before.settled
    assert isinstance(before.asked, RunNeedsApproval)
    assert before.decision is None
    world.approvals.reject(run_id, "a slip", world.request("user:dean"))
    after = statuses.of(run_id)
    assert (after.state, after.settled) == ("rejected", True)
    assert after.decision is not None
    assert (after.decision.approved, after.decision.actor) == (False, "user:dean")
    assert after.decision.reason == "a slip"


def test_an_approved_run_is_open_until_it_is_completed() -> None:
    world = World()
    run_id = waiting(world, "ann", "bob", "cid")
    world.approvals.approve(run_id, "seen", world.request())
    statuses = RunStatuses(world.events, world.register)
    assert (statuses.of(run_id).state, statuses.of(run_id).evaluated) == ("open", None)
    world.queue.send(AwardRun(run_id))
    assert statuses.of(run_id).state == "completed"


def test_a_learner_is_told_of_the_list_that_they_were_on() -> None:
    world = World()
    run_id = waiting(world, "ann", "bob", "cid")
    world.following.catch_up()
    (mention,) = world.exporting.of(LearnerId("ann")).runs
    assert (mention.run_id, mention.event) == (run_id, "proposal.learners-proposed.1")
    assert "needed approval" in (mention.reason or "")


def test_a_dry_run_writes_nothing_and_the_limits_are_told() -> None:
    world = World()
    enrol(world, "ann", "bob", "cid")
    configuration = guarded(world)
    written = len(list(world.events.log()))
    prospects = list(world.runs.dry_run(configuration, Unwatched()))
    assert [each.outcome for each in prospects] == ["award"] * 3
    assert [limit.most for limit in world.runs.limits(configuration)] == [2]
    assert len(list(world.events.log())) == written
