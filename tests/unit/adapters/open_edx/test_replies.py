"""What a reply of an LMS says."""

import json
from decimal import Decimal

import pytest

from testamur.adapters.open_edx.replies import NotJson, Reply, json_of, one_line, refusal


def reply(content: bytes, media_type: str | None = "application/json") -> Reply:
    headers = {} if media_type is None else {"content-type": media_type}
    return Reply(400, headers, content, sent_at=0.0)


@pytest.mark.parametrize("text", ["0.1", "0.10", "1.0", "12.3456789012345678901234567890", "1e-7"])
def test_a_number_keeps_its_digits(text: str) -> None:
    number = json_of(reply(text.encode()))
    assert isinstance(number, Decimal)
    assert number == Decimal(text)
    assert number.as_tuple() == Decimal(text).as_tuple()


@pytest.mark.parametrize(
    "media_type",
    ["application/json", "Application/JSON; charset=utf-8", "application/problem+json", None],
)
def test_json_has_several_media_types(media_type: str | None) -> None:
    assert json_of(reply(b'{"a": 1}', media_type)) == {"a": 1}


@pytest.mark.parametrize("media_type", ["text/html", "text/plain; charset=utf-8", "application/x"])
def test_other_media_types_are_no_json(media_type: str) -> None:
    with pytest.raises(NotJson, match="instead of JSON"):
        json_of(reply(b'{"a": 1}', media_type))


@pytest.mark.parametrize("content", [b"{", b"NaN", b"-Infinity", b"\xff\xfe", b"[" * 99_999, b" "])
def test_what_is_no_json_is_not_repeated(content: bytes) -> None:
    with pytest.raises(NotJson, match=r"^the answer is not whole, or no JSON$"):
        json_of(reply(content))


@pytest.mark.parametrize(
    ("document", "code", "words"),
    [
        ({"developer_message": "No", "error_code": "user_permissions"}, "user_permissions", "No"),
        ({"developer_message": {"error_code": "x", "developer_message": "No"}}, "x", "No"),
        ({"field_errors": {"a": {"developer_message": "B"}, "c": "D"}}, None, "a: B; c: D"),
        ({"detail": "No\n way"}, None, "No\n way"),
        ({"detail": ["No", "never"]}, None, "No; never"),
        ({"detail": None}, None, ""),
        ({"error": "invalid_client"}, "invalid_client", ""),
        ({"error": "invalid_client", "error_description": "No"}, "invalid_client", "No"),
        ({"error": "Something went wrong"}, None, "error: Something went wrong"),
        ({"page": ["A number", "Not 0"]}, None, "page: A number; Not 0"),
        (["No", {"detail": "never"}], None, "No; never"),
        ("No", None, "No"),
        ({"status": 7}, None, "status: 7"),
        (None, None, ""),
        ({}, None, ""),
        ({"a": {"b": {"c": {"d": {"e": {"f": "deep"}}}}}}, None, ""),
    ],
)
def test_a_refusal_is_read(document: object, code: str | None, words: str) -> None:
    assert refusal(reply(json.dumps(document).encode())) == (code, words)


def test_a_refusal_nested_beyond_reason_is_read_without_harm() -> None:
    depth = 300
    content = b'{"developer_message":' * depth + b'"x"' + b"}" * depth
    assert refusal(reply(content)) == (None, "")


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(b"<h1>No</h1>", "text/html"), (b"No", "text/plain"), (b"", None), (b"{", None)],
)
def test_a_refusal_for_people_is_not_repeated(content: bytes, media_type: str | None) -> None:
    assert refusal(reply(content, media_type)) == (None, "")


def test_a_text_becomes_one_line_of_bounded_length() -> None:
    assert one_line(" a\r\n\tb\x1b[31m\u2028c ") == "a b [31m c"
    assert one_line("x" * 10_000, most=10) == "x" * 9 + "…"
    assert one_line("x" * 10, most=10) == "x" * 10
