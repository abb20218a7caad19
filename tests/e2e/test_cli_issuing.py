"""From the command line: dry runs, runs and ticks."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from testamur.adapters.files import FileRetrievalSource
from testamur.adapters.system import FileLocks
from testamur.domain.learning import LearnerRecord
from tests.support.program import Program
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


def with_a_name_that_no_font_has(testamur: Program) -> None:
    testamur.write_course(eligible=["Ann Example", "Zoë \N{EGYPTIAN HIEROGLYPH A001}"])


# Dry runs


def test_a_dry_run_shows_who_would_get_the_credential_who_not_and_why(testamur: Program) -> None:
    assert testamur.succeeds(*RUN, "--dry-run").out.splitlines() == [
        "learner    outcome       name, or why not",
        "learner-0  award         Ann Example",
        "learner-1  award         Zoë Müller",
        "learner-2  not eligible  completion 50 %, needs 90 %",
        "",
        "3 learners: 2 award, 1 not eligible.",
        "This was a dry run: nothing was written.",
    ]
    assert credentials(testamur) == []


def test_a_dry_run_in_json_is_a_line_for_each_learner(testamur: Program) -> None:
    ann, _, early = testamur.succeeds(*RUN, "--dry-run", "--json").documents
    assert (ann["learner_id"], ann["outcome"], ann["full_name"]) == (
        "learner-0",
        "award",
        "Ann Example",
    )
    assert early["outcome"] == "not-eligible"
    completion = early["results"][-1]
    assert (completion["required"], completion["achieved"], completion["met"]) == (
        "0.9",
        "0.5",
        False,
    )


def test_a_dry_run_shows_who_holds_it_and_who_could_not_be_awarded_it(testamur: Program) -> None:
    testamur.succeeds(*RUN, "--learner", "learner-0")
    with_a_name_that_no_font_has(testamur)
    shown = testamur.succeeds(*RUN, "--dry-run").out
    outcomes = [line.split("  ")[1].strip() for line in shown.splitlines()[1:3]]
    assert sorted(outcomes) == ["already held", "refused"]
    assert "U+13000" in shown
    assert "2 learners: 1 refused, 1 already held." in shown


def test_a_dry_run_keeps_to_a_limit_and_to_one_learner(testamur: Program) -> None:
    documents = testamur.succeeds(*RUN, "--dry-run", "--limit", "1", "--json").documents
    assert [each["outcome"] for each in documents] == ["award", "over-limit", "not-eligible"]
    assert "1 over the limit" in testamur.succeeds(*RUN, "--dry-run", "--limit", "1").out
    alone = testamur.succeeds(*RUN, "--dry-run", "--learner", "learner-2", "--json").documents
    assert [each["learner_id"] for each in alone] == ["learner-2"]


def test_a_learner_whom_the_source_does_not_know_is_refused(testamur: Program) -> None:
    for command in (RUN, (*RUN, "--dry-run")):
        refused = testamur(*command, "--learner", "nobody")
        assert (refused.code, refused.out) == (2, "")
        assert refused.err == f"error: no learner of {COURSE} 'nobody'\n"


# Learners whom the data source leaves out

NO_GRADE = "the LMS has no grade"


@pytest.fixture
def leaving_out(testamur: Program, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Ids of learners about whom the data source cannot tell anything; a test may change them."""
    ids = {"learner-0", "learner-2"}
    records = FileRetrievalSource.records

    def with_some_left_out(*question: Any) -> Iterator[list[LearnerRecord]]:
        for page in records(*question):
            yield [
                replace(each, left_out=NO_GRADE) if each.learner_id in ids else each
                for each in page
            ]

    monkeypatch.setattr(FileRetrievalSource, "records", with_some_left_out)
    return ids


def test_a_dry_run_shows_who_would_be_left_out_and_why(
    testamur: Program, leaving_out: set[str]
) -> None:
    assert testamur.succeeds(*RUN, "--dry-run").out.splitlines() == [
        "learner    outcome   name, or why not",
        "learner-1  award     Zoë Müller",
        "learner-0  left out  the LMS has no grade",
        "learner-2  left out  the LMS has no grade",
        "",
        "3 learners: 1 award, 2 left out.",
        "Left out: 2 learners. The data source cannot tell what they have achieved:",
        "  the LMS has no grade (2)",
        "The next run tries them again.",
        "This was a dry run: nothing was written.",
    ]
    documents = testamur.succeeds(*RUN, "--dry-run", "--json").documents
    assert [(each["outcome"], each["detail"]) for each in documents] == [
        ("award", None),
        ("left-out", NO_GRADE),
        ("left-out", NO_GRADE),
    ]


