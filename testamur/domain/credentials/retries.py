"""Retries: when something that failed is tried again."""

from datetime import timedelta
from typing import Final

#: Delay after the first failed attempt to issue or notify; it doubles with each further one.
FIRST_RETRY_AFTER: Final = timedelta(minutes=1)
LONGEST_RETRY_AFTER: Final = timedelta(hours=12)


def retry_after(attempt: int) -> timedelta:
    """Return how long to wait after so many failed attempts (from 1)."""
    # The exponent is bounded because timedelta overflows long before anybody stops retrying.
    return min(FIRST_RETRY_AFTER * (1 << min(attempt - 1, 20)), LONGEST_RETRY_AFTER)
