"""Messages reach a real mail server, and whatever it does is an outcome."""

import socket
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from testamur.adapters.notification.smtp import SmtpNotifier
from testamur.application.errors import NotificationError
from testamur.application.ports.notification import (
    Attachment,
    Delivered,
    Delivery,
    NotDelivered,
    Notification,
    Notifier,
)
from testamur.domain.errors import InvalidInput
from tests.support.notifications import notification
from tests.support.smtp_server import (
    HOST,
    Mailbox,
    RunningServer,
    free_port,
    scripted_server,
    smtp_server,
)

pytestmark = pytest.mark.integration

LOGIN = ("mailer", "s3cret-phrase")
SENDER = "University of Łódź <certificates@uni.example>"


def notifier(server: RunningServer, **settings: object) -> SmtpNotifier:
    merged = {"sender": SENDER, "ca_file": server.ca_file, "timeout_seconds": 5, **settings}
    return SmtpNotifier(HOST, server.port, **merged)  # type: ignore[arg-type]


def outcomes(deliveries: Sequence[Delivery]) -> list[str]:
    return [
        "delivered" if isinstance(each, Delivered) else f"{each.reason}, {each.failure}"
        for each in deliveries
    ]


def problem(delivery: Delivery) -> NotDelivered:
    assert isinstance(delivery, NotDelivered)
    return delivery


