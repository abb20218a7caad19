"""Cron rules: checking an expression, and the times that it gives."""

from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from testamur.domain.errors import InvalidInput
from testamur.domain.schedules import CronRule

#: Nobody writes a longer one by hand, and a number in it stays short enough to be read.
LONGEST_EXPRESSION: Final = 200

#: Rules whose times are remembered; a tick over ten thousand configurations has no more.
_MOST_RULES: Final = 10_000

ALLOWED: Final = (
    "five fields, as in crontab(5): minute (0-59), hour (0-23), day of month (1-31, L, LW), "
    "month (1-12, JAN-DEC), day of week (0-7, SUN-SAT, FRI#2, 5L), each with *, lists 1,15, "
    "ranges 1-5 and steps */10"
)


@lru_cache(_MOST_RULES)
def check_cron(expression: str, field: str) -> None:
    """Check a cron expression.

    Args:
        expression: What the user wrote, e.g. ``30 2 * * MON``.
        field: Name of the field in the error.

    Raises:
        InvalidInput: It does not have five fields, one of them is wrong, or its time never comes.
    """
    if len(expression) > LONGEST_EXPRESSION:
        raise InvalidInput(field, expression, f"at most {LONGEST_EXPRESSION} characters; {ALLOWED}")
    fields = len(expression.split())
    if fields != 5:
        raise InvalidInput(field, expression, f"{ALLOWED}; there are {fields} fields here")
    try:
        times = CronSim(expression, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        wrong = str(error).removeprefix("Bad ").replace("-", " ")
        raise InvalidInput(field, expression, f"{ALLOWED}; here the {wrong} is wrong") from None
    if next(times, None) is None:
        raise InvalidInput(field, expression, f"{ALLOWED}; this time never comes")


def latest_cron_time(rule: CronRule, moment: datetime) -> datetime | None:
    """Return the latest time of a cron rule at or before a moment, in UTC.

    Daylight saving is handled as Debian's cron does: a job with a set minute and hour runs once a
    day, just after the gap where its time is left out, and the first time where it comes twice; a
    job with a wildcard in either follows the clock.

    Args:
        rule: Expression and time zone.
        moment: Aware, in any time zone.

    Returns:
        The time, or None where there was none in the fifty years before.

    Raises:
        InvalidInput: The rule's expression is not allowed.
    """
    latest = next(_times(rule, moment, reverse=True), None)
    if latest is None:
        return None
    # CronSim looks before the moment, not at it, and going back it passes over times where the
    # clock was put back just before. Going forward again from there finds both.
    for later in _times(rule, latest):
        if later > moment:
            break
        latest = later
    return latest


def next_cron_time(rule: CronRule, moment: datetime) -> datetime | None:
    """Return the first time of a cron rule after a moment, in UTC.

    Args:
        rule: Expression and time zone.
        moment: Aware, in any time zone.

    Returns:
        The time, or None where there is none in the fifty years after.

    Raises:
        InvalidInput: The rule's expression is not allowed.
    """
    first = next((time for time in _times(rule, moment) if time > moment), None)
    # Going forward, CronSim passes over times after a change of the clock by less than an hour,
    # or at midnight; going back from what it found gives them.
    while first is not None:
        earlier = next(_times(rule, first, reverse=True), None)
        if earlier is None or earlier <= moment:
            break
        first = earlier
    return first


class KnownCronTimes:
    """Times of cron rules, of which those of each rule are remembered that were asked for last.

    Between two times that follow each other there is no other, so whoever asks for a moment between
    them is answered without looking for them again.
    """

    def __init__(self) -> None:
        self._spans: dict[CronRule, tuple[datetime | None, datetime | None]] = {}

    def latest(self, rule: CronRule, moment: datetime) -> datetime | None:
        """Return the latest time at or before a moment, see :func:`latest_cron_time`."""
        return self._span(rule, moment)[0]

    def next(self, rule: CronRule, moment: datetime) -> datetime | None:
        """Return the first time after a moment, see :func:`next_cron_time`."""
        return self._span(rule, moment)[1]

    def _span(self, rule: CronRule, moment: datetime) -> tuple[datetime | None, datetime | None]:
        known = self._spans.get(rule)
        if known is not None:
            latest, following = known
            if (latest is None or latest <= moment) and (following is None or moment < following):
                return known
        if len(self._spans) >= _MOST_RULES:
            self._spans.clear()
        span = latest_cron_time(rule, moment), next_cron_time(rule, moment)
        self._spans[rule] = span
        return span


def _times(rule: CronRule, moment: datetime, *, reverse: bool = False) -> Iterator[datetime]:
    check_cron(rule.expression, "schedule.rule.expression")
    zone: tzinfo = UTC if rule.time_zone == "UTC" else ZoneInfo(rule.time_zone)
    start = moment.astimezone(zone).replace(microsecond=0)
    return (time.astimezone(UTC) for time in CronSim(rule.expression, start, reverse=reverse))
