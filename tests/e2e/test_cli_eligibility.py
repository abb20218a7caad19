"""From the command line: what a learner has reached, what is missing, and what they hold."""

from pathlib import Path

import pytest

from tests.support.program import Program
from tests.support.records import COURSE, OTHER_COURSE, PATHWAY

pytestmark = pytest.mark.e2e

ANN = ("--learner", "learner-0")
EARLY = ("--learner", "learner-1")

BY_GRADES = """
name = "Certificate of Completion"
criteria = "grades"

[issuer]
name = "Example University"

[options.criteria.required_grades]
Exam = 0.5

[options.rendering]
template = "template"
fonts = ["noto-sans"]
"""


@pytest.fixture
def testamur(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    """An installation in which Ann has earned the credential, and Too Early has not."""
    program = Program(tmp_path, monkeypatch, capsys)
    program.write("testamur.toml", 'source_folder = "source"\npublic_url = "https://example.org"\n')
    program.write_course(eligible=["Ann Example"], not_eligible=["Too Early"])
    program.configure()
    return program


def add_rows(testamur: Program, table: str, *rows: str) -> None:
    with (testamur.folder / "source" / f"{table}.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"{row}\n" for row in rows)


def test_what_is_reached_and_what_is_missing_is_shown(testamur: Program) -> None:
    testamur.succeeds("configuration", "enable", "completion", COURSE)
    lines = testamur.succeeds("eligibility", COURSE, *EARLY).out.splitlines()
    assert lines[:3] == ["learner  learner-1", f"context  {COURSE}", "name     Mathematics"]
    assert lines[3].startswith("as of    20")
    assert lines[3].endswith(", from files:source")
    assert lines[4:] == [
        "",
        "Certificate of Completion",
        "type completion",
        "Not eligible yet: 0 of 1 criterion met.",
        "",
        "criterion   required  reached  progress    met",
        "enrolment                                  yes",
        "completion      90 %     50 %  █████░░░░░  no",
    ]


def test_who_is_eligible_is_told_so_and_is_awarded_nothing_by_it(testamur: Program) -> None:
    shown = testamur.succeeds("eligibility", COURSE, *ANN).out
    assert "type completion, disabled\nEligible: 1 of 1 criterion met.\n" in shown
    assert "completion      90 %    100 %  ██████████  yes" in shown
    assert testamur.succeeds("credential", "list", "--json").documents == []


def test_a_credential_that_the_learner_holds_is_shown_with_its_links(testamur: Program) -> None:
    testamur.succeeds("run", "completion", COURSE)
    (credential,) = testamur.succeeds("credential", "list", "--json").documents
    shown = testamur.succeeds("eligibility", COURSE, *ANN).out
    assert "\nAwarded on 20" in shown
    fields = dict(line.rsplit(maxsplit=1) for line in shown.splitlines()[-6:])
    verification = credential["verification_id"]
    assert fields.pop("award date").startswith("20")
    assert fields == {
        "credential": credential["credential_id"],
        "status": "issued",
        "verification": verification,
        "verify": f"https://example.org/verify/{verification}",
        "download": f"https://example.org/documents/{verification}",
    }


def test_the_steps_of_a_pathway_are_shown_in_order_and_by_name(testamur: Program) -> None:
    testamur.write("source/pathways.csv", f"pathway_key,name\n{PATHWAY},مسار العلوم\n")
    testamur.write(
        "source/pathway_steps.csv",
        f"pathway_key,position,course_key\n{PATHWAY},1,{OTHER_COURSE}\n{PATHWAY},2,{COURSE}\n",
    )
    add_rows(testamur, "courses", f"{OTHER_COURSE},مقدمة في الفيزياء")
    add_rows(testamur, "enrolments", f"learner-0,{PATHWAY}", f"learner-0,{OTHER_COURSE}")
    add_rows(testamur, "completions", f"learner-0,{OTHER_COURSE},0.89999")
    testamur.succeeds("configuration", "create", "completion", PATHWAY)
    lines = testamur.succeeds("eligibility", PATHWAY, *ANN).out.splitlines()
    assert "name     مسار العلوم" in lines
    assert "Not eligible yet: 1 of 2 steps met." in lines
    table = [line.split(maxsplit=1)[0] + line[-4:] for line in lines[-7:]]
    assert table == [
        "enrolment yes",
        "1.  no",
        "enrolment yes",
        "completion  no",
        "2. yes",
        "enrolment yes",
        "completion yes",
    ]
    assert "89.99 %  █████████░  no" in lines[-4]


def test_in_json_everything_is_told_and_nothing_personal(testamur: Program) -> None:
    testamur.succeeds("run", "completion", COURSE)
    document = testamur.json("eligibility", COURSE, *ANN)
    (configuration,) = document.pop("configurations")
    assert document.pop("retrieved_at").startswith("20")
    assert document == {
        "context_key": COURSE,
        "context_name": "Mathematics",
        "learner_id": "learner-0",
        "source": "files:source",
    }
    credential = configuration.pop("credential")
    assert (credential["status"], credential["edition"]) == ("issued", 1)
    assert credential["verify_url"].startswith("https://example.org/verify/")
    enrolment, completion = configuration.pop("results")
    assert (enrolment["criterion"], enrolment["met"]) == ("enrolment", True)
    assert (completion["required"], completion["achieved"], completion["met"]) == ("0.9", "1", True)
    assert configuration.pop("configuration_id")
    assert configuration == {
        "type_slug": "completion",
        "type_name": "Certificate of Completion",
        "enabled": False,
        "retired": False,
        "criteria": {"kind": "completion", "required_completion": "0.9"},
        "eligible": True,
        "steps": [],
        "unweighted_categories": [],
        "left_out": None,
        "problem": None,
    }
    assert "Ann Example" not in testamur.succeeds("eligibility", COURSE, *ANN, "--json").out


def test_where_nothing_is_configured_the_answer_says_so(testamur: Program) -> None:
    shown = testamur.succeeds("eligibility", OTHER_COURSE, *ANN).out
    assert shown == f"No credential can be earned in {OTHER_COURSE}.\n"
    assert testamur.json("eligibility", OTHER_COURSE, *ANN)["configurations"] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("maths", *ANN), "error: context_key: 'maths' is not allowed"),
        ((COURSE, "--learner", "ann@example.org"), "error: --learner: 'a…@…' is not allowed"),
        ((COURSE, "--learner", "nobody"), f"error: no learner of {COURSE} 'nobody'"),
        ((COURSE,), "error: missing option '--learner'"),
    ],
)
def test_what_is_not_allowed_or_not_there_is_refused_in_one_line(
    testamur: Program, arguments: tuple[str, ...], said: str
) -> None:
    refused = testamur("eligibility", *arguments)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith(said)
    assert len(refused.err.splitlines()) == 1


