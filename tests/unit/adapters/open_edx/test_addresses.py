"""Addresses at an LMS."""

import pytest
from pydantic import ValidationError

from testamur.adapters.open_edx.addresses import (
    checked_site_url,
    origin,
    query_string,
    redirection,
    segment,
    site_name,
)
from testamur.adapters.open_edx.options import OpenEdxOptions


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://learn.example.org", "https://learn.example.org"),
        ("https://learn.example.org/", "https://learn.example.org"),
        (" HTTPS://Learn.Example.Org:443/ ", "https://learn.example.org"),
        ("http://example.org:80/lms//", "http://example.org/lms"),
        ("https://example.org:8443/Lms", "https://example.org:8443/Lms"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
        ("https://łódź.example", "https://łódź.example"),
    ],
)
def test_an_address_has_one_form(text: str, url: str) -> None:
    assert checked_site_url(text) == url


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "begin with https://"),
        ("learn.example.org", "begin with https://"),
        ("ftp://learn.example.org", "begin with https://"),
        ("https://", "name a host"),
        ("https://:443", "name a host"),
        ("https:///lms", "name a host"),
        ("https://me:password@learn.example.org", "no user name and password"),
        ("https://learn.example.org?x=1", "nothing after the path"),
        ("https://learn.example.org/#", "nothing after the path"),
        ("https://learn.example.org:99999", "a port is a number"),
        ("https://learn.example.org:x", "a port is a number"),
        ("https://[::1", "an address, such as"),
        ("https://learn.example.org/a b", "no spaces"),
        ("https://learn.example\n.org", "no spaces"),
    ],
)
def test_what_is_no_address_is_refused_and_not_repeated(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as refused:
        checked_site_url(text)
    assert "password@" not in str(refused.value)


def test_the_options_name_the_field() -> None:
    with pytest.raises(ValidationError) as refused:
        OpenEdxOptions.model_validate(
            {"url": "learn.example.org", "client_id": "", "client_secret": ""}
        )
    assert [error["loc"] for error in refused.value.errors()] == [
        ("url",),
        ("client_id",),
        ("client_secret",),
    ]


def test_options_show_no_secret() -> None:
    options = OpenEdxOptions.model_validate(
        {"url": "https://x.example.org/", "client_id": "me", "client_secret": "s3cret"}
    )
    assert options.url == "https://x.example.org"
    assert "s3cret" not in repr(options) + options.model_dump_json()


def test_a_site_has_a_name_and_an_origin() -> None:
    assert site_name("https://example.org:8443/lms") == "example.org:8443/lms"
    assert origin("https://example.org:8443/lms") == "https://example.org:8443"


def test_plus_is_left_in_a_path_and_encoded_in_a_query() -> None:
    assert segment("course-v1:A+B+C") == "course-v1:A+B+C"
    assert query_string({"course_id": "course-v1:A+B+C"}) == "course_id=course-v1:A%2BB%2BC"


def test_what_would_end_a_segment_is_encoded() -> None:
    assert segment("a/b?c#d%e ü") == "a%2Fb%3Fc%23d%25e%20%C3%BC"
    assert query_string({"u": "a&b=c#d e,ü"}) == "u=a%26b%3Dc%23d%20e,%C3%BC"


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("http://lms.example.org/kate", "redirects to http://lms.example.org; set url to it"),
        ("//other.example.org/kate", "redirects to https://other.example.org; set url to it"),
        ("https://me:pw@other.example.org/", "redirects to https://other.example.org; set"),
        ("https://LMS.example.org/kate", "redirects to another of its own addresses"),
        ("/login?next=kate", "redirects to another of its own addresses"),
        ("", "redirects to another of its own addresses"),
        ("http://[::1", "redirects to an address that is none"),
    ],
)
def test_a_redirection_is_told_without_names(location: str, told: str) -> None:
    message = redirection(location, "https://lms.example.org")
    assert told in message
    assert "kate" not in message
    assert "pw" not in message
