"""Schedules: when a configuration's next run is due, and when it has done its last.

A *slot* is the moment that a run is due. Missed slots coalesce: only the latest is ever run.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from testamur.domain.learning import ContextFacts

DEFAULT_INTERVAL: Final = timedelta(days=10)
SHORTEST_INTERVAL: Final = timedelta(minutes=1)


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _known_time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("an IANA time zone is needed, such as Europe/Warsaw or UTC") from None
    return name


CourseDate = Literal["course-start", "course-end"]
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
TimeZoneName = Annotated[str, AfterValidator(_known_time_zone)]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CronRule(_Value):
    """Runs at the times of a cron expression in a time zone.

    Args:
        expression: Five fields, as in crontab(5).
        time_zone: IANA name; daylight saving is handled as cron does.
    """

    kind: Literal["cron"] = "cron"
    expression: str
    time_zone: TimeZoneName = "UTC"


class IntervalRule(_Value):
    """Runs when the configuration is enabled or the bounds open, then every so often.

    Args:
        every: At least a minute.
    """

    kind: Literal["interval"] = "interval"
    every: Annotated[timedelta, Field(ge=SHORTEST_INTERVAL)] = DEFAULT_INTERVAL


class OnceRule(_Value):
    """Runs once.

    Args:
        at: The moment (aware).
    """

    kind: Literal["once"] = "once"
    at: Moment


class IssueWindow(_Value):
    """When a credential may be issued, following the course's own dates.

    Args:
        opens: Which date of the course opens it; None: it is open from the beginning.
        opens_offset: Added to that date; may be negative.
        closes_at_course_end: Whether the course's end closes it.
        closes_offset: Added to the course's end; may be negative.
    """

    opens: CourseDate | None = None
    opens_offset: timedelta = timedelta(0)
    closes_at_course_end: bool = True
    closes_offset: timedelta = timedelta(0)


Rule = Annotated[CronRule | IntervalRule | OnceRule, Field(discriminator="kind")]


class Schedule(_Value):
    """When a configuration's runs are due.

    Args:
        rule: Cron, interval or once; the one run lies between the start and the end.
        start: No slot before it.
        end: No slot after it; then the configuration disables itself.
        window: Further bounds that follow the course's dates.
    """

    rule: Rule = IntervalRule()
    start: Moment | None = None
    end: Moment | None = None
    window: IssueWindow | None = None

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> "Schedule":
        if self.start and self.end and self.end <= self.start:
            raise ValueError("the end must be after the start")
        return self

    @model_validator(mode="after")
    def _one_run_lies_within(self) -> "Schedule":
        if isinstance(self.rule, OnceRule) and not (
            (self.start is None or self.start <= self.rule.at)
            and (self.end is None or self.rule.at <= self.end)
        ):
            raise ValueError("the one run must lie between the start and the end")
        return self


LatestCronTime = Callable[[CronRule, datetime], datetime | None]
"""Returns the latest time of a cron rule at or before a moment, or None."""
NextCronTime = Callable[[CronRule, datetime], datetime | None]
"""Returns the first time of a cron rule after a moment, or None."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """From when to when slots count (inclusive).

    Args:
        opens_at: No slot before it; None leaves this side open.
        closes_at: No slot after it; None leaves this side open.
        closes_because: What closes it, for people to read.
        waits_for: The date of the course that opens it, while that is not known; no slot until
            it is.
    """

    opens_at: datetime | None
    closes_at: datetime | None
    closes_because: str = ""
    waits_for: CourseDate | None = None


@dataclass(frozen=True, slots=True)
class NothingDue:
    """Nothing is due now."""


@dataclass(frozen=True, slots=True)
class RunDue:
    """A run is due for this slot."""

    slot: datetime


@dataclass(frozen=True, slots=True)
class ScheduleEnded:
    """No slot will ever come again; the reason is for people to read."""

    reason: str


Due = NothingDue | RunDue | ScheduleEnded


def bounds(schedule: Schedule, facts: ContextFacts) -> Bounds:
    """Work out between which moments slots count.

    An end of the course that is not known never closes the window. A date that is to open the
    window and is not known keeps it shut: what was issued too early cannot be taken back.
    """
    window = schedule.window or IssueWindow(closes_at_course_end=False)
    course_start = _in_utc(facts.start) if facts.start else None
    course_end = _in_utc(facts.end) if facts.end else None

    opens = [schedule.start] if schedule.start else []
    opening = {"course-start": course_start, "course-end": course_end, None: None}[window.opens]
    if opening:
        opens.append(opening + window.opens_offset)

    closes = [(schedule.end, "the schedule ended")] if schedule.end else []
    if window.closes_at_course_end and course_end:
        closes.append((course_end + window.closes_offset, "the issue window closed"))
    closes_at, because = min(closes, default=(None, ""))

    return Bounds(
        opens_at=max(opens, default=None),
        closes_at=closes_at,
        closes_because=because,
        waits_for=None if opening else window.opens,
    )


def due(
    schedule: Schedule,
    within: Bounds,
    *,
    enabled_at: datetime,
    last_slot: datetime | None,
    now: datetime,
    latest_cron_time: LatestCronTime,
) -> Due:
    """Decide what is due now.

    After the last slot has had its run, the schedule has ended. The moment at which the bounds
    close is a slot too, so that what learners reached since the slot before is not lost.

    Args:
        schedule: The schedule.
        within: Its bounds, see :func:`bounds`.
        enabled_at: When the configuration was enabled; an interval counts from it, or from the
            opening if that is later.
        last_slot: The latest slot that has had its run, if any.
        now: The moment of asking (aware).
        latest_cron_time: Works out cron rules.
    """
    begin = max(enabled_at, within.opens_at) if within.opens_at else enabled_at
    until = min(now, within.closes_at) if within.closes_at else now
    slot = None
    if begin <= until and within.waits_for is None:
        slot = _latest_slot(schedule.rule, within, begin, until, latest_cron_time)
    if slot is not None and (last_slot is None or slot > last_slot):
        return RunDue(slot)
    if until == within.closes_at:
        return ScheduleEnded(f"{within.closes_because} at {until:%Y-%m-%d %H:%M} UTC")
    if isinstance(schedule.rule, OnceRule) and slot is not None:
        return ScheduleEnded("its one run is done")
    return NothingDue()


def next_slot(
    schedule: Schedule,
    within: Bounds,
    *,
    enabled_at: datetime,
    now: datetime,
    next_cron_time: NextCronTime,
) -> datetime | None:
    """Return the first slot after now, where :func:`due` finds nothing due now.

    Args:
        schedule: The schedule.
        within: Its bounds, see :func:`bounds`.
        enabled_at: When the configuration was enabled.
        now: The moment of asking (aware).
        next_cron_time: Works out cron rules.

    Returns:
        The slot; None where none comes, or none is known to come yet (see `Bounds.waits_for`).
    """
    if within.waits_for is not None:
        return None
    begin = max(enabled_at, within.opens_at) if within.opens_at else enabled_at
    rule, closes_at = schedule.rule, within.closes_at
    if isinstance(rule, OnceRule):
        once = max(rule.at, within.opens_at) if within.opens_at else rule.at
        is_to_come = once > now and (closes_at is None or once <= closes_at)
        return once if is_to_come else None
    if isinstance(rule, IntervalRule):
        begun = max((now - begin) // rule.every + 1, 0)
        upcoming: datetime | None = begin + begun * rule.every
    else:
        # The opening itself is a slot where the rule gives that very time.
        upcoming = next_cron_time(rule, max(now, begin - timedelta.resolution))
    if closes_at is not None and closes_at > now and begin <= closes_at:
        return min(upcoming, closes_at) if upcoming else closes_at
    return None if closes_at is not None else upcoming


def _latest_slot(
    rule: CronRule | IntervalRule | OnceRule,
    within: Bounds,
    begin: datetime,
    until: datetime,
    latest_cron_time: LatestCronTime,
) -> datetime | None:
    if isinstance(rule, OnceRule):
        # A configuration that is enabled late still has its one run, for the moment it was set to.
        slot = max(rule.at, within.opens_at) if within.opens_at else rule.at
        return slot if slot <= until else None
    if until == within.closes_at:
        return until
    if isinstance(rule, IntervalRule):
        return begin + (until - begin) // rule.every * rule.every
    latest = latest_cron_time(rule, until)
    return latest if latest is not None and latest >= begin else None
