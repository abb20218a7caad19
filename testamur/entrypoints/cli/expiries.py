"""Expiry on the command line: which credentials have expired, or will before a day."""

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from testamur.adapters.system import SystemClock
from testamur.domain.errors import InvalidInput
from testamur.entrypoints.cli.moments import parse_day

if TYPE_CHECKING:
    from testamur.application.ports.register import CredentialFilter, CredentialRow


def by_expiry(
    where: "CredentialFilter", zone: ZoneInfo, expiring_before: str | None, *, expired: bool
) -> "CredentialFilter":
    """Return a filter that lets through only what has expired, or will before a day.

    Args:
        where: What else it asks for.
        zone: Of days.
        expiring_before: The day; None: any.
        expired: Whether only what has expired.

    Raises:
        InvalidInput: Both are asked for, or another status; or the day is not to come.
    """
    from testamur.domain.credentials import CredentialStatus

    if not expired and expiring_before is None:
        return where
    option = "--expired" if expired else "--expiring-before"
    if expired and expiring_before is not None:
        raise InvalidInput(option, "--expiring-before", "one of the two: it is expired, or will be")
    if where.status not in (None, CredentialStatus.ISSUED):
        raise InvalidInput("--status", where.status, f"issued, or nothing, with {option}")
    now = SystemClock().now()
    issued = replace(where, status=CredentialStatus.ISSUED)
    if expiring_before is None:
        return replace(issued, expires_until=now)
    day = parse_day(expiring_before, zone, "--expiring-before")
    if day <= now:
        raise InvalidInput(
            "--expiring-before", expiring_before, "a day to come; what has expired lists --expired"
        )
    return replace(issued, expires_after=now, expires_until=day)


def has_expired(row: "CredentialRow", now: datetime) -> bool:
    """Tell whether a credential that was issued has expired."""
    expires_at = row.expires_at
    return row.status == "issued" and expires_at is not None and expires_at <= now
