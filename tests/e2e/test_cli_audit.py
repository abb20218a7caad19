"""From the command line: what an auditor asks of the trail, and takes away as a file."""

import csv
import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from testamur.application import auditing
from testamur.entrypoints.library import Testamur
from testamur.entrypoints.settings import load_settings
from tests.support.program import ACTOR, Program, in_a_process
from tests.support.records import COURSE, OTHER_COURSE

pytestmark = pytest.mark.e2e

EVENTS = [
    "asset.added.1",
    "asset.added.1",
    "credential-type.defined.1",
    "configuration.created.1",
    "configuration.enabled.1",
    "run.started.1",
    "credential.awarded.1",
    "credential.awarded.1",
    "run.completed.1",
    "credential.issued.1",
    "credential.issued.1",
    "credential.notification-sent.1",
    "credential.notification-sent.1",
]


@pytest.fixture
def testamur(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    """An installation that issued Ann and Zoë the credential."""
    program = Program(tmp_path, monkeypatch, capsys)
    program.write_course(eligible=["Ann Example", "Zoë Müller"], not_eligible=["Too Early"])
    program.configure("--every", "1d")
    program.succeeds("configuration", "enable", "completion", COURSE)
    program.succeeds("run", "completion", COURSE)
    return program


def of_ann(testamur: Program) -> Any:
    (ann,) = testamur.succeeds("credential", "list", "--learner", "learner-0", "--json").documents
    return ann


def events(page: Any) -> list[str]:
    return [entry["event"] for entry in page["entries"]]


# audit list


def test_everything_that_happened_is_listed(testamur: Program) -> None:
    page = testamur.json("audit", "list")
    assert events(page) == EVENTS
    assert (page["cursor"], page["behind"]) == (None, 0)
    awarded = page["entries"][6]
    assert (awarded["actor"], awarded["context_key"]) == (ACTOR, COURSE)
    assert len(awarded["learner_ids"]) == 1


def test_the_screen_shows_what_the_filter_leaves_open(testamur: Program) -> None:
    out = testamur.succeeds("audit", "list", "--event", "credential.issued").out
    heading, first, second, blank, total = out.splitlines()
    assert heading.split() == ["time", "(UTC)", "event", "actor", "id", "learner", "context"]
    for row in (first, second):
        assert row.split()[2:4] == ["credential.issued", "system:issuer"]
        assert row.endswith(COURSE)
    assert (blank, total) == ("", "2 entries.")
    ann = of_ann(testamur)
    of_one = testamur.succeeds("audit", "list", "--credential", ann["verification_id"]).out
    assert "id" not in of_one.splitlines()[0].split()
    assert of_one.endswith("\n3 entries.\n")


def test_each_condition_narrows_the_list(testamur: Program) -> None:
    ann = of_ann(testamur)
    today = datetime.now(UTC).date().isoformat()

    def listed(*conditions: str) -> list[str]:
        return events(testamur.json("audit", "list", *conditions))

    of_one = ["credential.awarded.1", "credential.issued.1", "credential.notification-sent.1"]
    assert listed("--credential", ann["credential_id"]) == of_one
    assert listed("--credential", ann["verification_id"]) == of_one
    assert listed("--learner", "learner-0") == of_one
    assert listed("--configuration", "completion", COURSE) == EVENTS[3:]
    assert listed("--context", COURSE) == EVENTS[3:]
    assert listed("--context", OTHER_COURSE) == []
    assert listed("--run", ann["run_id"]) == EVENTS[5:]
    assert listed("--actor", "system:issuer") == EVENTS[9:11]
    assert listed("--event", "configuration") == EVENTS[3:5]
    assert listed("--event", "run.started", "--actor", ACTOR) == ["run.started.1"]
    assert listed("--since", today) == EVENTS
    assert listed("--until", today) == EVENTS
    assert listed("--until", "2020-01-01") == []
    assert listed("--newest", "--limit", "1") == EVENTS[-1:]


def test_a_cursor_goes_on_where_the_page_ended(testamur: Program) -> None:
    joined: list[str] = []
    cursor: list[str] = []
    while True:
        page = testamur.json("audit", "list", "--newest", "--limit", "5", *cursor)
        joined += events(page)
        if page["cursor"] is None:
            break
        cursor = ["--cursor", page["cursor"]]
    assert joined == EVENTS[::-1]
    first = testamur.succeeds("audit", "list", "--limit", "12").out
    more = first.splitlines()[-1]
    assert more.startswith("There are more: --cursor ")
    last = testamur.succeeds("audit", "list", *more.split()[-2:]).out
    assert "credential.notification-sent" in last
    assert last.endswith("\n1 entry.\n")


def test_a_cursor_of_another_question_is_refused(testamur: Program) -> None:
    cursor = testamur.json("audit", "list", "--limit", "1")["cursor"]
    refused = testamur("audit", "list", "--event", "credential", "--cursor", cursor)
    assert refused.code == 2
    assert "of another filter or of the other order" in refused.err
    assert testamur("audit", "list", "--cursor", cursor[:-3]).code == 2


@pytest.mark.parametrize(
    ("conditions", "told"),
    [
        (["--event", "revoked"], "nearest: credential.revoked"),
        (["--event", "nonsense"], "credential-type, digest, erasure"),
        (["--since", "yesterday"], "such as 2026-06-30"),
        (["--since", "2026-06-02", "--until", "2026-06-01"], "a time after since"),
        (["--actor", "jdoe"], "kind:name"),
        (["--run", "latest"], "run: 'latest'"),
        (["--learner", "ann@example.org"], "never an e-mail address"),
        (["--credential", "unheard-of"], "no credential 'unheard-of'"),
        (["--configuration", "completion", OTHER_COURSE], f"there are: completion {COURSE}"),
    ],
)
def test_what_nobody_could_mean_is_refused(
    testamur: Program, conditions: list[str], told: str
) -> None:
    for command in ("list", "count", "export"):
        refused = testamur("audit", command, *conditions)
        assert (refused.code, refused.out) == (2, "")
        assert told in refused.err


def test_times_are_told_in_the_installations_zone(testamur: Program) -> None:
    testamur.write("testamur.toml", 'source_folder = "source"\ntime_zone = "Asia/Tokyo"\n')
    assert "time (Asia/Tokyo)" in testamur.succeeds("audit", "list").out
    at = datetime.fromisoformat(testamur.json("audit", "list")["entries"][-1]["at"])
    told = testamur.succeeds("audit", "list", "--newest", "--limit", "1").out.splitlines()[1]
    hour = (at.hour + 9) % 24
    assert told.split()[1].startswith(f"{hour:02}:")


def test_what_the_trail_lacks_is_said(testamur: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auditing, "MOST_CAUGHT_UP", 1)
    for state in ("disable", "enable", "disable", "enable"):
        reason = ["--reason", "holidays"] if state == "disable" else []
        testamur.succeeds("configuration", state, "completion", COURSE, *reason)
    assert testamur.succeeds("audit", "list").out.endswith(
        "14 entries.\nThe trail lacks the latest 3 events of the log: asking again brings it on.\n"
    )
    assert testamur.json("audit", "list")["behind"] == 2
    assert len(testamur.succeeds("audit", "export").out.splitlines()) == 1 + len(EVENTS) + 4
    assert "lacks" not in testamur.succeeds("audit", "list").out


# audit count


def test_what_happened_is_counted(testamur: Program) -> None:
    assert testamur.succeeds("audit", "count").out == "13 entries.\n"
    assert testamur.json("audit", "count", "--event", "credential") == {"count": 6, "behind": 0}
    assert testamur.json("audit", "count", "--event", "credential", "--by", "actor") == {
        "count": 6,
        "behind": 0,
        "by": "actor",
        "groups": {"system:issuer": 2, "system:notifier": 2, ACTOR: 2},
        "complete": True,
    }


def test_configurations_are_counted_by_their_names(testamur: Program) -> None:
    assert testamur.succeeds("audit", "count", "--by", "configuration").out.splitlines() == [
        "configuration                        entries",
        f"completion {COURSE}       10",
        "",
        "13 entries.",
    ]


def test_groups_that_are_left_off_are_told(testamur: Program) -> None:
    out = testamur.succeeds("audit", "count", "--by", "event", "--limit", "2").out
    assert out.splitlines() == [
        "event                 entries",
        "asset.added.1               2",
        "credential.awarded.1        2",
        "",
        "13 entries.",
        "These are the 2 largest groups; --limit shows more.",
    ]
    counted = testamur.json("audit", "count", "--by", "event", "--limit", "2")
    assert counted["complete"] is False


@pytest.mark.parametrize("by", ["event", "actor", "configuration", "context", "run", "day"])
def test_counts_add_up(testamur: Program, by: str) -> None:
    counted = testamur.json("audit", "count", "--by", by, "--configuration", "completion", COURSE)
    assert sum(counted["groups"].values()) == counted["count"] - (by == "run") * 2


# audit export


def test_a_table_is_exported(testamur: Program) -> None:
    done = testamur.succeeds("audit", "export", "--format", "csv", "--to", "trail.csv")
    assert done.out == "13 entries written to trail.csv.\n"
    text = (testamur.folder / "trail.csv").read_bytes().decode()
    rows = list(csv.DictReader(StringIO(text, newline="")))
    assert [row["event"] for row in rows] == EVENTS
    assert "Ann" not in text
    assert "example.org" not in text
    assert testamur.succeeds("audit", "export").out.splitlines() == text.splitlines()


def test_json_lines_are_exported_without_anything_personal(testamur: Program) -> None:
    out = testamur.succeeds("audit", "export", "--format", "jsonl", "--event", "credential").out
    documents = [json.loads(line) for line in out.splitlines()]
    assert [each["event"] for each in documents] == EVENTS[6:8] + EVENTS[9:]
    assert all("data" not in each for each in documents)
    assert "Ann" not in out


def test_data_is_exported_decrypted_but_not_of_the_erased(testamur: Program) -> None:
    with Testamur.open(load_settings(None).settings, actor=ACTOR) as opened:
        opened.erase_learner("learner-1", "asked for")
    command = ("audit", "export", "--format", "jsonl", "--with-data", "--event")
    out = testamur.succeeds(*command, "credential.awarded").out
    people = {
        line["data"]["learner_id"]: line["data"]["person"]
        for line in map(json.loads, out.splitlines())
    }
    assert people["learner-0"]["full_name"] == "Ann Example"
    assert people["learner-1"] is None
    assert "Zoë" not in testamur.succeeds(*command, "credential").out


def test_what_was_written_is_told_as_json(testamur: Program) -> None:
    told = testamur.json("audit", "export", "--format", "jsonl", "--to", "trail.jsonl")
    assert told == {"entries": 13, "file": "trail.jsonl", "format": "jsonl"}
    refused = testamur("audit", "export", "--json")
    assert (refused.code, refused.out) == (2, "")
    assert "--json needs --to FILE" in refused.err


def test_a_table_has_no_data(testamur: Program) -> None:
    refused = testamur("audit", "export", "--with-data", "--to", "trail.csv")
    assert refused.code == 2
    assert "--with-data needs --format jsonl" in refused.err
    assert not (testamur.folder / "trail.csv").exists()


def test_a_file_that_cannot_be_written_is_told(testamur: Program) -> None:
    refused = testamur("audit", "export", "--to", "missing/trail.csv")
    assert refused.code == 2
    assert "missing/trail.csv" in refused.err


def test_nothing_is_left_of_an_export_that_breaks_off(
    testamur: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr("os.fsync", breaks)
    before = set(testamur.folder.iterdir())
    assert testamur("audit", "export", "--to", "trail.csv").code == 1
    assert set(testamur.folder.iterdir()) == before


# audit show


def test_a_credential_is_shown_as_it_was(testamur: Program) -> None:
    ann = of_ann(testamur)
    now = testamur.json("audit", "show", ann["verification_id"])
    assert (now["holds"], now["validity"]["status"]) == (True, "valid")
    assert now["last"]["name"] == "credential.notification-sent.1"
    assert now["last"]["attribution"]["actor"] == "system:notifier"
    assert now["credential"]["awarded"]["person"]["full_name"] == "Ann Example"
    before = testamur.json("audit", "show", ann["credential_id"], "--at", "2020-01-01")
    assert (before["holds"], before["credential"], before["last"]) == (False, None, None)
    assert before["at"].startswith("2020-01-01T23:59:59")


def test_the_screen_says_whether_it_held(testamur: Program) -> None:
    ann = of_ann(testamur)
    first, second, *rest = testamur.succeeds("audit", "show", ann["credential_id"]).out.splitlines()
    assert first == "Now it is valid."
    assert second.startswith("The last that happened to it: credential.notification-sent, ")
    assert second.endswith(", by system:notifier.")
    assert "name          Ann Example" in rest
    early = testamur.succeeds("audit", "show", ann["credential_id"], "--at", "2020-01-01T12:00")
    assert early.out == "On 2020-01-01 12:00 UTC it had not been awarded yet.\n"
    between = testamur.succeeds("audit", "show", ann["credential_id"], "--at", ann["awarded_at"])
    assert "it was awarded, and its document had not been issued yet." in between.out
    assert "credential.awarded" in between.out.splitlines()[1]


def test_what_is_to_come_cannot_be_shown(testamur: Program) -> None:
    refused = testamur("audit", "show", of_ann(testamur)["credential_id"], "--at", "2999-01-01")
    assert refused.code == 2
    assert "a moment until now" in refused.err


# audit why


def test_it_is_told_why_a_credential_was_awarded(testamur: Program) -> None:
    ann = of_ann(testamur)
    why = testamur.json("audit", "why", ann["verification_id"])
    assert why["learner_id"] == "learner-0"
    assert why["evidence"]["results"][-1]["achieved"] == "1"
    assert (why["run"]["run_id"], why["run"]["trigger"]) == (ann["run_id"], "manual")
    assert why["run"]["started"]["actor"] == ACTOR
    assert why["configuration"]["created"]["actor"] == ACTOR
    assert why["configuration"]["enabled"]["event"] == "configuration.enabled.1"
    assert why["configuration"]["changed"] is None
    assert why["configuration"]["options"]["criteria"] == {"required_completion": 0.9}
    assert (why["type"]["revision"], why["type"]["written"]["actor"]) == (1, ACTOR)
    assert why["replaced"] is None
    assert "Ann" not in json.dumps(why)


def test_the_reasons_fit_a_screen(testamur: Program) -> None:
    out = testamur.succeeds("audit", "why", of_ann(testamur)["credential_id"]).out
    for heading in (
        "Evidence from files:source, asked ",
        "The run that awarded it:",
        "The configuration, as it stood then:",
        "The credential type, as it stood then:",
        "The options, as they stood then:",
    ):
        assert f"\n\n{heading}" in out
    assert f", by {ACTOR}\n" in out
    assert "criteria.required_completion  0.9            type" in out
    assert "last changed   never" in out


def test_a_credential_that_there_is_none_of_has_no_reasons(testamur: Program) -> None:
    for command in ("why", "show"):
        refused = testamur("audit", command, "unheard-of")
        assert refused.code == 2
        assert "no credential 'unheard-of'" in refused.err


# As a program of its own


def test_without_a_command_the_help_is_shown(tmp_path: Path) -> None:
    shown = in_a_process(tmp_path, "audit")
    assert shown.returncode == 2
    for command in ("list", "count", "export", "show", "why"):
        assert f"  {command} " in shown.stderr
