"""Settings: from the environment (``TESTAMUR_*``) and a TOML file, checked by name and value."""

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formataddr
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from testamur.adapters.signing.files import SigningKeyFiles
from testamur.application.guarding import MostNew, ScaleFactor
from testamur.application.options import problems_of
from testamur.domain.errors import InvalidInput, InvalidOptions
from testamur.entrypoints.option_tables import (
    HIDDEN,
    OPTION_TABLES,
    PREFIX,
    TABLES,
    Environment,
    over,
    setting_of,
    tables_in,
    variables,
)
from testamur.entrypoints.setting_values import (
    DatabaseLocation,
    GivenPath,
    KeyName,
    LanguageTag,
    LogKeyText,
    MailAddress,
    MasterKeyText,
    PostgresUrl,
    QueueLocation,
    SchemaName,
    TimeZoneName,
    WebAddress,
    without_password,
)

FILE_VARIABLE: Final = "TESTAMUR_SETTINGS"
"""Names the settings file; without it, ``testamur.toml`` in the working directory is read."""

DEFAULT_FILE: Final = Path("testamur.toml")

#: Options of a plugin; which there are, the plugin says when an installation is opened.
_Options = Annotated[dict[str, Any], NoDecode, Field(repr=False)]

_SigningKeys = Annotated[dict[KeyName, SigningKeyFiles], NoDecode, Field(repr=False)]


