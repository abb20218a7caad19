"""Addresses at an LMS: the site's own, and how keys and queries are written in them."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode, urljoin, urlsplit

_PORTS: Final = {"http": 80, "https": 443}


def checked_site_url(text: str) -> str:
    """Return the address of a site, without a slash at its end.

    Args:
        text: Such as ``https://learn.example.org`` or ``https://example.org/lms/``.

    Raises:
        ValueError: It is none; the message says what is wrong, and does not repeat it.
    """
    text = text.strip()
    if not text.isprintable() or " " in text:
        raise ValueError("no spaces and control characters")
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValueError("an address, such as https://learn.example.org") from None
    if parts.scheme not in _PORTS:
        raise ValueError("begin with https:// or http://, such as https://learn.example.org")
    if "@" in parts.netloc:
        raise ValueError("no user name and password; client_id and client_secret are the login")
    if not parts.hostname:
        raise ValueError("name a host, such as https://learn.example.org")
    try:
        port = parts.port
    except ValueError:
        raise ValueError("a port is a number up to 65535") from None
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise ValueError("nothing after the path: no ? and no #")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown_port = "" if port in {None, _PORTS[parts.scheme]} else f":{port}"
    return f"{parts.scheme}://{host}{shown_port}{parts.path.rstrip('/')}"


def site_name(site_url: str) -> str:
    """Return host, port and path of a checked address, such as ``learn.example.org:8000/lms``."""
    return site_url.partition("://")[2]


def origin(url: str) -> str:
    """Return scheme, host and port of an address, such as ``https://learn.example.org:8000``."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def redirection(location: str, site_url: str) -> str:
    """Say where an LMS redirects to, without what may be personal, and what to do.

    Args:
        location: As the reply has it: an address, or a path of the same site.
        site_url: The checked address of the LMS.
    """
    try:
        target = urlsplit(urljoin(f"{site_url}/", location))
        elsewhere = f"{target.scheme}://{target.netloc.rpartition('@')[2]}"
    except ValueError:
        return "the LMS redirects to an address that is none"
    if elsewhere.lower() == origin(site_url):
        return "the LMS redirects to another of its own addresses, instead of answering; check url"
    return f"the LMS redirects to {elsewhere[:200]}; set url to it, if it is the LMS"


def segment(key: str) -> str:
    """Write a key or a user name as one segment of a path.

    ``+``, ``:`` and ``@`` stand for themselves there (RFC 3986, section 3.3).
    """
    return quote(key, safe="+:@")


def query_string(values: Mapping[str, str]) -> str:
    """Write a query; ``+`` becomes ``%2B``, as a literal one is read as a space."""
    return urlencode(values, safe=",:@", quote_via=quote)
