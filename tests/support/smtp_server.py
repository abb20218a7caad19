"""A real SMTP server on this machine, with STARTTLS, login, and manners to be chosen."""

import asyncio
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import getaddresses
from pathlib import Path
from typing import Any, Final, Literal

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Received:
    """A message that the server took."""

    sender: str
    recipients: tuple[str, ...]
    options: tuple[str, ...]
    content: bytes
    connection: int
    encrypted: bool

    @property
    def email(self) -> EmailMessage:
        """The message as a mail program reads it."""
        return message_from_bytes(self.content, policy=policy.default)

    @property
    def addressee(self) -> tuple[str, str]:
        """Name and address in the To header.

        The reader behind :attr:`email` puts spaces between encoded words, against RFC 2047.
        """
        ((name, address),) = getaddresses([message_from_bytes(self.content)["To"]])
        return str(make_header(decode_header(name))), address


#: What may go wrong: ``deferred``: the answer is 451; ``dropped``: there is none, the connection is
#: closed; ``slow``: it takes a while.
Trouble = Literal["deferred", "dropped", "slow"]

#: Where it goes wrong: ``recipient``: when a recipient is named; ``content``: when the message is
#: there. One whose connection is dropped then was taken all the same.
Place = Literal["recipient", "content"]

#: How long a slow server takes for a message.
SLOW_SECONDS: Final = 0.5

_DEFERRED: Final = "451 4.3.0 Not now, try again later"


@dataclass
class Mailbox:
    """What the server took, and how it is to answer.

    Args:
        refusals: Recipient -> the whole reply to RCPT.
        sender_reply: Reply to MAIL, instead of accepting.
        content_reply: Reply to the content, instead of accepting.
        hang_up_before: Recipients before whom the connection is dropped, each of them once.
        hang_up_after: Recipients after whose content the connection is dropped without a reply.
        closing_before: Recipients who are answered 421 and a closed connection, each of them once.
        silent_after: Recipients to whose content there is no answer.
        without_extensions: Extensions that are not offered.
        seconds_a_message: How long it takes to take a message.
        drawn: Asked, for each message and place, what goes wrong there; None: nothing.
        troubles: How often which trouble was met.
    """

    refusals: dict[str, str] = field(default_factory=dict)
    sender_reply: str | None = None
    content_reply: str | None = None
    hang_up_before: set[str] = field(default_factory=set)
    hang_up_after: set[str] = field(default_factory=set)
    closing_before: set[str] = field(default_factory=set)
    silent_after: set[str] = field(default_factory=set)
    without_extensions: set[str] = field(default_factory=set)
    seconds_a_message: float = 0.0
    drawn: Callable[[Place], Trouble | None] | None = None
    troubles: Counter[tuple[Place, Trouble]] = field(default_factory=Counter)
    received: list[Received] = field(default_factory=list)
    attempts: list[str] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    connections: int = 0

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, name: str, replies: list[str]
    ) -> list[str]:
        session.host_name = name
        return [reply for reply in replies if reply[4:].split()[0] not in self.without_extensions]

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, sender: str, options: list[str]
    ) -> str:
        if self.sender_reply:
            return self.sender_reply
        envelope.mail_from = sender
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, to: str, options: list[str]
    ) -> str:
        self.attempts.append(to)
        trouble = await self._trouble("recipient")
        if trouble == "deferred":
            return _DEFERRED
        if trouble == "dropped":
            _hang_up(server)
        if to in self.hang_up_before:
            self.hang_up_before.remove(to)
            _hang_up(server)
        if to in self.closing_before:
            self.closing_before.remove(to)
            await server.push("421 4.3.2 That is enough for one connection")
            _hang_up(server)
        if to in self.refusals:
            return self.refusals[to]
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.content_reply:
            return self.content_reply
        trouble = await self._trouble("content")
        if trouble == "deferred":
            return _DEFERRED
        assert isinstance(envelope.content, bytes)
        if self.seconds_a_message:
            await asyncio.sleep(self.seconds_a_message)
        self.received.append(
            Received(
                sender=envelope.mail_from or "",
                recipients=tuple(envelope.rcpt_tos),
                options=tuple(envelope.mail_options),
                content=envelope.content,
                connection=self.connections,
                encrypted=_transport(server).get_extra_info("ssl_object") is not None,
            )
        )
        if trouble == "dropped" or self.hang_up_after.intersection(envelope.rcpt_tos):
            _hang_up(server)
        if self.silent_after.intersection(envelope.rcpt_tos):
            await asyncio.sleep(3600)
        return "250 OK"

    async def _trouble(self, place: Place) -> Trouble | None:
        """Return what goes wrong now, and count it; what is slow is waited for."""
        trouble = self.drawn(place) if self.drawn is not None else None
        if trouble is not None:
            self.troubles[place, trouble] += 1
        if trouble == "slow":
            await asyncio.sleep(SLOW_SECONDS)
        return trouble


