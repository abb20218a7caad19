"""What the reply of an LMS says: its JSON, or why it said no."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, DecimalException
from typing import Any, Final, NoReturn

#: Characters of the LMS's own words that a message repeats.
MOST_WORDS: Final = 300

#: How deep in the document of an error words are looked for.
_DEEPEST: Final = 4

#: What names a reason for programs; anything longer is meant for people.
_CODE: Final = re.compile(r"[\w.-]{1,80}")


class NotJson(ValueError):
    """A reply is not what was asked for; the message says what it is instead."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply as it came.

    Args:
        status: The HTTP status.
        headers: Its headers, by their names in lower case.
        content: Its body, unpacked.
        sent_at: When the request was sent, on the clock of the connection.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes
    sent_at: float

    @property
    def media_type(self) -> str:
        """Media type without parameters, such as ``application/json``; empty if there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def is_json(self) -> bool:
        """Whether its media type is one of JSON (RFC 6839, section 3.1)."""
        return self.media_type == "application/json" or self.media_type.endswith("+json")


def json_of(reply: Reply) -> Any:
    """Return the JSON of a reply; None where it is empty.

    Whole numbers are ``int``, all others ``Decimal`` with the digits that were sent.

    Raises:
        NotJson: It is something else, such as the page of a proxy, or only a part of JSON.
    """
    if not reply.content:
        return None
    if reply.media_type and not reply.is_json:
        raise NotJson(f"the answer is {one_line(reply.media_type)} instead of JSON")
    try:
        return json.loads(reply.content, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, DecimalException, RecursionError):
        # The error's own words would repeat a part of the reply.
        raise NotJson("the answer is not whole, or no JSON") from None


def refusal(reply: Reply) -> tuple[str | None, str]:
    """Return the error code and the words of a reply that says no; nothing of a page for people.

    The words are as long, and on as many lines, as the LMS sent them.

    Open edX has two families of them: ``developer_message`` (which can be an object) with
    ``error_code`` or ``field_errors``, and ``detail``. OAuth2 adds ``error`` with
    ``error_description`` (RFC 6749, section 5.2).
    """
    if not reply.is_json:
        return None, ""
    try:
        told = json_of(reply)
    except NotJson:
        return None, ""
    return _code(told), _words(told)


def one_line(text: str, most: int = MOST_WORDS) -> str:
    """Return a text on one line, without control characters, and not too long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: most * 4]).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _code(told: Any, depth: int = 0) -> str | None:
    if not isinstance(told, Mapping) or depth > _DEEPEST:
        return None
    for code in (told.get("error_code"), told.get("error")):
        if isinstance(code, str) and _CODE.fullmatch(code):
            return code
    return _code(told.get("developer_message"), depth + 1)


def _words(told: Any, depth: int = 0) -> str:
    if depth > _DEEPEST or told is None:
        return ""
    if isinstance(told, Mapping):
        for key in ("developer_message", "detail", "error_description", "field_errors"):
            if told.get(key):
                return _words(told[key], depth + 1)
        # Django REST framework names the parameter: {"page_size": ["A valid integer …"]}.
        named = {key: _words(value, depth + 1) for key, value in told.items()}
        code = _code(told)
        return "; ".join(
            f"{key}: {words}" for key, words in named.items() if words not in {"", code}
        )
    if isinstance(told, list):
        return "; ".join(filter(None, (_words(each, depth + 1) for each in told)))
    return str(told)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
