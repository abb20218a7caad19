"""Schedules as people write them on the command line, and as they read them."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final, cast
from zoneinfo import ZoneInfo

from testamur.domain.errors import InvalidInput

if TYPE_CHECKING:
    from testamur.domain.schedules import CourseDate, IssueWindow, Rule, Schedule

ALLOWED_DURATION: Final = "weeks, days, hours and minutes in this order, such as 10d, 12h or 1d12h"
ALLOWED_TIME: Final = (
    "a date and a time as in 2026-06-30T18:00, with an offset (+02:00, Z) or in --time-zone"
)

_DURATION = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?")
_FOLLOWING = re.compile(r"(course-start|course-end)(?:([+-])(.+))?")
_UNITS: Final = (
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
    (timedelta(seconds=1), "second"),
)


@dataclass(frozen=True, slots=True)
class ScheduleText:
    """The options that say when a configuration runs, as they were given; None: not given."""

    cron: str | None = None
    time_zone: str | None = None
    every: str | None = None
    once: str | None = None
    start: str | None = None
    end: str | None = None
    opens: str | None = None
    closes: str | None = None

    @property
    def given(self) -> bool:
        """Whether any of them was given."""
        return any(getattr(self, name) is not None for name in self.__dataclass_fields__)


def parse_schedule(text: ScheduleText, default_zone: ZoneInfo) -> "Schedule":
    """Turn the options into a schedule.

    Args:
        text: The options.
        default_zone: Time zone of cron rules, and of times without an offset, where
            ``--time-zone`` says nothing.

    Raises:
        InvalidInput: An option is not allowed, or does not go with another.
    """
    from testamur.domain.schedules import OnceRule, Schedule

    times = [each for each in (text.once, text.start, text.end) if each is not None]
    if text.time_zone is not None and text.cron is None and not times:
        raise InvalidInput(
            "--time-zone", text.time_zone, "beside --cron, --once, --start or --end only"
        )
    zone = default_zone if text.time_zone is None else _zone(text.time_zone)
    rule = _rule(text, zone)
    start = parse_moment(text.start, zone, "--start") if text.start is not None else None
    end = parse_moment(text.end, zone, "--end") if text.end is not None else None
    if start and end and end <= start:
        raise InvalidInput("--end", text.end, f"a time after --start ({text.start})")
    if isinstance(rule, OnceRule):
        if start and rule.at < start:
            raise InvalidInput("--once", text.once, f"a time from --start ({text.start}) on")
        if end and rule.at > end:
            raise InvalidInput("--once", text.once, f"a time until --end ({text.end})")
    return Schedule(rule=rule, start=start, end=end, window=_window(text))


def parse_moment(text: str, zone: ZoneInfo, option: str) -> datetime:
    """Return a moment in UTC.

    Args:
        text: Date and time in ISO 8601, with or without an offset.
        zone: Where the clock stands that a time without an offset was read from.
        option: Name of the option in the error.

    Raises:
        InvalidInput: It is no moment, or the clock left it out when it was put forward.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(option, text, ALLOWED_TIME) from None
    if _is_date_alone(text):
        raise InvalidInput(option, text, f"{ALLOWED_TIME}; the time is missing")
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    local = moment.replace(tzinfo=zone)
    if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
        raise InvalidInput(
            option, text, f"another time: the clock in {zone} is put forward over this one"
        )
    return local.astimezone(UTC)


def parse_duration(text: str, option: str) -> timedelta:
    """Return a duration such as ``10d`` or ``1d12h``.

    Raises:
        InvalidInput: It is none, or longer than can be counted.
    """
    found = _DURATION.fullmatch(text)
    if not text or not found:
        raise InvalidInput(option, text, ALLOWED_DURATION)
    weeks, days, hours, minutes = (int(number or 0) for number in found.groups())
    try:
        return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)
    except OverflowError:
        raise InvalidInput(option, text, f"{ALLOWED_DURATION}; this is too long") from None