def test_a_run_says_how_many_it_left_out_and_why_and_completes(
    testamur: Program, leaving_out: set[str]
) -> None:
    lines = testamur.succeeds(*RUN).out.splitlines()
    assert dict(line.rsplit(maxsplit=1) for line in lines[3:7]) == {
        "evaluated": "3",
        "already held": "0",
        "not eligible": "0",
        "left out": "2",
    }
    assert lines[-5:-1] == [
        "Left out: 2 learners. The data source cannot tell what they have achieved:",
        "  the LMS has no grade (2)",
        "The next run tries them again.",
        "Who they are:",
    ]
    told = testamur.succeeds(*lines[-1].split()[1:]).out.splitlines()
    assert told[2].endswith("learners left out  2 learners: the LMS has no grade (2)")
    assert told[-5:] == [
        "Learners who were left out; the next run tries them again:",
        "",
        "learner    why the data source cannot tell what they have achieved",
        "learner-0  the LMS has no grade",
        "learner-2  the LMS has no grade",
    ]
    leaving_out.clear()
    again = testamur.json(*RUN)
    assert (again["awarded"], again["not_eligible"], again["left_out"]) == (1, 1, 0)


def test_a_run_in_json_counts_who_was_left_out_by_reason(
    testamur: Program, leaving_out: set[str]
) -> None:
    counts = testamur.json(*RUN)
    assert (counts["left_out"], counts["left_out_because"]) == (2, {NO_GRADE: 2})
    recorded = testamur.json("history", "run", counts["run_id"])
    assert [each["name"] for each in recorded] == [
        "run.started.1",
        "run.learners-left-out.1",
        "run.completed.1",
    ]


def test_a_tick_says_how_many_it_left_out_and_why(testamur: Program, leaving_out: set[str]) -> None:
    testamur.succeeds("configuration", "enable", "completion", COURSE)
    assert testamur.succeeds("tick").out.splitlines()[1] == (
        f"Left out of completion for {COURSE}: 2 learners: the LMS has no grade (2); "
        "the next run tries them again"
    )


# Runs


def test_a_run_awards_issues_and_tells(testamur: Program) -> None:
    lines = testamur.succeeds(*RUN).out.splitlines()
    assert lines[0] == f"Ran completion for {COURSE}."
    assert dict(line.rsplit(maxsplit=1) for line in lines[3:]) == {
        "evaluated": "3",
        "already held": "0",
        "not eligible": "1",
        "refused": "0",
        "awarded": "2",
        "issued": "2",
        "failed to be issued": "0",
        "told": "2",
        "not told: skipped": "0",
    }
    assert len(list((testamur.folder / "testamur-data/outbox").glob("*.eml"))) == 2


def test_a_run_again_finds_that_everybody_holds_it(testamur: Program) -> None:
    first = testamur.json(*RUN)
    assert (first["awarded"], first["issued"], first["told"]) == (2, 2, 2)
    again = testamur.json(*RUN)
    assert (again["awarded"], again["already_held"], again["told"]) == (0, 2, 0)
    assert again["run_id"] != first["run_id"]


def test_a_run_keeps_to_a_limit_and_to_one_learner(testamur: Program) -> None:
    assert testamur.json(*RUN, "--limit", "1")["over_limit"] == 1
    assert testamur.json(*RUN, "--learner", "learner-2")["not_eligible"] == 1
    assert len(credentials(testamur)) == 1
    assert testamur(*RUN, "--limit", "0").code == 2


def test_who_was_refused_is_found_by_the_command_that_the_run_names(testamur: Program) -> None:
    with_a_name_that_no_font_has(testamur)
    shown = testamur.succeeds(*RUN).out
    named = shown.splitlines()[-1].split()
    assert named[:-1] == ["testamur", "history", "run"]
    told = testamur.succeeds(*named[1:]).out
    assert "1 learner: 1 missing-glyph" in told
    assert told.splitlines()[-1].startswith("learner-1  missing-glyph")
    recorded = testamur.json(*named[1:])
    assert recorded[1]["event"]["refusals"][0]["learner_id"] == "learner-1"


def test_a_run_that_could_not_issue_fails_and_says_how_it_goes_on(testamur: Program) -> None:
    # Where the documents' folder is to be, there is a file.
    (testamur.folder / "testamur-data/files/credentials").write_text("in the way")
    failed = testamur(*RUN)
    assert failed.code == 1
    assert failed.err == "error: 2 documents failed to be issued\n"
    assert "failed to be issued  " in failed.out
    listing = failed.out.splitlines()[-1].split()
    assert listing[:3] == ["testamur", "credential", "list"]
    found = credentials(testamur, *listing[3:])
    assert [(each["status"], each["issue_failures"]) for each in found] == [("awarded", 1)] * 2
    assert "failing" in testamur.succeeds("credential", "list").out
    shown = testamur.succeeds("credential", "show", found[0]["credential_id"]).out
    assert "1 failed attempt, again at" in shown
    assert testamur("credential", "open", found[0]["credential_id"]).code == 2


