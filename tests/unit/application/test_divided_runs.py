"""Runs that are divided into pages: everybody once, whatever happens in between."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from testamur.application import division
from testamur.application.divided_runs import DividedRun
from testamur.application.dividing import share_of, work_on_share
from testamur.application.errors import AlreadyRunning, EventStoreError, RetrievalError
from testamur.application.ports.event_store import Attribution, NewEvents
from testamur.application.ports.register import CredentialFilter
from testamur.application.ports.run_pages import PagePlace
from testamur.application.progress import Unwatched
from testamur.application.requests import SCHEDULER
from testamur.application.run_status import RunStatuses
from testamur.domain.credentials import CredentialStatus
from testamur.domain.errors import DecisionRefused
from testamur.domain.identifiers import ConfigurationId, LearnerId, RunId
from testamur.domain.personal_data import Person
from testamur.domain.run_results import RunCounts
from testamur.domain.runs import LearnersRefused, RunDivided, RunFailed
from testamur.domain.schedules import Schedule
from tests.support.records import COURSE, OTHER_COURSE, course
from tests.support.world import MONDAY, World


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few learners be many."""
    monkeypatch.setattr(division, "PAGE_SIZE", 3)
    monkeypatch.setattr(division, "FEW", 2)


def divided(world: World, configuration: ConfigurationId | None = None) -> tuple[RunId, DividedRun]:
    """Start a run and divide it."""
    run_id = world.runs.start(configuration or world.configure(), world.request())
    return run_id, world.divided_runs.divide(run_id, Unwatched())


def award(world: World, run_id: RunId, places: Sequence[PagePlace]) -> None:
    """Award pages."""
    for place in places:
        world.divided_runs.award_page(run_id, place, Unwatched())


def counts_of(world: World, run_id: RunId) -> RunCounts | None:
    """Return what a run came to, if it is completed."""
    return world.runs.get(run_id).counts


def enrol_many(world: World, count: int = 20) -> None:
    """Let so many learners have earned the credential."""
    for number in range(count):
        world.enrol(f"learner-{number}")


def everything_that_may_become_of_a_learner(world: World) -> ConfigurationId:
    """Let there be learners of every kind, some of whom hold the credential."""
    for number in range(5):
        world.enrol(f"holder-{number}")
    configuration = world.configure()
    world.run(configuration)
    enrol_many(world, 12)
    for number in range(4):
        world.enrol(f"begun-{number}", completion="0.5")
    for number in range(3):
        world.leave_out(f"unknown-{number}")
    world.enrol("unwritable", name="Łucja")
    world.enrol("nameless", name="")
    return configuration


def test_a_divided_run_comes_to_the_same_as_a_whole_one() -> None:
    whole, shared = World(), World()
    in_one = whole.runs.start(everything_that_may_become_of_a_learner(whole), whole.request())
    expected = whole.runs.carry_out(in_one, Unwatched())

    run_id, found = divided(shared, everything_that_may_become_of_a_learner(shared))
    award(shared, run_id, found.left)

    assert counts_of(shared, run_id) == expected
    assert (expected.awarded, expected.already_held) == (12, 5)
    assert (expected.not_eligible, expected.left_out, expected.refused) == (4, 3, 2)
    assert shared.tally() == whole.tally()
    assert shared.runs.get(run_id).refused == whole.runs.get(in_one).refused
    assert shared.runs.get(run_id).left_out == whole.runs.get(in_one).left_out


def test_nobody_is_awarded_before_the_pages_are() -> None:
    world = World()
    enrol_many(world)

    run_id, found = divided(world)

    assert len(found.left) > 1
    assert world.tally().by_status == {}
    assert not world.runs.get(run_id).completed
    (event,) = [
        each.event for each in world.events.load(run_id) if isinstance(each.event, RunDivided)
    ]
    assert (event.pages, event.earned) == (len(found.left), 20)


def test_the_last_page_completes_the_run_and_nothing_stays_of_the_pages() -> None:
    world = World()
    enrol_many(world)
    run_id, found = divided(world)
    division_id = world.runs.get(run_id).divided
    assert division_id is not None

    award(world, run_id, found.left[:-1])
    assert counts_of(world, run_id) is None
    award(world, run_id, found.left[-1:])

    assert counts_of(world, run_id) == RunCounts(evaluated=20, eligible=20, awarded=20)
    assert world.database.pages.standing(division_id.division).kept == 0


def test_few_are_awarded_by_the_run_itself() -> None:
    world = World()
    enrol_many(world, 2)

    run_id, found = divided(world)

    assert found == DividedRun(RunCounts(evaluated=2, eligible=2, awarded=2))
    assert counts_of(world, run_id) == found.counts


