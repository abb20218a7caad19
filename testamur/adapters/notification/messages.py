"""Messages as they are sent: a notification in words, with its headers and attachments."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Final

from testamur.adapters.notification.addresses import (
    MailAddress,
    domain_in_ascii,
    parse_address,
    parse_sender,
)
from testamur.adapters.notification.headers import (
    WrittenHeader,
    address_header,
    literal_header,
    text_header,
)
from testamur.adapters.notification.wording import BadTemplate, MailTemplates, Wording, one_line
from testamur.application.ports.notification import (
    Attachment,
    NotDelivered,
    Notification,
    StaffDelivery,
    StaffMessage,
    TemplateSet,
)

#: Seven bits, so that no server on the way has to change anything.
_POLICY: Final = SMTP.clone(cte_type="7bit")

_MESSAGE_ID = re.compile(r"<([!-;=?-~]+)@([^<>@\s]+)>")
_MEDIA_TYPE = re.compile(r"([a-z0-9.+-]+)/([a-z0-9.+-]+)")


@dataclass(frozen=True, slots=True)
class Message:
    """A message that can be sent.

    Args:
        email: The message; the same notification always gives the same bytes.
        recipient: Address of the learner, for the envelope.
        needs_smtputf8: Whether only a server with the extension SMTPUTF8 can take it (RFC 6531).
    """

    email: EmailMessage
    recipient: str
    needs_smtputf8: bool


class MessageWriter:
    """Writes a message for each notification.

    Args:
        sender: Who the messages are from, e.g. ``University <certificates@example.org>``.
        templates: Folder with templates of one's own, if any.
        default_language: For learners whose language has no templates.

    Raises:
        InvalidInput: The sender has no address, or a template cannot be rendered.
    """

    def __init__(
        self, sender: str, templates: Path | None = None, default_language: str = "en"
    ) -> None:
        name, self._sender = parse_sender(sender)
        self._from = address_header("From", one_line(name), self._sender)
        self._templates = MailTemplates(templates, default_language)

    @property
    def sender(self) -> str:
        """Address that messages come from, for the envelope."""
        return str(self._sender)

    def write(self, notification: Notification) -> Message | NotDelivered:
        """Return the message, or why there can be none."""
        try:
            address = parse_address(notification.email)
        except ValueError as error:
            return NotDelivered(notification, "bad-address", str(error), "permanent")
        try:
            message_id = _checked_message_id(notification.message_id)
        except ValueError as error:
            return NotDelivered(notification, "bad-message-id", str(error), "permanent")
        try:
            wording = self._templates.put_into_words(notification)
        except BadTemplate as error:
            # It will do once the operator has mended the template.
            return NotDelivered(notification, "bad-template", str(error), "temporary")
        to = address_header("To", one_line(notification.full_name), address)
        email = self._begin(to, wording.subject, message_id, notification.created_at, address)
        _fill(email, wording, notification.attachments)
        email["Content-Language"] = literal_header("Content-Language", wording.language)
        _settle_boundaries(email, notification, wording)
        return Message(email, str(address), address.needs_smtputf8)

    def write_to_staff(self, message: StaffMessage) -> Message | StaffDelivery:
        """Return a message to one of the staff, or why there can be none."""
        try:
            address = parse_address(message.email)
            message_id = _checked_message_id(message.message_id)
        except ValueError:
            return StaffDelivery(message, "bad-address", "permanent")
        to = address_header("To", "", address)
        subject = one_line(message.subject)
        email = self._begin(to, subject, message_id, message.created_at, address)
        email.set_content(message.text)
        email["Content-Language"] = literal_header("Content-Language", message.language)
        return Message(email, str(address), address.needs_smtputf8)

    def try_out(self, templates: TemplateSet) -> None:
        """Make sure that templates of a configuration can be used.

        Raises:
            InvalidInput: One of them is missing or cannot be rendered.
        """
        self._templates.try_out(templates)

    def _begin(
        self,
        to: WrittenHeader,
        subject: str,
        message_id: str,
        created_at: datetime,
        address: MailAddress,
    ) -> EmailMessage:
        email = EmailMessage(_POLICY.clone(utf8=address.needs_smtputf8))
        for header in (
            self._from,
            to,
            text_header("Subject", subject),
            literal_header("Date", format_datetime(created_at.astimezone(UTC))),
            literal_header("Message-ID", message_id),
            literal_header("Auto-Submitted", "auto-generated"),  # RFC 3834: no holiday replies
        ):
            email[header.name] = header
        return email


def _checked_message_id(message_id: str) -> str:
    if (parts := _MESSAGE_ID.fullmatch(message_id)) is None:
        raise ValueError(f"{message_id!r} is no Message-ID (RFC 5322, section 3.6.4)")
    return f"<{parts[1]}@{domain_in_ascii(parts[2])}>"


def _fill(email: EmailMessage, wording: Wording, attachments: tuple[Attachment, ...]) -> None:
    email.set_content(wording.text)
    email.add_alternative(wording.html, subtype="html")
    for attachment in attachments:
        media_type = _MEDIA_TYPE.fullmatch(attachment.media_type)
        main, sub = media_type.groups() if media_type else ("application", "octet-stream")
        email.add_attachment(
            attachment.content, maintype=main, subtype=sub, filename=one_line(attachment.filename)
        )


def _settle_boundaries(email: EmailMessage, notification: Notification, wording: Wording) -> None:
    # Left alone, they would be random. A hash of the whole content cannot occur in that content.
    content = hashlib.sha256()
    parts = [notification.message_id, notification.email, wording.text, wording.html]
    for octets in [
        *(part.encode("utf-8", "replace") for part in parts),
        *(attachment.content for attachment in notification.attachments),
    ]:
        content.update(hashlib.sha256(octets).digest())
    for depth, part in enumerate(part for part in email.walk() if part.is_multipart()):
        part.set_boundary(f"testamur-{content.hexdigest()[:40]}-{depth}")
