"""From the command line: certificates compared with what is so today, and corrected by people."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.program import Program
from tests.support.records import COURSE

pytestmark = pytest.mark.e2e

NAMES = ("Ann Example", "Zoë Müller", "Łucja Żak")
OF_COURSE = ("--configuration", "completion", COURSE)


@pytest.fixture
def testamur(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    """An installation in which three learners hold the credential, one of whom married since."""
    program = Program(tmp_path, monkeypatch, capsys)
    program.write_course(eligible=NAMES)
    program.configure()
    program.succeeds("run", "completion", COURSE)
    program.write_course(eligible=("Ann Novak", *NAMES[1:]))
    return program


def corrections(testamur: Program) -> dict[str, Any]:
    listed = testamur.succeeds("correction", "list", "--json").documents
    return {each["learner_id"]: each for each in listed}


def status_of(testamur: Program, learner: str) -> list[str]:
    listed = testamur.succeeds("credential", "list", "--json").documents
    return sorted(each["status"] for each in listed if each["learner_id"] == learner)


def nobody_is_eligible(testamur: Program) -> None:
    """Let the criteria ask for more than anybody has reached."""
    testamur.write_course(eligible=(), not_eligible=NAMES)


def test_another_name_is_found_accepted_and_put_on_a_new_edition(testamur: Program) -> None:
    dry = testamur.succeeds("reconcile", "completion", COURSE, "--dry-run")
    assert "name now Ann Novak" in dry.out
    assert "1 data-changed. Nothing was written." in dry.out
    assert corrections(testamur) == {}

    answer = testamur.succeeds("reconcile", "completion", COURSE)
    assert answer.out.startswith(
        f"Compared completion for {COURSE}: 3 compared, 1 data changed, 1 proposed."
    )
    assert "1 correction waits for a decision" in answer.out
    (found,) = corrections(testamur).values()
    assert (found["kind"], found["differs"]) == ("data-changed", ["full_name"])
    assert status_of(testamur, "learner-0") == ["issued"]

    shown = testamur.succeeds("correction", "show", found["correction_id"]).out
    assert "Ann Example" in shown
    assert "Ann Novak" in shown
    done = testamur.succeeds("correction", "accept", found["correction_id"], "--reason", "married")

    assert done.out.startswith("Carried out 1 correction: credential ")
    assert status_of(testamur, "learner-0") == ["issued", "superseded"]
    new = testamur.json("correction", "show", found["correction_id"])["result"]
    assert "Ann Novak" in testamur.succeeds("credential", "show", new).out
    again = testamur.json("reconcile", "completion", COURSE)
    assert (again["data_changed"], again["waiting"]) == (0, 0)


def test_many_who_are_not_eligible_any_more_are_revoked_once_somebody_accepts(
    testamur: Program,
) -> None:
    nobody_is_eligible(testamur)
    assert testamur.json("reconcile", "completion", COURSE)["no_longer_eligible"] == 3
    assert status_of(testamur, "learner-1") == ["issued"]
    accept = ("correction", "accept", *OF_COURSE, "--reason", "graded anew")

    shown = testamur.succeeds(*accept)
    assert "Would be accepted: 3 corrections." in shown.out
    assert "add --expect 3" in shown.out
    wrong = testamur(*accept, "--expect", "2")
    assert wrong.code == 2
    assert status_of(testamur, "learner-1") == ["issued"]

    done = testamur.json(*accept, "--expect", "3")
    assert (done["done"], done["dropped"], done["waiting"]) == (3, 0, 0)
    assert status_of(testamur, "learner-1") == ["revoked"]
    verified = testamur("credential", "verify", held_by(testamur, "learner-1"))
    assert "graded anew" in verified.out


def held_by(testamur: Program, learner: str) -> str:
    listed = testamur.succeeds("credential", "list", "--json").documents
    return next(str(each["credential_id"]) for each in listed if each["learner_id"] == learner)


def test_what_was_rejected_is_not_proposed_again(testamur: Program) -> None:
    testamur.succeeds("reconcile", "completion", COURSE)
    id_ = corrections(testamur)["learner-0"]["correction_id"]

    rejected = testamur.succeeds("correction", "reject", id_, "--reason", "no wish for another")

    assert rejected.out == "Rejected 1 correction.\n"
    assert testamur.json("reconcile", "completion", COURSE)["rejected_before"] == 1
    assert testamur.succeeds("correction", "list").out == ("No correction waits for a decision.\n")
    assert testamur("correction", "accept", id_, "--reason", "after all").code == 1
    assert status_of(testamur, "learner-0") == ["issued"]


def test_what_somebody_revoked_by_hand_is_not_carried_out(testamur: Program) -> None:
    nobody_is_eligible(testamur)
    testamur.succeeds("reconcile", "completion", COURSE)
    id_ = corrections(testamur)["learner-2"]["correction_id"]
    held = held_by(testamur, "learner-2")
    testamur.succeeds("credential", "revoke", held, "--reason", "by hand")

    answer = testamur("correction", "accept", id_, "--reason", "graded anew")

    assert answer.code == 1
    assert "it is revoked and cannot be revoked" in answer.err
    assert "cannot be carried out any more" in answer.err


def test_the_tick_and_the_doctor_say_how_many_wait(testamur: Program) -> None:
    testamur.succeeds(
        "configuration", "options", "completion", COURSE, "--set", "reconcile.every_days=7"
    )

    ticked = testamur.succeeds("tick")

    assert f"Reconciled: completion for {COURSE} (1 proposed)" in ticked.out
    assert "Waiting: 1 correction; see `testamur correction list`" in ticked.out
    assert testamur.json("tick")["corrections"] == 1
    assert status_of(testamur, "learner-0") == ["issued"]
    assert "1 proposed by reconciliations wait" in testamur("doctor").out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("reconcile.every_days=0", "reconcile.every_days"),
        ("reconcile.cron=nightly", "five fields"),
        ("reconcile.often=true", "reconcile.often"),
    ],
)
def test_an_option_that_is_not_allowed_is_refused(
    testamur: Program, options: str, told: str
) -> None:
    answer = testamur("configuration", "options", "completion", COURSE, "--set", options)
    assert answer.code == 2
    assert told in answer.err


def test_what_does_not_choose_is_refused(testamur: Program) -> None:
    assert testamur("correction", "accept", "--reason", "x").code == 2
    assert testamur("correction", "reject", "--reason", "x").code == 2
    assert testamur("correction", "list", "--kind", "revoked").code == 2
    both = ("00000000-0000-0000-0000-000000000001", "--kind", "now-eligible", "--reason", "x")
    assert testamur("correction", "accept", *both).code == 2
    assert testamur("correction", "show", both[0]).code == 2


def test_it_is_all_in_the_history(testamur: Program) -> None:
    testamur.succeeds("reconcile", "completion", COURSE)
    id_ = corrections(testamur)["learner-0"]["correction_id"]
    testamur.succeeds("correction", "accept", id_, "--reason", "married")
    listed = testamur.succeeds("audit", "list").out
    for event in ("reconciliation", "correction"):
        assert event in listed
    assert "Ann Novak" in testamur.succeeds("learner", "export", "learner-0", "--json").out
    testamur.succeeds("audit", "seal")
    assert testamur("audit", "verify").code == 0


def test_the_name_that_was_found_goes_when_the_learner_is_erased(testamur: Program) -> None:
    testamur.succeeds("reconcile", "completion", COURSE)
    id_ = corrections(testamur)["learner-0"]["correction_id"]

    testamur.succeeds("learner", "erase", "learner-0", "--reason", "asked for", "--yes")

    assert testamur.json("correction", "show", id_)["full_name"] is None
    answer = testamur("correction", "accept", id_, "--reason", "married")
    assert answer.code == 1
    assert "cannot be carried out any more" in answer.err
    kept = (testamur.folder / "testamur-data").rglob("*")
    assert not [path for path in kept if path.is_file() and b"Ann Novak" in path.read_bytes()]
