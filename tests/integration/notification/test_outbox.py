"""The outbox keeps each message as one whole file, the same that a mail server would get."""

import os
import stat
import threading
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from testamur.adapters.notification.outbox import OutboxNotifier
from testamur.adapters.notification.smtp import SmtpNotifier
from testamur.application.errors import NotificationError
from testamur.application.ports.notification import (
    Attachment,
    Delivered,
    NotDelivered,
    Notifier,
)
from testamur.domain.errors import InvalidInput
from tests.support.notifications import notification
from tests.support.smtp_server import HOST, smtp_server

pytestmark = pytest.mark.integration

SENDER = "University <certificates@uni.example>"


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_message_is_a_file_that_mail_programs_open(tmp_path: Path) -> None:
    outbox: Notifier = OutboxNotifier(tmp_path / "out", sender=SENDER)
    told = notification(message_id="<issued.7c9e@uni.example>")

    (delivery,) = outbox.deliver([told])

    assert delivery == Delivered(told)
    (content,) = files(tmp_path / "out").values()
    email = message_from_bytes(content, policy=policy.default)
    assert list(files(tmp_path / "out")) == ["issued.7c9e@uni.example.eml"]
    assert email["To"] == "Ada Lovelace <ada@learners.example>"
    assert email.get_content_type() == "multipart/alternative"


def test_the_same_message_again_is_the_same_file(tmp_path: Path) -> None:
    told = replace(
        notification(), attachments=(Attachment("a.pdf", b"%PDF" * 99, "application/pdf"),)
    )
    list(OutboxNotifier(tmp_path, sender=SENDER).deliver([told]))
    before = files(tmp_path)

    list(OutboxNotifier(tmp_path, sender=SENDER).deliver([told, told]))

    assert files(tmp_path) == before
    assert len(before) == 1


def test_a_file_is_what_a_mail_server_gets(tmp_path: Path) -> None:
    told = notification("ada@łódź.example", full_name="Żółć", locale="ar")
    list(OutboxNotifier(tmp_path / "out", sender=SENDER).deliver([told]))
    with smtp_server(tmp_path) as server:
        sending = SmtpNotifier(HOST, server.port, sender=SENDER, ca_file=server.ca_file)
        list(sending.deliver([told]))

    assert list(files(tmp_path / "out").values()) == [server.mailbox.received[0].content]


def test_messages_of_different_ids_never_share_a_file(tmp_path: Path) -> None:
    ids = [
        *("<a/b@x>", "<a_b@x>", "<a:b@x>", "<a?b@x>", f"<{'a' * 300}@x>", f"<{'a' * 300}@y>"),
        *("<..@x>", "<.a@x>", "<../../../etc/passwd@x>"),
    ]

    outcomes = OutboxNotifier(tmp_path / "out", sender=SENDER).deliver(
        [notification(message_id=message_id) for message_id in ids]
    )

    assert [type(each) for each in outcomes] == [Delivered] * len(ids)
    names = set(files(tmp_path / "out"))
    assert len(names) == len(ids)
    assert all(name.endswith(".eml") and not name.startswith(".") for name in names)
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


def test_a_message_is_for_its_owner_only(tmp_path: Path) -> None:
    list(OutboxNotifier(tmp_path, sender=SENDER).deliver([notification()]))

    (path,) = tmp_path.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_message_that_cannot_be_written_is_an_outcome_and_leaves_the_others(
    tmp_path: Path,
) -> None:
    first, second = notification("ada@x.example"), notification("bob@x.example")
    outbox = OutboxNotifier(tmp_path / "out", sender=SENDER)
    (tmp_path / "out" / f"{first.message_id.strip('<>')}.eml").mkdir(parents=True)

    refused, taken = outbox.deliver([first, second])

    assert isinstance(refused, NotDelivered)
    assert (refused.reason, refused.failure) == ("outbox-not-writable", "temporary")
    assert f"{tmp_path}/out cannot be written: Is a directory" in refused.detail
    assert taken == Delivered(second)
    assert [path.name for path in (tmp_path / "out").iterdir() if path.name.startswith(".")] == []


def test_a_bad_address_is_final(tmp_path: Path) -> None:
    (refused,) = OutboxNotifier(tmp_path, sender=SENDER).deliver([notification("nobody")])

    assert isinstance(refused, NotDelivered)
    assert (refused.reason, refused.failure) == ("bad-address", "permanent")
    assert files(tmp_path) == {}


def test_readers_never_see_a_part_of_a_message(tmp_path: Path) -> None:
    outbox = OutboxNotifier(tmp_path, sender=SENDER)
    large = Attachment("a.pdf", os.urandom(300_000), "application/pdf")
    told = replace(notification(), attachments=(large,))
    list(outbox.deliver([told]))
    (whole,) = files(tmp_path).values()
    (path,) = tmp_path.iterdir()
    seen: set[bytes] = set()
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(20):
        list(outbox.deliver([told]))
    stop.set()
    reader.join(10)

    assert seen == {whole}


def test_a_check_leaves_nothing_and_says_where_messages_go(tmp_path: Path) -> None:
    outbox = OutboxNotifier(tmp_path / "a" / "out", sender=SENDER)

    found = outbox.check()

    assert found == f"messages are written to {tmp_path}/a/out as .eml files, and not sent"
    assert files(tmp_path / "a" / "out") == {}


def test_a_check_says_that_the_folder_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    outbox = OutboxNotifier(tmp_path / "file" / "out", sender=SENDER)

    with pytest.raises(NotificationError, match="file/out cannot be written: Not a directory"):
        outbox.check()


def test_a_sender_without_an_address_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="sender: 'University' is not allowed"):
        OutboxNotifier(tmp_path, sender="University")


def test_forgotten_messages_are_gone_with_what_was_left_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = OutboxNotifier(tmp_path, sender=SENDER)
    ada, bob = notification("ada@learners.example"), notification("bob@learners.example")
    list(outbox.deliver([ada, bob]))
    with monkeypatch.context() as killed:
        killed.setattr(Path, "replace", lambda *_: None)
        list(outbox.deliver([ada, bob]))
    assert len(list(tmp_path.glob(".*.part"))) == 2

    assert outbox.forget([ada.message_id, "<issued.nothing@uni.example>"]) == 1
    assert outbox.forget([ada.message_id]) == 0

    left = [path.read_bytes() for path in tmp_path.iterdir()]
    assert len(left) == 2
    assert all(b"bob@learners.example" in each for each in left)


def test_forgetting_where_nothing_was_ever_written_is_harmless(tmp_path: Path) -> None:
    assert OutboxNotifier(tmp_path / "new", sender=SENDER).forget(["<a@b>"]) == 0
