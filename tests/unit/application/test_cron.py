"""Cron rules give the times that Debian's cron would, in any time zone."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testamur.application.cron import check_cron, latest_cron_time, next_cron_time
from testamur.domain.errors import InvalidInput
from testamur.domain.schedules import CronRule, LatestCronTime

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def rule(expression: str, time_zone: str = "UTC") -> CronRule:
    return CronRule(expression=expression, time_zone=time_zone)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def times(cron: CronRule, after: datetime, until: datetime) -> list[datetime]:
    """All times of a rule, found by asking for the next one again and again."""
    found = []
    moment = next_cron_time(cron, after)
    while moment is not None and moment <= until:
        found.append(moment)
        moment = next_cron_time(cron, moment)
    return found


@pytest.mark.parametrize(
    ("expression", "moment", "latest"),
    [
        ("0 3 * * *", utc(2026, 6, 1, 12, 0), utc(2026, 6, 1, 3, 0)),
        ("0 3 * * *", utc(2026, 6, 1, 2, 59, 59), utc(2026, 5, 31, 3, 0)),
        ("*/15 * * * *", utc(2026, 6, 1, 12, 44), utc(2026, 6, 1, 12, 30)),
        ("30 2 * * MON", utc(2026, 6, 3), utc(2026, 6, 1, 2, 30)),
        ("0 0 L * *", utc(2026, 3, 15), utc(2026, 2, 28)),
        ("0 0 29 2 *", utc(2027, 6, 1), utc(2024, 2, 29)),
        ("0 0 29 2 *", utc(2028, 2, 29), utc(2028, 2, 29)),
        ("0 0 * 2 MON#5", utc(2026, 6, 1), utc(2016, 2, 29)),
        ("0 0 1,15 * FRI", utc(2026, 6, 4), utc(2026, 6, 1)),  # both days set: either will do
        ("0 0 1,15 * FRI", utc(2026, 6, 6), utc(2026, 6, 5)),
    ],
)
def test_the_latest_time_is_at_or_before_the_moment(
    expression: str, moment: datetime, latest: datetime
) -> None:
    assert latest_cron_time(rule(expression), moment) == latest


def test_the_moment_itself_counts_as_the_latest_time_and_not_as_the_next() -> None:
    noon = utc(2026, 6, 1, 12, 0)

    assert latest_cron_time(rule("0 12 * * *"), noon) == noon
    assert latest_cron_time(rule("0 12 * * *"), noon - timedelta(microseconds=1)) < noon  # type: ignore[operator]
    assert next_cron_time(rule("0 12 * * *"), noon) == noon + timedelta(days=1)
    assert next_cron_time(rule("0 12 * * *"), noon - timedelta(microseconds=1)) == noon


def test_times_are_in_the_zone_of_the_rule_and_given_in_utc() -> None:
    nightly = rule("30 0 * * *", "Asia/Kolkata")

    latest = latest_cron_time(nightly, datetime(2026, 6, 1, 12, 0, tzinfo=ZoneInfo("Asia/Tokyo")))

    assert latest == utc(2026, 5, 31, 19, 0)
    assert latest.tzinfo is UTC


def test_the_domain_can_use_it_as_its_cron() -> None:
    latest: LatestCronTime = latest_cron_time

    assert latest(rule("0 3 * * *"), utc(2026, 6, 1)) == utc(2026, 5, 31, 3, 0)


@pytest.mark.parametrize(
    ("zone", "changes_at"),
    [
        ("Europe/Warsaw", utc(2026, 3, 29, 1, 0)),  # 02:00 +01:00 becomes 03:00 +02:00
        ("America/New_York", utc(2026, 3, 8, 7, 0)),  # 02:00 -05:00 becomes 03:00 -04:00
    ],
)
def test_a_time_left_out_in_spring_comes_just_after_the_gap(
    zone: str, changes_at: datetime
) -> None:
    nightly = rule("30 2 * * *", zone)

    days = times(nightly, changes_at - 36 * HOUR, changes_at + 36 * HOUR)

    assert days == [changes_at - 23.5 * HOUR, changes_at, changes_at + 23.5 * HOUR]
    assert latest_cron_time(nightly, changes_at - MINUTE) == days[0]
    assert latest_cron_time(nightly, changes_at) == days[1]
    assert latest_cron_time(nightly, changes_at + 5 * HOUR) == days[1]


@pytest.mark.parametrize(
    ("zone", "expression", "first"),
    [
        ("Europe/Warsaw", "30 2 * * *", utc(2026, 10, 25, 0, 30)),  # 02:30 comes twice
        ("America/New_York", "30 1 * * *", utc(2026, 11, 1, 5, 30)),  # 01:30 comes twice
    ],
)
def test_a_time_that_comes_twice_in_autumn_runs_the_first_time_only(
    zone: str, expression: str, first: datetime
) -> None:
    nightly = rule(expression, zone)

    assert times(nightly, first - HOUR, first + 24 * HOUR) == [first]
    for minutes in range(0, 24 * 60, 7):
        assert latest_cron_time(nightly, first + minutes * MINUTE) == first


@pytest.mark.parametrize(
    "changes_at", [utc(2026, 3, 29, 1, 0), utc(2026, 10, 25, 1, 0)], ids=["spring", "autumn"]
)
def test_an_hourly_job_runs_every_real_hour_when_the_clock_changes(changes_at: datetime) -> None:
    hourly = rule("0 * * * *", "Europe/Warsaw")

    runs = times(hourly, changes_at - 3 * HOUR - MINUTE, changes_at + 3 * HOUR)

    assert runs == [changes_at + hours * HOUR for hours in range(-3, 4)]
    assert [latest_cron_time(hourly, run + 59 * MINUTE) for run in runs] == runs


def test_nothing_is_passed_over_where_the_clock_changes_by_half_an_hour() -> None:
    every_two_minutes = rule("*/2 2 * * *", "Australia/Lord_Howe")
    changes_at = utc(2026, 4, 4, 15, 0)  # 02:00 +11:00 becomes 01:30 +10:30

    assert next_cron_time(every_two_minutes, changes_at - HOUR) == changes_at + HOUR / 2


@pytest.mark.parametrize(
    ("expression", "hint"),
    [
        ("", "there are 0 fields here"),
        ("@daily", "there are 1 fields here"),
        ("0 0 3 * * *", "there are 6 fields here"),
        ("61 * * * *", "here the minute is wrong"),
        ("* 24 * * *", "here the hour is wrong"),
        ("* * 0 * *", "here the day of month is wrong"),
        ("* * * FEBRUARY *", "here the month is wrong"),
        ("* * * * 9", "here the day of week is wrong"),
        ("*/0 * * * *", "here the minute is wrong"),
        ("٣ * * * *", "here the minute is wrong"),
        ("0 0 30 2 *", "here the day of month is wrong"),
        ("0 0 */30 2 MON#5", "this time never comes"),
        (f"{'9' * 5000} * * * *", "at most 200 characters"),
    ],
)
def test_a_wrong_expression_is_refused_with_what_is_allowed(expression: str, hint: str) -> None:
    with pytest.raises(InvalidInput, match="five fields, as in crontab") as refused:
        check_cron(expression, "schedule.rule.expression")

    assert refused.value.field == "schedule.rule.expression"
    assert refused.value.value == expression
    assert hint in refused.value.allowed


@pytest.mark.parametrize(
    "expression", ["0 0 31 * *", "*/5 8-17 * * MON-FRI", "0 9 1 JAN,jul *", "0 0 LW * 5L"]
)
def test_a_right_expression_is_allowed(expression: str) -> None:
    check_cron(expression, "expression")


def test_a_stored_rule_that_is_wrong_is_refused_when_it_is_used() -> None:
    with pytest.raises(InvalidInput, match="the hour is wrong"):
        latest_cron_time(rule("0 25 * * *"), utc(2026, 6, 1))


@given(st.text("0123456789*/-,#LWMON ", max_size=30))
def test_whatever_is_written_is_either_allowed_or_refused(expression: str) -> None:
    try:
        check_cron(expression, "expression")
    except InvalidInput:
        return
    assert next_cron_time(rule(expression), utc(2000, 1, 1)) is not None


@dataclass(frozen=True)
class Field:
    """A field as it is written, and the numbers that it stands for."""

    text: str
    numbers: frozenset[int]

    @property
    def is_wild(self) -> bool:
        return self.text.startswith("*")


def fields(low: int, high: int) -> st.SearchStrategy[Field]:
    number = st.integers(low, high)
    pair = st.tuples(number, number).map(sorted)
    every = range(low, high + 1)
    return st.one_of(
        st.just(Field("*", frozenset(every))),
        st.integers(2, 20).map(lambda step: Field(f"*/{step}", frozenset(every[::step]))),
        number.map(lambda one: Field(str(one), frozenset({one}))),
        pair.map(lambda two: Field(f"{two[0]},{two[1]}", frozenset(two))),
        pair.map(lambda two: Field(f"{two[0]}-{two[1]}", frozenset(range(two[0], two[1] + 1)))),
    )


@cache
def minutes(zone: str, first: datetime, last: datetime) -> list[tuple[datetime, datetime, bool]]:
    """Each minute in UTC, what the clock on the wall says then, and whether for a second time."""
    found = []
    moment = first
    while moment <= last:
        local = moment.astimezone(ZoneInfo(zone))
        found.append((moment, local.replace(tzinfo=None), bool(local.fold)))
        moment += MINUTE
    return found


def scan(written: list[Field], zone: str, first: datetime, last: datetime) -> list[datetime]:
    """Go over every minute in UTC and see whether a job would run then."""
    minute, hour, day, month, weekday = written

    def wanted(wall: datetime) -> bool:
        on_date = wall.day in day.numbers
        on_weekday = wall.isoweekday() % 7 in weekday.numbers
        both = day.is_wild or weekday.is_wild
        return (
            wall.minute in minute.numbers
            and wall.hour in hour.numbers
            and wall.month in month.numbers
            and (on_date and on_weekday if both else on_date or on_weekday)
        )

    follows_the_clock = minute.is_wild or hour.is_wild
    found = []
    wall_before = (first - MINUTE).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    for moment, wall, again in minutes(zone, first, last):
        if follows_the_clock:
            runs = wanted(wall)
        else:
            runs = wanted(wall) and not again
            if wall - wall_before != MINUTE:
                left_out = range(1, (wall - wall_before) // MINUTE)
                runs = runs or any(wanted(wall_before + gone * MINUTE) for gone in left_out)
        if runs:
            found.append(moment)
        wall_before = wall
    return found


CHANGES = [
    ("UTC", utc(2028, 2, 29)),
    ("Asia/Kolkata", utc(2026, 12, 31, 18, 30)),
    ("Europe/Warsaw", utc(2026, 3, 29, 1)),
    ("Europe/Warsaw", utc(2026, 10, 25, 1)),
    ("America/New_York", utc(2026, 3, 8, 7)),
    ("America/New_York", utc(2026, 11, 1, 6)),
    ("Australia/Lord_Howe", utc(2026, 4, 4, 15)),  # by half an hour
    ("Australia/Lord_Howe", utc(2026, 10, 3, 15, 30)),
]


@settings(deadline=None)
@given(
    st.tuples(
        fields(0, 59),
        st.one_of(fields(0, 23), fields(0, 23).filter(lambda hour: bool({1, 2} & hour.numbers))),
        st.one_of(st.just(Field("*", frozenset(range(1, 32)))), fields(1, 31)),
        st.just(Field("*", frozenset(range(1, 13)))),
        st.one_of(st.just(Field("*", frozenset(range(7)))), fields(0, 6)),
    ).map(list),
    st.sampled_from(CHANGES),
    st.integers(-6 * 3600, 6 * 3600),
)
def test_times_are_those_of_a_scan_minute_by_minute(
    written: list[Field], change: tuple[str, datetime], offset: int
) -> None:
    zone, changes_at = change
    cron = rule(" ".join(field.text for field in written), zone)
    first, last = changes_at - 25 * HOUR, changes_at + 25 * HOUR
    moment = changes_at + timedelta(seconds=offset)

    scanned = scan(written, zone, first, last)
    latest = latest_cron_time(cron, moment)
    following = next_cron_time(cron, moment)

    before = [run for run in scanned if run <= moment]
    after = [run for run in scanned if run > moment]
    assert (latest if latest is not None and latest >= first else None) == (
        before[-1] if before else None
    )
    assert (following if following is not None and following <= last else None) == (
        after[0] if after else None
    )
