"""Schedules: which slot is due when, and when the last one is over."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import TypeAdapter, ValidationError

from testamur.domain.schedules import (
    Bounds,
    CronRule,
    Due,
    IntervalRule,
    IssueWindow,
    NothingDue,
    OnceRule,
    RunDue,
    Schedule,
    ScheduleEnded,
    bounds,
    due,
)
from tests.support.records import course

JUNE = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
UNBOUNDED = Bounds(None, None)
DAILY = Schedule(rule=IntervalRule(every=DAY))


def latest_midnight(rule: CronRule, moment: datetime) -> datetime | None:
    """Stand for cron: midnight in UTC whatever the rule, and never before the year 2000."""
    midnight = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight if midnight.year >= 2000 else None


def asked(
    schedule: Schedule,
    now: datetime,
    *,
    enabled_at: datetime = JUNE,
    last_slot: datetime | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Due:
    """Return what is due for a configuration in a course with these dates."""
    return due(
        schedule,
        bounds(schedule, course(start=start, end=end)),
        enabled_at=enabled_at,
        last_slot=last_slot,
        now=now,
        latest_cron_time=latest_midnight,
    )


# What a schedule may be


def test_a_schedule_runs_every_ten_days_unless_told() -> None:
    assert Schedule() == Schedule(rule=IntervalRule(every=timedelta(days=10)))


@pytest.mark.parametrize("end", [JUNE, JUNE - timedelta(seconds=1)])
def test_a_schedule_ends_after_it_starts(end: datetime) -> None:
    with pytest.raises(ValidationError, match="the end must be after the start"):
        Schedule(start=JUNE, end=end)


@pytest.mark.parametrize("at", [JUNE - HOUR, JUNE + 2 * DAY + HOUR])
def test_the_one_run_lies_between_start_and_end(at: datetime) -> None:
    with pytest.raises(ValidationError, match="must lie between the start and the end"):
        Schedule(rule=OnceRule(at=at), start=JUNE, end=JUNE + 2 * DAY)


@pytest.mark.parametrize("at", [JUNE, JUNE + DAY, JUNE + 2 * DAY])
def test_the_one_run_may_be_at_the_start_or_the_end(at: datetime) -> None:
    assert Schedule(rule=OnceRule(at=at), start=JUNE, end=JUNE + 2 * DAY).start == JUNE


def test_an_interval_is_a_minute_at_least() -> None:
    assert IntervalRule(every=timedelta(minutes=1)).every == timedelta(minutes=1)
    with pytest.raises(ValidationError, match="greater than or equal to 1 minute"):
        IntervalRule(every=timedelta(seconds=59))


@pytest.mark.parametrize("name", ["UTC", "Europe/Warsaw", "America/St_Johns"])
def test_a_cron_rule_is_in_a_time_zone(name: str) -> None:
    assert CronRule(expression="0 3 * * *", time_zone=name).time_zone == name


@pytest.mark.parametrize(
    "name", ["", "Europe", "Mars/Olympus", "../etc/passwd", "/etc/localtime", "UTC\n", "a\x00b"]
)
def test_an_unknown_time_zone_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="an IANA time zone is needed, such as Europe/Warsaw"):
        CronRule(expression="0 3 * * *", time_zone=name)


def test_a_moment_without_time_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="should have timezone info"):
        OnceRule(at=datetime(2026, 6, 1))  # noqa: DTZ001 - that is the point


def test_moments_are_kept_in_utc() -> None:
    in_warsaw = datetime(2026, 6, 1, 2, tzinfo=timezone(timedelta(hours=2)))

    assert OnceRule(at=in_warsaw).at.isoformat() == "2026-06-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("written", "schedule"),
    [
        ({}, Schedule()),
        ({"rule": {"kind": "interval", "every": "P1D"}}, DAILY),
        (
            {"rule": {"kind": "cron", "expression": "0 3 * * 1", "time_zone": "Europe/Warsaw"}},
            Schedule(rule=CronRule(expression="0 3 * * 1", time_zone="Europe/Warsaw")),
        ),
        (
            {
                "rule": {"kind": "once", "at": "2026-06-01T02:00+02:00"},
                "end": "2026-07-01T00:00Z",
            },
            Schedule(rule=OnceRule(at=JUNE), end=JUNE + 30 * DAY),
        ),
        (
            {"window": {"opens": "course-end", "opens_offset": "-P7D"}},
            Schedule(window=IssueWindow(opens="course-end", opens_offset=-7 * DAY)),
        ),
    ],
)
def test_a_schedule_reads_from_json(written: object, schedule: Schedule) -> None:
    assert TypeAdapter(Schedule).validate_python(written) == schedule


def test_an_unknown_kind_of_rule_is_refused() -> None:
    with pytest.raises(ValidationError, match="'cron', 'interval', 'once'"):
        TypeAdapter(Schedule).validate_python({"rule": {"kind": "hourly"}})


# Bounds


def test_a_plain_schedule_has_no_bounds() -> None:
    assert bounds(DAILY, course(start=JUNE, end=JUNE + DAY)) == UNBOUNDED


def test_start_and_end_bound_a_schedule() -> None:
    schedule = Schedule(start=JUNE, end=JUNE + DAY)

    assert bounds(schedule, course()) == Bounds(JUNE, JUNE + DAY, "the schedule ended")


@pytest.mark.parametrize(
    ("window", "opens_at", "closes_at"),
    [
        (IssueWindow(), None, JUNE + 30 * DAY),
        (IssueWindow(closes_at_course_end=False), None, None),
        (IssueWindow(opens="course-start"), JUNE, JUNE + 30 * DAY),
        (IssueWindow(opens="course-start", opens_offset=DAY), JUNE + DAY, JUNE + 30 * DAY),
        (IssueWindow(opens="course-start", opens_offset=-DAY), JUNE - DAY, JUNE + 30 * DAY),
        (IssueWindow(opens="course-end"), JUNE + 30 * DAY, JUNE + 30 * DAY),
        (
            IssueWindow(opens="course-end", opens_offset=-7 * DAY, closes_offset=7 * DAY),
            JUNE + 23 * DAY,
            JUNE + 37 * DAY,
        ),
    ],
)
def test_an_issue_window_follows_the_dates_of_the_course(
    window: IssueWindow, opens_at: datetime | None, closes_at: datetime | None
) -> None:
    within = bounds(Schedule(window=window), course(start=JUNE, end=JUNE + 30 * DAY))

    assert (within.opens_at, within.closes_at) == (opens_at, closes_at)
    assert within.closes_because == ("the issue window closed" if closes_at else "")


@pytest.mark.parametrize(
    ("days", "because"), [(10, "the schedule ended"), (40, "the issue window closed")]
)
def test_the_narrower_of_schedule_and_window_holds(days: int, because: str) -> None:
    schedule = Schedule(
        start=JUNE - 5 * DAY, end=JUNE + days * DAY, window=IssueWindow(opens="course-start")
    )

    within = bounds(schedule, course(start=JUNE, end=JUNE + 30 * DAY))

    assert within == Bounds(JUNE, JUNE + min(days, 30) * DAY, because)


def test_a_course_without_an_end_never_closes_the_window() -> None:
    schedule = Schedule(rule=IntervalRule(every=DAY), window=IssueWindow())

    assert bounds(schedule, course()) == UNBOUNDED
    assert asked(schedule, JUNE + 9999 * DAY) == RunDue(JUNE + 9999 * DAY)


def test_a_window_does_not_open_before_the_date_that_opens_it_is_known() -> None:
    schedule = Schedule(rule=IntervalRule(every=DAY), window=IssueWindow(opens="course-end"))

    assert bounds(schedule, course()).waits_for == "course-end"
    assert asked(schedule, JUNE + 9 * DAY) == NothingDue()
    assert asked(schedule, JUNE + 9 * DAY, end=JUNE + 9 * DAY) == RunDue(JUNE + 9 * DAY)


def test_a_schedule_that_waits_for_a_date_still_ends_without_a_run() -> None:
    schedule = Schedule(end=JUNE + DAY, window=IssueWindow(opens="course-start"))

    assert asked(schedule, JUNE + DAY) == ScheduleEnded(
        "the schedule ended at 2026-06-02 00:00 UTC"
    )


def test_dates_of_a_course_in_another_zone_are_the_same_moments() -> None:
    in_warsaw = (JUNE + DAY).astimezone(timezone(timedelta(hours=2)))
    schedule = Schedule(window=IssueWindow(opens="course-start"))

    within = bounds(schedule, course(start=in_warsaw, end=in_warsaw + DAY))

    assert within.opens_at == JUNE + DAY
    assert asked(
        schedule, JUNE + 9 * DAY, start=in_warsaw, end=in_warsaw + DAY, last_slot=JUNE + 2 * DAY
    ) == ScheduleEnded("the issue window closed at 2026-06-03 00:00 UTC")


# Interval


def test_an_interval_runs_as_soon_as_it_is_enabled() -> None:
    assert asked(DAILY, JUNE - timedelta(seconds=1)) == NothingDue()
    assert asked(DAILY, JUNE) == RunDue(JUNE)


def test_an_interval_counts_from_when_it_was_enabled() -> None:
    enabled = JUNE + 5 * HOUR

    assert asked(DAILY, enabled + DAY - HOUR, enabled_at=enabled, last_slot=enabled) == NothingDue()
    assert asked(DAILY, enabled + DAY, enabled_at=enabled, last_slot=enabled) == RunDue(
        enabled + DAY
    )


def test_an_interval_counts_from_the_opening_if_that_is_later() -> None:
    opening = JUNE + 5 * HOUR
    schedule = Schedule(rule=IntervalRule(every=DAY), start=opening)

    assert asked(schedule, JUNE + HOUR) == NothingDue()
    assert asked(schedule, JUNE + 30 * HOUR) == RunDue(opening + DAY)


def test_missed_slots_come_as_one_run() -> None:
    late = JUNE + 5 * DAY + HOUR

    assert asked(DAILY, late, last_slot=JUNE + DAY) == RunDue(JUNE + 5 * DAY)
    assert asked(DAILY, late, last_slot=JUNE + 5 * DAY) == NothingDue()


def test_an_interval_does_not_drift_with_late_ticks() -> None:
    assert asked(DAILY, JUNE + DAY + 3 * HOUR, last_slot=JUNE) == RunDue(JUNE + DAY)
    assert asked(DAILY, JUNE + 2 * DAY, last_slot=JUNE + DAY) == RunDue(JUNE + 2 * DAY)


def test_enabling_again_starts_the_interval_anew() -> None:
    again = JUNE + 3 * DAY + 7 * HOUR

    assert asked(DAILY, again, enabled_at=again, last_slot=JUNE + 3 * DAY) == RunDue(again)


def test_an_interval_counts_time_that_passes_not_what_clocks_show() -> None:
    before_clocks_change = datetime(2026, 3, 28, 12, tzinfo=timezone(timedelta(hours=1)))
    after = before_clocks_change.astimezone(timezone(timedelta(hours=2))) + DAY

    assert asked(DAILY, after, enabled_at=before_clocks_change) == RunDue(after)


# Cron

NIGHTLY = Schedule(rule=CronRule(expression="0 0 * * *"))


def test_a_cron_rule_does_not_run_for_a_time_before_it_was_enabled() -> None:
    enabled = JUNE + HOUR

    assert asked(NIGHTLY, enabled + HOUR, enabled_at=enabled) == NothingDue()
    assert asked(NIGHTLY, JUNE + DAY, enabled_at=enabled) == RunDue(JUNE + DAY)


def test_missed_times_of_a_cron_rule_come_as_one_run() -> None:
    now = JUNE + 9 * DAY + HOUR

    assert asked(NIGHTLY, now, last_slot=JUNE + DAY) == RunDue(JUNE + 9 * DAY)
    assert asked(NIGHTLY, now, last_slot=JUNE + 9 * DAY) == NothingDue()


def test_a_cron_rule_keeps_to_its_bounds() -> None:
    schedule = NIGHTLY.model_copy(update={"start": JUNE + DAY + HOUR})

    assert asked(schedule, JUNE + DAY + 2 * HOUR) == NothingDue()
    assert asked(schedule, JUNE + 2 * DAY) == RunDue(JUNE + 2 * DAY)


def test_a_cron_rule_whose_time_never_was_is_not_due() -> None:
    long_ago = datetime(1999, 6, 1, tzinfo=UTC)

    assert asked(NIGHTLY, long_ago, enabled_at=long_ago) == NothingDue()


# Once


def test_once_runs_at_its_time_and_then_it_has_ended() -> None:
    schedule = Schedule(rule=OnceRule(at=JUNE + DAY))

    assert asked(schedule, JUNE + DAY - HOUR) == NothingDue()
    assert asked(schedule, JUNE + DAY) == RunDue(JUNE + DAY)
    assert asked(schedule, JUNE + 3 * DAY) == RunDue(JUNE + DAY)
    assert asked(schedule, JUNE + 3 * DAY, last_slot=JUNE + DAY) == ScheduleEnded(
        "its one run is done"
    )


def test_once_runs_late_where_it_was_enabled_after_its_time() -> None:
    schedule = Schedule(rule=OnceRule(at=JUNE - DAY))

    assert asked(schedule, JUNE) == RunDue(JUNE - DAY)


def test_once_does_not_run_again_when_enabled_again() -> None:
    schedule = Schedule(rule=OnceRule(at=JUNE + DAY))
    again = JUNE + 5 * DAY

    assert asked(schedule, again, enabled_at=again, last_slot=JUNE + DAY) == ScheduleEnded(
        "its one run is done"
    )


def test_once_waits_for_the_window_and_runs_at_its_opening() -> None:
    schedule = Schedule(
        rule=OnceRule(at=JUNE),
        window=IssueWindow(opens="course-end", closes_offset=9 * DAY),
    )
    course_end = JUNE + 5 * DAY

    assert asked(schedule, JUNE + DAY, end=course_end) == NothingDue()
    assert asked(schedule, course_end, end=course_end) == RunDue(course_end)
    assert asked(
        schedule, course_end + HOUR, end=course_end, last_slot=course_end
    ) == ScheduleEnded("its one run is done")


def test_once_missed_before_the_window_closed_still_runs_once() -> None:
    schedule = Schedule(rule=OnceRule(at=JUNE + DAY), end=JUNE + 2 * DAY)

    assert asked(schedule, JUNE + 9 * DAY) == RunDue(JUNE + DAY)
    assert asked(schedule, JUNE + 9 * DAY, last_slot=JUNE + DAY) == ScheduleEnded(
        "the schedule ended at 2026-06-03 00:00 UTC"
    )


def test_once_after_the_window_closed_never_runs() -> None:
    schedule = Schedule(rule=OnceRule(at=JUNE + 9 * DAY), window=IssueWindow())
    course_end = JUNE + 5 * DAY

    assert asked(schedule, course_end, end=course_end) == ScheduleEnded(
        "the issue window closed at 2026-06-06 00:00 UTC"
    )
    assert isinstance(asked(schedule, JUNE + 10 * DAY, end=course_end), ScheduleEnded)


def test_once_at_the_very_end_runs() -> None:
    schedule = Schedule(rule=OnceRule(at=JUNE + DAY), end=JUNE + DAY)

    assert asked(schedule, JUNE + 2 * DAY) == RunDue(JUNE + DAY)


# Closing


@pytest.mark.parametrize("schedule", [DAILY, NIGHTLY])
def test_the_closing_moment_is_the_last_slot(schedule: Schedule) -> None:
    closing = JUNE + 2 * DAY + 7 * HOUR
    bounded = schedule.model_copy(update={"end": closing})

    assert asked(bounded, closing - HOUR, last_slot=JUNE + DAY) == RunDue(JUNE + 2 * DAY)
    for now in (closing, closing + 99 * DAY):
        assert asked(bounded, now, last_slot=JUNE + 2 * DAY) == RunDue(closing)
        assert asked(bounded, now, last_slot=closing) == ScheduleEnded(
            "the schedule ended at 2026-06-03 07:00 UTC"
        )


def test_a_slot_at_the_closing_moment_is_not_run_twice() -> None:
    bounded = Schedule(rule=IntervalRule(every=DAY), end=JUNE + 2 * DAY)

    assert isinstance(asked(bounded, JUNE + 2 * DAY, last_slot=JUNE + 2 * DAY), ScheduleEnded)


def test_what_is_enabled_after_the_closing_ends_without_a_run() -> None:
    bounded = Schedule(rule=IntervalRule(every=DAY), end=JUNE + DAY)
    late = JUNE + 2 * DAY

    assert isinstance(asked(bounded, late, enabled_at=late), ScheduleEnded)


def test_a_window_that_closes_before_it_opens_ends_without_a_run() -> None:
    schedule = Schedule(window=IssueWindow(opens="course-start", opens_offset=9 * DAY))
    dates = {"start": JUNE, "end": JUNE + 5 * DAY}

    assert asked(schedule, JUNE + 4 * DAY, **dates) == NothingDue()
    for day in (5, 9, 10):
        assert isinstance(asked(schedule, JUNE + day * DAY, **dates), ScheduleEnded)


def test_a_window_of_a_single_moment_has_one_run() -> None:
    schedule = Schedule(window=IssueWindow(opens="course-end"))
    course_end = JUNE + 5 * DAY

    assert asked(schedule, course_end - HOUR, end=course_end) == NothingDue()
    assert asked(schedule, course_end + HOUR, end=course_end) == RunDue(course_end)
    assert isinstance(
        asked(schedule, course_end + HOUR, end=course_end, last_slot=course_end), ScheduleEnded
    )


def test_a_course_that_is_extended_closes_later_for_who_enables_again() -> None:
    schedule = Schedule(rule=IntervalRule(every=DAY), window=IssueWindow())
    first_end, again = JUNE + 2 * DAY, JUNE + 3 * DAY

    assert asked(schedule, first_end, end=first_end) == RunDue(first_end)
    assert asked(
        schedule, again, end=JUNE + 30 * DAY, enabled_at=again, last_slot=first_end
    ) == RunDue(again)


def test_a_course_that_ends_earlier_than_was_known_ends_without_running_twice() -> None:
    schedule = Schedule(rule=IntervalRule(every=DAY), window=IssueWindow())

    assert isinstance(
        asked(schedule, JUNE + 9 * DAY, end=JUNE + 4 * DAY, last_slot=JUNE + 8 * DAY),
        ScheduleEnded,
    )
