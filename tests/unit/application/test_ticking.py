"""Ticking: due runs start once, what was interrupted goes on, ended schedules are disabled."""

from datetime import timedelta
from uuid import UUID

import pytest

from testamur.application.errors import AlreadyRunning, EventStoreError
from testamur.application.ports.event_store import RecordedEvent
from testamur.application.ports.register import CredentialFilter
from testamur.application.progress import Unwatched
from testamur.domain.contexts import PathwayKey
from testamur.domain.credentials import CredentialStatus
from testamur.domain.run_results import RunCounts
from testamur.domain.schedules import CronRule, IntervalRule, IssueWindow, OnceRule, Schedule
from tests.support.records import COURSE, OTHER_COURSE, course
from tests.support.world import MONDAY, World

DAILY = Schedule(rule=IntervalRule(every=timedelta(days=1)))


def test_a_disabled_configuration_is_never_run() -> None:
    world = World()
    world.configure(schedule=DAILY)
    world.enrol("ann")
    world.clock.advance(timedelta(days=30))
    assert world.tick().started == []
    assert world.tally().by_status == {}


def test_an_enabled_configuration_runs_at_once_and_then_by_its_interval() -> None:
    world = World()
    configuration = world.configure(schedule=DAILY)
    world.configurations.enable(configuration, world.request())
    started = []
    for _ in range(25):
        started.append(len(world.tick().started))
        world.clock.advance(timedelta(hours=2))
    assert started == [1] + [0] * 11 + [1] + [0] * 11 + [1]


def test_what_a_tick_starts_is_awarded_issued_and_told() -> None:
    world = World()
    configuration = world.configure(schedule=DAILY)
    world.configurations.enable(configuration, world.request())
    world.enrol("ann")
    world.tick()
    assert world.tally().by_status == {CredentialStatus.ISSUED: 1}
    assert len(world.notifier.sent) == 1
    (row,) = world.credentials.all(CredentialFilter())
    assert world.events.load(row.credential_id)[0].attribution.actor == "system:scheduler"


def test_slots_missed_while_nothing_ran_become_one_run() -> None:
    world = World()
    configuration = world.configure(schedule=DAILY)
    world.configurations.enable(configuration, world.request())
    world.clock.advance(timedelta(days=10, hours=1))
    assert len(world.tick().started) == 1
    assert world.tick().started == []


def test_a_cron_schedule_follows_its_time_zone() -> None:
    world = World()
    schedule = Schedule(rule=CronRule(expression="0 6 * * *", time_zone="Asia/Tokyo"))
    configuration = world.configure(schedule=schedule)
    world.configurations.enable(configuration, world.request())
    assert world.tick().started == []
    world.clock.advance(timedelta(hours=9))  # 21:00 UTC is six in the morning in Tokyo
    assert len(world.tick().started) == 1
    assert world.register.last_slot(configuration) == MONDAY + timedelta(hours=9)


def test_a_run_that_was_interrupted_is_finished_by_the_next_tick() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann")
    run_id = world.runs.start(configuration, world.request())
    report = world.tick()
    assert report.resumed == [run_id]
    assert world.runs.get(run_id).counts == RunCounts(evaluated=1, eligible=1, awarded=1)
    assert world.tally().by_status == {CredentialStatus.ISSUED: 1}


def test_a_run_that_another_process_carries_out_is_left_to_it() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann")
    world.runs.start(configuration, world.request())
    with world.locks.hold(f"run {configuration}"):
        report = world.tick()
    assert report.left_to_others == [f"run {configuration}"]
    assert report.resumed == []
    assert report.problems == []


def test_awards_and_issues_that_a_crash_left_are_finished() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann")
    run_id = world.runs.start(configuration, world.request())
    world.runs.carry_out(run_id, Unwatched())
    assert world.tally().by_status == {CredentialStatus.AWARDED: 1}
    world.tick()
    assert world.tally().by_status == {CredentialStatus.ISSUED: 1}
    assert len(world.notifier.sent) == 1