MAIL_SERVER_AWAY = (
    'source_folder = "source"\nnotifier = "smtp"\nsmtp_host = "127.0.0.1"\nsmtp_port = 1\n'
    "smtp_timeout_seconds = 1\n"
)


def test_a_mail_server_that_is_away_does_not_fail_a_run_and_is_told_of(testamur: Program) -> None:
    testamur.write("testamur.toml", MAIL_SERVER_AWAY)
    done = testamur(*RUN, "--json")
    counts = done.document
    assert done.code == 0
    assert (counts["issued"], counts["told"], counts["not_told_yet"]) == (2, 0, 2)
    assert counts["untold_because"].startswith("unreachable: ")
    assert "nobody could be told: unreachable: " in done.err


def test_a_tick_says_so_where_the_mail_server_is_away(testamur: Program) -> None:
    testamur.write("testamur.toml", MAIL_SERVER_AWAY)
    testamur.succeeds("configuration", "enable", "completion", COURSE)
    tick = testamur("tick")
    assert tick.code == 1
    assert "nobody could be told: unreachable: " in tick.err
    assert "Issued: 2 documents" in tick.out
    assert "Not told: 2 learners" in tick.out


def test_a_run_of_a_course_that_the_source_does_not_know_fails_in_one_line(
    testamur: Program,
) -> None:
    testamur.succeeds("configuration", "create", "completion", OTHER_COURSE)
    failed = testamur("run", "completion", OTHER_COURSE)
    assert (failed.code, failed.out) == (1, "")
    assert len(failed.err.splitlines()) == 1
    assert OTHER_COURSE in failed.err


# Ticks


def test_a_tick_starts_what_is_due_once(testamur: Program) -> None:
    testamur.succeeds("configuration", "enable", "completion", COURSE)
    shown = testamur.succeeds("tick").out
    assert shown.startswith(f"Started: completion for {COURSE} (2 awarded, 0 refused, run ")
    assert testamur.succeeds("tick").out == "Nothing was due.\n"
    assert len(credentials(testamur)) == 2


def test_a_tick_in_json_names_its_runs(testamur: Program) -> None:
    testamur.succeeds("configuration", "enable", "completion", COURSE)
    report = testamur.json("tick")
    (run,) = report["started"]
    assert report == {
        "started": [run],
        "resumed": [],
        "disabled": {},
        "left_to_others": [],
        "needs_approval": [],
        "erased": [],
        "withdrawn": 0,
        "reminders": 0,
        "issued": 2,
        "not_issued": 0,
        "told": 2,
        "not_told": 0,
        "untold_because": None,
        "capped": False,
        "digests": 0,
        "reconciling": [],
        "corrected": 0,
        "corrections": 0,
        "problems": [],
    }
    assert len(credentials(testamur, "--run", run)) == 2


def test_a_tick_disables_what_is_over(testamur: Program) -> None:
    testamur.succeeds("configuration", "enable", "completion", COURSE)
    testamur.succeeds(
        "configuration", "schedule", "completion", COURSE, "--once", "2026-01-01T00:00Z"
    )
    testamur.succeeds("tick")
    assert (
        f"Disabled: completion for {COURSE}: its one run is done" in testamur.succeeds("tick").out
    )


def test_a_tick_with_a_problem_does_the_rest_and_fails(testamur: Program) -> None:
    testamur.succeeds("configuration", "create", "completion", OTHER_COURSE, "--every", "1d")
    for course in (COURSE, OTHER_COURSE):
        testamur.succeeds("configuration", "enable", "completion", course)
    failed = testamur("tick")
    assert failed.code == 1
    assert failed.err.startswith(f"completion {OTHER_COURSE}: error: ")
    assert len(credentials(testamur)) == 2
    assert testamur("tick", "--json").document["problems"] == []


def test_a_tick_leaves_everything_to_one_that_is_going_on(testamur: Program) -> None:
    testamur.succeeds("configuration", "enable", "completion", COURSE)
    with FileLocks(testamur.folder / "testamur-data" / "locks").hold("tick"):
        assert testamur.succeeds("tick").out == "Left to another process: tick\n"
    assert credentials(testamur) == []
