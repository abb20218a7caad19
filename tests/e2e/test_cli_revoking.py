"""From the command line: certificates revoked, one, many, or those of a run."""

from pathlib import Path
from uuid import UUID

import pytest

from testamur.entrypoints.library import Testamur
from testamur.entrypoints.settings import load_settings
from tests.support.program import Program
from tests.support.records import COURSE

pytestmark = pytest.mark.e2e

NAMES = ("Ann Example", "Zoë Müller", "Łucja Żak")


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


def credentials(testamur: Program) -> dict[str, dict[str, str]]:
    """Return what is listed of each learner's credential."""
    listed = testamur.succeeds("credential", "list", "--json").documents
    return {row["learner_id"]: row for row in listed}


def documents(testamur: Program) -> set[str]:
    """Return the credentials whose documents are where anybody may get at them."""
    folder = testamur.folder / "testamur-data" / "files" / "credentials"
    return {path.stem for path in folder.glob("*/*.pdf")}


# testamur credential revoke


def test_a_revoked_credential_does_not_verify_and_its_document_is_gone(testamur: Program) -> None:
    id_ = credentials(testamur)["learner-0"]["credential_id"]
    assert len(documents(testamur)) == 3

    answer = testamur.succeeds("credential", "revoke", id_, "--reason", "a slip of the pen")

    assert answer.out == f"Revoked credential {id_}.\n"
    verified = testamur("credential", "verify", id_)
    assert verified.code == 1
    assert "it has been revoked" in verified.out
    assert "a slip of the pen" in verified.out
    assert id_ not in documents(testamur)
    assert len(documents(testamur)) == 2
    shown = testamur.succeeds("credential", "show", id_).out
    assert "user:registrar" in shown
    assert "documents withdrawn" in shown
    assert ".archive" in shown


def test_it_held_until_then(testamur: Program) -> None:
    id_ = credentials(testamur)["learner-0"]["credential_id"]
    testamur.succeeds("credential", "revoke", id_, "--reason", "a slip")
    with Testamur.open(load_settings(None).settings) as opened:
        history = opened.history(UUID(id_))
    moments = {type(each.event).__name__: each.attribution.at for each in history}
    before = moments["CredentialRevoked"].replace(microsecond=0).isoformat()
    after = testamur("credential", "verify", id_, "--json")
    assert (after.code, after.document["status"]) == (1, "revoked")
    issued = moments["CredentialIssued"].isoformat()
    at_issue = testamur("credential", "verify", id_, "--at", issued, "--json")
    assert (at_issue.code, at_issue.document["status"]) == (0, "valid"), before


def test_a_revoked_document_is_refused_with_the_place_where_it_is_kept(testamur: Program) -> None:
    id_ = credentials(testamur)["learner-0"]["credential_id"]
    testamur.succeeds("credential", "open", id_, "--output", "before.pdf")
    testamur.succeeds("credential", "revoke", id_, "--reason", "a slip")

    for command in ("open", "url"):
        answer = testamur("credential", command, id_)
        assert answer.code == 1
        assert answer.err.startswith(f"error: credential {id_} is revoked (a slip)")
        assert ".archive/credentials/" in answer.err
        assert "--archived" in answer.err
    testamur.succeeds("credential", "open", id_, "--archived", "--output", "after.pdf")
    before, after = (testamur.folder / name for name in ("before.pdf", "after.pdf"))
    assert before.read_bytes() == after.read_bytes()
    archive = testamur.json("credential", "download", "--output", "all.zip", "--status", "revoked")
    assert archive["files"] == 1


def test_a_reason_is_needed_and_revoking_again_is_refused(testamur: Program) -> None:
    id_ = credentials(testamur)["learner-0"]["credential_id"]
    assert testamur("credential", "revoke", id_).code == 2
    assert testamur("credential", "revoke", id_, "--reason", " ").code == 2
    assert credentials(testamur)["learner-0"]["status"] == "issued"
    testamur.succeeds("credential", "revoke", id_, "--reason", "a slip")
    again = testamur("credential", "revoke", id_, "--reason", "another")
    assert again.code == 1
    assert "it is revoked and cannot be revoked" in again.err
    assert testamur("credential", "revoke", str(UUID(int=5)), "--reason", "x").code == 2


def test_it_is_told_as_json(testamur: Program) -> None:
    id_ = credentials(testamur)["learner-0"]["credential_id"]
    assert testamur.json("credential", "revoke", id_, "--reason", "a slip") == {
        "credential_id": id_,
        "revoked": 1,
        "to_tell": 0,
        "withdrawn": 1,
        "waiting": 0,
        "left_public": 0,
        "missing": [],
        "failures": [],
    }


def test_a_lost_document_is_told(testamur: Program) -> None:
    id_ = credentials(testamur)["learner-0"]["credential_id"]
    location = testamur.json("credential", "open", id_)["location"]
    Path(location).unlink()
    answer = testamur("credential", "revoke", id_, "--reason", "a slip")
    assert answer.code == 1
    assert answer.err == f"found nowhere: credentials/{id_[:2]}/{id_}.pdf\n"
    assert credentials(testamur)["learner-0"]["status"] == "revoked"


# testamur credential revoke-many


