"""From the command line: runs that need approval."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from testamur import Testamur
from testamur.application.ports.system import WorkLocks
from testamur.entrypoints.settings import load_settings
from tests.support.program import ACTOR, Answer, Program
from tests.support.records import COURSE
from tests.support.valkey_server import ValkeyServer

pytestmark = pytest.mark.e2e

RUN = ("run", "completion", COURSE)
GUARD = ("configuration", "options", "completion", COURSE, "--set")


@pytest.fixture
def testamur(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    """An installation where three have earned the credential, and two may be awarded at once."""
    program = Program(tmp_path, monkeypatch, capsys)
    program.write_course(eligible=["Ann", "Ben", "Cy"], not_eligible=["Too Early"])
    program.configure("--every", "1d")
    program.succeeds(*GUARD, "guard.max_new_per_run=2")
    return program


def needs_approval(testamur: Program, *arguments: str) -> Answer:
    answer = testamur(*arguments)
    assert answer.code == 3, answer.err
    return answer


def waiting(testamur: Program) -> str:
    run_id: str = needs_approval(testamur, *RUN, "--json").document["run_id"]
    return run_id


def awarded(testamur: Program) -> list[Any]:
    return testamur.succeeds("credential", "list", "--json").documents


def test_a_run_beyond_the_guard_says_so_and_awards_nobody(testamur: Program) -> None:
    answer = needs_approval(testamur, *RUN)
    (run_id,) = {line.split()[3] for line in answer.out.splitlines() if "run proposed" in line}
    assert str(UUID(run_id)) == run_id
    assert "Nobody is awarded yet: 3 new, at most 2 without approval." in answer.out
    assert answer.err == (
        f"needs approval: 3 new, at most 2 without approval; see `testamur run proposed {run_id}`\n"
    )
    assert awarded(testamur) == []


def test_a_run_beyond_the_guard_in_json(testamur: Program) -> None:
    document = needs_approval(testamur, *RUN, "--json").document
    assert document["needs_approval"] == {
        "reason": "max-new",
        "limit": 2,
        "usual": None,
        "proposed": 3,
    }
    assert (document["evaluated"], document["awarded"]) == (4, 0)


def test_a_run_within_the_guard_needs_no_approval(testamur: Program) -> None:
    document = testamur.json(*RUN, "--limit", "2")
    assert document["needs_approval"] is None
    assert document["awarded"] == 2


def test_the_list_is_told_by_id(testamur: Program) -> None:
    run_id = waiting(testamur)
    assert testamur.succeeds("run", "proposed", run_id).out.split() == [
        "learner-0",
        "learner-1",
        "learner-2",
    ]
    listed = testamur.succeeds("run", "proposed", run_id, "--json").documents
    assert [each["learner_id"] for each in listed] == ["learner-0", "learner-1", "learner-2"]


def test_the_status_of_a_run_that_waits_exits_with_3_and_says_how_to_decide(
    testamur: Program,
) -> None:
    run_id = waiting(testamur)
    told = needs_approval(testamur, "run", "status", run_id).out
    assert "needs approval" in told
    assert f"testamur run approve {run_id}" in told
    document = needs_approval(testamur, "run", "status", run_id, "--json").document
    assert (document["state"], document["settled"]) == ("needs-approval", True)
    assert document["needs_approval"]["proposed"] == 3
    followed = needs_approval(testamur, "run", "status", run_id, "--follow").out
    assert followed.startswith("needs approval: evaluated 4")


def test_an_approved_run_is_carried_out_and_tells_who_decided(testamur: Program) -> None:
    run_id = waiting(testamur)
    done = testamur.json("run", "approve", run_id, "--reason", "the term has ended")
    assert (done["awarded"], done["issued"], done["needs_approval"]) == (3, 3, None)
    assert len(awarded(testamur)) == 3
    told = testamur.succeeds("run", "status", run_id).out
    assert f"Approved by {ACTOR}" in told
    assert "the term has ended" in told
    history = testamur.succeeds("history", "run", run_id).out
    assert "3 new, at most 2 without approval" in history
    assert "the term has ended" in history
    (entry,) = testamur.succeeds("audit", "list", "--event", "run.approved", "--json").document[
        "entries"
    ]
    assert entry["actor"] == ACTOR


def test_approving_again_is_harmless_and_rejecting_then_is_refused(testamur: Program) -> None:
    run_id = waiting(testamur)
    for _ in range(2):
        assert "Ran completion" in testamur.succeeds(
            "run", "approve", run_id, "--reason", "seen"
        ).out  # fmt: skip
    refused = testamur("run", "reject", run_id, "--reason", "after all")
    assert refused.code == 1
    assert "completed already" in refused.err
    assert len(awarded(testamur)) == 3


def test_a_rejected_run_awards_nobody_and_the_next_slot_asks_again(testamur: Program) -> None:
    run_id = waiting(testamur)
    said = testamur.succeeds("run", "reject", run_id, "--reason", "a slip").out
    assert said == f"Rejected run {run_id}: it awards nobody.\n"
    assert testamur.json("run", "status", run_id)["state"] == "rejected"
    assert testamur("run", "approve", run_id, "--reason", "after all").code == 1
    assert awarded(testamur) == []
    assert waiting(testamur) != run_id


def test_a_tick_says_what_waits_and_starts_no_slot_meanwhile(testamur: Program) -> None:
    testamur.succeeds("configuration", "enable", "completion", COURSE)
    first = testamur.json("tick")
    assert first["needs_approval"] == first["started"]
    (run_id,) = first["started"]
    said = testamur.succeeds("tick").out
    assert said == (
        f"Needs approval: completion for {COURSE}: 3 new, at most 2 without approval; "
        f"see `testamur run status {run_id}`\n"
    )


def test_the_doctor_finds_a_run_that_waits(testamur: Program) -> None:
    run_id = waiting(testamur)
    answer = testamur("doctor", "--json")
    assert answer.code == 1
    (finding,) = [each for each in answer.document if not each["ok"]]
    assert finding["subject"] == "approvals"
    assert run_id in finding["remedy"]
    testamur.succeeds("run", "reject", run_id, "--reason", "a slip")
    assert testamur("doctor").code == 0


def test_a_dry_run_says_that_a_run_would_need_approval(testamur: Program) -> None:
    warned = testamur(*RUN, "--dry-run")
    assert (warned.code, warned.err) == (
        0,
        "a run would need approval: 3 new, at most 2 without approval\n",
    )
    assert len(testamur(*RUN, "--dry-run", "--json").documents) == 4
    testamur.succeeds(*RUN, "--dry-run", "--limit", "2")
    testamur.succeeds(*RUN, "--dry-run", "--learner", "learner-0")


def test_the_settings_set_a_guard_and_a_configuration_takes_it_away(testamur: Program) -> None:
    testamur.write("testamur.toml", 'source_folder = "source"\nguard_max_new_per_run = 1\n')
    testamur.succeeds("configuration", "options", "completion", COURSE, "--unset", "guard")
    asked = needs_approval(testamur, *RUN, "--json").document["needs_approval"]
    assert asked["limit"] == 1
    testamur.succeeds(*GUARD, "guard.max_new_per_run=null")
    assert testamur.json(*RUN)["awarded"] == 3


def test_a_reason_is_required(testamur: Program) -> None:
    run_id = waiting(testamur)
    for command in ("approve", "reject"):
        assert testamur("run", command, run_id).code == 2
        assert testamur("run", command, run_id, "--reason", " ").code == 2


def test_what_is_not_there_or_needs_no_approval_is_refused(testamur: Program) -> None:
    nothing = str(UUID(int=7))
    for command in ("approve", "reject"):
        assert testamur("run", command, nothing, "--reason", "x").code == 2
    assert testamur("run", "proposed", nothing).code == 2
    run_id = testamur.json(*RUN, "--limit", "1")["run_id"]
    assert testamur("run", "approve", run_id, "--reason", "x").code == 1
    assert testamur("run", "proposed", run_id).code == 1


def test_while_another_run_goes_on_an_approved_one_is_left_to_the_next_tick(
    testamur: Program,
) -> None:
    run_id = waiting(testamur)
    with Testamur.open(load_settings().settings) as library:
        configuration = library.find_configuration("completion", COURSE)
        with library._wiring.resolve(WorkLocks).hold(f"run {configuration}"):
            said = testamur.succeeds("run", "approve", run_id, "--reason", "seen").out
    assert "carried out by the next `testamur tick`" in said
    assert awarded(testamur) == []
    assert testamur.json("tick")["resumed"] == [run_id]
    assert len(awarded(testamur)) == 3


def test_an_approved_run_is_handed_to_the_workers(testamur: Program, valkey: ValkeyServer) -> None:
    run_id = waiting(testamur)
    settings = f'source_folder = "source"\nqueue = "{valkey.fresh_database()}"\n'
    testamur.write("testamur.toml", settings)
    said = testamur.succeeds("run", "approve", run_id, "--reason", "seen").out
    assert "carried out by the workers" in said
    queue = next(each for each in testamur.json("doctor") if each["subject"] == "queue")
    assert "runs 1" in queue["found"]
