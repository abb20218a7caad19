"""What the values of settings may be: time zones, languages, addresses, names, paths."""

import re
from pathlib import Path
from typing import Annotated, TypeAlias
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from pydantic import AfterValidator, BeforeValidator

from testamur.adapters.notification.addresses import parse_address


def _known_time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("an IANA time zone, such as Europe/Warsaw or UTC") from None
    return name


def _known_language(tag: str) -> str:
    try:
        Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        raise ValueError("a language tag, such as en or pt-BR") from None
    return tag


def _web_address(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("https", "http") or not parts.hostname or url != url.strip():
        raise ValueError("an address that begins with https:// or http://, and a host")
    return url.rstrip("/")


def _mail_address(address: str) -> str:
    try:
        parsed = parse_address(address)
    except ValueError:
        parsed = None
    if parsed is None or parsed.needs_smtputf8 or "." not in parsed.domain:
        raise ValueError("an e-mail address, such as certificates@example.org; ASCII before the @")
    return str(parsed)


def _key_name(name: str) -> str:
    # Variables in the environment count as written in small letters.
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", name):
        raise ValueError("a key's name: 1 to 64 small letters, digits, - and _")
    return name


def _given(path: object) -> object:
    # An empty path is the working directory: hardly what an empty variable is meant to say.
    if path == "":
        raise ValueError("a path; leave the setting out for its default")
    return path


TimeZoneName: TypeAlias = Annotated[str, AfterValidator(_known_time_zone)]
LanguageTag: TypeAlias = Annotated[str, AfterValidator(_known_language)]
WebAddress: TypeAlias = Annotated[str, AfterValidator(_web_address)]
MailAddress: TypeAlias = Annotated[str, AfterValidator(_mail_address)]
KeyName: TypeAlias = Annotated[str, AfterValidator(_key_name)]
GivenPath: TypeAlias = Annotated[Path, BeforeValidator(_given)]