def answering(**replies: bytes) -> Callable[[socket.socket], None]:
    """Return a server that gives these replies to commands, and agrees to all others.

    After an empty reply it hangs up.
    """

    def serve(connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            connection.sendall(b"220 mail.example\r\n")
            for line in lines:
                reply = replies.get(line[:4].decode().lower(), b"250 OK")
                if not reply:
                    return
                connection.sendall(reply + b"\r\n")

    return serve


def to(*names: str) -> list[Notification]:
    return [notification(f"{name}@learners.example") for name in names]


def test_a_batch_is_taken_with_login_over_one_encrypted_connection(tmp_path: Path) -> None:
    with smtp_server(tmp_path, login=LOGIN) as server:
        sending: Notifier = notifier(server, username=LOGIN[0], password=LOGIN[1])

        deliveries = list(sending.deliver(to("ada", "bob", "eve")))

    mailbox = server.mailbox
    assert outcomes(deliveries) == ["delivered"] * 3
    assert [each.notification.email for each in deliveries] == [
        each.recipients[0] for each in mailbox.received
    ]
    assert {each.sender for each in mailbox.received} == {"certificates@uni.example"}
    assert all(each.encrypted for each in mailbox.received)
    assert (mailbox.connections, mailbox.logins) == (1, [LOGIN])


def test_a_connection_that_is_encrypted_from_the_beginning_works_as_well(tmp_path: Path) -> None:
    with smtp_server(tmp_path, security="tls", login=LOGIN) as server:
        sending = notifier(server, security="tls", username=LOGIN[0], password=LOGIN[1])

        assert outcomes(list(sending.deliver(to("ada")))) == ["delivered"]

    assert server.mailbox.received[0].encrypted


def test_a_trusted_network_needs_neither_encryption_nor_login(tmp_path: Path) -> None:
    with smtp_server(tmp_path, security="none") as server:
        sending = notifier(server, security="none")

        assert outcomes(list(sending.deliver(to("ada")))) == ["delivered"]

    assert not server.mailbox.received[0].encrypted


def test_what_is_sent_reads_back_as_what_was_meant(tmp_path: Path) -> None:
    told = notification(
        "ada@learners.example",
        full_name="अदिति 山田, Żółć „Ada” <x>",
        type_name="Zaświadczenie ukończenia",
        context_name="Ćwiczenia z fizyki: światło i dźwięk, część druga – 物理学入門 و الفيزياء",
        issuer_name="Uniwersytet Łódzki",
        locale="pl",
        attachments=(
            Attachment("świadectwo.pdf", b"%PDF-\x00\xff\r\n.\r\n" * 999, "application/pdf"),
        ),
    )
    with smtp_server(tmp_path) as server:
        assert outcomes(list(notifier(server).deliver([told]))) == ["delivered"]

    email = server.mailbox.received[0].email
    assert email["From"].addresses[0].display_name == "University of Łódź"
    assert server.mailbox.received[0].addressee == (told.full_name, told.email)
    assert email["Subject"] == (f"Twój dokument jest gotowy: {told.type_name}, {told.context_name}")
    assert email["Message-ID"] == told.message_id
    assert email["Date"].datetime == told.created_at
    assert email["Auto-Submitted"] == "auto-generated"
    assert email["Content-Language"] == "pl"
    (attached,) = email.iter_attachments()
    assert attached.get_filename() == "świadectwo.pdf"
    assert attached.get_content() == told.attachments[0].content
    text, html = (email.get_body([kind]) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    assert f"Dzień dobry, {told.full_name}!" in text.get_content()
    assert "Żółć „Ada” &lt;x&gt;" in html.get_content()
    assert max(map(len, server.mailbox.received[0].content.split(b"\r\n"))) <= 78


def test_a_wrong_password_leaves_all_for_later_and_is_told_once(tmp_path: Path) -> None:
    with smtp_server(tmp_path, login=LOGIN) as server:
        sending = notifier(server, username=LOGIN[0], password="wrong-phrase")

        deliveries = list(sending.deliver(to("ada", "bob", "eve")))

    assert outcomes(deliveries) == ["login-refused, temporary"] * 3
    assert problem(deliveries[0]).detail == (
        f"{HOST}:{server.port} refused the login of mailer: 535 5.7.8 Authentication credentials "
        "invalid"
    )
    assert server.mailbox.connections == 1
    assert "wrong-phrase" not in f"{deliveries}{sending!r}{vars(sending)}"


def test_a_server_without_login_is_a_matter_for_the_operator(tmp_path: Path) -> None:
    mailbox = Mailbox(without_extensions={"AUTH"})
    with smtp_server(tmp_path, mailbox) as server:
        sending = notifier(server, username=LOGIN[0], password=LOGIN[1])

        deliveries = list(sending.deliver(to("ada")))

    assert outcomes(deliveries) == ["login-refused, temporary"]
    assert "takes no login here" in problem(deliveries[0]).detail


def test_a_server_that_wants_a_login_first_is_a_matter_for_the_operator(tmp_path: Path) -> None:
    with smtp_server(tmp_path, login=LOGIN) as server:
        deliveries = list(notifier(server).deliver(to("ada")))

    assert outcomes(deliveries) == ["login-refused, temporary"]
    assert "530 5.7.0 Authentication required" in problem(deliveries[0]).detail


def test_a_refused_address_is_final_and_the_others_are_told(tmp_path: Path) -> None:
    mailbox = Mailbox(
        refusals={
            "bob@learners.example": "550 5.1.1 <Bob@Learners.example> is nobody here",
            "eve@learners.example": "450 4.2.0 Come back in five minutes",
            "joe@learners.example": "554 5.7.1 Relay access denied",
        }
    )
    with smtp_server(tmp_path, mailbox) as server:
        deliveries = list(notifier(server).deliver(to("ada", "bob", "eve", "joe", "zoe")))

    assert outcomes(deliveries) == [
        "delivered",
        "refused, permanent",
        "deferred, temporary",
        "not-permitted, temporary",
        "delivered",
    ]
    assert [each.recipients for each in mailbox.received] == [
        ("ada@learners.example",),
        ("zoe@learners.example",),
    ]
    assert problem(deliveries[1]).detail == (
        f"{HOST}:{server.port} answered 550 5.1.1 <(the address)> is nobody here"
    )
    assert mailbox.connections == 1


@pytest.mark.parametrize(
    ("mailbox", "outcome"),
    [
        (Mailbox(content_reply="554 5.6.0 This is spam"), "refused, permanent"),
        (Mailbox(content_reply="451 4.3.0 Try later"), "deferred, temporary"),
        (Mailbox(content_reply="550 5.7.26 No DMARC"), "not-permitted, temporary"),
        (Mailbox(sender_reply="550 5.1.8 Who are you"), "sender-refused, temporary"),
        (Mailbox(sender_reply="452 4.3.1 Disk full"), "deferred, temporary"),
    ],
)
def test_other_refusals_are_final_only_where_trying_again_is_pointless(
    tmp_path: Path, mailbox: Mailbox, outcome: str
) -> None:
    with smtp_server(tmp_path, mailbox) as server:
        assert outcomes(list(notifier(server).deliver(to("ada", "bob")))) == [outcome] * 2

    assert mailbox.received == []
    assert mailbox.connections == 1


def test_a_message_that_is_too_large_is_refused_for_good(tmp_path: Path) -> None:
    large = replace(
        to("ada")[0], attachments=(Attachment("a.pdf", bytes(20_000), "application/pdf"),)
    )
    with smtp_server(tmp_path, size_limit=15_000) as server:
        deliveries = list(notifier(server).deliver([large, *to("bob")]))

    assert outcomes(deliveries) == ["refused, permanent", "delivered"]
    assert "552" in problem(deliveries[0]).detail


@pytest.mark.parametrize("how", ["hang_up_before", "closing_before"])
def test_a_connection_that_is_dropped_between_messages_is_made_again(
    tmp_path: Path, how: str
) -> None:
    mailbox = Mailbox(**{how: {"bob@learners.example"}})  # type: ignore[arg-type]
    with smtp_server(tmp_path, mailbox, login=LOGIN) as server:
        sending = notifier(server, username=LOGIN[0], password=LOGIN[1])

        deliveries = list(sending.deliver(to("ada", "bob", "eve")))

    assert outcomes(deliveries) == ["delivered"] * 3
    assert [each.recipients[0].partition("@")[0] for each in mailbox.received] == [
        "ada",
        "bob",
        "eve",
    ]
    assert [each.connection for each in mailbox.received] == [1, 2, 2]


def test_a_message_that_may_have_been_taken_is_not_sent_twice_in_a_batch(tmp_path: Path) -> None:
    mailbox = Mailbox(hang_up_after={"bob@learners.example"})
    with smtp_server(tmp_path, mailbox) as server:
        deliveries = list(notifier(server).deliver(to("ada", "bob", "eve")))

    assert outcomes(deliveries) == ["delivered", "unreachable, temporary", "delivered"]
    assert problem(deliveries[1]).detail == f"{HOST}:{server.port} closed the connection"
    assert len(mailbox.received) == 3


def test_a_server_that_keeps_hanging_up_is_left_alone(tmp_path: Path) -> None:
    names = [f"learner{number}" for number in range(10)]
    mailbox = Mailbox(hang_up_after={f"{name}@learners.example" for name in names})
    with smtp_server(tmp_path, mailbox) as server:
        deliveries = list(notifier(server).deliver(to(*names)))

    assert outcomes(deliveries) == ["unreachable, temporary"] * 10
    assert mailbox.connections == 2


def test_a_server_that_hangs_up_on_a_new_connection_is_not_asked_twice_for_a_message(
    tmp_path: Path,
) -> None:
    mailbox = Mailbox(hang_up_before={"ada@learners.example"})
    with smtp_server(tmp_path, mailbox) as server:
        deliveries = list(notifier(server).deliver(to("ada", "bob")))

    assert outcomes(deliveries) == ["unreachable, temporary", "delivered"]
    assert mailbox.attempts == ["ada@learners.example", "bob@learners.example"]


@pytest.mark.parametrize(
    ("replies", "outcome"),
    [
        ({"data": b"451 4.3.0 Not now"}, "deferred, temporary"),
        ({"data": b"554 5.6.0 No"}, "refused, permanent"),
        ({"rcpt": b"550 5.1.1 Nobody", "rset": b""}, "refused, permanent"),
        ({"rcpt": b"no number"}, "deferred, temporary"),
        ({"ehlo": b"500 What", "helo": b"500 What"}, "unreachable, temporary"),
    ],
)
def test_a_server_with_few_manners_still_gives_an_outcome(
    replies: dict[str, bytes], outcome: str
) -> None:
    with scripted_server(answering(**replies)) as port:
        sending = SmtpNotifier(HOST, port, sender=SENDER, security="none", timeout_seconds=5)

        assert outcomes(list(sending.deliver(to("ada", "bob"))))[0] == outcome


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (b"", r"unreachable: 127\.0\.0\.1:\d+ closed the connection"),
        (b"451 Busy", r"deferred: 127\.0\.0\.1:\d+ answered 451 Busy"),
    ],
)
def test_a_check_of_a_server_that_does_not_even_agree_to_nothing_fails(
    reply: bytes, message: str
) -> None:
    with (
        scripted_server(answering(noop=reply)) as port,
        pytest.raises(NotificationError, match=message),
    ):
        SmtpNotifier(HOST, port, sender=SENDER, security="none", timeout_seconds=5).check()


