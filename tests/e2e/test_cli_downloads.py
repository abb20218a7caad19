"""From the command line: certificates handed out as an archive, of many learners or of one."""

import csv
import stat
import subprocess
from io import BytesIO, StringIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from testamur.entrypoints.library import Testamur
from testamur.entrypoints.settings import load_settings
from tests.support.pdf import text_of
from tests.support.program import Program, command
from tests.support.records import COURSE, OTHER_COURSE

pytestmark = pytest.mark.e2e

ANN, ZOE = (
    "Ann Example - Certificate of Completion.pdf",
    "Zoë Müller - Certificate of Completion.pdf",
)


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


def members(file: Path) -> dict[str, bytes]:
    with ZipFile(file) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name) for name in opened.namelist()}


def index(file: Path) -> dict[str, dict[str, str]]:
    """Return the rows of the index by learner."""
    text = members(file)["index.csv"].decode("utf-8-sig")
    return {row["learner_id"]: row for row in csv.DictReader(StringIO(text, newline=""))}


def documents(testamur: Program) -> dict[str, Path]:
    """Return where each learner's document lies."""
    with Testamur.open(load_settings(None).settings) as opened:
        return {
            row.learner_id: Path(opened.document_location(row.credential_id))
            for row in opened.credentials()
        }


# testamur credential download


def test_all_documents_are_written_with_an_index(testamur: Program) -> None:
    answer = testamur.succeeds("credential", "download", "--output", "all.zip")
    assert answer.out == "2 documents written to all.zip.\n"
    file = testamur.folder / "all.zip"
    folder = next(name for name in members(file) if "/" in name).partition("/")[0]
    assert set(members(file)) == {f"{folder}/{ANN}", f"{folder}/{ZOE}", "index.csv"}
    assert "Zoë Müller" in text_of(members(file)[f"{folder}/{ZOE}"])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    ann = index(file)["learner-0"]
    assert (ann["file"], ann["name"], ann["status"]) == (f"{folder}/{ANN}", "Ann Example", "issued")
    assert "email" not in ann


def test_the_same_documents_make_the_same_archive(testamur: Program) -> None:
    for name in ("one.zip", "other.zip"):
        testamur.succeeds("credential", "download", "--output", name)
    one, other = (testamur.folder / name for name in ("one.zip", "other.zip"))
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(
    ("conditions", "learners"),
    [
        (("--configuration", "completion", COURSE), {"learner-0", "learner-1"}),
        (("--type", "completion", "--context", COURSE), {"learner-0", "learner-1"}),
        (("--learner", "learner-1"), {"learner-1"}),
        (("--context", OTHER_COURSE), set()),
        (("--run", "00000000-0000-0000-0000-000000000000"), set()),
        (("--status", "issued", "--status", "revoked"), {"learner-0", "learner-1"}),
        (("--status", "revoked"), set()),
    ],
)
def test_conditions_choose_whose(
    testamur: Program, conditions: tuple[str, ...], learners: set[str]
) -> None:
    testamur.succeeds("credential", "download", *conditions, "--output", "some.zip")
    assert set(index(testamur.folder / "some.zip")) == learners


def test_files_are_named_as_wanted_and_addresses_are_in_the_index_when_asked_for(
    testamur: Program,
) -> None:
    testamur.succeeds(
        "credential", "download", "--names", "{type_slug}/{learner_id}", "--with-email",
        "--output", "named.zip",
    )  # fmt: skip
    file = testamur.folder / "named.zip"
    assert set(members(file)) == {
        "completion/learner-0.pdf",
        "completion/learner-1.pdf",
        "index.csv",
    }
    assert index(file)["learner-0"]["email"] == "learner-0@example.org"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--names", "{surname}"), "--names: '{surname}' is not allowed; allowed: {name}, "),
        (("--names", "../{name}"), "a path below the folder"),
        (("--type", "unknown"), "no credential type 'unknown'"),
        (("--configuration", "completion", OTHER_COURSE), "no configuration"),
        (("--learner", "ann@example.org"), "--learner"),
        (("--status", "lost"), "'lost'"),
    ],
)
def test_what_is_not_allowed_is_refused_and_nothing_is_written(
    testamur: Program, arguments: tuple[str, ...], told: str
) -> None:
    answer = testamur("credential", "download", *arguments, "--output", "all.zip")
    assert answer.code == 2
    assert told in answer.err
    assert not (testamur.folder / "all.zip").exists()


