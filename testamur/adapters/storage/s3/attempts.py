"""Trying again: how often a request is sent that failed in a way that may pass."""

import random
import time
from collections.abc import Callable
from typing import Final, TypeVar

from testamur.adapters.storage.s3.failures import FAILURES, is_temporary

T = TypeVar("T")

#: How often a request is sent in all.
ATTEMPTS: Final = 5

#: Seconds that the first wait has at most; each next one may be twice as long.
FIRST_WAIT: Final = 0.2


def attempted(do: Callable[[], T], sleep: Callable[[float], None] = time.sleep) -> T:
    """Do something that can be repeated, again and again while it fails in a way that may pass.

    The waits grow exponentially with full jitter, to 3 seconds in all at most. Everything that is
    asked of a bucket here can be repeated: what is written is named, whole and the same each time;
    what is deleted is named by its version.

    Args:
        do: Is called for each attempt, so that each is signed for its own time.
        sleep: Waits for so many seconds.

    Raises:
        MinioException, HTTPError, ValueError, OSError, NoCredentials: What the last attempt raised.
    """
    for number in range(ATTEMPTS - 1):
        try:
            return do()
        except FAILURES as error:
            if not is_temporary(error):
                raise
        sleep(random.uniform(0, FIRST_WAIT * 2**number))  # noqa: S311 - it guards nothing
    return do()
