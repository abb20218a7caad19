"""Expiring: what awards say of their expiry, and the reminders before it."""

from datetime import datetime

from testamur.application.configurations import PreparedConfiguration
from testamur.application.installation import Installation
from testamur.domain.credentials import CredentialAwarded
from testamur.domain.errors import InvalidInput
from testamur.domain.expiry import expires_at_of, reminders_of


def with_expiry(
    award: CredentialAwarded,
    prepared: PreparedConfiguration,
    installation: Installation,
    now: datetime,
) -> CredentialAwarded:
    """Return an award that says when it expires, and when its learner is reminded of that.

    Args:
        award: With its award date.
        prepared: Whose options say so.
        installation: Where days end.
        now: When it is awarded (aware).
    """
    rule, zone = prepared.options.expiry, installation.time_zone
    if rule is None:
        return award
    return award.model_copy(
        update={
            "expires_at": expires_at_of(rule, award.award_date, zone),
            "reminders": reminders_of(rule, award.award_date, zone, now),
        }
    )


def expired_before(award: CredentialAwarded, installation: Installation) -> str | None:
    """Return why an award would be expired on its own award date, if it would."""
    if award.expires_at is None or installation.date_of(award.expires_at) >= award.award_date:
        return None
    last = installation.date_of(award.expires_at)
    return f"it would have expired on {last}, before its award date {award.award_date}"


def require_not_over(
    prepared: PreparedConfiguration, installation: Installation, now: datetime
) -> None:
    """Make sure that what is awarded now would be valid for a while.

    Raises:
        InvalidInput: The day on which all credentials of the configuration expire has passed.
    """
    rule = prepared.options.expiry
    today = installation.date_of(now)
    if rule is not None and rule.on is not None and rule.on < today:
        allowed = f"a day from {today} on: what is awarded now would be expired"
        raise InvalidInput("options.expiry.on", rule.on.isoformat(), allowed)