def test_many_are_shown_first_and_revoked_once_the_number_is_confirmed(testamur: Program) -> None:
    which = ("--configuration", "completion", COURSE, "--reason", "the wrong exam")
    shown = testamur.succeeds("credential", "revoke-many", *which)
    assert "Would be revoked: 3 credentials (3 issued, 0 awarded and not issued)." in shown.out
    assert "add --expect 3." in shown.out
    assert all(id_ in shown.out for id_ in documents(testamur))
    assert {row["status"] for row in credentials(testamur).values()} == {"issued"}

    wrong = testamur("credential", "revoke-many", *which, "--expect", "2")
    assert wrong.code == 2
    assert "3: so many would be revoked now" in wrong.err
    assert len(documents(testamur)) == 3

    done = testamur.succeeds("credential", "revoke-many", *which, "--expect", "3")
    assert done.out == "Revoked 3 credentials.\n"
    assert {row["status"] for row in credentials(testamur).values()} == {"revoked"}
    assert documents(testamur) == set()
    left = testamur.json("credential", "revoke-many", *which)
    assert (left["count"], left["ended"]) == (0, 3)


def test_listed_learners_are_revoked(testamur: Program) -> None:
    testamur.write("who.txt", "\ufefflearner-2\n\n  learner-0 \nsomebody-else\n")
    which = ("--learners", "who.txt", "--reason", "cheated")
    found = testamur.json("credential", "revoke-many", *which)
    assert (found["dry_run"], found["count"], found["without"]) == (True, 2, 1)
    assert found["first_without"] == ["somebody-else"]
    assert [row["learner_id"] for row in found["first"]] == ["learner-2", "learner-0"]
    assert testamur.json("credential", "revoke-many", *which, "--expect", "2")["revoked"] == 2
    statuses = {learner: row["status"] for learner, row in credentials(testamur).items()}
    assert statuses == {"learner-0": "revoked", "learner-1": "issued", "learner-2": "revoked"}


@pytest.mark.parametrize(
    ("which", "told"),
    [
        ((), "never done to everything"),
        (("--type", "unknown"), "unknown"),
        (("--configuration", "completion", "course-v1:No+Such+Course"), "course-v1:No+Such+Course"),
        (("--learners", "missing.txt"), "missing.txt"),
        (("--learners", "empty.txt"), "names nobody"),
        (("--learners", "addresses.txt"), "line 2"),
    ],
)
def test_what_is_not_allowed_is_refused(
    testamur: Program, which: tuple[str, ...], told: str
) -> None:
    testamur.write("empty.txt", "\n")
    testamur.write("addresses.txt", "learner-0\nann@example.org\n")
    answer = testamur("credential", "revoke-many", *which, "--reason", "a slip", "--expect", "3")
    assert answer.code == 2
    assert told in answer.err
    assert len(documents(testamur)) == 3


# testamur run revoke


def test_a_run_that_went_wrong_is_revoked(testamur: Program) -> None:
    (run_id,) = {row["run_id"] for row in credentials(testamur).values()}
    testamur.write_course(eligible=[*NAMES, "Ångström Ö"])
    testamur.succeeds("run", "completion", COURSE)

    found = testamur.json("run", "revoke", run_id, "--reason", "the wrong template")
    assert found["count"] == 3
    done = testamur.succeeds(
        "run", "revoke", run_id, "--reason", "the wrong template", "--expect", "3"
    )
    assert done.out == "Revoked 3 credentials.\n"
    statuses = {learner: row["status"] for learner, row in credentials(testamur).items()}
    assert statuses.pop("learner-3") == "issued"
    assert set(statuses.values()) == {"revoked"}
    # It sticks: the next run awards none of them again.
    again = testamur.json("run", "completion", COURSE)
    assert again["awarded"] == 0
    unknown = testamur("run", "revoke", str(UUID(int=5)), "--reason", "x")
    assert unknown.code == 2


# testamur doctor


def test_the_doctor_tells_what_waits_to_be_put_away(testamur: Program) -> None:
    def finding() -> dict[str, str]:
        found = testamur("doctor", "--json").document
        (withdrawals,) = [each for each in found if each["subject"] == "withdrawals"]
        return dict(withdrawals)

    assert finding()["ok"]
    id_ = credentials(testamur)["learner-0"]["credential_id"]
    archive = testamur.folder / "testamur-data" / "files" / ".archive"
    archive.write_text("in the way")
    revoked = testamur("credential", "revoke", id_, "--reason", "a slip")
    assert revoked.code == 1
    assert "not put away" in revoked.err
    assert not finding()["ok"]
    assert "1 credentials" in finding()["found"]
    assert testamur("tick").code == 1
    archive.unlink()
    assert "Withdrawn: 1 credential" in testamur.succeeds("tick").out
    assert finding()["ok"]
    assert id_ not in documents(testamur)


def test_the_learner_is_told_where_that_is_asked_for(testamur: Program) -> None:
    listed = credentials(testamur)
    told, untold = (listed[each]["credential_id"] for each in ("learner-0", "learner-1"))
    answer = testamur.succeeds("credential", "revoke", told, "--reason", "a slip", "--tell")
    assert "1 learner will be told by mail." in answer.out
    testamur.succeeds("credential", "revoke", untold, "--reason", "a slip")
    testamur.succeeds("tick")
    messages = testamur.folder.glob("testamur-data/**/*.eml")
    texts = [path.read_text(encoding="utf-8") for path in messages]
    assert sum(f"<revoked.{told}@" in text for text in texts) == 1
    assert not any(f"<revoked.{untold}@" in text for text in texts)
