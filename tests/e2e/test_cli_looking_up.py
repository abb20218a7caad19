"""From the command line: credentials, their documents and their history, looked up."""

from pathlib import Path
from typing import Any

import pytest

from testamur.application.ports.secret_keys import SecretKeys
from testamur.domain.credentials import CredentialStatus
from testamur.domain.identifiers import LearnerId
from testamur.entrypoints.cli.credentials import Status
from testamur.entrypoints.container import Wiring
from testamur.entrypoints.settings import load_settings
from tests.support.program import ACTOR, Program
from tests.support.records import COURSE, OTHER_COURSE

pytestmark = pytest.mark.e2e


RUN = ("run", "completion", COURSE)


@pytest.fixture
def testamur(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    """An installation in which Ann and Zoë have earned the credential, and Too Early has not."""
    program = Program(tmp_path, monkeypatch, capsys)
    program.write_course(eligible=["Ann Example", "Zoë Müller"], not_eligible=["Too Early"])
    program.configure("--every", "1d")
    return program


def credentials(testamur: Program, *options: str) -> list[Any]:
    return testamur.succeeds("credential", "list", *options, "--json").documents


def test_credentials_are_listed_by_what_one_knows_of_them(testamur: Program) -> None:
    run = testamur.json(*RUN)["run_id"]
    everything = {each["credential_id"] for each in credentials(testamur)}
    assert len(everything) == 2
    for options in (
        ("--type", "completion"),
        ("--context", COURSE),
        ("--type", "completion", "--context", COURSE),
        ("--run", run),
        ("--status", "issued"),
    ):
        assert {each["credential_id"] for each in credentials(testamur, *options)} == everything
    assert len(credentials(testamur, "--limit", "1")) == 1
    assert len(credentials(testamur, "--learner", "learner-0")) == 1
    assert credentials(testamur, "--status", "revoked") == []
    assert credentials(testamur, "--context", OTHER_COURSE) == []
    assert credentials(testamur, "--type", "completion", "--context", OTHER_COURSE) == []
    assert testamur.succeeds("credential", "list", "--status", "revoked").out == "No credentials.\n"


def test_a_filter_that_means_nothing_is_refused(testamur: Program) -> None:
    for option, value in (
        ("--type", "unheard-of"),
        ("--learner", "ann@example.org"),
        ("--run", "seven"),
        ("--status", "lost"),
    ):
        refused = testamur("credential", "list", option, value)
        assert (refused.code, refused.out) == (2, "")


def test_every_status_can_be_asked_for() -> None:
    assert set(Status.__args__) == set(CredentialStatus)  # type: ignore[attr-defined]


def test_a_credential_is_called_after_the_certificate_name_of_the_configuration(
    testamur: Program,
) -> None:
    name = 'context.certificate_name="Higher\\nMathematics"'
    testamur.succeeds("configuration", "options", "completion", COURSE, "--set", name)
    shown = testamur.succeeds("configuration", "show", "completion", COURSE).out.splitlines()
    assert "context.certificate_name      Higher Mathematics  configuration" in shown
    testamur.succeeds(*RUN)
    found = credentials(testamur, "--learner", "learner-1")[0]["credential_id"]
    awarded = testamur.json("credential", "show", found)["awarded"]
    assert awarded["context_name"] == "Higher\nMathematics"


def test_a_credential_is_shown_with_its_evidence_and_history(testamur: Program) -> None:
    testamur.succeeds(*RUN)
    (found,) = credentials(testamur, "--learner", "learner-1")
    shown = testamur.succeeds("credential", "show", found["credential_id"]).out
    for words in (
        "name          Zoë Müller",
        "e-mail        learner-1@example.org",
        "status        issued",
        "learner told  sent",
        "context       Mathematics (course-v1:Uni+Maths+2026)",
        "completion      90 %     100 %  yes",
        ACTOR,
        "system:notifier",
    ):
        assert words in shown
    by_verification_id = testamur.succeeds("credential", "show", found["verification_id"])
    assert by_verification_id.out == shown
    document = testamur.json("credential", "show", found["credential_id"])
    assert document["awarded"]["person"]["full_name"] == "Zoë Müller"
    assert document["awarded"]["evidence"]["results"][-1]["required"] == "0.9"
    assert Path(document["location"]).read_bytes().startswith(b"%PDF-")


def test_what_was_erased_is_shown_as_erased(testamur: Program) -> None:
    testamur.succeeds(*RUN)
    (found,) = credentials(testamur, "--learner", "learner-1")
    wiring = Wiring.of(load_settings().settings)
    wiring.resolve(SecretKeys).destroy(LearnerId("learner-1"))
    wiring.close()
    shown = testamur.succeeds("credential", "show", found["credential_id"]).out
    assert "Zoë" not in shown
    for words in (
        "name          (erased)",
        "e-mail        (erased)",
        "language      (erased)",
        "to (erased) (learner-1)",
    ):
        assert words in shown
    document = testamur.json("credential", "show", found["credential_id"])
    assert document["awarded"]["person"] is None


def test_the_document_of_a_credential_is_found_and_copied(testamur: Program) -> None:
    testamur.succeeds(*RUN)
    found = credentials(testamur)[0]["credential_id"]
    location = Path(testamur.succeeds("credential", "open", found).out.strip())
    assert location.read_bytes().startswith(b"%PDF-")
    testamur.succeeds("credential", "open", found, "--output", "copy.pdf")
    assert (testamur.folder / "copy.pdf").read_bytes() == location.read_bytes()
    document = testamur.json("credential", "open", found)
    assert document == {"credential_id": found, "location": str(location), "output": None}
    refused = testamur("credential", "open", found, "--output", "no/such/folder.pdf")
    assert refused.code == 2
    assert "--output" in refused.err
    location.unlink()
    lost = testamur("credential", "open", found)
    assert (lost.code, lost.out) == (2, "")
    assert location.name in lost.err


def test_a_credential_that_is_not_there_is_told_in_one_line(testamur: Program) -> None:
    for reference in ("9eaef177-89b8-5dca-aa53-39a129689f70", "ykh7s9qb23r4t6pm6x6kxqs5y4"):
        for command in ("show", "open"):
            refused = testamur("credential", command, reference)
            assert (refused.code, refused.out) == (2, "")
            assert refused.err == f"error: no credential '{reference}'\n"


def test_the_history_of_a_credential_says_who_did_what(testamur: Program) -> None:
    testamur.succeeds(*RUN)
    found = credentials(testamur)[0]["credential_id"]
    recorded = testamur.json("history", "credential", found)
    assert [(each["name"], each["attribution"]["actor"]) for each in recorded] == [
        ("credential.awarded.1", ACTOR),
        ("credential.issued.1", "system:issuer"),
        ("credential.notification-sent.1", "system:notifier"),
    ]
    lines = testamur.succeeds("history", "credential", found).out.splitlines()
    assert len(lines) == 4