def test_a_data_source_that_cannot_be_asked_fails_in_one_line(testamur: Program) -> None:
    testamur.write("testamur.toml", "")
    failed = testamur("eligibility", COURSE, *ANN)
    assert (failed.code, failed.out) == (1, "")
    assert failed.err.startswith("error: no data source is set")
    assert len(failed.err.splitlines()) == 1


def test_criteria_that_cannot_be_used_are_told_on_stderr_and_the_others_are_shown(
    testamur: Program,
) -> None:
    path = "criteria.required_completion"
    testamur.succeeds("configuration", "options", "completion", COURSE, "--set", f"{path}=0.5")
    testamur.write("by-grades.toml", BY_GRADES)
    testamur.succeeds("type", "revise", "completion", "--file", "by-grades.toml")
    testamur.succeeds("type", "define", "other", "--file", "type.toml")
    testamur.succeeds("configuration", "create", "other", COURSE)
    shown = testamur("eligibility", COURSE, *ANN)
    assert shown.code == 1
    assert shown.err.startswith(f"error: completion for {COURSE}: ")
    assert path in shown.err
    assert len(shown.err.splitlines()) == 1
    assert "What is reached cannot be told: the criteria cannot be used." in shown.out
    assert "type other, disabled\nEligible: 1 of 1 criterion met.\n" in shown.out
    as_json = testamur("eligibility", COURSE, *ANN, "--json")
    assert as_json.code == 1
    broken, other = as_json.document["configurations"]
    assert path in broken["problem"]
    assert other["eligible"] is True
