"""The program takes over credentials of another system: `testamur credential import`."""

from pathlib import Path

import pytest

from tests.support.pdf import template
from tests.support.program import Program
from tests.support.records import COURSE

pytestmark = pytest.mark.e2e

IMPORT = ("--configuration", "completion", COURSE, "--from", "Old Campus")


@pytest.fixture
def installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    """An installation with a configuration, and a folder with certificates of before."""
    program = Program(tmp_path, monkeypatch, capsys)
    program.write_course(eligible=["Ann Example", "Ben Example"])
    program.configure()
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "77.pdf").write_bytes(template())
    (tmp_path / "old" / "page.pdf").write_bytes(b"<html>")
    return program


def import_(program: Program, *lines: str) -> tuple[str, ...]:
    program.write("old/list.csv", "\n".join(lines) + "\n")
    return ("credential", "import", "old/list.csv", *IMPORT)


HEADER = "learner_id,name,award_date,number,verification_id,file,link"
ANN = "learner-0,Ann Example,2019-06-30,OC-77,old-4711-abc,77.pdf,"
LINKED = "g-2,Łucja Żak,2019-07-01,OC-78,,,https://old.example.org/78"


def test_what_was_issued_before_is_looked_at_then_taken_over_once(installed: Program) -> None:
    command = import_(installed, HEADER, ANN, LINKED)
    looked = installed.json(*command)
    assert (looked["dry_run"], looked["awarded"]) == (True, 2)
    assert installed.succeeds("credential", "list", "--json").documents == []
    assert installed.json(*command, "--expect", "2")["awarded"] == 2
    again = installed.json(*command, "--yes")
    assert (again["awarded"], again["already_held"]) == (0, 2)


def test_it_verifies_by_the_id_that_it_had_and_is_found_by_its_number(installed: Program) -> None:
    installed.succeeds(*import_(installed, HEADER, ANN, LINKED), "--yes")
    assert installed.json("credential", "verify", "old-4711-abc")["status"] == "valid"
    found = installed.json("credential", "find", "--serial", "OC-78")
    shown = installed.succeeds("credential", "show", found["credential_id"]).out
    assert "https://old.example.org/78" in shown
    assert "Old Campus" in shown
    installed.succeeds("credential", "open", "old-4711-abc", "--output", "copy.pdf")
    assert (installed.folder / "copy.pdf").read_bytes() == template()


def test_a_run_leaves_the_holder_alone(installed: Program) -> None:
    installed.succeeds(*import_(installed, HEADER, ANN), "--yes")
    installed.succeeds("run", "completion", COURSE)
    rows = installed.succeeds("credential", "list", "--json").documents
    assert sorted(row["learner_id"] for row in rows) == ["learner-0", "learner-1"]


def test_every_bad_line_is_told_and_nothing_is_written(installed: Program) -> None:
    (installed.folder / "secret.pdf").write_bytes(template())
    command = import_(
        installed,
        HEADER,
        ANN,
        "g-3,Cyd,2019-06-30,,,missing.pdf,",
        "g-4,Cyd,2019-06-30,,,page.pdf,",
        "g-5,Cyd,2019-06-30,,,../secret.pdf,",
        "g-6,Cyd,2019-06-30,,,,",
        "g-7,Cyd,,,,77.pdf,",
        "g-8,Cyd,2019-06-30,,,77.pdf,https://old.example.org/8",
        "g-9,Cyd,2019-06-30,,,,ftp://old.example.org/9",
        ANN,
    )
    refused = installed(*command, "--yes", "--json")
    assert refused.code == 2
    lines = [each["line"] for each in refused.document["bad_lines"]]
    assert lines == [3, 4, 5, 6, 7, 8, 9, 10]
    assert installed.succeeds("credential", "list", "--json").documents == []


def test_a_public_id_that_is_used_is_told_and_the_others_are_taken_over(
    installed: Program,
) -> None:
    installed.succeeds(*import_(installed, HEADER, ANN), "--yes")
    other = "g-9,Cyd,2019-06-30,,old-4711-abc,77.pdf,"
    done = installed(*import_(installed, HEADER, other, LINKED), "--yes", "--json")
    assert done.code == 1
    assert (done.document["awarded"], done.document["refused"]) == (1, 1)
    assert "line 2" in done.err
