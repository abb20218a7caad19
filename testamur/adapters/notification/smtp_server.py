"""A mail server: how it is reached, and what its answers mean."""

import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from smtplib import (
    SMTP,
    SMTP_SSL,
    SMTPAuthenticationError,
    SMTPException,
    SMTPResponseException,
    SMTPServerDisconnected,
)
from typing import Final, Literal

from testamur.adapters.notification.wording import one_line
from testamur.domain.errors import InvalidInput

Security = Literal["starttls", "tls", "none"]

#: The server is going down, or has had enough of this connection (RFC 5321, section 4.2.3).
SERVICE_CLOSING: Final = 421

#: A message is larger than the server takes (RFC 1870, section 6.1).
TOO_LARGE: Final = 552

#: These are about the login, whatever they answer (RFC 4954, section 6).
LOGIN_REPLIES: Final = frozenset({454, 530, 534, 535, 538})

_ABOUT_RIGHTS = re.compile(rb"\s*5\.7\.\d+\b")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a message was not taken; the fields are those of :class:`NotDelivered`."""

    reason: str
    detail: str
    failure: Literal["temporary", "permanent"] = "temporary"


class CannotConnect(Exception):
    """The server cannot be used now."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.detail)


class MailServer:
    """A mail server and how it is reached; the arguments are those of :class:`SmtpNotifier`.

    Raises:
        InvalidInput: An argument could never work, or would give the password away.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        security: Security,
        username: str | None,
        password: str | None,
        timeout_seconds: float,
        ca_file: Path | None,
    ) -> None:
        if timeout_seconds <= 0:
            raise InvalidInput("timeout_seconds", timeout_seconds, "more than 0")
        self._host = host
        self._port = port
        self._security = security
        self._login = _checked_login(security, username, password)
        self._timeout_seconds = timeout_seconds
        self._trust = _trust(ca_file) if ca_file else None

    def __str__(self) -> str:
        return f"{self._host}:{self._port}"

    @property
    def username(self) -> str | None:
        """Who logs in, if anybody."""
        return self._login[0] if self._login else None

    def connect(self) -> SMTP:
        """Connect, encrypt, and log in.

        Raises:
            CannotConnect: One of these fails; the problem says which, and what to do about it.
        """
        try:
            client = self._open()
        except OSError as error:
            raise CannotConnect(self.problem_of(error)) from error
        try:
            if self._security == "starttls":
                self._encrypt(client)
            client.ehlo_or_helo_if_needed()
            if self._login:
                self._log_in(client, *self._login)
        except (OSError, ValueError) as error:
            client.close()
            raise CannotConnect(self.problem_of(error)) from error
        except CannotConnect:
            client.close()
            raise
        return client

    def problem_of(self, error: Exception) -> Problem:
        """Return what a failed connection means."""
        if isinstance(error, ssl.SSLCertVerificationError):
            return Problem(
                "untrusted-certificate",
                f"{self} showed a certificate that is not trusted: {error.verify_message}; give "
                "the file of its authority, or the host by the name that the certificate is for",
            )
        if isinstance(error, ssl.SSLError):
            return Problem(
                "no-encryption",
                f"{self} cannot be talked to in TLS: {error.reason}; is it a port for STARTTLS?",
            )
        if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
            return Problem("timed-out", f"{self} gave no answer in {self._timeout_seconds:g} s")
        if isinstance(error, SMTPResponseException):
            return Problem("unreachable", f"{self} answered {_answer(error)}")
        if isinstance(error, SMTPServerDisconnected):
            return Problem("unreachable", f"{self} closed the connection")
        return Problem("unreachable", f"{self}: {getattr(error, 'strerror', None) or error}")

    def problem_of_reply(self, code: int, said: bytes, *, about_sender: bool = False) -> Problem:
        """Return what a reply means that is not the one hoped for.

        Args:
            code: Three digits (RFC 5321, section 4.2).
            said: The text beside it, which may begin with an enhanced code (RFC 3463).
            about_sender: Whether it answers to the sender alone, before any recipient was named.
        """
        detail = f"{self} answered {code} {_decoded(said)}"
        if code in LOGIN_REPLIES:
            return Problem("login-refused", detail)
        if code < 500:
            return Problem("deferred", detail)
        if _ABOUT_RIGHTS.match(said):
            return Problem("not-permitted", detail)
        if about_sender and code != TOO_LARGE:
            return Problem("sender-refused", detail)
        return Problem("refused", detail, "permanent")

    def _open(self) -> SMTP:
        if self._security == "tls":
            return SMTP_SSL(
                self._host, self._port, timeout=self._timeout_seconds, context=self._context()
            )
        return SMTP(self._host, self._port, timeout=self._timeout_seconds)

    def _context(self) -> ssl.SSLContext:
        # Reading the system's certificates takes a while, so it waits until they are needed.
        return self._trust or ssl.create_default_context()

    def _encrypt(self, client: SMTP) -> None:
        client.ehlo_or_helo_if_needed()
        if not client.has_extn("starttls"):
            raise CannotConnect(
                Problem(
                    "no-starttls",
                    f"{self} does not offer STARTTLS, so it was told nothing; set security to tls "
                    "and use its port for TLS, or to none where the network is trusted",
                )
            )
        client.starttls(context=self._context())

    def _log_in(self, client: SMTP, username: str, password: str) -> None:
        try:
            client.login(username, password)
        except SMTPAuthenticationError as error:
            refused = f"refused the login of {username}: {_answer(error)}".replace(password, "…")
            raise CannotConnect(Problem("login-refused", f"{self} {refused}")) from None
        except (SMTPServerDisconnected, SMTPResponseException):
            raise
        except SMTPException as error:
            detail = f"{self} takes no login here, so set no username: {error}"
            raise CannotConnect(Problem("login-refused", detail)) from error


def _checked_login(
    security: Security, username: str | None, password: str | None
) -> tuple[str, str] | None:
    if username is None and password is None:
        return None
    if username is None or password is None:
        missing = "username" if username is None else "password"
        raise InvalidInput(missing, None, "username and password, or neither")
    if security == "none":
        allowed = "starttls or tls where there is a login, so that nobody reads it"
        raise InvalidInput("security", security, allowed)
    for name, value in [("username", username), ("password", password)]:
        if not value.isascii() or not value:
            raise InvalidInput(name, "(hidden)", "ASCII characters, at least one")
    return username, password


def _trust(ca_file: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        reason = error.strerror or error
        raise InvalidInput(
            "ca_file", str(ca_file), f"a readable file with certificates in PEM ({reason})"
        ) from error


def _answer(error: SMTPResponseException) -> str:
    said = error.smtp_error
    return f"{error.smtp_code} {_decoded(said) if isinstance(said, bytes) else said}"


def _decoded(said: bytes) -> str:
    return one_line(said.decode("utf-8", "replace"))