class Settings(BaseSettings):
    """What is in force. Every field is set by ``TESTAMUR_`` and its name in capitals.

    Args:
        data_folder: Where everything lies that is not put elsewhere.
        database: Where the events are: an SQLite file, or ``postgresql://USER@HOST/DATABASE``; by
            default the file ``testamur.db`` in the data folder.
        database_schema: Schema of a PostgreSQL database that the tables are in.
        database_pool_size: The most connections to PostgreSQL that one process opens.
        database_connect_timeout_seconds: Time allowed for opening a connection to PostgreSQL.
        database_lock_timeout_seconds: How long to wait for others that write.
        database_reconnect_seconds: How long to go on trying while PostgreSQL restarts.
        master_key: Key that the learners' keys are wrapped under.
        master_key_file: File with that key.
        master_key_next: Key that takes its place.
        master_key_next_file: File with that key.
        storage_folder: Where documents and assets lie; by default ``files`` in the data folder.
        storage: Plugin that keeps documents and assets, by name or path.
        storage_options: Options of a storage other than ``local``.
        source: Plugin that says who has earned what, by name or path; by default ``files`` where
            there is a ``source_folder``.
        source_folder: Folder with the data files of the source ``files``.
        source_options: Options of another source.
        course_dates_every_seconds: How often the dates of courses are asked for that issue windows
            follow.
        queue: How work is done; ``inline``: at once, in the same process; ``redis://…``: by
            workers, that take it from a Redis or Valkey server.
        queue_namespace: What the names of all keys on that server begin with.
        worker_processes: Processes that `testamur worker` starts.
        worker_threads: Threads in each of them.
        log_format: How workers and the scheduler write their log; ``json``: an object a line.
        metrics_port: Where workers give out metrics and tell of their health; None: nowhere.
        metrics_host: Address of this machine that others reach that port at.
        time_zone: In which dates are told (IANA name).
        default_language: For learners whose own is not known (BCP 47).
        public_url: Where the public finds credentials; links and QR codes lead there.
        guard_max_new_per_run: The most that a run may award before somebody has to approve it,
            unless a type or configuration says otherwise.
        guard_change_of_scale: How many times what runs usually award one may, likewise.
        attach_documents: Whether messages carry the document; by default only where there is no
            ``public_url``.
        notifier: Plugin that tells learners, by name or path; ``outbox``: messages are written as
            files; ``smtp``: they are sent.
        notifier_options: Options of another notifier.
        outbox_folder: Where messages are written; by default ``outbox`` in the data folder.
        mail_sender: Address that messages come from.
        mail_sender_name: Name that messages come from.
        mail_templates: Folder whose templates go before those that come with Testamur.
        mail_cap_per_hour: The most messages that are sent within any hour; the rest waits.
        smtp_host: Mail server.
        smtp_port: Its port; 587 is usual for STARTTLS, 465 for TLS.
        smtp_security: How the connection is protected; ``none`` only on a trusted network.
        smtp_username: For the login, if the server asks for one.
        smtp_password: For the login.
        smtp_timeout_seconds: Time allowed for each answer of the server.
        smtp_ca_file: Certificates that the server's is checked against, instead of the system's.
        signing_keys: Keys that documents are signed with, by name.
        log_key: Key that the log is sealed with: a file (PEM), or the PEM itself; by default
            ``log-key.pem`` in the data folder, made when it is first needed.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        extra="forbid",
        frozen=True,
        env_ignore_empty=False,
        hide_input_in_errors=True,  # it holds the password
    )

    data_folder: GivenPath = Path("testamur-data")
    database: Annotated[DatabaseLocation | None, NoDecode] = None
    database_schema: SchemaName = "testamur"
    database_pool_size: Annotated[int, Field(ge=2, le=1000)] = 10
    database_connect_timeout_seconds: Annotated[int, Field(ge=2, le=600)] = 10
    database_lock_timeout_seconds: Annotated[float, Field(ge=0.1, le=3600)] = 30.0
    database_reconnect_seconds: Annotated[float, Field(ge=0, le=3600)] = 30.0
    master_key: MasterKeyText | None = None
    master_key_file: GivenPath | None = None
    master_key_next: MasterKeyText | None = None
    master_key_next_file: GivenPath | None = None
    storage_folder: GivenPath | None = None
    storage: str = "local"
    storage_options: _Options = {}
    source: str | None = None
    source_folder: GivenPath | None = None
    source_options: _Options = {}
    course_dates_every_seconds: Annotated[int, Field(ge=60, le=3600)] = 600
    queue: Annotated[QueueLocation, NoDecode] = "inline"
    queue_namespace: Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")] = "testamur"
    worker_processes: Annotated[int, Field(ge=1, le=256)] = 2
    worker_threads: Annotated[int, Field(ge=1, le=256)] = 4
    log_format: Literal["text", "json"] = "text"
    metrics_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    metrics_host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    time_zone: TimeZoneName = "UTC"
    default_language: LanguageTag = "en"
    public_url: WebAddress | None = None
    guard_max_new_per_run: MostNew | None = None
    guard_change_of_scale: ScaleFactor | None = None
    attach_documents: bool | None = None
    notifier: str = "outbox"
    notifier_options: _Options = {}
    outbox_folder: GivenPath | None = None
    mail_sender: MailAddress = "certificates@testamur.invalid"
    mail_sender_name: str | None = None
    mail_templates: GivenPath | None = None
    mail_cap_per_hour: Annotated[int, Field(ge=1)] | None = None
    smtp_host: str = "localhost"
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 587
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0
    smtp_ca_file: GivenPath | None = None
    signing_keys: _SigningKeys = {}
    log_key: LogKeyText | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take settings from arguments, then from the environment."""
        return init_settings, Environment(settings_cls)

    @model_validator(mode="after")
    def _login_is_whole(self) -> "Settings":
        if (self.smtp_username is None) != (self.smtp_password is None):
            raise ValueError("both or neither")
        return self

    @property
    def database_location(self) -> Path | PostgresUrl:
        """Where the events are."""
        return self.database or self.data_folder / "testamur.db"

    @property
    def database_file(self) -> Path:
        """The SQLite file with the events.

        Raises:
            InvalidInput: They are in PostgreSQL.
        """
        if isinstance(self.database_location, PostgresUrl):
            raise InvalidInput("database", str(self.database_location), "an SQLite file here")
        return self.database_location

    @property
    def files_folder(self) -> Path:
        """Where documents and assets lie."""
        return self.storage_folder or self.data_folder / "files"

    @property
    def messages_folder(self) -> Path:
        """Where the outbox writes messages."""
        return self.outbox_folder or self.data_folder / "outbox"

    @property
    def log_key_setting(self) -> str | None:
        """What the setting says of the key that the log is sealed with."""
        return None if self.log_key is None else self.log_key.get_secret_value()

    @property
    def log_key_file(self) -> Path:
        """Where that key lies unless the setting says so."""
        return self.data_folder / "log-key.pem"

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
        name: Name of the field; of an option, ``source_options.url`` and the like.
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
        """Return every setting as it is in force, options one by one, secrets hidden."""
        return [
            Setting(name, value, self.origins.get(name, "default"))
            for field in Settings.model_fields
            for name, value in self._shown(field)
        ]

    def _shown(self, field: str) -> list[tuple[str, str]]:
        value = getattr(self.settings, field)
        if field == "signing_keys" and value:
            return [
                (f"{field}.{name}.{part}", _shown(getattr(files, part)))
                for name, files in value.items()
                for part in SigningKeyFiles.model_fields
                if part in files.model_fields_set
            ]
        if field in OPTION_TABLES and value:
            from testamur.entrypoints.choices import shown_options

            options = shown_options(self.settings, field)
            return [(f"{field}.{option}", shown) for option, shown in options.items()]
        return [(field, _shown(value))]


