"""Expiry: until when a credential is valid, when its learner is reminded, when it may be renewed.

Periods are of the calendar (ISO 8601 durations of whole days and more), so that what was awarded on
30 June for two years is valid through 30 June. All days are days where the installation is.
"""

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final, Self
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    model_validator,
)

#: The last second that counts; told as a date, it is the day that people expect.
LAST_SECOND: Final = time(23, 59, 59)

#: Reminders are due in the morning, so that nobody is woken by one.
REMINDED_AT: Final = time(8)

#: Longer ones are slips of the pen, and dates end with the year 9999.
MOST_YEARS: Final = 100

MOST_REMINDERS: Final = 10

ALLOWED_PERIOD: Final = (
    f"an ISO 8601 duration of whole days or longer, such as P2Y, P18M, P90D or P1Y6M, at least a "
    f"day and at most {MOST_YEARS} years"
)

_PERIOD: Final = re.compile(
    r"P(?:(?P<years>[0-9]{1,6})Y)?(?:(?P<months>[0-9]{1,6})M)?"
    r"(?:(?P<weeks>[0-9]{1,6})W)?(?:(?P<days>[0-9]{1,6})D)?"
)
_DAYS_OF_YEAR: Final = 366


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time by the calendar.

    Args:
        months: Whole months; a year is twelve.
        days: Whole days, counted after the months.
    """

    months: int = 0
    days: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an ISO 8601 duration, such as ``P2Y`` or ``P90D``.

        Raises:
            ValueError: It is none, has a part below a day, or is not of an allowed length.
        """
        found = _PERIOD.fullmatch(text)
        if found is None:
            raise ValueError(ALLOWED_PERIOD)
        years, months, weeks, days = (int(each or 0) for each in found.groups())
        period = cls(12 * years + months, 7 * weeks + days)
        about = period.months * _DAYS_OF_YEAR / 12 + period.days
        if not 0 < about <= MOST_YEARS * _DAYS_OF_YEAR:
            raise ValueError(ALLOWED_PERIOD)
        return period

    def __str__(self) -> str:
        years, months = divmod(self.months, 12)
        parts = ((years, "Y"), (months, "M"), (self.days, "D"))
        return "P" + "".join(f"{count}{unit}" for count, unit in parts if count)

    def after(self, day: date) -> date:
        """Return the day so long after another; from the 31st, months lead to their last day."""
        return _months_on(day, self.months) + timedelta(days=self.days)

    def before(self, day: date) -> date:
        """Return the day so long before another."""
        return _months_on(day, -self.months) - timedelta(days=self.days)


def _months_on(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return day.replace(year=year, month=month + 1, day=min(day.day, last))


def _period(value: object) -> Period:
    if isinstance(value, Period):
        return value
    if isinstance(value, str):
        return Period.parse(value)
    raise ValueError(ALLOWED_PERIOD)


PeriodText = Annotated[
    Period, PlainValidator(_period, json_schema_input_type=str), PlainSerializer(str)
]
"""A period, written as an ISO 8601 duration."""


def _day(value: object) -> object:
    # Else numbers and moments would pass for days.
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value) is None:
        raise ValueError("a date such as 2027-06-30")
    if not isinstance(value, str | date) or isinstance(value, datetime):
        raise ValueError("a date such as 2027-06-30")
    return value


class RecertificationRule(BaseModel):
    """From when on a new edition may be earned.

    Args:
        from_: How long before the old one expires; None: once it has.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    from_: Annotated[PeriodText | None, Field(alias="from")] = None


def _recertification(value: object) -> object:
    if value is True:
        return RecertificationRule()
    return None if value is False else value


class ExpiryRule(BaseModel):
    """How long credentials are valid. One of ``after`` and ``on`` is given.

    Args:
        after: For so long after the award date, through the end of that day.
        on: Through the end of this day, whenever they were awarded.
        reminders: How long before that learners are reminded of it.
        recertify: Whether, and from when on, one who meets the criteria again gets a new edition.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    after: PeriodText | None = None
    on: Annotated[date, BeforeValidator(_day)] | None = None
    reminders: Annotated[tuple[PeriodText, ...], Field(max_length=MOST_REMINDERS)] = ()
    recertify: Annotated[RecertificationRule | None, BeforeValidator(_recertification)] = None

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        if (self.after is None) == (self.on is None):
            raise ValueError(
                "either after (such as P2Y) or on (such as 2027-06-30); where the type gives the "
                "other one, set that to null"
            )
        return self

    def last_day(self, award_date: date) -> date:
        """Return the last day on which a credential is valid that is awarded on a day."""
        if self.on is not None:
            return self.on
        if self.after is None:
            raise AssertionError("a rule says either after or on")
        return self.after.after(award_date)


def end_of(day: date, time_zone: ZoneInfo) -> datetime:
    """Return when what is valid through a day expires: with its last second."""
    # Where clocks are set back at midnight, the day ends with the second time that they say so.
    return datetime.combine(day, LAST_SECOND.replace(fold=1), time_zone).astimezone(UTC)


def expires_at_of(
    rule: ExpiryRule | None, award_date: date, time_zone: ZoneInfo
) -> datetime | None:
    """Return when a credential expires: with the last second of its last day; None: never.

    Args:
        rule: How long it is valid; None: for ever.
        award_date: The date on the document.
        time_zone: Where the day ends.
    """
    if rule is None:
        return None
    return end_of(rule.last_day(award_date), time_zone)


def reminders_of(
    rule: ExpiryRule | None, award_date: date, time_zone: ZoneInfo, now: datetime
) -> tuple[datetime, ...]:
    """Return when a learner is to be reminded that a credential expires, the earliest first.

    Args:
        rule: How long it is valid; None: for ever.
        award_date: The date on the document.
        time_zone: In which it is morning.
        now: When it is awarded (aware): what would have been due until then is left out, as the
            learner is just told of the award.
    """
    if rule is None:
        return ()
    last = rule.last_day(award_date)
    days = {period.before(last) for period in rule.reminders}
    moments = (datetime.combine(day, REMINDED_AT, time_zone).astimezone(UTC) for day in days)
    return tuple(sorted(moment for moment in moments if moment > now))


def renewable_until(rule: ExpiryRule, now: datetime, time_zone: ZoneInfo) -> datetime | None:
    """Return up to which moment credentials expire that may be renewed now; None: none may be.

    Args:
        rule: With its recertification.
        now: The moment (aware).
        time_zone: Whose days count.
    """
    if rule.recertify is None:
        return None
    if rule.recertify.from_ is None:
        return now
    last = rule.recertify.from_.after(now.astimezone(time_zone).date())
    return end_of(last, time_zone)


def next_reminder(reminders: Sequence[datetime], sequence: int) -> datetime | None:
    """Return the reminder after one of them, if there is one.

    Args:
        reminders: All of them, the earliest first.
        sequence: Which one; 0 for the first.
    """
    return reminders[sequence + 1] if sequence + 1 < len(reminders) else None
