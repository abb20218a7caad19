"""From the command line: what is held of learners, erasing it, and the keys that it is under."""

import json
import stat
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest
import typer

from testamur.domain.credentials import CredentialStatus
from tests.support.program import Program
from tests.support.records import COURSE

pytestmark = pytest.mark.e2e

REASON = ("--reason", "asked for by letter")
TOMORROW = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"


@pytest.fixture
def testamur(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    """An installation in which Ann and Zoë hold the credential."""
    program = Program(tmp_path, monkeypatch, capsys)
    program.write_course(eligible=["Ann Example", "Zoë Müller"])
    program.configure()
    program.succeeds("run", "completion", COURSE)
    return program


def status_of(testamur: Program, learner: str) -> str:
    (row,) = testamur.succeeds("credential", "list", "--learner", learner, "--json").documents
    status: str = row["status"]
    return status


# Erasing


def test_a_learner_is_erased(testamur: Program) -> None:
    answer = testamur.succeeds("learner", "erase", "learner-0", *REASON, "--yes")
    assert answer.out.splitlines() == [
        "Learner learner-0 is erased: 1 credential, 1 file, 1 message, and the data key."
    ]
    assert status_of(testamur, "learner-0") == CredentialStatus.ERASED
    assert status_of(testamur, "learner-1") == CredentialStatus.ISSUED


def test_it_is_shown_what_will_go_and_asked_for(
    testamur: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("typer.confirm", _says_no)
    answer = testamur("learner", "erase", "learner-0", *REASON)
    assert answer.code != 0
    for told in ("name:        Ann Example", "1 issued", "1 file", "1 delivered"):
        assert told in answer.err
    assert status_of(testamur, "learner-0") == CredentialStatus.ISSUED


def _says_no(*_: object, **__: object) -> bool:
    raise typer.Abort


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("learner-9", *REASON), "no known learner 'learner-9'"),
        (("learner-0", "--reason", "for ann@example.org"), "an e-mail address is personal"),
        (("learner-0", "--reason", "Ann Example left"), "names the learner"),
        (REASON, "either a learner or --inactive-since"),
        (("learner-0", "--inactive-since", "2020-01-01", *REASON), "either a learner or"),
        (("learner-0", "--confirm", "1", *REASON), "--confirm goes with --inactive-since only"),
        (("--inactive-since", "soon", *REASON), "a day as in"),
        (("--inactive-since", TOMORROW, *REASON), "a day that is past"),
    ],
)
def test_what_is_not_allowed_is_refused_and_nothing_is_erased(
    testamur: Program, arguments: tuple[str, ...], told: str
) -> None:
    answer = testamur("learner", "erase", "--yes", *arguments)
    assert answer.code == 2
    assert told in answer.err
    assert status_of(testamur, "learner-0") == CredentialStatus.ISSUED


def test_the_inactive_are_shown_and_erased_only_once_their_number_is_confirmed(
    testamur: Program,
) -> None:
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f+00:00}"
    inactive = ("learner", "erase", "--inactive-since", now, *REASON)
    long_ago = ("learner", "erase", "--inactive-since", "2020-01-01", *REASON)
    assert testamur.succeeds(*long_ago).out == "Nobody.\n"
    assert testamur.succeeds(*inactive).out.splitlines()[-2:] == [
        "2 learners, 2 credentials.",
        "This was a dry run: nothing was erased. --confirm 2 does it.",
    ]
    wrong = testamur(*inactive, "--confirm", "3")
    assert (wrong.code, wrong.err) == (
        1,
        "error: there are 2, not the 3 of --confirm; nothing was done\n",
    )
    assert status_of(testamur, "learner-0") == CredentialStatus.ISSUED
    done = testamur.json(*inactive, "--confirm", "2")
    assert (done["carried_out"], done["failed"]) == (True, {})
    assert {status_of(testamur, f"learner-{number}") for number in (0, 1)} == {"erased"}
    assert testamur.succeeds(*inactive).out == "Nobody.\n"


# Exporting


