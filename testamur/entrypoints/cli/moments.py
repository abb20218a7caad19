"""Days and moments that are past, as people write them on the command line."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from testamur.domain.errors import InvalidInput
from testamur.entrypoints.cli.schedule_text import parse_moment

ALLOWED_DAY = "a day as in 2026-06-30, or a time as in 2026-06-30T18:00"


def parse_day(text: str, zone: ZoneInfo, option: str, *, to_its_end: bool = False) -> datetime:
    """Return the moment that a day begins at, or that a time stands for, in UTC.

    Args:
        text: ``2026-06-30``, or a time with an offset or without.
        zone: Of days, and of times without an offset.
        option: What it was given as, for the error.
        to_its_end: Whether a day stands for its last moment; for today, that is now.

    Raises:
        InvalidInput: It is neither.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        try:
            return parse_moment(text, zone, option)
        except InvalidInput:
            raise InvalidInput(option, text, ALLOWED_DAY) from None
    if not to_its_end:
        return datetime.combine(day, time.min, zone).astimezone(UTC)
    last = datetime.combine(day, time.max, zone).astimezone(UTC)
    now = datetime.now(UTC)
    return now if now.astimezone(zone).date() == day else last
