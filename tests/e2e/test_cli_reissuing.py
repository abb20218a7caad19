"""From the command line: certificates reissued under another name, or with a better template."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.pdf import text_of
from tests.support.program import TYPE_FILE, Program
from tests.support.records import COURSE

pytestmark = pytest.mark.e2e

NAMES = ("Ann Example", "Zoë Müller", "Łucja Żak")
REASON = ("--reason", "a wedding")
TYPO = ("--reason", "a typo")


@pytest.fixture
def testamur(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    """An installation in which three learners hold the credential."""
    program = Program(tmp_path, monkeypatch, capsys)
    program.write_course(eligible=NAMES)
    program.configure()
    program.succeeds("run", "completion", COURSE)
    return program


def ids(testamur: Program, status: str = "issued") -> dict[str, str]:
    """Return the ids of the credentials of a status, by learner."""
    listed = testamur.succeeds("credential", "list", "--status", status, "--json").documents
    return {row["learner_id"]: row["credential_id"] for row in listed}


def text(testamur: Program, id_: str) -> str:
    file = testamur.folder / "copy.pdf"
    testamur.succeeds("credential", "open", id_, "--output", str(file))
    return text_of(file.read_bytes())


def revise(testamur: Program, name: str = "Diploma") -> None:
    testamur.write("type.toml", TYPE_FILE.replace("Certificate of Completion", name))
    testamur.succeeds("type", "revise", "completion", "--file", "type.toml")


# testamur credential reissue


def test_a_new_name_makes_a_new_edition_and_the_old_id_leads_to_it(testamur: Program) -> None:
    id_ = ids(testamur)["learner-0"]

    answer = testamur.succeeds("credential", "reissue", id_, *REASON, "--name", "Anna Zażółć")

    new = ids(testamur)["learner-0"]
    assert new != id_
    assert f"Edition 2 is credential {new}" in answer.out
    assert f"It takes the place of {id_}." in answer.out
    assert "told by mail" in answer.out
    assert "Anna Zażółć" in text(testamur, new)
    verified = testamur("credential", "verify", id_, "--json")
    assert (verified.code, verified.document["status"]) == (1, "superseded")
    newer = testamur.json("credential", "verify", verified.document["superseded_by"])
    assert (newer["status"], newer["full_name"]) == ("valid", "Anna Zażółć")
    assert newer["award_date"] == verified.document["award_date"]


def test_show_and_list_tell_the_edition_and_what_took_its_place(testamur: Program) -> None:
    id_ = ids(testamur)["learner-0"]
    done = testamur.json("credential", "reissue", id_, *REASON, "--name", "Anna Example")
    assert (done["edition"], done["replaced"], done["withdrawn"]) == (2, id_, 1)

    old = testamur.succeeds("credential", "show", id_).out
    assert f"superseded by  {done['credential_id']}" in " ".join(old.split("\n"))
    assert "a wedding" in old
    new = testamur.succeeds("credential", "show", done["credential_id"]).out
    assert f"2, replaces {id_}" in new
    listed = testamur.succeeds("credential", "list", "--learner", "learner-0").out
    assert "1 → 2" in listed
    assert "superseded" in listed


def test_the_name_is_taken_from_the_lms(testamur: Program) -> None:
    testamur.write_course(eligible=("Ann Novak", *NAMES[1:]))
    id_ = ids(testamur)["learner-0"]
    done = testamur.json("credential", "reissue", id_, *REASON, "--name-from-lms", "--no-tell")
    assert not done["to_tell"]
    assert "Ann Novak" in text(testamur, done["credential_id"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--name", "安娜"], "no font"),
        (["--name", " "], "name"),
        (["--name", "Anna", "--name-from-lms"], "not both"),
        (["--name", "Anna", "--reason", "now called Anna"], "names the learner"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(
    testamur: Program, options: list[str], said: str
) -> None:
    before = ids(testamur)
    answer = testamur("credential", "reissue", before["learner-0"], *REASON, *options)
    assert answer.code in (1, 2)
    assert said in answer.err
    assert ids(testamur) == before


def test_a_superseded_credential_is_refused_with_the_one_that_took_its_place(
    testamur: Program,
) -> None:
    id_ = ids(testamur)["learner-0"]
    new = testamur.json("credential", "reissue", id_, *REASON)["credential_id"]
    answer = testamur("credential", "reissue", id_, *REASON)
    assert answer.code != 0
    assert new in answer.err


def test_a_revoked_credential_is_reinstated(testamur: Program) -> None:
    id_ = ids(testamur)["learner-0"]
    testamur.succeeds("credential", "revoke", id_, "--reason", "a slip")
    done = testamur.json("credential", "reissue", id_, "--reason", "cleared")
    testamur.succeeds("credential", "verify", done["credential_id"])


# testamur credential reissue-many


def test_what_would_be_reissued_is_shown_and_the_number_confirms_it(testamur: Program) -> None:
    revise(testamur)

    shown = testamur.succeeds("credential", "reissue-many", "--type", "completion", *TYPO)
    assert "Would be reissued: 3 credentials." in shown.out
    assert "add --expect 3" in shown.out
    assert ids(testamur, "superseded") == {}

    wrong = testamur("credential", "reissue-many", "--type", "completion", *TYPO, "--expect", "2")
    assert wrong.code == 2
    done = testamur.succeeds(
        "credential", "reissue-many", "--type", "completion", *TYPO, "--expect", "3"
    )
    assert done.out.splitlines() == ["Reissued 3 credentials.", "3 learners will be told by mail."]
    assert len(ids(testamur, "superseded")) == 3
    again = testamur.json("credential", "reissue-many", "--type", "completion", *TYPO)
    assert (again["count"], again["unchanged"], again["ended"]) == (0, 3, 3)


def test_those_with_a_new_name_in_the_lms_are_reissued_and_who_cannot_be_is_told(
    testamur: Program,
) -> None:
    testamur.write_course(eligible=("Ann Novak", "安娜", NAMES[2]))
    many = ("credential", "reissue-many", "--context", COURSE, *REASON, "--name-from-lms")

    found = testamur.json(*many)
    assert (found["count"], found["unchanged"], found["failing"]) == (1, 1, 1)
    done = testamur(*many, "--expect", "1", "--json")

    assert done.code == 1
    assert done.document["reissued"] == 1
    assert [each["learner_id"] for each in done.document["not_reissued"]] == ["learner-1"]
    assert "Ann Novak" in text(testamur, ids(testamur)["learner-0"])


def test_all_that_were_issued_before_a_time_are_reissued(testamur: Program) -> None:
    many = ("credential", "reissue-many", "--type", "completion", *TYPO)
    assert testamur.json(*many)["count"] == 0
    now = datetime.now(UTC).isoformat()
    assert testamur.json(*many, "--issued-before", now)["count"] == 3
    assert testamur(*many, "--issued-before", "2100-01-01").code == 2
    assert testamur.json(*many, "--issued-before", "2020-01-01")["count"] == 0


def test_some_condition_is_needed(testamur: Program) -> None:
    answer = testamur("credential", "reissue-many", *TYPO)
    assert answer.code == 2
    assert "condition" in answer.err