def _loaded(from_file: Mapping[str, Any], path: Path | None) -> LoadedSettings:
    from_environment = variables(
        {name: value for name, value in os.environ.items() if name != FILE_VARIABLE}
    )
    unknown = [
        # The value may be a password whose name is misspelt.
        InvalidInput(shown, HIDDEN, _similar(name))
        for shown, name in (
            *((PREFIX + name.upper(), setting_of(name)) for name in from_environment),
            *((f"{name} in {path}", name) for name in from_file),
        )
        if name not in Settings.model_fields
    ]
    if unknown:
        raise InvalidOptions("settings", unknown)
    tables = tables_in(from_environment)
    below = {name: value for name, value in from_file.items() if name not in from_environment}
    for name in tables.keys() & from_file.keys():
        # The environment goes before the file, option by option.
        if isinstance(from_file[name], Mapping):
            below[name] = over(tables[name], from_file[name])
    try:
        settings = Settings(**below)  # it reads the environment itself
    except ValidationError as error:
        problems = [_named(each, from_environment, path) for each in problems_of(error)]
        raise InvalidOptions("settings", problems) from None
    return LoadedSettings(settings, _origins(from_file, str(path), from_environment, tables))


def _origins(
    from_file: Mapping[str, Any],
    file: str,
    from_environment: Mapping[str, str],
    tables: Mapping[str, Mapping[str, Any]],
) -> dict[str, str]:
    """Return where each setting comes from, and each option of a table."""
    in_file = _names(from_file)
    plain = [name for name in from_environment if setting_of(name) not in TABLES]
    in_environment = _names(dict.fromkeys(plain) | dict(tables))
    return dict.fromkeys(in_file, file) | dict.fromkeys(in_environment, "environment")


def _names(settings: Mapping[str, Any]) -> list[str]:
    return [
        name
        for setting, value in settings.items()
        for name in (
            _names_in(setting, value, depth=2 if setting == "signing_keys" else 1)
            if setting in TABLES
            else [setting]
        )
    ]


def _names_in(name: str, value: object, depth: int) -> list[str]:
    """Return the names of what a table holds, or its own where it holds nothing."""
    if depth == 0 or not value or not isinstance(value, Mapping):
        return [name]
    return [
        each
        for key, inner in value.items()
        for each in _names_in(f"{name}.{key}", inner, depth - 1)
    ]


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
    if name in ("database", "queue") and isinstance(value, str):
        value = without_password(value)
    if name in from_environment:
        shown = PREFIX + name.upper()
    elif name in map(setting_of, from_environment):
        shown = problem.field  # a table of which the environment holds a part
    else:
        shown = f"{problem.field} in {path}"
    return InvalidInput(shown, value, problem.allowed)


_SECRETS: Final = frozenset({"smtp_password", "log_key", "master_key", "master_key_next", *TABLES})


def _shown(value: object) -> str:
    if value is None or value == {}:
        return "-"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return HIDDEN if isinstance(value, SecretStr) else str(value)
