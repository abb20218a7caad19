"""Messages by SMTP (RFC 5321), over one connection for each batch."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from smtplib import SMTP, SMTPDataError
from ssl import SSLSocket
from typing import Final

from testamur.adapters.notification.messages import Message, MessageWriter
from testamur.adapters.notification.smtp_server import (
    SERVICE_CLOSING,
    CannotConnect,
    MailServer,
    Problem,
    Security,
)
from testamur.application.errors import NotificationError
from testamur.application.ports.notification import (
    Delivered,
    Delivery,
    NotDelivered,
    Notification,
    StaffDelivery,
    StaffMessage,
    TemplateSet,
)

#: After so many failures of the connection in a row, the rest of a batch is not tried.
MOST_FAILURES: Final = 2


class SmtpNotifier:
    """Sends messages through a mail server.

    The connection is made when the first message is due and used for the whole batch. Where the
    server drops it between two messages it is made once more. A server that cannot be reached, or
    refuses the login, is not asked again for the same batch.

    What the server answers decides: it is permanent when it refuses the address or the message
    (5xx). What is about the moment (4xx), the connection, the login, the sender, or the right to
    send (5.7.x, RFC 3463) is temporary, because an operator can mend it.

    Args:
        host: Mail server, by the name that its certificate is for.
        port: Its port; 587 is usual for STARTTLS, 465 for TLS.
        sender: Who the messages are from, e.g. ``University <certificates@example.org>``.
        security: ``starttls``: a plain connection, encrypted before anything is told; ``tls``:
            encrypted from the beginning; ``none``: not encrypted, for a trusted network.
        username: For the login, if there is one; not with ``none``.
        password: For the login.
        timeout_seconds: How long to wait for the connection, and for each answer.
        templates: Folder with templates that go before the shipped ones.
        default_language: For learners whose language has no templates.
        ca_file: Certificates (PEM) to check the server's against, instead of the system's.

    Raises:
        InvalidInput: One of these is not allowed.
    """

    def __init__(  # noqa: PLR0913 - a mail server has that many settings
        self,
        host: str,
        port: int,
        *,
        sender: str,
        security: Security = "starttls",
        username: str | None = None,
        password: str | None = None,
        timeout_seconds: float = 30,
        templates: Path | None = None,
        default_language: str = "en",
        ca_file: Path | None = None,
    ) -> None:
        self._writer = MessageWriter(sender, templates, default_language)
        self._server = MailServer(
            host,
            port,
            security=security,
            username=username,
            password=password,
            timeout_seconds=timeout_seconds,
            ca_file=ca_file,
        )

    def deliver(self, notifications: Sequence[Notification]) -> Iterator[Delivery]:
        """Send messages in order, yielding the outcome of each as soon as it is known."""
        batch = _Batch(self._server, self._writer.sender)
        try:
            for notification in notifications:
                message = self._writer.write(notification)
                if isinstance(message, NotDelivered):
                    yield message
                elif problem := batch.send(message):
                    yield NotDelivered(
                        notification, problem.reason, problem.detail, problem.failure
                    )
                else:
                    yield Delivered(notification)
        finally:
            batch.end()

    def deliver_to_staff(self, messages: Sequence[StaffMessage]) -> Iterator[StaffDelivery]:
        """Send messages to staff in order, yielding the outcome of each as soon as it is known."""
        batch = _Batch(self._server, self._writer.sender)
        try:
            for each in messages:
                message = self._writer.write_to_staff(each)
                if isinstance(message, StaffDelivery):
                    yield message
                elif problem := batch.send(message):
                    yield StaffDelivery(each, problem.reason, problem.failure)
                else:
                    yield StaffDelivery(each)
        finally:
            batch.end()

    def try_out(self, templates: TemplateSet) -> None:
        """Make sure that templates of a configuration can be used.

        Raises:
            InvalidInput: One of them is missing or cannot be rendered.
        """
        self._writer.try_out(templates)

    def check(self) -> str:
        """Connect, encrypt, log in and say NOOP; return what was found.

        Raises:
            NotificationError: Which of these fails, and how to mend it.
        """
        try:
            client = self._server.connect()
        except CannotConnect as error:
            raise NotificationError(f"{error.problem.reason}: {error}") from error
        try:
            code, said = client.noop()
            found = (
                f"{self._server} answers; {_encryption(client)}; "
                f"{_login(self._server)}; international addresses: "
                f"{'yes' if client.has_extn('smtputf8') else 'no'}"
            )
        except OSError as error:
            problem = self._server.problem_of(error)
            raise NotificationError(f"{problem.reason}: {problem.detail}") from error
        finally:
            _hang_up(client)
        if code != 250:
            problem = self._server.problem_of_reply(code, said)
            raise NotificationError(f"{problem.reason}: {problem.detail}")
        return found


class _Lost(Exception):
    """The connection was lost; the message may have been taken all the same."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.detail)


