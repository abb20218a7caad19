from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.domain.errors import InvalidInput
from testamur.domain.schedules import (
    CronRule,
    IntervalRule,
    IssueWindow,
    OnceRule,
    Schedule,
)
from testamur.entrypoints.cli.schedule_text import (
    ScheduleText,
    describe_duration,
    describe_moment,
    describe_schedule,
    parse_duration,
    parse_moment,
    parse_schedule,
)

WARSAW = ZoneInfo("Europe/Warsaw")


def parsed(**options: str) -> Schedule:
    return parse_schedule(ScheduleText(**options), WARSAW)


def refusal(**options: str) -> InvalidInput:
    with pytest.raises(InvalidInput) as refused:
        parsed(**options)
    return refused.value


def test_a_cron_rule_is_in_the_installations_time_zone_unless_told() -> None:
    assert parsed(cron="30 2 * * MON").rule == CronRule(
        expression="30 2 * * MON", time_zone="Europe/Warsaw"
    )
    assert parsed(cron="30 2 * * MON", time_zone="Asia/Tokyo").rule == CronRule(
        expression="30 2 * * MON", time_zone="Asia/Tokyo"
    )


def test_an_interval_is_written_in_weeks_days_hours_and_minutes() -> None:
    assert parsed(every="10d").rule == IntervalRule(every=timedelta(days=10))
    assert parsed(every="1w2d3h4m").rule == IntervalRule(
        every=timedelta(days=9, hours=3, minutes=4)
    )


@pytest.mark.parametrize("text", ["", "10", "d", "10 d", "-1d", "1.5d", "3h1d", "10D", "P10D"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    refused = refusal(every=text)
    assert refused.field == "--every"
    assert "10d" in refused.allowed


def test_an_interval_shorter_than_a_minute_or_longer_than_can_be_counted_is_refused() -> None:
    assert "at least 1m" in refusal(every="0d").allowed
    assert "too long" in refusal(every="9999999999d").allowed


def test_a_time_without_an_offset_is_taken_where_the_installation_is() -> None:
    summer = datetime(2026, 6, 30, 16, tzinfo=UTC)
    assert parsed(once="2026-06-30T18:00").rule == OnceRule(at=summer)
    assert parsed(once="2026-06-30 18:00", time_zone="UTC").rule == OnceRule(
        at=datetime(2026, 6, 30, 18, tzinfo=UTC)
    )
    assert parsed(once="2026-06-30T18:00+02:00", time_zone="Asia/Tokyo").rule == OnceRule(at=summer)


def test_a_date_alone_is_refused_because_it_could_mean_its_beginning_or_its_end() -> None:
    refused = refusal(every="1d", end="2026-06-30")
    assert refused.field == "--end"
    assert "the time is missing" in refused.allowed


def test_a_time_that_the_clock_left_out_is_refused() -> None:
    # In Warsaw, the clock went from 02:00 to 03:00 on this day.
    assert "put forward" in refusal(once="2026-03-29T02:30").allowed


@pytest.mark.parametrize("text", ["tomorrow", "2026-13-01T00:00", "2026-06-30T25:00", ""])
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    assert "2026-06-30T18:00" in refusal(once=text).allowed


def test_the_window_follows_the_course() -> None:
    assert parsed(every="1d", opens="course-end").window == IssueWindow(
        opens="course-end", closes_at_course_end=False
    )
    assert parsed(every="1d", opens="course-start-2d", closes="course-end+1d12h").window == (
        IssueWindow(
            opens="course-start",
            opens_offset=timedelta(days=-2),
            closes_at_course_end=True,
            closes_offset=timedelta(days=1, hours=12),
        )
    )
    assert parsed(every="1d", closes="course-end").window == IssueWindow()
    assert parsed(every="1d").window is None


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("opens", "start"),
        ("opens", "course-end14d"),
        ("opens", "course-end+"),
        ("opens", "course-middle"),
        ("closes", "course-start"),
        ("closes", "course-end+14"),
    ],
)
def test_a_malformed_window_is_refused_with_an_example(option: str, text: str) -> None:
    refused = refusal(every="1d", **{option: text})
    assert refused.field == f"--{option}"
    assert refused.value == text


def test_only_one_rule_goes_into_a_schedule() -> None:
    refused = refusal(cron="0 0 * * *", every="1d")
    assert (refused.field, refused.value) == ("--every", "1d")
    assert "--cron" in refused.allowed


def test_bounds_that_leave_nothing_are_refused() -> None:
    assert refusal(every="1d", start="2026-07-01T00:00", end="2026-06-30T00:00").field == "--end"
    assert refusal(once="2026-06-01T00:00", start="2026-07-01T00:00").field == "--once"
    assert refusal(once="2026-08-01T00:00", end="2026-07-01T00:00").field == "--once"


def test_a_time_zone_that_nothing_uses_or_nobody_knows_is_refused() -> None:
    assert refusal(every="1d", time_zone="Europe/Warsaw").field == "--time-zone"
    assert refusal(cron="0 0 * * *", time_zone="Europe/Nowhere").field == "--time-zone"


def test_a_malformed_cron_expression_is_refused_by_the_options_name() -> None:
    assert refusal(cron="61 * * * *").field == "--cron"


def test_a_schedule_is_described_in_words() -> None:
    schedule = parsed(
        every="1d12h",
        start="2026-06-01T00:00",
        end="2026-12-31T23:59",
        opens="course-end-2d",
        closes="course-end",
    )
    assert describe_schedule(schedule, WARSAW) == [
        ("runs", "every 1 day 12 hours"),
        ("from", "2026-06-01 00:00+02:00"),
        ("until", "2026-12-31 23:59+01:00"),
        ("window", "opens 2 days before the course's end, closes at the course's end"),
    ]
    assert describe_schedule(parsed(cron="0 6 * * *"), WARSAW) == [
        ("runs", "cron 0 6 * * * (Europe/Warsaw)")
    ]
    assert describe_schedule(parsed(once="2026-06-30T18:00Z"), ZoneInfo("UTC")) == [
        ("runs", "once, 2026-06-30 18:00 UTC")
    ]


def test_a_window_that_never_closes_says_so() -> None:
    described = dict(describe_schedule(parsed(every="1d", opens="course-start"), WARSAW))
    assert described["window"] == "opens at the course's start, closes never"


@given(st.integers(0, 40 * 365 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes)))
def test_a_described_moment_is_read_back_to_the_minute(later: timedelta) -> None:
    moment = datetime(1996, 1, 1, tzinfo=UTC) + later
    described = describe_moment(moment, WARSAW)
    assert parse_moment(described, WARSAW, "--once") == moment


@given(st.integers(1, 10**6).map(lambda minutes: timedelta(minutes=minutes)))
def test_a_duration_in_words_says_all_of_it(duration: timedelta) -> None:
    words = describe_duration(duration).split()
    letters = "".join(
        f"{number}{unit[0]}" for number, unit in zip(words[::2], words[1::2], strict=True)
    )
    assert parse_duration(letters, "--every") == duration