def describe_schedule(schedule: "Schedule", zone: ZoneInfo) -> list[tuple[str, str]]:
    """Return what a schedule says, as names and values for people to read.

    Args:
        schedule: The schedule.
        zone: In which times are told.
    """
    described = [("runs", _describe_rule(schedule.rule, zone))]
    if schedule.start:
        described.append(("from", describe_moment(schedule.start, zone)))
    if schedule.end:
        described.append(("until", describe_moment(schedule.end, zone)))
    if window := schedule.window:
        opens = (
            _describe_following(window.opens, window.opens_offset) if window.opens else "at once"
        )
        closes = (
            _describe_following("course-end", window.closes_offset)
            if window.closes_at_course_end
            else "never"
        )
        described.append(("window", f"opens {opens}, closes {closes}"))
    return described


def describe_moment(moment: datetime, zone: ZoneInfo) -> str:
    """Return a moment as date, time and offset, for people to read."""
    local = moment.astimezone(zone).isoformat(sep=" ", timespec="minutes")
    return local.replace("+00:00", " UTC")


def describe_duration(duration: timedelta) -> str:
    """Return a duration in words: ``10 days``, ``1 day 12 hours``."""
    parts = []
    for unit, name in _UNITS:
        count, duration = divmod(duration, unit)
        if count:
            parts.append(f"{count} {name}{'' if count == 1 else 's'}")
    return " ".join(parts) or "0 minutes"


def _rule(text: ScheduleText, zone: ZoneInfo) -> "Rule":
    from testamur.application.cron import check_cron
    from testamur.domain.schedules import SHORTEST_INTERVAL, CronRule, IntervalRule, OnceRule

    given = [name for name in ("cron", "every", "once") if getattr(text, name) is not None]
    if len(given) > 1:
        second = given[1]
        raise InvalidInput(
            f"--{second}", getattr(text, second), f"no other rule beside --{given[0]}"
        )
    if text.cron is not None:
        check_cron(text.cron, "--cron")
        return CronRule(expression=text.cron, time_zone=zone.key)
    if text.once is not None:
        return OnceRule(at=parse_moment(text.once, zone, "--once"))
    if text.every is None:
        return IntervalRule()
    every = parse_duration(text.every, "--every")
    if every < SHORTEST_INTERVAL:
        raise InvalidInput("--every", text.every, f"{ALLOWED_DURATION}; at least 1m")
    return IntervalRule(every=every)


def _window(text: ScheduleText) -> "IssueWindow | None":
    from testamur.domain.schedules import IssueWindow

    if text.opens is None and text.closes is None:
        return None
    opens, opens_offset = None, timedelta(0)
    closes_offset = timedelta(0)
    if text.opens is not None:
        allowed = "course-start or course-end, with an offset or without: course-end+14d"
        opens, opens_offset = _following(text.opens, "--opens", allowed)
    if text.closes is not None:
        allowed = "course-end, with an offset or without: course-end+90d"
        closes, closes_offset = _following(text.closes, "--closes", allowed)
        if closes != "course-end":
            raise InvalidInput("--closes", text.closes, allowed)
    return IssueWindow(
        opens=opens,
        opens_offset=opens_offset,
        closes_at_course_end=text.closes is not None,
        closes_offset=closes_offset,
    )


def _following(text: str, option: str, allowed: str) -> "tuple[CourseDate, timedelta]":
    found = _FOLLOWING.fullmatch(text)
    if not found:
        raise InvalidInput(option, text, allowed)
    date_of_course, sign, duration = found.groups()
    try:
        offset = parse_duration(duration, option) if duration else timedelta(0)
    except InvalidInput as error:
        allowed = f"{allowed}; the offset in {error.allowed}"
        raise InvalidInput(option, text, allowed) from None
    return cast("CourseDate", date_of_course), -offset if sign == "-" else offset


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InvalidInput(
            "--time-zone", name, "an IANA time zone, such as Europe/Warsaw or UTC"
        ) from None


def _is_date_alone(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _describe_rule(rule: "Rule", zone: ZoneInfo) -> str:
    match rule.kind:
        case "cron":
            return f"cron {rule.expression} ({rule.time_zone})"
        case "interval":
            return f"every {describe_duration(rule.every)}"
        case "once":
            return f"once, {describe_moment(rule.at, zone)}"


def _describe_following(date_of_course: str, offset: timedelta) -> str:
    name = f"the course's {date_of_course.removeprefix('course-')}"
    if not offset:
        return f"at {name}"
    side = "before" if offset < timedelta(0) else "after"
    return f"{describe_duration(abs(offset))} {side} {name}"
