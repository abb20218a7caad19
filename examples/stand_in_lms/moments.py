"""Moments as the LMS writes them."""

from datetime import datetime


def moment(value: datetime | None) -> str | None:
    """Return a moment in UTC with a ``Z``, or None."""
    return None if value is None else value.strftime("%Y-%m-%dT%H:%M:%SZ")
