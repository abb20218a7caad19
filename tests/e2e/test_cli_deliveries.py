"""From the command line, with a real mail server: messages listed, sent again, suppressed."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.bounces import report
from tests.support.program import Program
from tests.support.records import COURSE
from tests.support.smtp_server import HOST, Mailbox, RunningServer, smtp_server

pytestmark = pytest.mark.e2e

NAMES = ("Ann Example", "Zoë Müller", "Łucja Żak")
LEARNERS = ("learner-0", "learner-1", "learner-2")


class Mailed(Program):
    """The program with a mail server."""

    server: RunningServer

    def written_to(self, learner: int = 0) -> list[Any]:
        """Return the messages that the server took for a learner, in order."""
        id_ = self.credential(learner)
        messages = [each.email for each in self.server.mailbox.received]
        return [each for each in messages if id_ in str(each["Message-ID"])]

    def credential(self, learner: int = 0) -> str:
        """Return the id of a learner's credential."""
        rows = self.succeeds(
            "credential", "list", "--learner", LEARNERS[learner], "--json"
        ).documents
        return str(rows[-1]["credential_id"])

    def listed(self, *where: str) -> list[tuple[str, str, str, int]]:
        """Return what is listed of messages: to whom, what, where it stands, attempts."""
        rows = self.succeeds("delivery", "list", *where, "--json").documents
        return sorted(
            (row["learner_id"], row["notice"], row["status"], row["failures"]) for row in rows
        )


@contextmanager
def mailed(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    mailbox: Mailbox | None = None,
    *more: str,
) -> Iterator[Mailed]:
    program = Mailed(folder, monkeypatch, capsys)
    (folder / "certificates").mkdir()
    with smtp_server(folder / "certificates", mailbox, security="none") as server:
        program.server = server
        settings = (
            'source_folder = "source"',
            'notifier = "smtp"',
            f'smtp_host = "{HOST}"',
            f"smtp_port = {server.port}",
            'smtp_security = "none"',
            'mail_sender = "certificates@uni.example"',
            "attach_documents = false",
            'public_url = "https://uni.example"',
            *more,
        )
        program.write("testamur.toml", "\n".join(settings))
        program.write_course(eligible=NAMES)
        program.configure()
        yield program


def test_messages_are_listed_with_attempts_outcome_and_next_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with mailed(tmp_path, monkeypatch, capsys) as testamur:
        testamur.server.mailbox.refusals = {
            "learner-0@example.org": "550 5.1.1 No such mailbox",
            "learner-1@example.org": "451 4.2.1 Not now",
        }
        testamur("run", "completion", COURSE)

        assert testamur.listed() == [
            ("learner-0", "issued", "given-up", 1),
            ("learner-1", "issued", "pending", 1),
            ("learner-2", "issued", "sent", 0),
        ]
        (pending,) = testamur.succeeds(
            "delivery", "list", "--status", "pending", "--json"
        ).documents
        assert pending["retry_at"] > pending["requested_at"]
        shown = testamur.succeeds("delivery", "list").out
        assert "3 messages." in shown
        assert "@" not in shown
        assert testamur.listed("--status", "given-up", "--limit", "5") == [
            ("learner-0", "issued", "given-up", 1)
        ]
        assert testamur.listed("--configuration", "completion", COURSE, "--notice", "revoked") == []