def test_a_server_that_never_says_hello_is_given_up_after_the_time_out() -> None:
    with scripted_server(lambda connection: None) as port:
        sending = SmtpNotifier(HOST, port, sender=SENDER, timeout_seconds=0.2)
        started = time.monotonic()

        deliveries = list(sending.deliver(to("ada", "bob", "eve")))

    assert outcomes(deliveries) == ["timed-out, temporary"] * 3
    assert problem(deliveries[0]).detail == f"{HOST}:{port} gave no answer in 0.2 s"
    assert time.monotonic() - started < 2


def test_a_server_that_falls_silent_is_given_up_after_the_time_out(tmp_path: Path) -> None:
    mailbox = Mailbox(silent_after={"bob@learners.example"})
    with smtp_server(tmp_path, mailbox) as server:
        deliveries = list(notifier(server, timeout_seconds=0.5).deliver(to("ada", "bob", "eve")))

    assert outcomes(deliveries) == ["delivered", "timed-out, temporary", "delivered"]


def test_a_server_that_is_not_there_is_asked_once() -> None:
    sending = SmtpNotifier(HOST, free_port(), sender=SENDER, timeout_seconds=5)

    deliveries = list(sending.deliver(to("ada", "bob")))

    assert outcomes(deliveries) == ["unreachable, temporary"] * 2
    assert "Connection refused" in problem(deliveries[0]).detail


