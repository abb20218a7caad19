"""Requests as the views see them, and answers in the shapes of the LMS's two families of errors."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from re import Match, Pattern
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs, urlencode

if TYPE_CHECKING:
    from examples.stand_in_lms.site import Site

Family = Literal["developer", "plain"]
"""*developer* views answer ``{"developer_message": …}``, *plain* ones ``{"detail": …}``."""

Headers = tuple[tuple[str, str], ...]

_REASONS = {
    404: "Not Found",
    405: "Method Not Allowed",
    414: "Request-URI Too Long",
    500: "Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Args:
        method: ``GET`` or ``POST``.
        path: Percent-decoded.
        raw_path: As it was sent.
        target: Path and query as they were sent.
        query: Values of each parameter; a ``+`` was a space.
        headers: By lower-case name.
        body: As it was sent.
    """

    method: str
    path: str
    raw_path: str
    target: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes = b""

    def one(self, name: str) -> str | None:
        """Return the last value of a query parameter."""
        values = self.query.get(name)
        return values[-1] if values else None

    def names(self, name: str) -> list[str]:
        """Return the values of a parameter that takes several with commas between."""
        return [each for each in (self.one(name) or "").split(",") if each]

    def positive(self, name: str, default: int) -> int:
        """Return a parameter as a positive number; the default where it is none."""
        text = self.one(name) or ""
        return int(text) if text.isascii() and text.isdigit() and int(text) else default

    def form(self) -> dict[str, str]:
        """Return the fields of a form-encoded body."""
        return {name: values[-1] for name, values in parse_qs(self.body.decode()).items()}

    def query_with(self, **changes: object) -> str:
        """Return the query string with some parameters set, as a link repeats it."""
        changed = {name: values[-1] for name, values in self.query.items()}
        return urlencode(changed | {name: str(value) for name, value in changes.items()})


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class Route:
    """Where a view is, and who may ask it.

    Args:
        name: Of the endpoint, as requests are counted.
        pattern: Of the whole decoded path.
        view: Answers; takes the site, the request and the match of the pattern.
        family: How it tells errors.
        methods: Which it answers.
        name_of_one: Its name when a parameter ``username`` asks for one learner.
        open_to_all: Whether it needs no token.
        takes_bearer: Whether it accepts opaque tokens too.
        throttled: Whether it shares the throttle of the enrolment views.
    """

    name: str
    pattern: Pattern[str]
    view: "Callable[[Site, Request, Match[str]], Answer]"
    family: Family = "plain"
    methods: tuple[str, ...] = ("GET",)
    name_of_one: str | None = None
    open_to_all: bool = False
    takes_bearer: bool = True
    throttled: bool = False

    def name_for(self, request: Request) -> str:
        """Return the name under which a request is counted."""
        return self.name_of_one if self.name_of_one and request.one("username") else self.name


class Refused(Exception):
    """A view's answer that is not what was asked for."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def as_json(value: object) -> str:
    """Write a value as JSON, as the LMS writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def json_answer(value: object, status: int = 200, headers: Headers = ()) -> Answer:
    """Answer with a value as JSON."""
    return text_answer(as_json(value), status, headers)


def text_answer(text: str, status: int = 200, headers: Headers = ()) -> Answer:
    """Answer with JSON that is written already."""
    return Answer(status, text.encode(), headers=headers)


def empty_answer(status: int) -> Answer:
    """Answer without a body."""
    return Answer(status, b"", "text/html; charset=utf-8")


def html_answer(status: int, heading: str | None = None, headers: Headers = ()) -> Answer:
    """Answer with a page for people, as proxies and crashed views do."""
    shown = heading or f"{status} {_REASONS.get(status, 'Error')}"
    page = f"<!DOCTYPE html>\n<html><head><title>{shown}</title></head><body><h1>{shown}</h1>"
    return Answer(status, f"{page}</body></html>\n".encode(), "text/html; charset=utf-8", headers)


def developer_error(
    status: int, message: Any, code: str | None = None, headers: Headers = ()
) -> Answer:
    """Answer with an error of the *developer* family."""
    told = {"developer_message": message} | ({"error_code": code} if code else {})
    return json_answer(told, status, headers)


def field_error(name: str, message: str) -> Answer:
    """Answer that a parameter was not understood, as a form of a *developer* view."""
    return json_answer({"field_errors": {name: {"developer_message": message}}}, 400)


def plain_error(status: int, message: str, headers: Headers = ()) -> Answer:
    """Answer with an error of the *plain* family."""
    return json_answer({"detail": message}, status, headers)


def error_of(family: Family, status: int, message: str, headers: Headers = ()) -> Answer:
    """Answer with an error of a family."""
    if family == "developer":
        return developer_error(status, message, headers=headers)
    return plain_error(status, message, headers)