def test_a_message_is_sent_again_by_the_next_tick(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with mailed(tmp_path, monkeypatch, capsys) as testamur:
        testamur.succeeds("run", "completion", COURSE)
        id_ = testamur.credential()
        answer = testamur.succeeds("delivery", "resend", id_, "--reason", "she lost it")
        assert "issued, request 2" in answer.out
        testamur.succeeds("tick")
        ids = [str(each["Message-ID"]) for each in testamur.written_to()]
        assert ids == [f"<issued.{id_}@uni.example>", f"<issued.0.2.{id_}@uni.example>"]
        assert "she lost it" in testamur.succeeds("history", "credential", id_).out
        refused = testamur("delivery", "resend", id_, "--reason", "x", "--notice", "revoked")
        assert refused.code == 1
        assert "never to be told 'revoked'" in refused.err


def test_a_revocation_is_told_and_a_silenced_learner_is_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with mailed(tmp_path, monkeypatch, capsys) as testamur:
        testamur.succeeds("run", "completion", COURSE)
        reason = ("--reason", "by mistake")
        testamur.succeeds("delivery", "suppress", "--learner", "learner-1", *reason)
        assert testamur.succeeds("delivery", "suppressed").out == "learner-1\n"
        for learner in (0, 1):
            revoke = ("credential", "revoke", testamur.credential(learner), "--tell")
            testamur.succeeds(*revoke, *reason)
        testamur.succeeds("tick")

        (_, told) = testamur.written_to(0)
        assert "no longer valid" in told.get_body(("plain",)).get_content()
        assert "https://" not in told.as_string()
        assert len(testamur.written_to(1)) == 1
        assert testamur.listed("--notice", "revoked") == [
            ("learner-0", "revoked", "sent", 0),
            ("learner-1", "revoked", "skipped", 0),
        ]
        testamur.succeeds("delivery", "lift", "learner-1", *reason)
        assert testamur.succeeds("delivery", "suppressed", "--json").documents == []


def test_what_waits_can_be_suppressed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    deferring = Mailbox(sender_reply="451 4.3.0 Not now")
    with mailed(tmp_path, monkeypatch, capsys, deferring) as testamur:
        testamur("run", "completion", COURSE)
        id_ = testamur.credential()
        suppress = ("delivery", "suppress", id_, "--reason", "not yet")
        assert testamur.succeeds(*suppress).out == "Suppressed: issued.\n"
        assert testamur(*suppress).code == 1
        assert testamur.listed("--learner", "learner-0") == [
            ("learner-0", "issued", "suppressed", 1)
        ]
        assert testamur("delivery", "suppress", "--reason", "x").code == 2


def test_a_report_that_came_by_mail_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with mailed(tmp_path, monkeypatch, capsys) as testamur:
        testamur.succeeds("run", "completion", COURSE)
        message_id = f"<issued.{testamur.credential()}@uni.example>"
        (tmp_path / "bounce.eml").write_bytes(report(original=f"Message-ID: {message_id}"))
        testamur.succeeds("delivery", "bounced", "--report", "bounce.eml")
        other = f"<issued.{testamur.credential(1)}@uni.example>"
        testamur.succeeds("delivery", "bounced", other, "--reason", "5.7.1")
        assert testamur.listed("--status", "bounced") == [
            ("learner-0", "issued", "bounced", 0),
            ("learner-1", "issued", "bounced", 0),
        ]
        wrong = testamur("delivery", "bounced", "ann@uni.example", "--reason", "5.1.1")
        assert (wrong.code, "ann@" in wrong.err) == (2, False)
        assert testamur("delivery", "bounced").code == 2


def test_no_more_are_sent_within_an_hour_than_the_cap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with mailed(tmp_path, monkeypatch, capsys, None, "mail_cap_per_hour = 2") as testamur:
        testamur("run", "completion", COURSE)
        ticked = testamur("tick")
        assert ticked.code == 0
        assert "the rest waits" in ticked.err
        assert len(testamur.server.mailbox.received) == 2
        assert sorted(status for _, _, status, _ in testamur.listed()) == [
            "pending",
            "sent",
            "sent",
        ]


def test_a_configuration_has_templates_of_its_own_and_staff_get_a_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with mailed(tmp_path, monkeypatch, capsys) as testamur:
        for name, subject in (("maths", "Maths: {{ type_name }}"), ("broken", "{{ nothing }}")):
            with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
                archive.writestr("en/issued.subject.txt", subject)
            testamur.succeeds("asset", "add", name, f"{name}.zip")
        options = ("configuration", "options", "completion", COURSE, "--set")
        refused = testamur(*options, 'notification.templates="broken"')
        assert refused.code == 2
        assert "'nothing' is undefined" in refused.err
        assert testamur(*options, 'notification.templates="nothing-there"').code != 0
        testamur.succeeds(*options, 'notification.templates="maths"')
        testamur.succeeds(*options, 'notification.digest_to=["course-team@uni.example"]')
        testamur.succeeds("run", "completion", COURSE)
        testamur.succeeds("tick")

        (told,) = testamur.written_to()
        assert str(told["Subject"]).startswith("Maths: ")
        (digest,) = [
            each
            for each in testamur.server.mailbox.received
            if each.recipients == ("course-team@uni.example",)
        ]
        text = digest.email.get_content()
        assert "3 issued" in str(digest.email["Subject"])
        assert "3 awarded" in text
        assert not any(name in text for name in NAMES)