def test_all_that_is_held_is_exported_with_the_documents(testamur: Program) -> None:
    archive = testamur.folder / "ann.zip"
    assert (
        "All of it is in ann.zip."
        in testamur.succeeds("learner", "export", "learner-0", "--to", "ann.zip").out
    )
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    with ZipFile(archive) as opened:
        data, document = sorted(opened.namelist(), reverse=True)
        held = json.loads(opened.read(data))
        assert opened.read(document).startswith(b"%PDF")
    assert data == "learner.json"
    assert held["credentials"][0]["awarded"]["person"]["full_name"] == "Ann Example"
    assert held == testamur.json("learner", "export", "learner-0") | {
        "exported_at": held["exported_at"]
    }
    again = testamur("learner", "export", "learner-0", "--to", "ann.zip")
    assert again.code == 2
    assert "does not exist yet" in again.err


# Verifying


def test_the_public_answer_ends_with_an_exit_code(testamur: Program) -> None:
    (row,) = testamur.succeeds("credential", "list", "--learner", "learner-0", "--json").documents
    reference = row["verification_id"]
    valid = testamur.succeeds("credential", "verify", reference)
    assert valid.out.startswith("This credential is valid.")
    assert "Ann Example" in valid.out
    assert testamur.json("credential", "verify", row["credential_id"])["status"] == "valid"
    before = testamur("credential", "verify", reference, "--at", "2020-01-01")
    assert (before.code, "had not been issued yet" in before.out) == (1, True)
    testamur.succeeds("learner", "erase", "learner-0", *REASON, "--yes")
    erased = testamur("credential", "verify", reference, "--json")
    assert erased.code == 1
    assert (erased.document["status"], erased.document["full_name"]) == ("erased", None)
    unknown = testamur("credential", "verify", "nothing")
    assert (unknown.code, unknown.out) == (1, "No credential of this id was issued here.\n")


# Keys


def master_key(letter: bytes) -> str:
    return b64encode(letter * 32).decode()


def test_keys_come_under_a_master_key_and_under_the_next_one(
    testamur: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert testamur.json("keys", "status")["counts"]["unwrapped"] == 2
    refused = testamur("keys", "rotate")
    assert refused.code == 1
    assert "set master_key or master_key_file" in refused.err

    monkeypatch.setenv("TESTAMUR_MASTER_KEY", master_key(b"o"))
    waiting = testamur("keys", "status")
    assert waiting.code == 1
    assert "2 keys to wrap: run `testamur keys rotate`." in waiting.out
    assert testamur.json("keys", "rotate")["wrapped"] == 2
    assert "Ann Example" in testamur.succeeds("learner", "export", "learner-0").out

    next_file = testamur.write("next.key", master_key(b"n") + "\n")
    rotated = testamur.succeeds("keys", "rotate", "--new-key-file", str(next_file))
    assert "Let master_key be the new one now" in rotated.out
    old = testamur("keys", "status")
    assert old.code == 1
    assert "set master_key (or master_key_file)" in old.err
    assert master_key(b"o") not in old.err + old.out

    monkeypatch.delenv("TESTAMUR_MASTER_KEY")
    monkeypatch.setenv("TESTAMUR_MASTER_KEY_FILE", str(next_file))
    assert "all are under" not in testamur.succeeds("keys", "status").out
    assert "Ann Example" in testamur.succeeds("learner", "export", "learner-0").out


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"TESTAMUR_MASTER_KEY": "c2hvcnQ="}, "TESTAMUR_MASTER_KEY"),
        ({"TESTAMUR_MASTER_KEY_FILE": "missing.key"}, "master_key_file: 'missing.key'"),
        ({"TESTAMUR_MASTER_KEY_FILE": "testamur.toml"}, "32 random bytes in base 64"),
        (
            {"TESTAMUR_MASTER_KEY": master_key(b"o"), "TESTAMUR_MASTER_KEY_FILE": "a.key"},
            "one of the two",
        ),
    ],
)
def test_a_master_key_that_is_none_is_refused_by_the_name_of_its_setting(
    testamur: Program, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], told: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    answer = testamur("keys", "status")
    assert answer.code == 2
    assert told in answer.err
    assert "c2hvcnQ=" not in answer.err
