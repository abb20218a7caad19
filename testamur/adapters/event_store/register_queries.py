"""Queries to the register, for every database that speaks SQL."""

from collections.abc import Iterable
from typing import Any, Final

from testamur.application.ports.register import CredentialTally
from testamur.domain.credentials import CredentialStatus, NotificationStatus

#: Takes the condition; what it finds is for :func:`tally_of`.
TALLY: Final = """
    SELECT status, issue_failures > 0, notification, count(*)
    FROM credentials
    WHERE {which}
    GROUP BY 1, 2, 3
"""


def tally_of(counted: Iterable[tuple[Any, ...]]) -> CredentialTally:
    """Return where credentials stand, from the rows of :data:`TALLY`."""
    by_status: dict[CredentialStatus, int] = {}
    notifications: dict[NotificationStatus, int] = {}
    failing = 0
    for text, failed, notification, count in counted:
        status = CredentialStatus(text)
        by_status[status] = by_status.get(status, 0) + count
        if status is CredentialStatus.AWARDED and failed:
            failing += count
        elif status is CredentialStatus.ISSUED:
            notifications[notification] = notifications.get(notification, 0) + count
    return CredentialTally(by_status, failing, notifications)