def test_a_place_that_cannot_be_written_is_told(testamur: Program) -> None:
    answer = testamur("credential", "download", "--output", "missing/all.zip")
    assert answer.code == 2
    assert "--output: 'missing/all.zip'" in answer.err


def test_missing_and_altered_documents_are_told_and_the_others_written(testamur: Program) -> None:
    testamur.write_course(eligible=["Ann Example", "Zoë Müller", "Third One", "Fourth One"])
    testamur.succeeds("run", "completion", COURSE)
    files = documents(testamur)
    files["learner-0"].unlink()
    files["learner-1"].write_bytes(b"%PDF-forged")
    answer = testamur("credential", "download", "--output", "rest.zip")
    assert answer.code == 1
    assert answer.out == "2 documents written to rest.zip.\n"
    *faults, total = answer.err.splitlines()
    assert sorted(fault.partition("learner ")[2][:20] for fault in faults) == [
        "learner-0: missing: ",
        "learner-1: altered: ",
    ]
    assert total.startswith("error: 2 documents missing, altered or not to be read")
    rows = index(testamur.folder / "rest.zip")
    assert {learner: row["no_file_because"] for learner, row in rows.items()} == {
        "learner-0": "missing",
        "learner-1": "altered",
        "learner-2": "",
        "learner-3": "",
    }
    assert len(members(testamur.folder / "rest.zip")) == 3


def test_of_the_erased_it_is_told_that_they_are(testamur: Program) -> None:
    testamur.succeeds("learner", "erase", "learner-0", "--reason", "asked for", "--yes")
    answer = testamur.json("credential", "download", "--output", "rest.zip")
    assert answer == {"file": "rest.zip", "files": 1, "absent": {"erased": 1}}
    ann = index(testamur.folder / "rest.zip")["learner-0"]
    assert (ann["no_file_because"], ann["name"], ann["status"]) == ("erased", "", "erased")
    assert "Ann Example" not in str(members(testamur.folder / "rest.zip"))


def test_it_goes_through_a_pipe(testamur: Program) -> None:
    done = subprocess.run(
        command("credential", "download", "--output", "-"),
        cwd=testamur.folder,
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert not done.stderr
    testamur.succeeds("credential", "download", "--output", "all.zip")
    assert done.stdout == (testamur.folder / "all.zip").read_bytes()
    with ZipFile(BytesIO(done.stdout)) as opened:
        assert len(opened.namelist()) == 3


def test_an_archive_in_a_pipe_leaves_no_room_for_json(testamur: Program) -> None:
    answer = testamur("credential", "download", "--output", "-", "--json")
    assert answer.code == 2
    assert "--json needs --output FILE" in answer.err


def test_a_pipe_that_nobody_reads_any_more_is_told(testamur: Program) -> None:
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", '"$0" "$@" | true', *command()[:3], "credential",
         "download", "--output", "-"],
        cwd=testamur.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "error: - cannot be written to its end: Broken pipe" in done.stderr
    assert "bug" not in done.stderr


# testamur learner wallet


def test_a_wallet_has_all_that_a_learner_holds(testamur: Program) -> None:
    answer = testamur.succeeds("learner", "wallet", "learner-1", "--output", "wallet.zip")
    assert answer.out == "1 document written to wallet.zip.\n"
    file = testamur.folder / "wallet.zip"
    assert set(index(file)) == {"learner-1"}
    (document,) = (name for name in members(file) if name != "index.csv")
    assert "/" not in document
    assert document.endswith(" - Certificate of Completion.pdf")
    assert "Zoë Müller" in text_of(members(file)[document])


def test_whoever_was_awarded_nothing_has_no_wallet(testamur: Program) -> None:
    answer = testamur("learner", "wallet", "learner-9", "--output", "wallet.zip")
    assert answer.code == 2
    assert "no credential of learner 'learner-9'" in answer.err
    assert not (testamur.folder / "wallet.zip").exists()
