"""The plugins ``outbox`` and ``smtp``: ways of telling learners that settings choose."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from testamur.adapters.notification.outbox import OutboxNotifier
from testamur.adapters.notification.smtp import SmtpNotifier
from testamur.adapters.notification.smtp_server import Security


class MailOptions(BaseModel):
    """What messages are like, whichever way they go.

    Args:
        sender: Who they are from, e.g. ``University <certificates@example.org>``.
        templates: Folder whose templates go before those that come with Testamur.
        default_language: For learners whose language has no templates (BCP 47).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sender: str
    templates: Path | None = None
    default_language: str = "en"


class OutboxOptions(MailOptions):
    """Where messages are written.

    Args:
        folder: Where they go; made if it is not there.
    """

    folder: Path


class SmtpOptions(MailOptions):
    """How to reach the mail server.

    Args:
        host: Mail server, by the name that its certificate is for.
        port: Its port; 587 is usual for STARTTLS, 465 for TLS.
        security: How the connection is protected; ``none`` only on a trusted network.
        username: For the login, if the server asks for one.
        password: For the login.
        timeout_seconds: Time allowed for each answer of the server.
        ca_file: Certificates (PEM) that the server's is checked against, instead of the system's.
    """

    host: str = "localhost"
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Security = "starttls"
    username: str | None = None
    password: SecretStr | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0
    ca_file: Path | None = None


class Outbox(OutboxNotifier):
    """Writes messages as files, for trying it out."""

    options_model = OutboxOptions

    def __init__(self, options: OutboxOptions) -> None:
        super().__init__(
            options.folder,
            sender=options.sender,
            templates=options.templates,
            default_language=options.default_language,
        )


class Smtp(SmtpNotifier):
    """Sends messages through a mail server."""

    options_model = SmtpOptions

    def __init__(self, options: SmtpOptions) -> None:
        password = options.password
        super().__init__(
            options.host,
            options.port,
            sender=options.sender,
            security=options.security,
            username=options.username,
            password=password.get_secret_value() if password else None,
            timeout_seconds=options.timeout_seconds,
            templates=options.templates,
            default_language=options.default_language,
            ca_file=options.ca_file,
        )