def test_a_scheduled_run_that_failed_is_tried_again_after_its_delay() -> None:
    world = World()
    configuration = world.configure(schedule=DAILY)
    world.configurations.enable(configuration, world.request())
    world.enrol("ann")
    world.source.fails_after_pages = 0
    report = world.tick()
    assert [str(problem.error) for problem in report.problems] == ["the LMS went away"]
    world.source.fails_after_pages = None
    assert world.tick().resumed == []
    world.clock.advance(timedelta(minutes=5))
    assert len(world.tick().resumed) == 1
    assert world.tally().by_status == {CredentialStatus.ISSUED: 1}


def test_one_configurations_trouble_does_not_keep_the_others_waiting() -> None:
    world = World()
    window = Schedule(rule=DAILY.rule, window=IssueWindow(opens="course-start"))
    broken = world.configure(str(PathwayKey("Uni", "Gone", "2026", "A")), schedule=window)
    sound = world.configure(schedule=DAILY)
    for each in (broken, sound):
        world.configurations.enable(each, world.request())
    world.enrol("ann")
    report = world.tick()
    assert len(report.problems) == 1
    assert "path-v1:Uni+Gone+2026+A" in report.problems[0].subject
    assert world.tally().by_status == {CredentialStatus.ISSUED: 1}


def test_an_issue_window_opens_with_the_course_and_disables_the_configuration_after_it() -> None:
    world = World()
    world.source.facts_by_key[COURSE] = course(
        start=MONDAY + timedelta(days=2), end=MONDAY + timedelta(days=5)
    )
    window = IssueWindow(opens="course-start", closes_offset=timedelta(days=1))
    schedule = Schedule(rule=IntervalRule(every=timedelta(days=2)), window=window)
    configuration = world.configure(schedule=schedule)
    world.configurations.enable(configuration, world.request())
    runs_by_day = []
    reasons: list[str] = []
    for _ in range(9):
        report = world.tick()
        runs_by_day.append(len(report.started))
        reasons += report.disabled.values()
        world.clock.advance(timedelta(days=1))
    # Open on day 2, every two days, closed on day 6, where the last run is.
    assert runs_by_day == [0, 0, 1, 0, 1, 0, 1, 0, 0]
    assert reasons == ["the issue window closed at 2026-06-07 12:00 UTC"]
    assert not world.configurations.get(configuration).enabled


def test_a_schedule_of_one_run_disables_its_configuration_after_it() -> None:
    world = World()
    schedule = Schedule(rule=OnceRule(at=MONDAY + timedelta(hours=1)))
    configuration = world.configure(schedule=schedule)
    world.configurations.enable(configuration, world.request())
    assert world.tick().started == []
    world.clock.advance(timedelta(hours=1))
    assert len(world.tick().started) == 1
    assert world.tick().disabled == {configuration: "its one run is done"}
    assert world.tick().disabled == {}


def test_two_ticks_never_go_at_once() -> None:
    world = World()
    with world.locks.hold("tick"), pytest.raises(AlreadyRunning):
        world.tick()


def test_a_configuration_for_another_context_has_runs_of_its_own() -> None:
    world = World()
    world.source.facts_by_key[OTHER_COURSE] = course(OTHER_COURSE)
    for key in (COURSE, OTHER_COURSE):
        configuration = world.configure(key, schedule=DAILY)
        world.configurations.enable(configuration, world.request())
    world.enrol("ann")
    assert len(world.tick().started) == 2
    assert world.tally().by_status == {CredentialStatus.ISSUED: 2}


def test_a_run_that_failed_is_not_tried_again_while_its_configuration_is_disabled() -> None:
    world = World()
    configuration = world.configure(schedule=DAILY)
    world.configurations.enable(configuration, world.request())
    world.enrol("ann")
    world.source.fails_after_pages = 0
    world.tick()
    world.source.fails_after_pages = None
    world.configurations.disable(configuration, "the criteria were wrong", world.request())
    world.clock.advance(timedelta(hours=1))
    assert world.tick().resumed == []
    assert world.tally().by_status == {}
    world.configurations.enable(configuration, world.request())
    assert len(world.tick().resumed) == 1
    assert world.tally().by_status == {CredentialStatus.ISSUED: 1}


