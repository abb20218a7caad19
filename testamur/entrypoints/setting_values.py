"""What the values of settings may be: time zones, languages, addresses, names, paths."""

import re
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from pydantic import AfterValidator, BeforeValidator, InstanceOf, SecretStr

from testamur.adapters.notification.addresses import parse_address

#: How an address begins that leads to PostgreSQL; libpq takes both.
_POSTGRESQL: Final = ("postgresql://", "postgres://")
#: How an address begins that leads to Redis or Valkey.
_REDIS: Final = ("redis://", "rediss://", "unix://")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?=://)")
_PASSWORDS: Final = frozenset({"password", "sslpassword"})


class _Url:
    """An address that may hold a password; as text, it comes without it.

    Args:
        url: As it was given.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def reveal(self) -> str:
        """Return it with the password."""
        return self._url

    def __str__(self) -> str:
        return without_password(self._url)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Url) and type(other) is type(self) and self._url == other._url

    def __hash__(self) -> int:
        return hash(self._url)


class PostgresUrl(_Url):
    """The address of a PostgreSQL database; as text, it comes without its password."""


class RedisUrl(_Url):
    """The address of a Redis or Valkey server; as text, it comes without its password."""


def database_location(given: object) -> object:
    """Return where a database is: the path of a file, or the address of PostgreSQL.

    Raises:
        ValueError: It is neither.
    """
    if isinstance(given, str) and _SCHEME.match(given):
        if not given.startswith(_POSTGRESQL):
            raise ValueError("the path of an SQLite file, or postgresql://USER@HOST/DATABASE")
        return PostgresUrl(given)
    return _given(given)


def queue_location(given: object) -> object:
    """Return where tasks are queued: ``inline``, or the address of a Redis or Valkey server.

    Raises:
        ValueError: It is neither.
    """
    if not isinstance(given, str) or given == "inline":
        return given
    allowed = "inline, or redis://HOST:PORT/NUMBER, rediss://… or unix:///PATH"
    if not given.startswith(_REDIS):
        raise ValueError(allowed)
    from redis import ConnectionPool

    try:
        ConnectionPool.from_url(given)  # connects to nothing yet
    except (TypeError, ValueError) as error:
        raise ValueError(f"{allowed} ({error})") from None
    return RedisUrl(given)


def without_password(address: str) -> str:
    """Return an address without the password that may be in it, wherever it stands.

    Of an address that is malformed, rather too much is left out than too little.
    """
    scheme, separator, rest = address.partition("://")
    if not separator:
        return address
    rest = re.sub(r"([?&])([^=&?]*)=([^&]*)", _without_value, rest)
    login, at, place = rest.rpartition("@")
    user, colon, _ = login.partition(":")
    return f"{scheme}://{user}{':***' if colon else ''}{at}{place}"


def _without_value(parameter: re.Match[str]) -> str:
    before, name, value = parameter.groups()
    return f"{before}{name}={'***' if unquote(name).lower() in _PASSWORDS else value}"


def _schema_name(name: str) -> str:
    # PostgreSQL keeps names that begin with pg_ for itself, and cuts off what is longer.
    if not re.fullmatch(r"(?!pg_|information_schema$)[a-z_][a-z0-9_]{0,62}", name):
        raise ValueError(
            "a schema's name: up to 63 small letters, digits and _, and neither a digit nor pg_ "
            "at its beginning"
        )
    return name


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


def _master_key(text: SecretStr) -> SecretStr:
    from testamur.adapters.event_store.key_wrapping import MasterKey

    MasterKey.parse(text.get_secret_value())
    return text


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
SchemaName: TypeAlias = Annotated[str, AfterValidator(_schema_name)]
DatabaseLocation: TypeAlias = Annotated[
    Path | InstanceOf[PostgresUrl], BeforeValidator(database_location)
]
QueueLocation: TypeAlias = Annotated[
    Literal["inline"] | InstanceOf[RedisUrl], BeforeValidator(queue_location)
]
LogKeyText: TypeAlias = Annotated[SecretStr, BeforeValidator(_given)]
MasterKeyText: TypeAlias = Annotated[SecretStr, AfterValidator(_master_key)]
