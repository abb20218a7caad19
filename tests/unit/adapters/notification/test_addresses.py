"""What is a mail address, and what goes over the wire for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.adapters.notification.addresses import MailAddress, parse_address, parse_sender
from testamur.domain.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "on_the_wire"),
    [
        ("ada@example.org", "ada@example.org"),
        (" ada@example.org\n", "ada@example.org"),
        ("ada.lovelace+exams@mail.example.org", "ada.lovelace+exams@mail.example.org"),
        ("o'brien/{x}=~@example.org", "o'brien/{x}=~@example.org"),
        ("Ada@Example.ORG", "Ada@Example.ORG"),
        ("ada@localhost", "ada@localhost"),
        ("ada@straße.example", "ada@xn--strae-oqa.example"),
        ("ada@ŁÓDŹ.example", "ada@xn--d-uga0v4h.example"),
        ("ada@例え。example", "ada@xn--r8jz45g.example"),
        ("用户@example.org", "用户@example.org"),
        ("z\u0307o\u0301łc\u0301@example.org", "żółć@example.org"),
    ],
)
def test_an_address_is_taken_as_it_goes_over_the_wire(text: str, on_the_wire: str) -> None:
    assert str(parse_address(text)) == on_the_wire


@pytest.mark.parametrize(
    "text",
    [
        *("", "@", "ada", "ada@", "@example.org", "a b@example.org", "ada@exa mple.org"),
        *(".ada@example.org", "ada.@example.org", "a..b@example.org", '"ada"@example.org'),
        *("ada@-example.org", "ada@example-.org", "ada@.org", "ada@org.", "ada@under_score.org"),
        *("a@b@example.org", "ada@[127.0.0.1]", "ada@example.org>", "Ada <ada@example.org>"),
        *("ada\r\nBcc: eve@evil.example", "ada@example.org\r\nRCPT TO:<eve@evil.example>"),
        *("ad\u200ba@example.org", "ad\u202ea@example.org", "ad\u00a0a@example.org"),
        *("ad\ud800a@example.org", "ada@exa\u202emple.org", "ada@\ufffe.org", "ada@xn--łódź.org"),
        *("a" * 65 + "@example.org", "ż" * 33 + "@example.org", "a@" + "b" * 64 + ".org"),
        "ada@" + ".".join(["b" * 60] * 5),
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match="@") as refused:
        parse_address(text)

    assert "ada@" not in str(refused.value)


@given(st.text(max_size=60))
def test_whatever_is_taken_can_stand_in_a_command(text: str) -> None:
    try:
        address = parse_address(text)
    except ValueError:
        return
    assert str(address).isprintable()
    assert not set(str(address)) & set(' <>"(),:;\\[]\r\n')
    assert address.domain.isascii()


def test_letters_of_any_script_before_the_at_need_the_extension() -> None:
    assert parse_address("żółć@example.org").needs_smtputf8
    assert not parse_address("ada@łódź.example").needs_smtputf8


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("certs@uni.example", ""),
        ("University <certs@uni.example>", "University"),
        ('"University of A, Dept. \\"B\\"" <certs@uni.example>', 'University of A, Dept. "B"'),
        ("Uniwersytet Łódzki <certs@uni.example>", "Uniwersytet Łódzki"),
        ("=?utf-8?q?Uniwersytet_=C5=81=C3=B3dzki?= <certs@uni.example>", "Uniwersytet Łódzki"),
    ],
)
def test_a_sender_is_read_as_a_from_header_is(text: str, name: str) -> None:
    assert parse_sender(text) == (name, MailAddress("certs", "uni.example"))


@pytest.mark.parametrize(
    "text", ["", "University", "University <>", "żółć@uni.example", "=?utf-8?b?x?= <a@b>", "a@b, c"]
)
def test_a_sender_that_cannot_send_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="sender"):
        parse_sender(text)
