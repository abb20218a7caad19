"""Header fields read back as what was meant, whatever the text."""

import re
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import getaddresses

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from testamur.adapters.notification.addresses import MailAddress
from testamur.adapters.notification.headers import address_header, literal_header, text_header
from testamur.adapters.notification.wording import one_line

ADA = MailAddress("ada", "learners.example")

HOSTILE = [
    "Ada Lovelace",
    'O\'Brien, "Bob" (PhD) <x@y>',
    "ends with \\",
    "=?utf-8?q?evil?=",
    "=?utf-8?b?PGV2aWxAeD4=?= x",
    "<script>alert(1)</script>",
    "{{ 7 * 7 }} {% raw %}",
    'Dr. Zażółć "Gęślą", Jaźń <a@b.c>',
    'very long name with, commas and (parens) and "quotes" ' * 5,
    "Żółć, " * 30,
    "山田太郎、" * 40,
    "प्रिया शर्मा " * 20,
    "محمد بن عبد الله",
    "😀" * 60,
    "x" * 900,
    "a" * 90 + " ł",
    "a@b.c, d@e.f",
    "a:b;c",
]

texts = st.one_of(st.text(max_size=200), st.sampled_from(HOSTILE)).map(one_line)


def received(email: EmailMessage) -> tuple[list[tuple[str, str]], str, bytes]:
    """The addresses, the subject and the bytes, as RFC 2047 says to read them."""
    content = email.as_bytes()
    read = message_from_bytes(content)
    addresses = [
        (str(make_header(decode_header(name))) if name else "", address)
        for name, address in getaddresses([read["To"]])
    ]
    subject = str(make_header(decode_header(re.sub("\r?\n", "", read["Subject"]))))
    return addresses, subject, content


def message(text: str) -> EmailMessage:
    email = EmailMessage(policy.SMTP)
    email["To"] = address_header("To", text, ADA)
    email["Subject"] = text_header("Subject", text)
    return email


@given(texts)
@example("")
def test_any_text_reads_back_as_it_was_and_adds_no_header_or_address(text: str) -> None:
    addresses, subject, content = received(message(text))

    assert addresses == [(text, "ada@learners.example")]
    assert subject == text
    lines = content.split(b"\r\n")
    assert max(map(len, lines)) <= 76 or " " not in text
    assert [line.split(b":")[0] for line in lines if line and not line.startswith(b" ")] == [
        b"To",
        b"Subject",
    ]
    assert content.isascii()


@given(texts)
def test_every_encoded_word_can_be_read_alone(text: str) -> None:
    _, _, content = received(message(text))

    for word in re.findall(rb"=\?utf-8\?b\?[A-Za-z0-9+/=]*\?=", content):
        assert len(word) <= 75
        ((octets, charset),) = decode_header(word.decode())
        assert charset == "utf-8"
        assert octets.decode("utf-8")


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("", b"To: ada@learners.example\r\n"),
        ("Ada Lovelace", b"To: Ada Lovelace <ada@learners.example>\r\n"),
        ("Lovelace, A.", b'To: "Lovelace, A." <ada@learners.example>\r\n'),
        ('A "B" \\', b'To: "A \\"B\\" \\\\" <ada@learners.example>\r\n'),
        ("Żółć", b"To: =?utf-8?b?xbvDs8WCxIc=?= <ada@learners.example>\r\n"),
    ],
)
def test_a_name_is_written_as_plainly_as_it_can_be(name: str, written: bytes) -> None:
    email = EmailMessage(policy.SMTP)
    email["To"] = address_header("To", name, ADA)

    assert email.as_bytes() == written + b"\r\n"


def test_a_message_id_is_never_folded() -> None:
    email = EmailMessage(policy.SMTP)
    email["Message-ID"] = literal_header("Message-ID", f"<{'a' * 200}@x>")

    assert email.as_bytes() == f"Message-ID: <{'a' * 200}@x>\r\n\r\n".encode()
    assert email["Message-ID"] == f"<{'a' * 200}@x>"