def test_a_schedule_whose_last_run_failed_ends_only_after_it_was_tried_again() -> None:
    world = World()
    schedule = Schedule(rule=OnceRule(at=MONDAY + timedelta(hours=1)))
    configuration = world.configure(schedule=schedule)
    world.configurations.enable(configuration, world.request())
    world.enrol("ann")
    world.clock.advance(timedelta(hours=1))
    world.source.fails_after_pages = 0
    world.tick()
    world.source.fails_after_pages = None
    assert world.tick().disabled == {}
    world.clock.advance(timedelta(minutes=5))
    report = world.tick()
    assert len(report.resumed) == 1
    assert report.disabled == {configuration: "its one run is done"}
    assert world.tally().by_status == {CredentialStatus.ISSUED: 1}


def test_a_retired_type_starts_no_run_and_disables_the_configuration() -> None:
    world = World()
    configuration = world.configure(schedule=DAILY)
    world.configurations.enable(configuration, world.request())
    world.types.retire("completion", "a better one replaces it", world.request())
    report = world.tick()
    assert (report.started, report.problems) == ([], [])
    assert report.disabled == {configuration: "its credential type is retired"}
    assert world.register.runs() == []


def test_a_data_source_that_breaks_unexpectedly_keeps_no_other_configuration_waiting() -> None:
    world = World()
    window = Schedule(rule=DAILY.rule, window=IssueWindow(opens="course-start"))
    broken = world.configure(str(PathwayKey("Uni", "Gone", "2026", "A")), schedule=window)
    sound = world.configure(schedule=DAILY)
    for each in (broken, sound):
        world.configurations.enable(each, world.request())
    world.enrol("ann")
    world.source.breaks_on = "path-v1:Uni+Gone+2026+A"
    report = world.tick()
    assert [str(problem.error) for problem in report.problems] == ["KeyError: 'start'"]
    assert world.tally().by_status == {CredentialStatus.ISSUED: 1}


def test_a_configuration_that_cannot_be_read_keeps_no_other_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    damaged = world.configure(str(PathwayKey("Uni", "Gone", "2026", "A")), schedule=DAILY)
    sound = world.configure(schedule=DAILY)
    for each in (damaged, sound):
        world.configurations.enable(each, world.request())
    world.enrol("ann")
    load = world.database.events.load

    def load_unless_damaged(stream_id: UUID) -> list[RecordedEvent]:
        if stream_id == damaged:
            raise EventStoreError("the stream is damaged")
        return load(stream_id)

    monkeypatch.setattr(world.database.events, "load", load_unless_damaged)
    (problem,) = world.tick().problems
    assert problem.subject == "completion path-v1:Uni+Gone+2026+A"
    assert "damaged" in str(problem.error)
    assert world.tally().by_status == {CredentialStatus.ISSUED: 1}


def test_configurations_of_a_course_do_with_the_dates_and_records_of_one_reading() -> None:
    world = World()
    world.source.facts_by_key[COURSE] = course(start=MONDAY - timedelta(days=1))
    world.define_type()
    world.define_type("second")
    window = DAILY.model_copy(update={"window": IssueWindow(opens="course-start")})
    for slug in ("completion", "second"):
        id_ = world.configurations.create(slug, COURSE, world.request(), schedule=window)
        world.configurations.enable(id_, world.request())
    world.clock.advance(timedelta(days=3))
    first_tick = world.clock.now()
    assert len(world.tick().started) == 2
    dates = [needs for needs in world.source.asked if not needs.completion]
    records = [needs for needs in world.source.asked if needs.completion]
    assert {needs.not_before for needs in dates} == {first_tick}
    # Both were due at the same time, long before the tick that started them.
    assert len({needs.not_before for needs in records}) == 1
    assert {needs.not_before for needs in records} < {MONDAY + timedelta(days=n) for n in range(4)}
