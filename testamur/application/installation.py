"""What the use cases know of the installation that they run in."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from testamur.domain.credentials import FIRST_MESSAGE, MessageKey
from testamur.domain.identifiers import CredentialId, RunId, VerificationId


@dataclass(frozen=True, slots=True)
class Installation:
    """Facts of the installation that show in what it issues.

    Args:
        time_zone: In which dates are told.
        default_language: For learners whose own is not known (BCP 47).
        public_url: Where the public finds credentials, without a slash at the end; None: nowhere.
        mail_domain: Domain of message ids.
        attach_documents: Whether messages carry the document itself.
        mail_cap_per_hour: The most messages that are sent within any hour; None: any number.
    """

    time_zone: ZoneInfo
    default_language: str = "en"
    public_url: str | None = None
    mail_domain: str = "testamur.invalid"
    attach_documents: bool = True
    mail_cap_per_hour: int | None = None

    def date_of(self, moment: datetime) -> date:
        """Return the date that a moment (aware) falls on here."""
        return moment.astimezone(self.time_zone).date()

    def verify_url(self, verification_id: VerificationId) -> str | None:
        """Return the link by which anybody verifies a credential, if there is one."""
        return f"{self.public_url}/verify/{verification_id}" if self.public_url else None

    def download_url(self, verification_id: VerificationId) -> str | None:
        """Return the stable link to a credential's document, if there is one."""
        return f"{self.public_url}/documents/{verification_id}" if self.public_url else None

    def message_id(self, credential_id: CredentialId, key: MessageKey = FIRST_MESSAGE) -> str:
        """Return the Message-ID (RFC 5322) of a message about a credential."""
        which = "" if (key.sequence, key.request) == (0, 1) else f"{key.sequence}.{key.request}."
        return f"<{key.notice}.{which}{credential_id}@{self.mail_domain}>"

    def digest_message_id(self, run_id: RunId) -> str:
        """Return the Message-ID (RFC 5322) of the message to the staff about a run."""
        return f"<digest.{run_id}@{self.mail_domain}>"