def test_nobody_is_found_where_nobody_is() -> None:
    world = World()
    _, found = divided(world)
    assert found == DividedRun(RunCounts())


def test_a_limit_is_kept_by_carrying_the_run_out_as_a_whole() -> None:
    world = World()
    enrol_many(world)
    run_id = world.runs.start(world.configure(), world.request(), limit=7)

    found = world.divided_runs.divide(run_id, Unwatched())

    assert (found.by_pages, found.counts.awarded, found.counts.over_limit) == (False, 7, 13)


def test_a_run_that_a_guard_stops_is_not_divided() -> None:
    world = World()
    enrol_many(world)

    run_id, found = divided(world, world.configure(guard={"max_new_per_run": 5}))

    assert not found.by_pages
    assert world.runs.get(run_id).approval == "needed"
    assert world.tally().by_status == {}


def test_a_page_that_is_done_again_changes_nothing() -> None:
    world = World()
    enrol_many(world)
    run_id, found = divided(world)

    award(world, run_id, [*found.left[:2], *found.left[:2]])
    award(world, run_id, found.left)
    award(world, run_id, found.left)

    assert counts_of(world, run_id) == RunCounts(evaluated=20, eligible=20, awarded=20)
    assert world.tally().by_status == {CredentialStatus.AWARDED: 20}


def test_a_worker_that_is_killed_right_after_awarding_a_page_costs_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    enrol_many(world)
    run_id, found = divided(world)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(world.database.pages, "finish", killed)
        with pytest.raises(KeyboardInterrupt):
            award(world, run_id, found.left[:1])
    again = world.divided_runs.divide(run_id, Unwatched())
    assert again.left == found.left
    award(world, run_id, again.left)

    assert counts_of(world, run_id) == RunCounts(evaluated=20, eligible=20, awarded=20)


def test_a_run_killed_after_its_last_page_is_completed_by_the_next_look() -> None:
    world = World()
    enrol_many(world)
    run_id, found = divided(world)
    with world.runs.only_run(world.runs.get(run_id).started.configuration_id):
        award(world, run_id, found.left)
    assert counts_of(world, run_id) is None

    again = world.divided_runs.divide(run_id, Unwatched())

    assert again.left == ()
    assert counts_of(world, run_id) == RunCounts(evaluated=20, eligible=20, awarded=20)