class _LostBefore(_Lost):
    """The connection was lost before the message was handed over: it can be tried again."""


class _Batch:
    """The messages of one batch and their connection, which is made when it is needed."""

    def __init__(self, server: MailServer, sender: str) -> None:
        self._server = server
        self._sender = sender
        self._client: SMTP | None = None
        self._failures = 0
        self._given_up: Problem | None = None

    def send(self, message: Message) -> Problem | None:
        """Send a message; return why it was not taken, or None."""
        if self._given_up:
            return self._given_up
        was_in_use = self._client is not None
        try:
            try:
                problem = self._hand_over(message)
            except _LostBefore:
                if not was_in_use:
                    raise
                problem = self._hand_over(message)
        except CannotConnect as error:
            self._given_up = error.problem
            return error.problem
        except _Lost as error:
            self._failures += 1
            if self._failures == MOST_FAILURES:
                self._given_up = error.problem
            return error.problem
        self._failures = 0
        return problem

    def end(self) -> None:
        """Close the connection, if there is one."""
        if self._client is not None:
            _hang_up(self._client)
            self._client = None

    def _hand_over(self, message: Message) -> Problem | None:
        if self._client is None:
            self._client = self._server.connect()
        client = self._client
        options = []
        if message.needs_smtputf8:
            if not client.has_extn("smtputf8"):
                return Problem("bad-address", f"{self._server} {_NO_SMTPUTF8}", "permanent")
            options = ["SMTPUTF8", "BODY=8BITMIME"]
        content = message.email.as_bytes()
        if client.has_extn("size"):
            options.append(f"SIZE={len(content)}")
        try:
            code, said = client.mail(self._sender, options)
            sender_refused = code != 250
            if not sender_refused:
                code, said = client.rcpt(message.recipient)
        except OSError as error:
            self._drop(client)
            raise _LostBefore(self._server.problem_of(error)) from error
        if code == SERVICE_CLOSING:
            self._drop(client)
            raise _LostBefore(self._problem(message, code, said))
        if sender_refused or code not in (250, 251):
            self._reset(client)
            return self._problem(message, code, said, about_sender=sender_refused)
        try:
            code, said = _send_content(client, content)
        except OSError as error:
            self._drop(client)
            raise _Lost(self._server.problem_of(error)) from error
        if code != 250:
            self._reset(client)
            return self._problem(message, code, said)
        return None

    def _problem(
        self, message: Message, code: int, said: bytes, *, about_sender: bool = False
    ) -> Problem:
        problem = self._server.problem_of_reply(code, said, about_sender=about_sender)
        # Servers like to repeat the address; it is nobody's business in a log.
        address = re.compile(re.escape(message.recipient), re.IGNORECASE)
        return replace(problem, detail=address.sub("(the address)", problem.detail))

    def _reset(self, client: SMTP) -> None:
        # The outcome of this message is known; a connection that breaks is the next one's matter.
        try:
            client.rset()
        except OSError:
            self._drop(client)

    def _drop(self, client: SMTP) -> None:
        client.close()
        self._client = None


_NO_SMTPUTF8: Final = (
    "takes only ASCII before the @ of an address: it lacks the extension SMTPUTF8 (RFC 6531)"
)


def _send_content(client: SMTP, content: bytes) -> tuple[int, bytes]:
    try:
        return client.data(content)
    except SMTPDataError as refused:
        said = refused.smtp_error
        return refused.smtp_code, said if isinstance(said, bytes) else said.encode()


def _hang_up(client: SMTP) -> None:
    # What was taken was taken; how the server says goodbye changes nothing.
    with suppress(OSError):
        client.quit()
    client.close()


def _login(server: MailServer) -> str:
    return f"logged in as {server.username}" if server.username else "no login"


def _encryption(client: SMTP) -> str:
    version = client.sock.version() if isinstance(client.sock, SSLSocket) else None
    return f"encrypted with {version}" if version else "not encrypted"
