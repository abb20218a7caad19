"""Settings: from the environment (``TESTAMUR_*``) and a TOML file, checked by name and value."""

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formataddr
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from testamur.adapters.notification.addresses import parse_address
from testamur.application.options import problems_of
from testamur.domain.errors import InvalidInput, InvalidOptions

PREFIX: Final = "TESTAMUR_"
FILE_VARIABLE: Final = "TESTAMUR_SETTINGS"
"""Names the settings file; without it, ``testamur.toml`` in the working directory is read."""

DEFAULT_FILE: Final = Path("testamur.toml")

#: Shown instead of a secret.
HIDDEN: Final = "(hidden)"


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


def _given(path: object) -> object:
    # An empty path is the working directory: hardly what an empty variable is meant to say.
    if path == "":
        raise ValueError("a path; leave the setting out for its default")
    return path


GivenPath = Annotated[Path, BeforeValidator(_given)]


class Settings(BaseSettings):
    """What is in force. Every field is set by ``TESTAMUR_`` and its name in capitals.

    Args:
        data_folder: Where everything lies that is not put elsewhere.
        database: SQLite file with the events; by default ``testamur.db`` in the data folder.
        storage_folder: Where documents and assets lie; by default ``files`` in the data folder.
        source_folder: Folder with the data files that say who has earned what.
        queue: How follow-up work is done; ``inline``: at once, in the same process.
        time_zone: In which dates are told (IANA name).
        default_language: For learners whose own is not known (BCP 47).
        public_url: Where the public finds credentials; links and QR codes lead there.
        attach_documents: Whether messages carry the document; by default only where there is no
            ``public_url``.
        notifier: ``outbox``: messages are written as files; ``smtp``: they are sent.
        outbox_folder: Where messages are written; by default ``outbox`` in the data folder.
        mail_sender: Address that messages come from.
        mail_sender_name: Name that messages come from.
        mail_templates: Folder whose templates go before those that come with Testamur.
        smtp_host: Mail server.
        smtp_port: Its port; 587 is usual for STARTTLS, 465 for TLS.
        smtp_security: How the connection is protected; ``none`` only on a trusted network.
        smtp_username: For the login, if the server asks for one.
        smtp_password: For the login.
        smtp_timeout_seconds: Time allowed for each answer of the server.
        smtp_ca_file: Certificates that the server's is checked against, instead of the system's.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        extra="forbid",
        frozen=True,
        env_ignore_empty=False,
        hide_input_in_errors=True,  # it holds the password
    )

    data_folder: GivenPath = Path("testamur-data")
    database: GivenPath | None = None
    storage_folder: GivenPath | None = None
    source_folder: GivenPath | None = None
    queue: Literal["inline"] = "inline"
    time_zone: Annotated[str, AfterValidator(_known_time_zone)] = "UTC"
    default_language: Annotated[str, AfterValidator(_known_language)] = "en"
    public_url: Annotated[str, AfterValidator(_web_address)] | None = None
    attach_documents: bool | None = None
    notifier: Literal["outbox", "smtp"] = "outbox"
    outbox_folder: GivenPath | None = None
    mail_sender: Annotated[str, AfterValidator(_mail_address)] = "certificates@testamur.invalid"
    mail_sender_name: str | None = None
    mail_templates: GivenPath | None = None
    smtp_host: str = "localhost"
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 587
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0
    smtp_ca_file: GivenPath | None = None

    @model_validator(mode="after")
    def _login_is_whole(self) -> "Settings":
        if (self.smtp_username is None) != (self.smtp_password is None):
            raise ValueError("both or neither")
        return self

    @property
    def database_file(self) -> Path:
        """The SQLite file with the events."""
        return self.database or self.data_folder / "testamur.db"

    @property
    def files_folder(self) -> Path:
        """Where documents and assets lie."""
        return self.storage_folder or self.data_folder / "files"

    @property
    def messages_folder(self) -> Path:
        """Where the outbox writes messages."""
        return self.outbox_folder or self.data_folder / "outbox"

    @property
    def sender(self) -> str:
        """Name and address that messages come from, as a From header has them (RFC 5322)."""
        return formataddr((self.mail_sender_name or "", self.mail_sender))

    @property
    def documents_attached(self) -> bool:
        """Whether messages carry the document."""
        return self.public_url is None if self.attach_documents is None else self.attach_documents


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it is in force.

    Args:
        name: Name of the field.
        value: Its value for people to read; a secret is hidden.
        origin: ``default``, ``environment``, or the file that it was read from.
    """

    name: str
    value: str
    origin: str