def test_a_host_without_an_address_is_unreachable() -> None:
    sending = SmtpNotifier("", 25, sender=SENDER)

    with pytest.raises(NotificationError):
        sending.check()


def test_something_that_is_not_smtp_is_unreachable() -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.close()

    with scripted_server(serve) as port:
        sending = SmtpNotifier(HOST, port, sender=SENDER, timeout_seconds=5)

        assert outcomes(list(sending.deliver(to("ada")))) == ["unreachable, temporary"]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_of_an_unknown_authority_is_not_trusted(
    tmp_path: Path, security: str
) -> None:
    with smtp_server(tmp_path, security=security, login=LOGIN) as server:  # type: ignore[arg-type]
        sending = notifier(
            server, security=security, ca_file=None, username=LOGIN[0], password=LOGIN[1]
        )

        deliveries = list(sending.deliver(to("ada", "bob")))

    assert outcomes(deliveries) == ["untrusted-certificate, temporary"] * 2
    assert "unable to get local issuer certificate" in problem(deliveries[0]).detail
    assert server.mailbox.logins == []
    assert server.mailbox.received == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_for_another_host_is_not_trusted(tmp_path: Path, security: str) -> None:
    with smtp_server(
        tmp_path,
        security=security,  # type: ignore[arg-type]
        certificate_for="mail.other.example",
    ) as server:
        deliveries = list(notifier(server, security=security).deliver(to("ada")))

    assert outcomes(deliveries) == ["untrusted-certificate, temporary"]
    assert HOST in problem(deliveries[0]).detail
    assert server.mailbox.received == []


def test_a_server_without_starttls_is_told_nothing(tmp_path: Path) -> None:
    with smtp_server(tmp_path, security="none") as server:
        deliveries = list(notifier(server).deliver(to("ada", "bob")))

    assert outcomes(deliveries) == ["no-starttls, temporary"] * 2
    assert "does not offer STARTTLS" in problem(deliveries[0]).detail
    assert server.mailbox.attempts == []


def test_tls_on_a_port_for_starttls_is_explained(tmp_path: Path) -> None:
    with smtp_server(tmp_path) as server:
        deliveries = list(notifier(server, security="tls").deliver(to("ada")))

    assert outcomes(deliveries) == ["no-encryption, temporary"]
    assert "is it a port for STARTTLS?" in problem(deliveries[0]).detail


