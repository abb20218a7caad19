"""The program awards by hand and finds by number: `testamur credential award`, `… find`."""

from pathlib import Path

import pytest

from tests.support.program import Program
from tests.support.records import COURSE

REASON = ("--reason", "passed the oral exam, protocol 88")
AWARD = ("credential", "award", "--configuration", "completion", COURSE, *REASON)
NUMBERED = ("--set", "serial.per=issuer", "--set", 'serial.format="UNI-{year}-{number:04}"')


pytestmark = pytest.mark.e2e


@pytest.fixture
def installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    """An installation with a configuration that numbers its credentials."""
    program = Program(tmp_path, monkeypatch, capsys)
    program.write_course(eligible=["Ann Example"])
    program.configure()
    program.succeeds("configuration", "options", "completion", COURSE, *NUMBERED)
    return program


def test_a_learner_is_awarded_issued_and_numbered(installed: Program) -> None:
    done = installed.succeeds(*AWARD, "--learner", "g-1", "--name", "Zoë Ångström", "--json")
    assert done.document["outcome"] == "award"
    assert done.document["by_status"] == {"issued": 1}
    serial = done.document["serial"]
    assert serial.endswith("-0001")
    found = installed.succeeds("credential", "find", "--serial", serial, "--json")
    assert found.document["credential_id"] == done.document["credential_id"]
    for command in (("credential", "show"), ("credential", "verify"), ("audit", "why")):
        assert serial in installed.succeeds(*command, done.document["credential_id"]).out
    assert serial in installed.succeeds("credential", "list").out


def test_the_reason_is_shown_as_the_evidence(installed: Program) -> None:
    done = installed.succeeds(*AWARD, "--learner", "g-1", "--name", "Zoë", "--json")
    shown = installed.succeeds("audit", "why", done.document["credential_id"]).out
    assert "Awarded by hand" in shown
    assert REASON[1] in shown


def test_who_holds_it_is_told_so(installed: Program) -> None:
    installed.succeeds(*AWARD, "--learner", "g-1", "--name", "Zoë")
    again = installed.succeeds(*AWARD, "--learner", "g-1", "--name", "Zoë")
    assert again.out.startswith("Nothing to do: learner g-1 holds credential")


def test_who_was_revoked_is_refused(installed: Program) -> None:
    done = installed.succeeds(*AWARD, "--learner", "g-1", "--name", "Zoë", "--json")
    installed.succeeds("credential", "revoke", done.document["credential_id"], *REASON)
    again = installed(*AWARD, "--learner", "g-1", "--name", "Zoë")
    assert again.code == 1
    assert "reissue" in again.err


def test_a_number_that_nobody_has_is_not_found(installed: Program) -> None:
    found = installed("credential", "find", "--serial", "UNI-1999-0001")
    assert found.code == 2
    assert "UNI-1999-0001" in found.err


def listed(program: Program, *lines: str) -> tuple[str, ...]:
    file = Path(program.folder) / "list.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return (*AWARD, "--list", str(file))


def test_a_list_is_only_looked_at_until_it_is_confirmed(installed: Program) -> None:
    command = listed(installed, "learner_id,name", "g-1,Zoë", "g-2,Ann")
    looked = installed.succeeds(*command, "--json")
    assert (looked.document["dry_run"], looked.document["awarded"]) == (True, 2)
    assert installed.succeeds("credential", "list", "--json").documents == []
    done = installed.succeeds(*command, "--expect", "2", "--json")
    assert (done.document["awarded"], done.document["by_status"]) == (2, {"issued": 2})
    again = installed.succeeds(*command, "--yes", "--json")
    assert (again.document["awarded"], again.document["already_held"]) == (0, 2)


def test_another_number_than_expected_awards_nobody(installed: Program) -> None:
    command = listed(installed, "learner_id,name", "g-1,Zoë", "g-2,Ann")
    refused = installed(*command, "--expect", "3")
    assert refused.code == 2
    assert installed.succeeds("credential", "list", "--json").documents == []


def test_every_bad_line_is_told_and_nothing_is_written(installed: Program) -> None:
    command = listed(
        installed,
        "learner_id;name;email;award_date",
        "g-1;Zoë;;",
        "g-2;;;",
        "g-3;Ann;nowhere;",
        "g-1;Zoë;;",
        "g-4;Ben;;yesterday",
        "g-5;Cyd",
        "",
        "ann@example.org;Ann;;",
    )
    refused = installed(*command, "--yes", "--json")
    assert refused.code == 2
    assert [each["line"] for each in refused.document["bad_lines"]] == [3, 4, 5, 6, 7, 9]
    assert installed.succeeds("credential", "list", "--json").documents == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"learner_id,nickname\ng-1,Z\n", "columns learner_id, name"),
        (b"learner_id,name\n", "at least one line"),
        (b"learner_id,name\ng-1,Zo\xeb\n", "UTF-8"),
        (b'learner_id,name\ng-1,"Zo\n', "CSV"),
    ],
)
def test_a_file_that_is_no_such_list_is_refused(
    installed: Program, content: bytes, said: str
) -> None:
    file = installed.folder / "list.csv"
    file.write_bytes(content)
    refused = installed(*AWARD, "--list", str(file), "--yes")
    assert refused.code == 2
    assert said in refused.err


def test_a_list_and_a_learner_together_are_refused(installed: Program) -> None:
    refused = installed(*listed(installed, "learner_id,name", "g-1,Z"), "--learner", "g-2")
    assert refused.code == 2