def load_settings(file: Path | None = None) -> "LoadedSettings":
    """Read settings; the environment goes before the file, the file before the defaults.

    Args:
        file: The settings file. By default the one that ``TESTAMUR_SETTINGS`` names, else
            ``testamur.toml`` in the working directory if it is there.

    Raises:
        InvalidInput: The file cannot be read.
        InvalidOptions: Names or values are not allowed; every one of them is named.
    """
    named = os.environ.get(FILE_VARIABLE)
    path = file or (Path(named) if named else None)
    if path is None and DEFAULT_FILE.is_file():
        path = DEFAULT_FILE
    return _loaded(_read(path) if path else {}, path)


def settings_of_environment() -> Settings:
    """Read settings from the environment alone.

    Raises:
        InvalidOptions: Names or values are not allowed; every one of them is named.
    """
    return _loaded({}, None).settings


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """Settings, and where each of them comes from."""

    settings: Settings
    origins: Mapping[str, str]

    def in_force(self) -> list[Setting]:
        """Return every setting as it is in force, secrets hidden."""
        return [
            Setting(name, _shown(getattr(self.settings, name)), self.origins.get(name, "default"))
            for name in Settings.model_fields
        ]


def _loaded(from_file: Mapping[str, Any], path: Path | None) -> LoadedSettings:
    from_environment = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in os.environ.items()
        if name.startswith(PREFIX) and name != FILE_VARIABLE
    }
    unknown = [
        # The value may be a password whose name is misspelt.
        InvalidInput(shown, HIDDEN, _similar(name))
        for shown, name in (
            *((PREFIX + name.upper(), name) for name in from_environment),
            *((f"{name} in {path}", name) for name in from_file),
        )
        if name not in Settings.model_fields
    ]
    if unknown:
        raise InvalidOptions("settings", unknown)
    try:
        # The environment is read by pydantic-settings itself; what it sets goes before the file.
        settings = Settings(
            **{name: value for name, value in from_file.items() if name not in from_environment}
        )
    except ValidationError as error:
        problems = [_named(each, from_environment, path) for each in problems_of(error)]
        raise InvalidOptions("settings", problems) from None
    origins = {
        name: "environment" if name in from_environment else str(path)
        for name in (*from_file, *from_environment)
    }
    return LoadedSettings(settings, origins)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(
            "settings file", str(path), f"a readable file ({error.strerror})"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput("settings file", str(path), f"TOML in UTF-8 ({error})") from None


def _similar(name: str) -> str:
    near = difflib.get_close_matches(name, Settings.model_fields, n=1)
    return f"no such setting; did you mean {near[0]}?" if near else "no such setting"


def _named(
    problem: InvalidInput, from_environment: Mapping[str, str], path: Path | None
) -> InvalidInput:
    name = problem.field.partition(".")[0]
    if not name:  # the one rule over several settings, see `Settings`
        both = "smtp_username and smtp_password"
        return InvalidInput(both, "one without the other", problem.allowed)
    value = HIDDEN if name in _SECRETS else problem.value
    shown = PREFIX + name.upper() if name in from_environment else f"{problem.field} in {path}"
    return InvalidInput(shown, value, problem.allowed)


_SECRETS: Final = frozenset({"smtp_password"})


def _shown(value: object) -> str:
    match value:
        case None:
            return "-"
        case SecretStr():
            return HIDDEN
        case _:
            return str(value)