def test_letters_of_any_script_before_the_at_need_a_server_that_takes_them(
    tmp_path: Path,
) -> None:
    told = [notification("żółć@learners.example"), *to("ada")]
    with smtp_server(tmp_path, international=False) as plain:
        refused = list(notifier(plain).deliver(told))
    with smtp_server(tmp_path) as server:
        taken = list(notifier(server).deliver(told))

    assert outcomes(refused) == ["bad-address, permanent", "delivered"]
    assert "SMTPUTF8" in problem(refused[0]).detail
    assert plain.mailbox.attempts == ["ada@learners.example"]
    assert outcomes(taken) == ["delivered", "delivered"]
    first, second = server.mailbox.received
    assert first.recipients == ("żółć@learners.example",)
    assert "SMTPUTF8" in first.options
    assert "\nTo: Ada Lovelace <żółć@learners.example>\r\n".encode() in first.content
    assert "SMTPUTF8" not in second.options


def test_a_domain_of_any_script_is_sent_in_ascii_to_any_server(tmp_path: Path) -> None:
    with smtp_server(tmp_path, international=False) as server:
        deliveries = list(notifier(server).deliver([notification("ada@straße.łódź.example")]))

    assert outcomes(deliveries) == ["delivered"]
    assert server.mailbox.received[0].recipients == ("ada@xn--strae-oqa.xn--d-uga0v4h.example",)


def test_a_bad_address_is_final_and_needs_no_connection() -> None:
    sending = SmtpNotifier(HOST, free_port(), sender=SENDER)

    deliveries = list(sending.deliver([notification("ada@learners@", full_name="Ada")]))

    assert outcomes(deliveries) == ["bad-address, permanent"]
    assert "ada" not in problem(deliveries[0]).detail


def test_no_messages_need_no_connection() -> None:
    assert list(SmtpNotifier(HOST, free_port(), sender=SENDER).deliver([])) == []


def test_outcomes_come_one_by_one_and_who_stops_asking_stops_the_sending(tmp_path: Path) -> None:
    with (
        smtp_server(tmp_path) as server,
        closing(notifier(server).deliver(to("ada", "bob"))) as deliveries,  # type: ignore[type-var]
    ):
        assert outcomes([next(deliveries)]) == ["delivered"]
        assert len(server.mailbox.received) == 1

    assert len(server.mailbox.received) == 1


def test_the_same_message_again_is_the_same_bytes(tmp_path: Path) -> None:
    attached = replace(to("ada")[0], attachments=(Attachment("a.pdf", b"%PDF", "application/pdf"),))
    with smtp_server(tmp_path) as server:
        for _ in range(2):
            assert outcomes(list(notifier(server).deliver([attached]))) == ["delivered"]

    first, second = server.mailbox.received
    assert first.content == second.content


def test_a_check_logs_in_and_sends_nothing(tmp_path: Path) -> None:
    with smtp_server(tmp_path, login=LOGIN) as server:
        found = notifier(server, username=LOGIN[0], password=LOGIN[1]).check()

    assert found == (
        f"{HOST}:{server.port} answers; encrypted with TLSv1.3; logged in as mailer; "
        "international addresses: yes"
    )
    assert server.mailbox.logins == [LOGIN]
    assert server.mailbox.attempts == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"password": "wrong"}, "login-refused: .* refused the login of mailer: 535"),
        ({"ca_file": None}, "untrusted-certificate: .* give the file of its authority"),
        ({"security": "tls"}, "no-encryption: .* is it a port for STARTTLS?"),
    ],
)
def test_a_check_says_what_fails_and_how_to_mend_it(
    tmp_path: Path, settings: dict[str, object], message: str
) -> None:
    with (
        smtp_server(tmp_path, login=LOGIN) as server,
        pytest.raises(NotificationError, match=message),
    ):
        notifier(server, **{"username": LOGIN[0], "password": LOGIN[1], **settings}).check()


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"username": "mailer"}, "password"),
        ({"password": "s3cret-phrase"}, "username"),
        ({"username": "m", "password": "s3cret-phrase", "security": "none"}, "security"),
        ({"username": "m", "password": "s3cret-phrasę"}, "password"),
        ({"username": "m", "password": ""}, "password"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"ca_file": Path("/nowhere.pem")}, "ca_file"),
        ({"ca_file": Path(__file__)}, "ca_file"),
        ({"sender": "University"}, "sender"),
        ({"sender": "żółć@uni.example"}, "sender"),
    ],
)
def test_settings_that_cannot_work_are_refused_at_once(
    settings: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        SmtpNotifier(HOST, 587, **{"sender": SENDER, **settings})  # type: ignore[arg-type]

    assert refused.value.field == field
    assert "s3cret" not in str(refused.value)
