"""Bounces: what mail servers send back about a message that could not be delivered (RFC 3464)."""

import re
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from typing import Final

from testamur.domain.errors import InvalidInput

#: Longer than any such report, which need not have the message itself in it.
MOST_BYTES: Final = 5 * 1024 * 1024

#: Class, subject and detail (RFC 3463, section 2); a comment may follow.
_STATUS: Final = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b")
_ALLOWED: Final = "a delivery status notification (RFC 3464) about a message of Testamur"


@dataclass(frozen=True, slots=True)
class Bounce:
    """A message that came back.

    Args:
        message_id: Its Message-ID.
        status: Why, as three numbers (RFC 3463), such as 5.1.1.
    """

    message_id: str
    status: str


def read_bounce(content: bytes) -> Bounce:
    """Return which message a report is about, and why it came back.

    Nothing else is taken from the report: it holds the learner's address.

    Args:
        content: The report as a mail message.

    Raises:
        InvalidInput: It is no such report, tells of a delay or a success, or does not say which
            message it is about.
    """
    if len(content) > MOST_BYTES:
        raise InvalidInput("report", f"{len(content):,} bytes", f"at most {MOST_BYTES:,} bytes")
    report = message_from_bytes(content, policy=compat32)
    statuses = [part for part in report.walk() if _type_of(part) == "message/delivery-status"]
    if not statuses:
        raise InvalidInput("report", report.get_content_type(), _ALLOWED)
    # Its blocks of fields are parts of their own: the first about the message, then each recipient.
    recipients = [
        block for part in statuses for block in part.walk() if block.get("Action") is not None
    ]
    failed = [block for block in recipients if _word(block["Action"]) == "failed"]
    if not failed:
        actions = ", ".join(sorted({_word(block["Action"]) for block in recipients})) or "nothing"
        raise InvalidInput("report", actions, "one that tells of a failure (Action: failed)")
    message_id = _original_id(report)
    if message_id is None:
        raise InvalidInput("report", "without the Message-ID of the original", _ALLOWED)
    status = _STATUS.match(str(failed[0].get("Status", "")))
    return Bounce(message_id, status[1] if status else "failed")


def _original_id(report: Message) -> str | None:
    """Return the Message-ID of the message that came back: of the headers that are sent along."""
    for part in report.walk():
        kind = _type_of(part)
        if kind == "message/rfc822":
            original = part.get_payload()
            if isinstance(original, list) and original and isinstance(original[0], Message):
                return _id_in(original[0])
        if kind in ("text/rfc822-headers", "message/rfc822-headers"):
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                return _id_in(message_from_bytes(payload.lstrip(), policy=compat32))
    return None


def _id_in(original: Message) -> str | None:
    value = original.get("Message-ID")
    return None if value is None else str(value).strip()


def _type_of(part: Message) -> str:
    return part.get_content_type()


def _word(value: object) -> str:
    return str(value).strip().lower()
