"""Port: telling learners."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol, runtime_checkable

from testamur.domain.credentials import Notice
from testamur.domain.identifiers import CredentialId


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message."""

    filename: str
    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class TemplateSet:
    """Templates that go before the installation's own.

    Args:
        name: What they are called, for people.
        sha256: Hash of the content.
        content: A ZIP archive with a folder for each language.
    """

    name: str
    sha256: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Notification:
    """One message to one learner about one credential.

    Args:
        credential_id: What it is about.
        message_id: Stable Message-ID (RFC 5322) in angle brackets, the same for every attempt.
        created_at: When it was asked for (aware), such as when the credential was issued; goes into
            the Date header.
        email: Address of the learner.
        full_name: Name of the learner.
        locale: Language tag for the choice of template.
        type_name: What the credential is called.
        context_name: Name of what it was earned in, on one line.
        issuer_name: Who issues it.
        award_date: The date on the document.
        download_url: Stable link to the document, if there is one.
        verify_url: Link to the verification, if there is one.
        attachments: Files that go with it.
        notice: What it tells.
        expiry_date: When the credential stops being valid, if ever.
        templates: Those of the configuration, if it has some.
    """

    credential_id: CredentialId
    message_id: str
    created_at: datetime
    email: str
    full_name: str
    locale: str
    type_name: str
    context_name: str
    issuer_name: str
    award_date: date
    download_url: str | None = None
    verify_url: str | None = None
    attachments: tuple[Attachment, ...] = ()
    notice: Notice = "issued"
    expiry_date: date | None = None
    templates: TemplateSet | None = None


@dataclass(frozen=True, slots=True)
class Delivered:
    """The message was taken for delivery."""

    notification: Notification


@dataclass(frozen=True, slots=True)
class NotDelivered:
    """The message was not taken.

    Args:
        notification: Which.
        reason: ``bad-address``, ``refused``, ``unreachable``, ``login-refused``, ``bad-template``…
        detail: What the server or the system said.
        failure: ``permanent``: trying again is pointless; ``temporary``: try again later.
    """

    notification: Notification
    reason: str
    detail: str
    failure: Literal["temporary", "permanent"]


Delivery = Delivered | NotDelivered


class Notifier(Protocol):
    """Tells learners, over one connection where that makes sense."""

    def deliver(self, notifications: Sequence[Notification]) -> Iterator[Delivery]:
        """Deliver messages in order, yielding the outcome of each as soon as it is known.

        A failure of one message, or of the server, is an outcome and never an exception, so that
        the messages after it are still tried or reported.
        """
        ...

    def check(self) -> str:
        """Try the connection and login without sending anything; return what was found.

        Raises:
            NotificationError: What fails, and how to mend it.
        """
        ...


@dataclass(frozen=True, slots=True)
class StaffMessage:
    """A message to one of the staff, in plain words; nothing in it is about one person by name.

    Args:
        message_id: Stable Message-ID (RFC 5322) in angle brackets.
        created_at: When it was asked for (aware).
        email: Address of the recipient.
        subject: One line.
        text: Plain text.
        language: Language tag of both (BCP 47).
    """

    message_id: str
    created_at: datetime
    email: str
    subject: str
    text: str
    language: str = "en"


@dataclass(frozen=True, slots=True)
class StaffDelivery:
    """What became of a message to one of the staff.

    Args:
        message: Which.
        reason: Why it was not taken, as in `NotDelivered`; None: it was taken.
        failure: Likewise; whether trying again is pointless.
    """

    message: StaffMessage
    reason: str | None = None
    failure: Literal["temporary", "permanent"] | None = None


@runtime_checkable
class StaffNotifier(Protocol):
    """A notifier that can also write to staff."""

    def deliver_to_staff(self, messages: Sequence[StaffMessage]) -> Iterator[StaffDelivery]:
        """Deliver messages in order, yielding the outcome of each, as `Notifier.deliver`."""
        ...


@runtime_checkable
class WordingNotifier(Protocol):
    """A notifier that puts messages into words by templates, a configuration's own too."""

    def try_out(self, templates: TemplateSet) -> None:
        """Make sure that templates can be used, for every language and every kind of message.

        Raises:
            InvalidInput: One of them is missing or cannot be rendered.
        """
        ...


@runtime_checkable
class ForgettingNotifier(Protocol):
    """A notifier that keeps messages itself, and can let go of them.

    A notifier whose messages are out of reach once they are delivered does without.
    """

    def forget(self, message_ids: Sequence[str]) -> int:
        """Delete messages for good, those half written too, and return how many there were.

        Those that are not there are left so; asking again is harmless.

        Args:
            message_ids: Message-ID of each, in angle brackets.

        Raises:
            NotificationError: A message could not be deleted.
        """
        ...
