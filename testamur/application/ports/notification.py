"""Port: telling learners."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol, runtime_checkable

from testamur.domain.identifiers import CredentialId


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message."""

    filename: str
    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Notification:
    """One message to one learner about one credential.

    Args:
        credential_id: What it is about.
        message_id: Stable Message-ID (RFC 5322) in angle brackets, the same for every attempt.
        created_at: When the credential was issued (aware); goes into the Date header.
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
