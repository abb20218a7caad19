"""Validity: whether a credential holds at a moment, and if not, why not."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from testamur.domain.credentials import Credential, CredentialStatus
from testamur.domain.identifiers import CredentialId


class ValidityStatus(StrEnum):
    """What can be said of a credential at a moment."""

    NOT_YET_AWARDED = "not-yet-awarded"
    AWARDED_NOT_ISSUED = "awarded-not-issued"
    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Validity:
    """Whether a credential holds.

    Args:
        status: What can be said.
        reason: Why it was revoked; of an erased one too, where it was revoked before.
        superseded_by: The edition that took its place, if one did.
        expires_at: When it stops being valid by itself, or did; None: never.
    """

    status: ValidityStatus
    reason: str | None = None
    superseded_by: CredentialId | None = None
    expires_at: datetime | None = None

    @property
    def holds(self) -> bool:
        """Whether it is valid."""
        return self.status is ValidityStatus.VALID


def validity_at(credential: Credential | None, moment: datetime) -> Validity:
    """Return what holds of a credential at a moment.

    Args:
        credential: As the events that were recorded until then left it; None: there were none.
        moment: Aware.
    """
    if credential is None:
        return Validity(ValidityStatus.NOT_YET_AWARDED)
    return Validity(
        _status(credential, moment),
        reason=credential.revocation_reason,
        superseded_by=credential.superseded_by,
        expires_at=credential.awarded.expires_at,
    )


def _status(credential: Credential, moment: datetime) -> ValidityStatus:
    match credential.status:
        case CredentialStatus.AWARDED:
            return ValidityStatus.AWARDED_NOT_ISSUED
        case CredentialStatus.ISSUED:
            expires_at = credential.awarded.expires_at
            expired = expires_at is not None and moment >= expires_at
            return ValidityStatus.EXPIRED if expired else ValidityStatus.VALID
        case CredentialStatus.REVOKED:
            return ValidityStatus.REVOKED
        case CredentialStatus.SUPERSEDED:
            return ValidityStatus.SUPERSEDED
        case CredentialStatus.ERASED:
            return ValidityStatus.ERASED
        case _:
            assert_never(credential.status)
