"""A notification becomes one and the same message, or a reason why there is none."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from pathlib import Path

import pytest

from testamur.adapters.notification.messages import Message, MessageWriter
from testamur.application.ports.notification import Attachment, NotDelivered, Notification
from testamur.domain.errors import InvalidInput
from tests.support.notifications import notification

SENDER = "University <certificates@uni.example>"
PDF = Attachment("certificate.pdf", b"%PDF-1.7\r\n" * 100, "application/pdf")


@cache
def writer(templates: Path | None = None) -> MessageWriter:
    """One for all tests that want the same: it reads all templates."""
    return MessageWriter(SENDER, templates=templates)


def write(told: Notification, templates: Path | None = None) -> Message:
    message = writer(templates).write(told)
    assert isinstance(message, Message)
    return message


def read(told: Notification) -> EmailMessage:
    return message_from_bytes(write(told).email.as_bytes(), policy=policy.default)


def refusal(told: Notification, templates: Path | None = None) -> tuple[str, str]:
    refused = writer(templates).write(told)
    assert isinstance(refused, NotDelivered)
    assert refused.notification == told
    return refused.reason, refused.failure


def structure(part: EmailMessage) -> object:
    if part.is_multipart():
        return [part.get_content_type(), *(structure(each) for each in part.iter_parts())]  # type: ignore[arg-type]
    return part.get_content_type()


def test_a_message_has_text_and_html_to_choose_from_and_attachments_beside_them() -> None:
    body = ["multipart/alternative", "text/plain", "text/html"]

    assert structure(read(notification())) == body
    assert structure(read(notification(attachments=(PDF, PDF)))) == [
        *("multipart/mixed", body, "application/pdf", "application/pdf"),
    ]


def test_the_headers_say_from_whom_to_whom_when_and_that_no_answer_is_due() -> None:
    headers = read(notification(locale="de")).items()

    assert [(name, str(value)) for name, value in headers if name != "Content-Type"] == [
        ("From", "University <certificates@uni.example>"),
        ("To", "Ada Lovelace <ada@learners.example>"),
        (
            "Subject",
            "Ihr Nachweis liegt bereit: Certificate of completion, Introduction to Physics",
        ),
        ("Date", "Sun, 31 May 2026 22:30:00 +0000"),
        ("Message-ID", notification().message_id),
        ("Auto-Submitted", "auto-generated"),
        ("MIME-Version", "1.0"),
        ("Content-Language", "de"),
    ]


@pytest.mark.parametrize("locale", ["en", "pl", "hi", "ar"])
def test_the_same_notification_gives_the_same_bytes(locale: str) -> None:
    told = notification(locale=locale, attachments=(PDF,))

    another = MessageWriter(SENDER).write(told)

    assert isinstance(another, Message)
    assert write(told).email.as_bytes() == another.email.as_bytes()


def test_messages_are_seven_bit_and_their_lines_short(tmp_path: Path) -> None:
    told = notification(
        locale="hi", full_name="x" * 300, context_name="ज्ञान" * 100, attachments=(PDF,)
    )

    content = write(told).email.as_bytes()

    assert content.isascii()
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert max(map(len, content.split(b"\r\n"))) <= 78


def test_no_content_can_end_its_part_early() -> None:
    first = read(notification(attachments=(PDF,)))
    boundary = first.get_boundary()
    attack = f"--{boundary}--\r\n\r\n--{boundary}"

    email = read(
        notification(full_name=attack, attachments=(Attachment("a", attack.encode(), "text/x"),))
    )

    assert structure(email) == [
        *("multipart/mixed", ["multipart/alternative", "text/plain", "text/html"], "text/x"),
    ]
    assert email.get_boundary() != boundary


@pytest.mark.parametrize(
    ("filename", "media_type", "read_as"),
    [
        ("a.pdf", "application/pdf", ("a.pdf", "application/pdf")),
        ("świadectwo Ady.pdf", "application/pdf", ("świadectwo Ady.pdf", "application/pdf")),
        ('a"; x="\r\nBcc: e@x', "application/pdf", ('a"; x=" Bcc: e@x', "application/pdf")),
        ("a.x", "nonsense", ("a.x", "application/octet-stream")),
        ("a.x", "text/plain\r\nBcc: e@x", ("a.x", "application/octet-stream")),
    ],
)
def test_an_attachment_keeps_its_name_and_bytes(
    filename: str, media_type: str, read_as: tuple[str, str]
) -> None:
    content = bytes(range(256)) * 50

    email = read(notification(attachments=(Attachment(filename, content, media_type),)))

    (attached,) = email.iter_attachments()
    assert (attached.get_filename(), attached.get_content_type()) == read_as
    assert attached.get_payload(decode=True) == content
    assert email["Bcc"] is None


def test_a_message_id_in_a_domain_of_any_script_is_sent_in_ascii() -> None:
    assert read(notification(message_id="<issued.1@łódź.example>"))["Message-ID"] == (
        "<issued.1@xn--d-uga0v4h.example>"
    )


@pytest.mark.parametrize("message_id", ["", "issued", "<issued>", "<a@b>\r\nBcc: x", "<a b@c>"])
def test_what_is_no_message_id_is_not_sent(message_id: str) -> None:
    assert refusal(notification(message_id=message_id)) == ("bad-message-id", "permanent")


def test_what_is_no_address_is_not_sent_to() -> None:
    assert refusal(notification("Ada Lovelace")) == ("bad-address", "permanent")


def test_a_template_that_fails_with_these_values_only_is_for_the_operator(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "issued.txt").write_text("{{ name.split()[1] }}")

    assert refusal(notification(full_name="Ada"), templates=tmp_path) == (
        "bad-template",
        "temporary",
    )
    assert "Lovelace" in write(notification(), templates=tmp_path).email.as_string()


def test_a_sender_may_have_a_name_of_any_script() -> None:
    message = MessageWriter("Uniwersytet Łódzki <certs@łódź.example>").write(notification())

    assert isinstance(message, Message)
    email = message_from_bytes(message.email.as_bytes(), policy=policy.default)
    assert email["From"].addresses[0].display_name == "Uniwersytet Łódzki"
    assert email["From"].addresses[0].addr_spec == "certs@xn--d-uga0v4h.example"


def test_a_sender_without_an_address_is_refused() -> None:
    with pytest.raises(InvalidInput, match="sender"):
        MessageWriter("University")
