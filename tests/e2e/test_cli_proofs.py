"""From the command line: what was issued is sealed, verified, and proven to outsiders."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.program import Program
from tests.support.records import COURSE

pytestmark = pytest.mark.e2e

CHECKER = Path(__file__).parents[2] / "examples" / "check_proof.py"


@pytest.fixture
def testamur(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    """An installation that has issued credentials to Ann and Zoë."""
    program = Program(tmp_path, monkeypatch, capsys)
    program.write_course(eligible=["Ann Example", "Zoë Müller"])
    program.configure("--every", "1d")
    program.succeeds("run", "completion", COURSE)
    return program


def checked(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(CHECKER), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def change_something(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(
            "UPDATE stored_events SET state = CAST(replace(CAST(state AS TEXT), '0.9', '0.5') "
            "AS BLOB) WHERE topic = 'credential.awarded.1'"
        )


def test_a_run_seals_the_log_at_its_end(testamur: Program) -> None:
    report = testamur.succeeds("audit", "verify", "--json").document

    assert report["clean"]
    assert report["sealed"] == report["events"] > 0
    assert testamur.succeeds("audit", "seal", "--json").document == {"sealed": None}


def test_a_tick_seals_what_was_done_since(testamur: Program) -> None:
    testamur.succeeds("configuration", "enable", "completion", COURSE)
    testamur.succeeds("tick")

    report = testamur.succeeds("audit", "verify", "--json").document

    assert report["sealed"] == report["events"]


def test_an_outsider_checks_a_proof_without_testamur(testamur: Program, tmp_path: Path) -> None:
    (credential, _) = testamur.succeeds("credential", "list", "--json").documents
    proof = testamur.succeeds("audit", "proof", credential["credential_id"])
    head = testamur.succeeds("audit", "head", "--json")
    (tmp_path / "proof.json").write_text(proof.out)
    (tmp_path / "head.json").write_text(head.out)

    done = checked(str(tmp_path / "proof.json"), "--head", str(tmp_path / "head.json"))

    assert done.returncode == 0, done.stderr
    assert "credential.awarded.1" in done.stdout
    assert "The proof holds." in done.stdout
    assert "Ann" not in proof.out

    altered = json.loads(proof.out)
    altered["events"][0]["version"] = 3
    (tmp_path / "proof.json").write_text(json.dumps(altered))
    done = checked(str(tmp_path / "proof.json"), "--head", str(tmp_path / "head.json"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "DOES NOT HOLD" in done.stderr


def test_the_log_can_be_shown_to_have_only_grown(testamur: Program, tmp_path: Path) -> None:
    (tmp_path / "head.json").write_text(testamur.succeeds("audit", "head", "--json").out)
    testamur.succeeds("audit", "rotate-key")
    testamur.succeeds("configuration", "enable", "completion", COURSE)
    testamur.succeeds("audit", "seal")

    growth = testamur.succeeds("audit", "consistency", "--from", str(tmp_path / "head.json"))
    (tmp_path / "growth.json").write_text(growth.out)
    done = checked(str(tmp_path / "growth.json"), "--head", str(tmp_path / "head.json"))

    assert done.returncode == 0, done.stderr
    assert "only grew" in done.stdout


def test_a_change_behind_its_back_is_named_and_ends_with_exit_code_1(
    testamur: Program, tmp_path: Path
) -> None:
    (tmp_path / "head.txt").write_text(testamur.succeeds("audit", "head").out)
    (file,) = tmp_path.rglob("testamur.db")
    change_something(file)

    for answer in (
        testamur("audit", "verify"),
        testamur("audit", "verify", "--from", str(tmp_path / "head.txt")),
    ):
        assert answer.code == 1
        assert "First event concerned: event" in answer.out
        assert "credential.awarded.1" in answer.out
        assert "is not as it was sealed" in answer.out


def test_trouble_with_the_key_keeps_nobody_from_issuing(testamur: Program, tmp_path: Path) -> None:
    (key,) = tmp_path.rglob("log-key.pem")
    key.write_text("no key")
    testamur.write_course(eligible=["Ann Example", "Zoë Müller", "New One"])

    ran = testamur("run", "completion", COURSE)
    ticked = testamur("tick")

    assert ran.code == 0
    assert "the log could not be sealed" in ran.err
    assert len(testamur.succeeds("credential", "list", "--json").documents) == 3
    assert ticked.code == 1
    assert "sealing the log: error: log_key" in ticked.err


def test_what_is_no_head_is_refused(testamur: Program, tmp_path: Path) -> None:
    (tmp_path / "head.txt").write_text("hello")

    for command in ("verify", "consistency"):
        answer = testamur("audit", command, "--from", str(tmp_path / "head.txt"))
        assert answer.code == 2
        assert "a signed checkpoint" in answer.err
