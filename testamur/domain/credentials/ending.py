"""Decisions that end a credential: it is revoked, superseded or erased; its files are put away."""

from testamur.domain.credentials.events import (
    CredentialEvent,
    CredentialRevoked,
    CredentialSuperseded,
    DocumentsWithdrawn,
    NotificationRequested,
    PersonalDataErased,
)
from testamur.domain.credentials.state import (
    Credential,
    CredentialStatus,
    require_awarded,
    require_living,
    subject_of,
)
from testamur.domain.errors import DecisionRefused
from testamur.domain.identifiers import CredentialId


def decide_revoke(
    state: Credential | None, reason: str, *, tell: bool = False
) -> list[CredentialEvent]:
    """Revoke the credential, whether its document was made yet or not.

    Args:
        state: The credential.
        reason: Why; it stays in the history.
        tell: Whether the learner is to be told. Of one that was never issued they know nothing,
            and are told nothing.

    Raises:
        DecisionRefused: It is revoked, superseded or erased.
    """
    known = require_awarded(state)
    require_living(known, "be revoked")
    revoked = CredentialRevoked(reason=reason)
    if tell and known.status is CredentialStatus.ISSUED:
        return [revoked, NotificationRequested(notice="revoked")]
    return [revoked]


def decide_supersede(
    state: Credential | None, by: CredentialId, reason: str | None = None
) -> list[CredentialEvent]:
    """Let a newer edition take its place; a revoked one may be superseded too, by a reissue.

    Args:
        state: The credential.
        by: The newer edition.
        reason: Why; it stays in the history. None where no person decided.

    Raises:
        DecisionRefused: It is superseded or erased.
    """
    known = require_awarded(state)
    if known.status is not CredentialStatus.REVOKED:
        require_living(known, "be superseded")
    return [CredentialSuperseded(by=by, reason=reason)]


def decide_withdraw(
    state: Credential | None, archived: tuple[str, ...], missing: tuple[str, ...]
) -> list[CredentialEvent]:
    """Record that its files are out of their public places; nothing happens where they were.

    Args:
        state: The credential.
        archived: Keys of the files that were put away.
        missing: Keys of the files that were issued and found nowhere.

    Raises:
        DecisionRefused: It has not ended.
    """
    known = require_awarded(state)
    if known.status in (CredentialStatus.AWARDED, CredentialStatus.ISSUED):
        raise DecisionRefused(subject_of(known), f"it is {known.status} and keeps its documents")
    if not known.withdrawal_pending:
        return []
    return [DocumentsWithdrawn(archived=archived, missing=missing)]


def decide_erase(state: Credential | None, reason: str) -> list[CredentialEvent]:
    """Record that the learner's personal data is gone, whatever the credential's status was.

    Nothing happens where it was erased before.
    """
    known = require_awarded(state)
    if known.status is CredentialStatus.ERASED:
        return []
    return [PersonalDataErased(reason=reason)]