@dataclass(frozen=True)
class RunningServer:
    """A server that takes messages.

    Args:
        port: On 127.0.0.1.
        mailbox: What it took.
        ca_file: The authority of its certificate (PEM).
    """

    port: int
    mailbox: Mailbox
    ca_file: Path


@contextmanager
def smtp_server(
    folder: Path,
    mailbox: Mailbox | None = None,
    *,
    security: Literal["starttls", "tls", "none"] = "starttls",
    login: tuple[str, str] | None = None,
    certificate_for: str = HOST,
    international: bool = True,
    size_limit: int = 2**25,
) -> Iterator[RunningServer]:
    """Run a server while the context lasts.

    Args:
        folder: Where the file of its authority is put.
        mailbox: What it does; by default it takes everything.
        security: Whether and how it encrypts.
        login: Name and password without which it takes nothing.
        certificate_for: Host name or address in its certificate.
        international: Whether it offers SMTPUTF8.
        size_limit: Octets that a message may have.
    """
    authority = trustme.CA()
    ca_file = folder / "authority.pem"
    authority.cert_pem.write_to_path(ca_file)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(certificate_for).configure_cert(context)
    taken = mailbox or Mailbox()
    options: dict[str, Any] = {"enable_SMTPUTF8": international, "data_size_limit": size_limit}
    if security == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    if security == "tls":
        options |= {"ssl_context": context}
    if login:
        options |= {"authenticator": _authenticator(login, taken), "auth_required": True}
    controller = _Controller(taken, hostname=HOST, port=free_port(), **options)
    controller.start()
    taken.connections = 0  # starting makes one
    try:
        yield RunningServer(controller.port, taken, ca_file)
    finally:
        controller.stop()


@contextmanager
def scripted_server(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Run a function for every connection while the context lasts; yield the port."""
    listener = socket.create_server((HOST, 0))
    connections: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # closed
                return
            connections.append(connection)
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in connections:
            connection.close()
        thread.join(10)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


class _Controller(Controller):
    def factory(self) -> SMTP:
        self.handler.connections += 1
        server = SMTP(self.handler, **self.SMTP_kwargs)
        # A connection that is encrypted from the beginning is not seen as such by aiosmtpd.
        server._auth_require_tls = self.ssl_context is None
        return server


def _authenticator(login: tuple[str, str], mailbox: Mailbox) -> Callable[..., AuthResult]:
    def authenticate(
        server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: LoginPassword
    ) -> AuthResult:
        mailbox.logins.append((given.login.decode(), given.password.decode()))
        return AuthResult(success=mailbox.logins[-1] == login, handled=False)

    return authenticate


def _hang_up(server: SMTP) -> None:
    _transport(server).abort()
    raise ConnectionResetError


def _transport(server: SMTP) -> asyncio.WriteTransport:
    transport = server.transport
    assert isinstance(transport, asyncio.WriteTransport)
    return transport