def test_what_a_run_left_that_was_killed_while_it_divided_is_no_part_of_the_next_attempt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    enrol_many(world)
    run_id = world.runs.start(world.configure(), world.request())
    kept: list[PagePlace] = []
    divisions: set[UUID] = set()
    keep = world.database.pages.keep

    def killed_at_the_third(*page: object) -> None:
        if len(kept) == 2:
            raise KeyboardInterrupt
        keep(*page)  # type: ignore[arg-type]
        divisions.add(page[1])  # type: ignore[arg-type]
        kept.append(page[2])  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(world.database.pages, "keep", killed_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            world.divided_runs.divide(run_id, Unwatched())
    award(world, run_id, kept)
    assert world.tally().by_status == {}

    found = world.divided_runs.divide(run_id, Unwatched())
    (killed,) = divisions
    assert world.database.pages.standing(killed).kept == 0
    award(world, run_id, found.left)

    assert counts_of(world, run_id) == RunCounts(evaluated=20, eligible=20, awarded=20)


@pytest.mark.parametrize("is_one_left", [False, True])
def test_where_pages_are_lost_all_learners_are_gone_over_anew(is_one_left: bool) -> None:
    world = World()
    enrol_many(world)
    run_id, found = divided(world)
    award(world, run_id, found.left[:2])
    assert sum(world.tally().by_status.values()) > 0
    pages, divided_run = world.database.pages, world.runs.get(run_id).divided
    assert divided_run is not None
    one = pages.verdicts(divided_run.division, found.left[2].number)
    assert one is not None
    pages.drop(run_id)
    if is_one_left:
        pages.keep(run_id, divided_run.division, found.left[2], one)

    again = world.divided_runs.divide(run_id, Unwatched())
    award(world, run_id, again.left)

    assert len(again.left) > 0
    assert counts_of(world, run_id) == RunCounts(evaluated=20, eligible=20, awarded=20)


def test_whoever_was_awarded_it_by_another_in_the_meantime_holds_it() -> None:
    world = World()
    enrol_many(world)
    configuration = world.configure()
    run_id, found = divided(world, configuration)
    alone = world.runs.start(configuration, world.request(), learner_id=LearnerId("learner-7"))
    world.runs.carry_out(alone, Unwatched())

    award(world, run_id, found.left)

    counts = RunCounts(evaluated=20, already_held=1, eligible=19, awarded=19)
    assert counts_of(world, run_id) == counts
    assert world.tally().by_status == {CredentialStatus.AWARDED: 20}


@pytest.mark.parametrize("limit", [None, 5])
def test_no_other_run_begins_while_pages_are_left(limit: int | None) -> None:
    world = World()
    enrol_many(world)
    configuration = world.configure()
    # Both are handed to the queue before a worker takes up the first.
    run_id = world.runs.start(configuration, world.request())
    waiting = world.runs.start(configuration, world.request(), limit=limit)
    left = world.divided_runs.divide(run_id, Unwatched()).left

    for begin in (
        lambda: world.divided_runs.divide(waiting, Unwatched()),
        lambda: world.runs.carry_out(waiting, Unwatched()),
        lambda: world.runs.start(configuration, world.request(), limit=limit),
    ):
        with pytest.raises(AlreadyRunning):
            begin()

    award(world, run_id, left)
    assert world.divided_runs.divide(waiting, Unwatched()).left == ()
    assert counts_of(world, waiting) == RunCounts(evaluated=20, already_held=20)
    assert len(world.register.runs(configuration)) == 2


def test_a_run_that_was_divided_may_be_asked_for_again_while_pages_are_left() -> None:
    world = World()
    enrol_many(world)
    configuration, request = world.configure(), world.request()
    run_id = world.runs.start(configuration, request)
    left = world.divided_runs.divide(run_id, Unwatched()).left

    assert world.runs.start(configuration, request) == run_id
    assert world.divided_runs.divide(run_id, Unwatched()).left == left


def test_pages_of_another_configuration_are_nothing_to_a_run() -> None:
    world = World()
    enrol_many(world)
    world.source.facts_by_key[OTHER_COURSE] = course(OTHER_COURSE)
    other = world.configure(OTHER_COURSE)
    run_id, found = divided(world)

    assert divided(world, other)[1].by_pages
    award(world, run_id, found.left)


def scheduled(world: World) -> RunId:
    """Start a run that the schedule made due."""
    configuration = world.configure(schedule=Schedule())
    request = world.request(str(SCHEDULER))
    return world.runs.start_scheduled(configuration, MONDAY, request)


def without_people(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the data source not tell who the learners are."""

    def fail(_: Sequence[LearnerId]) -> Mapping[LearnerId, Person]:
        raise RetrievalError("the LMS went away")

    monkeypatch.setattr(world.source, "people", fail)


def test_a_page_that_fails_fails_the_run_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    enrol_many(world)
    run_id = scheduled(world)
    found = world.divided_runs.divide(run_id, Unwatched())
    first = world.runs.get(run_id).divided
    assert first is not None
    award(world, run_id, found.left[:1])

    with monkeypatch.context() as patched:
        without_people(world, patched)
        with pytest.raises(RetrievalError):
            award(world, run_id, found.left[1:2])
        award(world, run_id, found.left[2:])  # given up: nothing is done, and nothing recorded
    assert world.database.pages.standing(first.division).kept == 0

    failures = [each.event for each in world.events.load(run_id)[1:]]
    (failure,) = [each for each in failures if isinstance(each, RunFailed)]
    assert (failure.attempt, failure.error) == (1, "the LMS went away")
    assert world.runs.get(run_id).retry_at == MONDAY + timedelta(minutes=5)

    again = world.divided_runs.divide(run_id, Unwatched())
    award(world, run_id, again.left)
    assert counts_of(world, run_id) == RunCounts(evaluated=20, eligible=20, awarded=20)


def test_who_is_late_with_a_page_of_an_attempt_that_failed_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    enrol_many(world)
    run_id, found = divided(world)
    first = world.runs.get(run_id).divided
    assert first is not None
    with monkeypatch.context() as patched:
        without_people(world, patched)
        with pytest.raises(RetrievalError):
            award(world, run_id, found.left[:1])
    again = world.divided_runs.divide(run_id, Unwatched())
    second = world.runs.get(run_id).divided
    assert second is not None

    world.database.pages.finish(first.division, again.left[0].number, RunCounts(evaluated=3))
    world.database.pages.drop(run_id, first.division)

    assert world.database.pages.standing(second.division).left == again.left


def test_who_is_late_to_fail_does_not_fail_the_next_attempt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    enrol_many(world)
    run_id, found = divided(world)

    def fail_first(_: Sequence[LearnerId]) -> Mapping[LearnerId, Person]:
        without_people(world, monkeypatch)
        with pytest.raises(RetrievalError):
            award(world, run_id, found.left[1:2])
        world.divided_runs.divide(run_id, Unwatched())
        raise RetrievalError("the LMS is gone still")

    monkeypatch.setattr(world.source, "people", fail_first)
    assert found.left[0].share != found.left[1].share
    with pytest.raises(RetrievalError, match="still"):
        award(world, run_id, found.left[:1])

    run = world.runs.get(run_id)
    assert (run.failures, run.divided is not None) == (1, True)


def test_a_failing_store_leaves_the_page_and_fails_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    enrol_many(world)
    run_id, found = divided(world)

    append = world.events.append

    def fail_once(_: Sequence[NewEvents], __: Attribution) -> int:
        monkeypatch.setattr(world.events, "append", append)
        raise EventStoreError("the server is restarted")

    monkeypatch.setattr(world.events, "append", fail_once)
    with pytest.raises(EventStoreError):
        award(world, run_id, found.left[:1])

    assert world.runs.get(run_id).failures == 0
    assert world.divided_runs.divide(run_id, Unwatched()).left == found.left


def test_a_configuration_that_is_retired_meanwhile_awards_nobody_more() -> None:
    world = World()
    enrol_many(world)
    configuration = world.configure()
    run_id, found = divided(world, configuration)
    world.configurations.retire(configuration, "over", world.request())

    with pytest.raises(DecisionRefused):
        award(world, run_id, found.left[:1])

    assert world.tally().by_status == {}
    assert world.runs.get(run_id).failures == 1


def test_a_learner_who_is_erased_meanwhile_is_not_awarded() -> None:
    world = World()
    enrol_many(world)
    erased = LearnerId("learner-3")
    world.database.keys.obtain([erased])  # something of theirs is known
    run_id, found = divided(world)

    world.erasing.erase(erased, "asked for", world.request())
    award(world, run_id, found.left)

    assert counts_of(world, run_id) == RunCounts(evaluated=19, eligible=19, awarded=19)
    assert list(world.credentials.all(CredentialFilter(learner_id=erased))) == []


def test_an_erasure_waits_for_the_page_of_its_learner() -> None:
    world = World()
    world.enrol("learner-3")
    learner_id = LearnerId("learner-3")
    world.run(world.configure())
    world.erasing.ask(learner_id, "asked for", world.request())

    with (
        world.locks.hold(work_on_share("award", share_of(learner_id))),
        pytest.raises(AlreadyRunning),
    ):
        world.erasing.finish(learner_id, wait_seconds=0)


def test_who_is_refused_on_a_page_is_recorded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    enrol_many(world)
    world.enrol("unwritable", name="Łucja")
    run_id, found = divided(world)

    with monkeypatch.context() as patched:
        patched.setattr(world.database.pages, "finish", lambda *_: None)
        award(world, run_id, found.left)
    award(world, run_id, found.left)

    recorded = [each.event for each in world.events.load(run_id)]
    refusals = [each for each in recorded if isinstance(each, LearnersRefused)]
    assert [refusal.learner_id for each in refusals for refusal in each.refusals] == ["unwritable"]
    assert counts_of(world, run_id) == RunCounts(evaluated=21, eligible=21, awarded=20, refused=1)


def test_it_is_known_how_many_were_looked_at_while_pages_are_left() -> None:
    world = World()
    enrol_many(world)
    world.enrol("begun", completion="0.5")
    run_id, _ = divided(world)

    status = RunStatuses(world.events, world.register).of(run_id)

    assert (status.state, status.evaluated, status.awarded) == ("open", 21, 0)


def test_a_divided_run_can_be_carried_out_as_a_whole() -> None:
    world = World()
    enrol_many(world)
    run_id, found = divided(world)
    award(world, run_id, found.left[:1])

    counts = world.runs.carry_out(run_id, Unwatched())
    award(world, run_id, found.left)

    assert counts == RunCounts(evaluated=20, eligible=20, awarded=20)
    assert world.tally().by_status == {CredentialStatus.AWARDED: 20}


def test_awards_of_all_pages_tell_the_moment_and_the_name_that_the_run_found() -> None:
    world = World()
    enrol_many(world)
    run_id, found = divided(world)
    world.source.facts_by_key[COURSE] = course(name="Renamed")

    world.clock.advance(timedelta(days=2))
    award(world, run_id, found.left)

    awarded = [
        world.credentials.get(row.credential_id).awarded
        for row in world.credentials.all(CredentialFilter())
    ]
    assert len(awarded) == 20
    assert {each.award_date for each in awarded} == {MONDAY.date()}
    assert "Renamed" not in {each.context_name for each in awarded}
